//! The work for one receiver that is told event by event: reads the log behind its cursor, keeps a bounded number of events on their way, and notes what was
//! taken and what was not. Whatever ends this process, nothing is lost: what is not noted is told again.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tidelock_api::Told;
use tidelock_store::{Advance, Cursor, Delivery, Outbox, StoreError, Turn, TurnTaking};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    PublishError,
    asked::Asked,
    clock,
    figures::{Board, Ends},
    log::Log,
    queue::Queue,
    sink::Teller,
    webhook::{Beginning, Sent},
};

/// Events of one receiver on their way or waiting; the others stay in the log.
const WINDOW: usize = 1_000;
/// Between two looks at the log's end.
const LOOK: Duration = Duration::from_millis(50);
/// Between two notes of what happened, and two looks for what a person has had sent again.
const NOTE: Duration = Duration::from_millis(250);
/// The same at most while nothing happens, and a quarter of the turn.
const QUIET: Duration = Duration::from_secs(1);
/// After the store failed, or while another publisher is at work.
const PAUSE: Duration = Duration::from_millis(500);
/// How long tries that are under way may take once the publisher is asked to end.
const END: Duration = Duration::from_secs(5);

/// What every receiver's work shares.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub log: Log,
    pub outbox: Asked<Outbox>,
    pub board: Board,
    pub holder: String,
    pub lease: Duration,
    pub stop: watch::Receiver<bool>,
}

impl Shared {
    /// Waits, unless the publisher is asked to end: then false.
    pub async fn pause(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = sleep(time) => true,
            // Whoever could ask is gone: that is as good as having asked.
            _ = stop.wait_for(|asked| *asked) => false,
        }
    }

    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// The turn of a receiver, once no other publisher has it; none if the publisher is asked to end before.
    pub async fn take_turn(
        &self,
        sink: &str,
        beginning: Beginning,
    ) -> Result<Option<Turn>, PublishError> {
        let from = self.first(sink, beginning).await?;
        let mut is_told = false;
        loop {
            let (name, holder, lease) = (sink.to_owned(), self.holder.clone(), self.lease);
            let take = move |outbox: &mut Outbox| outbox.take(&name, from, &holder, lease);
            match self.outbox.ask(take).await? {
                TurnTaking::Taken(turn) => {
                    if !self.log.has(turn.cursor).await? {
                        return Err(PublishError::OtherLog {
                            sink: sink.to_owned(),
                            seq: turn.cursor.seq,
                        });
                    }
                    return Ok(Some(turn));
                }
                TurnTaking::Held { by } => {
                    if !is_told {
                        info!(sink, by, "another publisher is at work; standing by");
                        is_told = true;
                    }
                }
            }
            if !self.pause(PAUSE).await {
                return Ok(None);
            }
        }
    }

    /// After what a receiver begins, if it is new.
    async fn first(&self, sink: &str, beginning: Beginning) -> Result<Cursor, PublishError> {
        let name = sink.to_owned();
        let known = move |outbox: &mut Outbox| outbox.sink(&name);
        if beginning == Beginning::Start || self.outbox.ask(known).await?.is_some() {
            return Ok(Cursor::START);
        }
        let end = self.log.end().await?;
        let before = match beginning {
            Beginning::Entry(seq) => seq.saturating_sub(1),
            Beginning::Now | Beginning::Start => end,
        };
        if before > end {
            return Err(PublishError::Setting {
                sink: sink.to_owned(),
                why: format!(
                    "from = {}: must be at most {}, the entry that comes next in the log",
                    before.saturating_add(1),
                    end.saturating_add(1)
                ),
            });
        }
        Ok(self.log.cursor(before).await?)
    }

    /// Whether the work for a receiver goes on after a turn that came to that; waits before.
    pub async fn goes_on(
        &self,
        name: &str,
        worked: Result<(), PublishError>,
    ) -> Result<bool, PublishError> {
        self.board.change(name, |figures| figures.active = false);
        match worked {
            Ok(()) => return Ok(false),
            Err(cause @ (PublishError::Store(_) | PublishError::Broken)) => {
                warn!(sink = name, %cause, "publishing is interrupted, and goes on by itself");
            }
            Err(error) => return Err(error),
        }
        Ok(self.pause(PAUSE).await)
    }
}

/// Works until the publisher is asked to end.
pub(crate) async fn run(teller: Teller, shared: Shared) -> Result<(), PublishError> {
    loop {
        let worked = match shared.take_turn(teller.name(), teller.beginning()).await {
            Ok(None) => return Ok(()),
            Ok(Some(turn)) => Work::new(&teller, &shared, turn).run().await,
            Err(error) => Err(error),
        };
        if !shared.goes_on(teller.name(), worked).await? {
            return Ok(());
        }
    }
}

type Try = (u64, Sent);

/// The work of one turn.
struct Work<'a> {
    teller: &'a Teller,
    shared: &'a Shared,
    turn: Turn,
    /// Until when nobody else can have the turn, as far as this process knows.
    until: Instant,
    queue: Queue<Arc<Told>>,
    tries: JoinSet<Try>,
    /// The last entry that was read.
    read: u64,
    /// The last that was noted as done.
    noted: u64,
    progress: Advance,
    /// Until the next note.
    note_after: Duration,
    /// Entries after the cursor of which something is kept.
    known: BTreeSet<u64>,
    ends: Ends,
    end: u64,
    /// A try broke off without an answer, short of a defect never: the turn begins anew.
    is_broken: bool,
}

impl<'a> Work<'a> {
    fn new(teller: &'a Teller, shared: &'a Shared, turn: Turn) -> Self {
        Self {
            teller,
            shared,
            until: until(Instant::now(), shared.lease),
            read: turn.cursor.seq,
            noted: turn.cursor.seq,
            turn,
            queue: Queue::default(),
            tries: JoinSet::new(),
            progress: Advance::default(),
            note_after: NOTE,
            known: BTreeSet::new(),
            ends: Ends::default(),
            end: 0,
            is_broken: false,
        }
    }

    async fn run(mut self) -> Result<(), PublishError> {
        let (turn, board) = (self.turn.clone(), self.shared.board.clone());
        let kept = move |outbox: &mut Outbox| {
            let known = outbox.kept_after(&turn, turn.cursor.seq)?;
            Ok((known, outbox.waiting(&turn)?))
        };
        let (known, waiting) = self.shared.outbox.ask(kept).await?;
        self.known = known.into_iter().collect();
        // Before anything is read: what comes later about the same payments waits for it.
        for kept in waiting {
            self.take_up(kept).await?;
        }
        board.change(self.name(), |figures| figures.active = true);
        info!(
            sink = self.name(),
            after = self.turn.cursor.seq,
            "publishing"
        );
        let mut noted_at: Option<Instant> = None;
        while !self.shared.is_stopped() {
            if self.is_broken {
                return Err(PublishError::Broken);
            }
            if noted_at.is_none_or(|at| at.elapsed() >= self.note_after) {
                self.note().await?;
                noted_at = Some(Instant::now());
            }
            self.fill().await?;
            self.send();
            self.wait().await;
        }
        let last = timeout(END, async {
            while let Some(done) = self.tries.join_next().await {
                self.judge(done);
            }
        });
        // What is cut off is told again by the next.
        let _ = last.await;
        self.note().await?;
        let turn = self.turn.clone();
        let back = move |outbox: &mut Outbox| outbox.give_back(&turn);
        Ok(self.shared.outbox.ask(back).await?)
    }

    fn name(&self) -> &str {
        self.teller.name()
    }

    /// Reads on, as long as there is room.
    async fn fill(&mut self) -> Result<(), StoreError> {
        self.end = self.shared.log.end().await?;
        while self.read < self.end && self.queue.len() < WINDOW {
            let page = self.shared.log.after(self.read).await?;
            let Some(last) = page.last() else { break };
            self.read = last.sequence;
            for told in page {
                let is_known = self.known.remove(&told.sequence);
                if !is_known && self.teller.wants(told.kind.word()) {
                    self.push(told, None);
                }
            }
        }
        Ok(())
    }

    /// Has what may go sent, as long as nobody else can have the turn.
    fn send(&mut self) {
        let most = self.teller.at_once();
        while self.queue.flying() < most && Instant::now() < self.until {
            let Some((seq, told)) = self.queue.next(clock::now_ms()) else {
                return;
            };
            let teller = self.teller.clone();
            self.tries.spawn(async move {
                let sent = teller.tell(&told).await;
                (seq, sent)
            });
        }
    }

    /// Until something was sent, or it is time to look again.
    async fn wait(&mut self) {
        let now = clock::now_ms();
        let may_send = self.queue.flying() < self.teller.at_once();
        let due = self.queue.wakes_at().filter(|_| may_send);
        let due = due.map(|at| Duration::from_millis(at.saturating_sub(now)));
        let pause = due.map_or(LOOK, |due| due.clamp(Duration::from_millis(1), LOOK));
        let mut stop = self.shared.stop.clone();
        tokio::select! {
            Some(done) = self.tries.join_next() => self.judge(done),
            () = sleep(pause) => {}
            _ = stop.wait_for(|asked| *asked) => {}
        }
        while let Some(done) = self.tries.try_join_next() {
            self.judge(done);
        }
    }

    fn judge(&mut self, done: Result<Try, JoinError>) {
        let (seq, sent) = match done {
            Ok(done) => done,
            Err(error) => {
                warn!(sink = self.name(), %error, "a try broke off");
                self.is_broken = true;
                return;
            }
        };
        let board = self.shared.board.clone();
        let (why, asked) = match sent {
            Sent::Taken => {
                if self.queue.taken(seq) {
                    self.progress.taken.push(seq);
                }
                let count =
                    |figures: &mut crate::Figures| figures.taken = figures.taken.saturating_add(1);
                return board.change(self.name(), count);
            }
            Sent::Refused { why, wait } => (why, wait),
        };
        board.change(self.name(), |figures| {
            figures.refused = figures.refused.saturating_add(1);
        });
        let waits = self.teller.waits();
        let failed = self.queue.failed(seq, why, asked, clock::now_ms(), &waits);
        let Some(failed) = failed else { return };
        let Delivery { tries, why, .. } = &failed.delivery;
        match failed.wait {
            Some(wait) => {
                warn!(
                    sink = self.name(),
                    seq,
                    tries,
                    why,
                    again_in_ms = wait,
                    "not taken"
                );
            }
            None => warn!(
                sink = self.name(),
                seq, tries, why, "given up; `keeper publish dead` lists it"
            ),
        }
        self.progress.kept.retain(|kept| kept.seq != seq);
        self.progress.kept.push(failed.delivery);
    }

    /// Notes what happened, renews the turn, and takes up what is to be sent again.
    async fn note(&mut self) -> Result<(), StoreError> {
        let parked = self.queue.park();
        self.progress.kept.extend(parked);
        let done = match self.queue.first_unkept() {
            Some(seq) => seq.saturating_sub(1),
            None => self.read,
        };
        if done > self.noted {
            self.progress.cursor = Some(self.shared.log.cursor(done).await?);
        }
        let progress = std::mem::take(&mut self.progress);
        let (turn, lease) = (self.turn.clone(), self.shared.lease);
        let is_quiet = progress == Advance::default() && self.queue.len() == 0;
        let asked = Instant::now();
        let note = move |outbox: &mut Outbox| {
            if progress != Advance::default() {
                outbox.commit(&turn, &progress)?;
            }
            if !outbox.renew(&turn, lease)? {
                return Err(StoreError::TurnLost { sink: turn.sink });
            }
            let view = outbox.sink(&turn.sink)?;
            Ok((outbox.revived(&turn, WINDOW)?, view))
        };
        let (revived, view) = self.shared.outbox.ask(note).await?;
        self.until = until(asked, self.shared.lease);
        self.noted = self.noted.max(done);
        let longest = QUIET.min(lease.checked_div(4).unwrap_or(NOTE)).max(NOTE);
        self.note_after = match is_quiet {
            true => self.note_after.saturating_mul(2).min(longest),
            false => NOTE,
        };
        for kept in revived {
            if self.queue.len() >= WINDOW {
                break; // the others wait in the outbox
            }
            self.take_up(kept).await?;
        }
        let now = Instant::now();
        self.ends.saw(self.end, now);
        let (end, noted) = (self.end, self.noted);
        let age = self.ends.age_after(noted, end, now);
        self.shared.board.change(self.name(), |figures| {
            figures.lag_entries = end.saturating_sub(noted);
            figures.lag_seconds = age;
            figures.retrying = view.as_ref().map_or(0, |view| view.waiting);
            figures.dead = view.as_ref().map_or(0, |view| view.dead);
        });
        Ok(())
    }

    fn push(&mut self, told: Told, kept: Option<Delivery>) {
        let told = Arc::new(told);
        let event = Arc::clone(&told);
        self.queue.push(told.sequence, told.refs(), event, kept);
    }

    async fn take_up(&mut self, kept: Delivery) -> Result<(), StoreError> {
        if self.queue.has(kept.seq) {
            return Ok(());
        }
        let told: Option<Told> = self.shared.log.entry(kept.seq).await?;
        if let Some(told) = told {
            self.push(told, Some(kept));
        }
        Ok(())
    }
}

/// A turn counts as ours for three quarters of its time: clocks may run differently.
fn until(asked: Instant, lease: Duration) -> Instant {
    let quarter = lease.checked_div(4).unwrap_or_default();
    let until = asked.checked_add(lease.saturating_sub(quarter));
    until.unwrap_or(asked)
}
