//! Two keepers side by side: one leads, and one follows its log, decision for decision.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use alloy::primitives::B256;
use tidelock_core::{
    domain::Batch,
    engine::{Engine, Status},
    event::{Event, Route},
    observe::{Block, Polled},
    port::{Effect, Key, Outcome},
    settings::Settings,
};
use tokio::runtime::Handle;

use super::{
    ahead::Ahead,
    decision::{Decision, Own},
    report::Report,
};
use crate::{
    chain::Chain,
    cli::run::engine_failure,
    daemon::{Clock, arrived, ask},
    exit::{ExitStatus, Failure},
    store::{Followed, LoggedEvent, Reader},
};

/// Longest time between two turns.
const TICK: Duration = Duration::from_millis(20);
/// Entries that are read at once.
const AT_ONCE: u32 = 1_000;
/// How long the follower has for a decision that the leader has made: both see a payment at about the same time.
const BEHIND: Duration = Duration::from_secs(5);
/// The same while its node owes it an answer.
const BEHIND_THE_NODE: Duration = Duration::from_secs(60);
/// How long it stays at one block while it looks for a decision of which the log does not say at which block it was made.
const STEP: Duration = Duration::from_millis(300);

/// A decision of the leader that the follower has not made yet.
struct Awaited {
    decision: Decision,
    since: Instant,
}

pub(super) struct Follower {
    engine: Engine<Followed>,
    reader: Reader,
    chain: Arc<dyn Chain>,
    tasks: Handle,
    clock: Clock,
    sender: Sender<(Key, Outcome)>,
    answers: Receiver<(Key, Outcome)>,
    /// Questions that no answer has come to, but for what the next block is.
    asked: BTreeSet<Key>,
    /// The leader's entries that are not followed yet.
    queue: VecDeque<LoggedEvent>,
    read_through: u64,
    /// Requests up to here had waited before: how long, only the leader knows.
    old: u64,
    own: Own,
    awaited: Option<Awaited>,
    ahead: Option<Ahead>,
    settings: Settings,
    /// What the engine said last of itself.
    status: Status,
    /// When it saw another block last.
    stepped: Instant,
    /// It has not looked yet at all blocks at which the leader may have decided what comes next.
    holds_back: bool,
    /// The newest block when it began: from there on both see the same.
    begin: u64,
    pub report: Report,
}

impl Follower {
    pub fn start(
        (store, reader): (Followed, Reader),
        settings: Settings,
        (chain, tasks): (Arc<dyn Chain>, Handle),
        begin: u64,
    ) -> Result<Self, Failure> {
        let clock = Clock::start();
        let engine = Engine::start_following(store, settings, clock.now());
        let engine = engine.map_err(engine_failure)?;
        let (sender, answers) = mpsc::channel();
        Ok(Self {
            read_through: engine.head().seq,
            old: 0,
            status: engine.status(),
            stepped: Instant::now(),
            holds_back: false,
            begin,
            engine,
            reader,
            chain,
            tasks,
            clock,
            sender,
            answers,
            asked: BTreeSet::new(),
            queue: VecDeque::new(),
            own: Own::default(),
            awaited: None,
            ahead: None,
            settings,
            report: Report::default(),
        })
    }

    /// One turn; whether everything that the leader has said is followed.
    pub fn turn(&mut self) -> Result<bool, Failure> {
        let came = arrived(&self.answers, TICK);
        // What the leader had stored before an answer came is read before the answer: its transactions are known by then.
        self.read()?;
        self.follow()?;
        let mut given = Vec::new();
        for (key, outcome) in came {
            self.asked.remove(&key);
            let outcome = self.as_far_as_the_leader(outcome);
            given.push((key, outcome));
        }
        let now = self.clock.now();
        let effects = self.engine.turn(given, now).map_err(engine_failure)?;
        effects
            .into_iter()
            .for_each(|effect| self.start_one(effect));
        let status = self.engine.status();
        if status.tip != self.status.tip {
            self.stepped = Instant::now();
        }
        self.status = status;
        self.take_decisions();
        self.follow()?;
        let tip = self.status.tip.number;
        if !self.is_level() && tip >= self.begin && self.queue.is_empty() {
            self.report.from = tip;
            self.old = self.engine.state().arrivals();
        }
        if self.is_level() {
            self.report.to = self.report.to.max(tip);
        }
        self.look_ahead(tip);
        Ok(self.queue.is_empty())
    }

    /// Whether the follower has caught up with chain and log.
    fn is_level(&self) -> bool {
        self.report.from > 0
    }

    fn start_one(&mut self, effect: Effect) {
        let key = effect.key();
        if effect.is_act() {
            return; // an engine that follows asks for neither
        }
        if key != Key::Poll {
            self.asked.insert(key);
        }
        let chain = Arc::clone(&self.chain);
        let answer = async move { chain.answer(effect).await };
        ask(&self.tasks, key, answer, &self.sender);
    }

    fn read(&mut self) -> Result<(), Failure> {
        loop {
            let entries = self.reader.events_after(self.read_through, AT_ONCE)?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            self.read_through = last.seq;
            self.queue.extend(entries);
        }
    }

    /// Follows the leader up to a decision that the follower has not made.
    fn follow(&mut self) -> Result<(), Failure> {
        while let Some(entry) = self.queue.front() {
            if let Event::KeyChanged { .. } = entry.event {
                let why = "the leader has gone over to another key; begin again";
                return Err(Failure::new(ExitStatus::Failed, why));
            }
            if let Some(decision) = Decision::of(&entry.event, self.engine.state())
                && !self.is_compared(entry.seq, &decision)
            {
                return Ok(());
            }
            let Some(entry) = self.queue.pop_front() else {
                return Ok(());
            };
            let followed = self.engine.follow(&entry.event);
            followed.map_err(|error| {
                let what = format!("entry {}: this version cannot fold it", entry.seq);
                Failure::of(ExitStatus::Failed, error).while_doing(what)
            })?;
        }
        Ok(())
    }

    /// Whether the leader's decision has been held against the follower's.
    fn is_compared(&mut self, seq: u64, decision: &Decision) -> bool {
        let is_batch = matches!(decision, Decision::Seal { .. });
        if !self.is_level() || (is_batch && self.is_old(decision)) {
            let one = u64::from(is_batch);
            self.report.not_compared = self.report.not_compared.saturating_add(one);
        } else if self.own.has(decision) {
            self.report.count(decision);
        } else {
            let now = Instant::now();
            let is_new = self.awaited.is_none();
            let since = self.awaited.get_or_insert_with(|| Awaited {
                decision: decision.clone(),
                since: now,
            });
            let late = since.since.elapsed();
            if late < self.patience(decision) {
                // From now on until it is decided: each answer leads to another try.
                if is_new || self.asked.is_empty() {
                    self.engine.reconsider(decision.sought());
                }
                return false;
            }
            self.report.differs(format!(
                "entry {seq}: the leader {}; this one {}",
                decision.words(),
                self.own.instead(decision)
            ));
        }
        self.own.settle(decision);
        self.awaited = None;
        if !matches!(decision, Decision::Judge(..)) {
            self.ahead = None;
        }
        true
    }

    /// How long the follower has. What the node has not told it yet, it cannot decide from.
    fn patience(&self, decision: &Decision) -> Duration {
        let is_there = match decision {
            Decision::Seal { batch, route, .. } => self
                .sealed_at(batch, *route)
                .is_none_or(|time| self.status.tip.time.seconds() >= time),
            _ => !self.holds_back,
        };
        let knows = self.asked.is_empty() || self.own.has_another(decision);
        if is_there && knows && self.status.failure.is_none() {
            BEHIND
        } else {
            BEHIND_THE_NODE
        }
    }

    /// Whether it is about payments that had waited before the follower came.
    fn is_old(&self, decision: &Decision) -> bool {
        let arrival = |known| {
            self.engine
                .state()
                .open_payment(known)
                .map(|row| row.arrival)
        };
        let mut refs = decision.refs().iter();
        refs.any(|known| arrival(known).is_some_and(|arrival| arrival <= self.old))
    }

    fn take_decisions(&mut self) {
        for event in self.engine.take_decisions() {
            let Some(act) = self.own.take(&event, self.engine.state()) else {
                continue;
            };
            let tip = self.status.tip.number;
            let ahead = self.ahead.as_mut();
            let goes_on = ahead.is_some_and(|ahead| ahead.goes_on(&act, tip));
            if !goes_on && self.is_level() && self.queue.is_empty() {
                self.ahead = Some(Ahead::new(act, tip));
            }
        }
    }

    /// What the follower would have done blocks ago, and the leader has not.
    fn look_ahead(&mut self, tip: u64) {
        // Both may wait for cheap hours, and each knows other prices.
        if self.settings.patience.is_some() || !self.queue.is_empty() {
            return;
        }
        let late = self.ahead.as_mut().and_then(|ahead| ahead.late(tip));
        let is_old = |ahead: &Ahead| self.is_old(&ahead.act);
        if let Some(late) = late
            && !self.ahead.as_ref().is_some_and(is_old)
        {
            self.report.differs(late);
        }
    }

    /// Blocks that the leader had not seen when it decided what comes next are left for later.
    fn as_far_as_the_leader(&mut self, outcome: Outcome) -> Outcome {
        let Outcome::Polled(polled) = outcome else {
            return outcome;
        };
        if self.awaited.is_none() {
            return Outcome::Polled(polled);
        }
        let (end, later) = (self.next_seal(), self.later());
        let may_be_known = |block: &Block| {
            end.is_none_or(|end| block.id.time.seconds() <= end)
                && !block.transactions.iter().any(|hash| later.contains(hash))
        };
        let mut blocks = polled.blocks;
        let known = blocks
            .iter()
            .take_while(|block| may_be_known(block))
            .count();
        // At which block it is decided the log says of batches only: of the rest one after the other, each with time to decide.
        let is_through = self.asked.is_empty() && self.stepped.elapsed() >= STEP;
        let step = if self.next_is_sealed() {
            known
        } else {
            known.min(usize::from(is_through))
        };
        blocks.truncate(step);
        self.holds_back = step < known;
        Outcome::Polled(Polled { blocks, ..polled })
    }

    fn next_is_sealed(&self) -> bool {
        let awaited = self.awaited.as_ref();
        awaited.is_some_and(|awaited| matches!(awaited.decision, Decision::Seal { .. }))
    }

    /// Transactions that the leader signed after what comes next: it decided that before a block held any of them.
    fn later(&self) -> BTreeSet<B256> {
        let later = self.queue.iter().filter_map(|entry| match entry.event {
            Event::AttemptSigned { hash, .. } => Some(hash),
            _ => None,
        });
        later.collect()
    }

    /// The time of the block at which the next batch was sealed that is not followed yet.
    fn next_seal(&self) -> Option<u64> {
        let mut events = self.queue.iter().map(|entry| &entry.event);
        let (batch, route) = events.find_map(|event| match event {
            Event::BatchSealed { batch, route, .. } => Some((batch, route)),
            _ => None,
        })?;
        self.sealed_at(batch, *route)
    }

    /// The time of the block at which a batch was sealed, by the life that its header has; none before the vault was looked at.
    fn sealed_at(&self, batch: &Batch, route: Route) -> Option<u64> {
        let settings = &self.settings.batch;
        let life = match route {
            Route::Direct => settings.attempt_ttl_s,
            Route::Proposal => {
                let tier = usize::from(batch.tier.get());
                let vault = self.status.figures.vault.as_ref()?;
                settings.proposal_life(vault.tiers.get(tier)?.delay)
            }
        };
        Some(batch.expires_at.seconds().saturating_sub(life))
    }
}
