//! A keeper's process: the production engine, what it has asked for, and its end. Requests travel to the world and answers
//! back, each taking its time; an end loses answers, and not always what was on its way.

use alloy_primitives::Address;
use tidelock_core::{
    engine::{Engine, EngineError},
    port::{Effect, Key, Monotonic, Outcome},
};

use crate::{
    conduct,
    fate::Fate,
    faults::Fault,
    world::{
        World,
        node::lost,
        store::{Ambush, Disk},
        writer::{StoreFailure, Writer},
    },
};

/// An effect on its way.
struct Flight {
    effect: Effect,
    /// The keeper's key when it set off.
    key: usize,
    arrives_ms: u64,
    answers_ms: u64,
    outcome: Option<Outcome>,
    /// Its process is dead; nobody waits for the answer.
    orphan: bool,
}

/// A keeper's process.
pub struct Process {
    name: String,
    engine: Option<Engine<Writer>>,
    flights: Vec<Flight>,
    /// What the process must never do, and did.
    pub wrong: Option<String>,
}

impl Process {
    /// None runs yet.
    pub fn new(name: String) -> Self {
        Self {
            name,
            engine: None,
            flights: Vec::new(),
            wrong: None,
        }
    }

    /// Whether it works on the log.
    pub fn works(&self) -> bool {
        self.engine.is_some()
    }

    /// What the keeper says that it waits for.
    pub fn waits(&self) -> String {
        match self.engine.as_ref().map(Engine::status) {
            None => format!("{} does not work", self.name),
            Some(status) => format!(
                "{} is {:?}, waits for {:?}, says {:?}",
                self.name, status.mode, status.waits, status.failure
            ),
        }
    }

    /// Goes to work on the log.
    pub fn start(
        &mut self,
        writer: Writer,
        world: &World,
        at: Monotonic,
        fate: &mut Fate,
    ) -> Result<(), EngineError<StoreFailure>> {
        let engine = Engine::start(writer, world.setting.settings(), at)?;
        self.engine = Some(engine);
        fate.count("starts");
        fate.say(|| format!("{}: starts", self.name));
        Ok(())
    }

    /// What arrives arrives, whoever waits for it.
    pub fn land(&mut self, world: &mut World, now_ms: u64, fate: &mut Fate) {
        self.flights.sort_by_key(|flight| flight.arrives_ms);
        for flight in &mut self.flights {
            if flight.outcome.is_none() && flight.arrives_ms <= now_ms {
                flight.outcome = Some(world.answer((flight.key, &flight.effect), now_ms, fate));
            }
        }
        self.flights
            .retain(|flight| !(flight.orphan && flight.outcome.is_some()));
    }

    /// Takes a turn with what was answered by now.
    pub fn turn(
        &mut self,
        now_ms: u64,
        at: Monotonic,
    ) -> Result<Vec<Effect>, EngineError<StoreFailure>> {
        let answers = self.answers(now_ms);
        match &mut self.engine {
            Some(engine) => engine.turn(answers, at),
            None => Ok(Vec::new()),
        }
    }

    fn answers(&mut self, now_ms: u64) -> Vec<(Key, Outcome)> {
        let is_back = |flight: &Flight| {
            !flight.orphan && flight.outcome.is_some() && flight.answers_ms <= now_ms
        };
        let (back, away) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(is_back);
        self.flights = away;
        let answer = |flight: Flight| (flight.effect.key(), flight.outcome.expect("is back"));
        Vec::into_iter(back).map(answer).collect()
    }

    /// Begins an effect; one that it may not begin is answered by itself.
    pub fn launch(
        &mut self,
        effect: Effect,
        may: bool,
        world: &World,
        now_ms: u64,
        fate: &mut Fate,
    ) {
        let key = effect.key();
        let away = (self.flights.iter()).any(|f| !f.orphan && f.effect.key() == key);
        if away {
            self.wrong = Some(format!("{key:?} was asked while it was under way"));
        }
        fate.say(|| format!("{}: {}", self.name, conduct::told(&effect)));
        let usual = world.setting.block_ms / 4;
        let longest = if fate.is_active() && fate.rng.chance(30) {
            world.setting.block_ms * 4
        } else {
            usual
        };
        let arrives_ms = now_ms + fate.rng.below(longest + 1);
        let mut answers_ms = arrives_ms + fate.rng.below(longest + 1);
        let mut outcome = (!may).then(|| Outcome::Failed("this keeper leads no more".to_owned()));
        if may && fate.has(Fault::SilentNode) && fate.rng.chance(5) {
            fate.struck(Fault::SilentNode);
            answers_ms += world.setting.block_ms * 20;
            outcome = Some(lost(&effect, "no answer within the time limit"));
        }
        let keeper = self
            .engine
            .as_ref()
            .map(|engine| engine.state().opening().keeper);
        self.flights.push(Flight {
            key: keeper.map_or(0, |keeper| world.key_of(keeper)),
            answers_ms,
            arrives_ms,
            outcome,
            orphan: false,
            effect,
        });
    }

    /// Signers are told of what would pay a second time.
    pub fn check_told(&mut self, disk: &Disk, fate: &mut Fate) {
        let mut repeating = disk.repeating().peekable();
        let Some(engine) = self.engine.as_ref().filter(|_| repeating.peek().is_some()) else {
            return;
        };
        fate.count("looks at what would be paid twice");
        let status = engine.status();
        if let Some(id) = repeating.find(|id| !conduct::tells(id, &status)) {
            self.wrong = Some(format!(
                "batch {id} would pay again what is paid, and nobody is told"
            ));
        }
    }

    /// Whether it works with that key.
    pub fn works_with(&self, key: Address) -> bool {
        let engine = self.engine.as_ref();
        engine.is_some_and(|engine| engine.state().opening().keeper == key)
    }

    /// The key takes no new nonce from now on. Whether it has some left to see through.
    pub fn retire_key(&mut self) -> bool {
        self.engine.as_mut().is_some_and(|engine| {
            engine.retire_key();
            !engine.is_drained()
        })
    }

    /// Ends the engine and hands its store out, if its key was retired and has nothing left to do.
    pub fn take_drained(&mut self, fate: &mut Fate) -> Option<Writer> {
        let engine = self.engine.take_if(|engine| engine.is_drained())?;
        self.end(fate);
        Some(engine.into_store())
    }

    /// It works no more. What it has sent is on its way, or not.
    pub fn end(&mut self, fate: &mut Fate) {
        self.engine = None;
        for flight in &mut self.flights {
            flight.orphan = true;
        }
        let rng = &mut fate.rng;
        self.flights.retain(|flight| {
            let sends = matches!(flight.effect, Effect::Send { .. });
            sends && flight.outcome.is_none() && rng.chance(500)
        });
    }
}

/// Where the next commit dies, perhaps.
pub fn set_ambush(disk: &mut Disk, fate: &mut Fate) {
    if !fate.is_active() {
        disk.ambush = None;
    }
    if disk.ambush.is_some() {
        return;
    }
    let choices = [
        (Fault::CrashBeforeSigning, Some(true)),
        (Fault::CrashBeforeFsync, Some(false)),
        (Fault::CrashBeforeSend, Some(true)),
        (Fault::CrashMidReplacement, None),
        (Fault::CommitUnclear, None),
    ];
    for (fault, applied) in choices {
        if fate.strikes(fault) {
            let applied = applied.unwrap_or_else(|| fate.rng.chance(500));
            disk.ambush = Some(Ambush { fault, applied });
        }
    }
}
