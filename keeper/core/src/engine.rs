//! The engine: takes answers in, decides, commits once, and says what to do next. The same code runs in the daemon and in
//! the simulator.

mod advised;
mod answer;
mod budget;
mod contest;
mod due;
mod execution;
mod figures;
mod follow;
mod lanes;
mod memory;
mod next;
mod pricing;
mod questions;
mod recall;
mod repeats;
mod reverted;
mod room;
mod simulated;
mod status;
mod strikes;

use alloy_primitives::Address;

use crate::{
    domain::PaymentRef,
    event::{Command, Event, Mode, Opening},
    finality::Settling,
    intake::{self, Absent},
    journal::Journal,
    log::{Entry, LogHead},
    port::{Effect, Key, Monotonic, Outcome},
    settings::Settings,
    state::State,
    store::Store,
};

pub use crate::{error::EngineError, journal::JournalError};
pub use budget::Budget;
pub(crate) use budget::Spent;
pub use figures::Figures;
pub use follow::Sought;
use memory::Memory;
pub use reverted::Cause;
pub use status::Status;

/// Requests and commands that one turn takes in at most.
const ARRIVALS: u32 = 500;
/// Time between two looks for arrivals. [milliseconds]
const ARRIVALS_MS: u64 = 50;

/// Decides for one vault and one key.
#[derive(Debug)]
pub struct Engine<S: Store> {
    journal: Journal,
    store: S,
    settings: Settings,
    memory: Memory,
}

/// Writes the first entry of a new log, and then `past`: what is known of the vault from before, if it was in use.
pub fn open<S: Store>(
    store: &mut S,
    opening: Opening,
    past: Vec<Event>,
) -> Result<(), EngineError<S::Error>>
where
    S::Error: 'static,
{
    if store.load().map_err(EngineError::Store)?.is_some() {
        return Err(EngineError::Opened);
    }
    let entry = Entry::after(LogHead::EMPTY, &Event::LogOpened(opening));
    let entry = entry.map_err(JournalError::Entry)?;
    let state = State::open(opening);
    let committed = store.commit(std::slice::from_ref(&entry), &state.open_rows());
    committed.map_err(EngineError::Store)?;
    let mut journal = Journal::new(state, entry.head());
    for event in past {
        journal.record(event)?;
        journal.commit(store).map_err(EngineError::Store)?;
    }
    Ok(())
}

/// Lets another key send from now on. Every nonce of the one before must be used up: [`Engine::is_drained`].
pub fn change_key<S: Store>(
    store: &mut S,
    keeper: Address,
    first_nonce: u64,
) -> Result<(), EngineError<S::Error>>
where
    S::Error: 'static,
{
    let snapshot = store.load().map_err(EngineError::Store)?;
    let snapshot = snapshot.ok_or(EngineError::NotOpened)?;
    let mut journal = Journal::new(State::restore(snapshot.rows), snapshot.head);
    journal.record(Event::KeyChanged {
        keeper,
        first_nonce,
    })?;
    journal.commit(store).map_err(EngineError::Store)?;
    Ok(())
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Starts from what the store holds. A start is like any other moment: nothing was ever known that is not stored.
    pub fn start(
        mut store: S,
        settings: Settings,
        now: Monotonic,
    ) -> Result<Self, EngineError<S::Error>> {
        let snapshot = store.load().map_err(EngineError::Store)?;
        let snapshot = snapshot.ok_or(EngineError::NotOpened)?;
        let state = State::restore(snapshot.rows);
        let memory = Memory::new(&state, &settings, now);
        let mut engine = Self {
            journal: Journal::new(state, snapshot.head),
            store,
            settings,
            memory,
        };
        engine.recall_repeats()?;
        engine.recall_spent()?;
        Ok(engine)
    }

    /// Takes answers in, then what has arrived, commits, and returns the effects to start now. After an error the engine
    /// must not be used any more.
    pub fn turn(
        &mut self,
        answers: Vec<(Key, Outcome)>,
        now: Monotonic,
    ) -> Result<Vec<Effect>, EngineError<S::Error>> {
        for (key, outcome) in answers {
            self.answer(key, outcome, now)?;
        }
        self.take_arrivals(now)?;
        if self.journal.has_opened_payments() {
            self.memory.advised.look_again();
        }
        let committed = self.journal.commit(&mut self.store);
        let committed = committed.map_err(EngineError::Store)?;
        self.keep_repeats(&committed);
        Ok(self.due(now))
    }

    fn take_arrivals(&mut self, now: Monotonic) -> Result<(), EngineError<S::Error>> {
        if now < self.memory.next_arrivals || self.journal.follows() {
            return Ok(());
        }
        self.memory.next_arrivals = now.after(ARRIVALS_MS);
        let state = self.journal.state();
        let (arrivals, commands) = (state.arrivals(), state.commands());
        let unread = self.store.unread_requests(arrivals, ARRIVALS);
        let unread = unread.map_err(EngineError::Store)?;
        if !unread.items.is_empty() {
            self.memory.next_arrivals = now; // there may be more
        }
        intake::take_requests(&mut self.journal, unread)?;
        let unread = self.store.unread_commands(commands, ARRIVALS);
        for (arrival, command) in unread.map_err(EngineError::Store)?.items {
            let absent = self.absent(&command)?;
            let command = (arrival, command);
            intake::take_command(&mut self.journal, command, self.memory.nonce, absent)?;
        }
        Ok(())
    }

    /// What the store knows of the payment that a command is about, if it is not open.
    fn absent(&mut self, command: &Command) -> Result<Absent, EngineError<S::Error>> {
        let reference = command.reference();
        let is_open = |known: &PaymentRef| self.state().open_payment(known).is_some();
        let Some(reference) = reference.filter(|known| !is_open(known)) else {
            return Ok(Absent::Unknown);
        };
        let rows = self.store.payments(&[reference]);
        if let Some(row) = rows.map_err(EngineError::Store)?.first() {
            return Ok(Absent::Final(row.status));
        }
        let is_filed = self.store.has_request(&[reference]);
        Ok(if is_filed.map_err(EngineError::Store)? {
            Absent::Waiting
        } else {
            Absent::Unknown
        })
    }

    /// For taking in final blocks.
    fn settling(&mut self) -> Settling<'_, S> {
        let (in_hand, data_fee) = (self.memory.in_hand(), self.data_fee());
        Settling {
            journal: &mut self.journal,
            store: &mut self.store,
            max_returns: self.settings.batch.max_returns,
            in_hand,
            spent: &mut self.memory.spent,
            data_fee,
        }
    }

    /// From now on no new nonce is reserved, not even for what is being simulated: what has one is seen through, and then the key
    /// has nothing left to do.
    pub fn retire_key(&mut self) {
        self.memory.is_retiring = true;
        let candidate = &mut self.memory.candidate;
        candidate.take_if(|candidate| candidate.nonce.is_none());
    }

    /// The key was retired, and a final block has used up every nonce of it that was reserved.
    pub fn is_drained(&self) -> bool {
        self.memory.is_retiring && self.state().slots().next().is_none()
    }

    /// What is known for good.
    pub fn state(&self) -> &State {
        self.journal.state()
    }

    /// Where the log ends.
    pub fn head(&self) -> LogHead {
        self.journal.head()
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Ends the engine and gives its store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Whether decisions may be made and sent.
    fn is_armed(&self) -> bool {
        self.settings.sends && matches!(self.journal.state().mode(), Mode::Armed)
    }
}
