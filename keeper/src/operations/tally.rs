#[cfg(all(test, feature = "service"))]
mod recorded;

use std::collections::{BTreeMap, VecDeque};

use alloy::primitives::U256;
use tidelock_core::{
    domain::{BlockTime, PaymentNumber, PaymentRef},
    event::{Event, HoldReason, Route},
};

use crate::store::{LoggedEvent, Quote, Reader, StoreError};

/// Upper ends of the classes that times to arrival are counted in. [seconds]
pub(super) const CLASSES: [u64; 14] = [
    15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 86_400, 259_200, 604_800,
];
/// Entries that are read at once.
const AT_ONCE: u32 = 1_000;
/// Times at which requests were taken in that are remembered; older ones are looked up.
const REMEMBERED: usize = 4_096;

/// What the log has said since this process began to count: what changes over time, and no row keeps.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// The last entry that is counted.
    seq: u64,
    /// Requests that were taken in.
    pub accepted: u64,
    /// Payments that were stopped, by class and reason: each there is, from the beginning, so that its first payment is a rise.
    pub stopped: BTreeMap<Stop, u64>,
    /// Payments that the vault made for requests of this log.
    pub whole: u64,
    /// Payments, and batches of others, that the vault paid and that no request of this log explains.
    pub broken: u64,
    /// Times from acceptance to finality.
    pub arrivals: Arrivals,
    /// Payments that a quote was given for and that are final, by how good it was.
    pub quoted: BTreeMap<Quoted, u64>,
    /// Arrivals up to the first were taken in by the second, in growing order.
    times: VecDeque<(u64, BlockTime)>,
    /// Arrivals of payments that were paid since the last final block was taken in, and what was quoted for them.
    paid: Vec<(u64, Option<Quote>)>,
    now: Option<BlockTime>,
}

/// How good a quote was: whether the payment was final in the time in which half should be, in that in which 95 of 100 should be, or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quoted {
    WithinP50,
    WithinP95,
    Later,
}

impl Quoted {
    const ALL: [Self; 3] = [Self::WithinP50, Self::WithinP95, Self::Later];

    /// None of a quote that says neither, as those of earlier versions.
    fn of(quote: &Quote, took: u64) -> Option<Self> {
        let (p50, p95) = (quote.p50_s?, quote.p95_s?);
        Some(if took <= p50 {
            Self::WithinP50
        } else if took <= p95 {
            Self::WithinP95
        } else {
            Self::Later
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::WithinP50 => "p50",
            Self::WithinP95 => "p95",
            Self::Later => "later",
        }
    }
}

/// Who or what stopped a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The vault's rules, its guardians or the token's list.
    Policy,
    /// An operator.
    Operator,
    /// Anything else: it should not happen.
    Abnormal,
}

impl Class {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Operator => "operator",
            Self::Abnormal => "abnormal",
        }
    }
}

/// Times from acceptance to finality, counted in classes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Arrivals {
    /// How many are in each class and in none before it.
    pub counts: [u64; CLASSES.len()],
    pub count: u64,
    pub sum: u64, // [seconds]
}

impl Arrivals {
    fn add(&mut self, seconds: u64) {
        let class = CLASSES.iter().position(|end| seconds <= *end);
        if let Some(count) = class.and_then(|class| self.counts.get_mut(class)) {
            *count = count.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(seconds);
    }
}

impl Tally {
    /// Counts from the log's end on.
    pub fn start(reader: &mut Reader) -> Result<Self, StoreError> {
        let seq = reader.end()?;
        Ok(Self {
            seq,
            accepted: 0,
            stopped: STOPPED.into_iter().map(|stop| (stop, 0)).collect(),
            whole: 0,
            broken: 0,
            arrivals: Arrivals::default(),
            quoted: Quoted::ALL.into_iter().map(|quoted| (quoted, 0)).collect(),
            times: VecDeque::new(),
            paid: Vec::new(),
            now: reader.time_of(seq)?,
        })
    }

    /// Counts what was written since the last time.
    pub fn follow(&mut self, reader: &mut Reader) -> Result<(), StoreError> {
        loop {
            let entries = reader.events_after(self.seq, AT_ONCE)?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                self.take(reader, &entry)?;
            }
        }
    }

    fn take(&mut self, reader: &mut Reader, entry: &LoggedEvent) -> Result<(), StoreError> {
        match &entry.event {
            Event::RequestsAccepted { requests, through } => {
                self.accepted = self.accepted.saturating_add(count(requests.len()));
                if let Some(now) = self.now {
                    self.times.push_back((*through, now));
                }
                if self.times.len() > REMEMBERED {
                    self.times.pop_front();
                }
            }
            Event::Held { refs, reason } => {
                self.stop(class_of(reason), refs.len());
            }
            Event::Rejected { refs } => self.stop(REJECTED, refs.len()),
            Event::Cancelled { refs } => self.stop(CANCELLED, refs.len()),
            Event::Displaced { refs, by, .. } => {
                self.stop(DISPLACED, refs.len());
                // Each number that was used for something else was paid, whoever asked for it.
                let paid = count(refs.len().max(by.len()));
                self.broken = self.broken.saturating_add(paid);
            }
            Event::ForeignSeen { .. } => self.broken = self.broken.saturating_add(1),
            Event::OutcomeFinal {
                first_number, paid, ..
            } => self.pay(reader, *first_number, *paid)?,
            Event::FinalisedAdvanced { block } => {
                self.now = Some(block.time);
                self.arrive(reader, block.time)?;
            }
            _ => {}
        }
        self.seq = entry.seq;
        Ok(())
    }

    fn stop(&mut self, stop: Stop, payments: usize) {
        let stopped = self.stopped.entry(stop).or_default();
        *stopped = stopped.saturating_add(count(payments));
    }

    fn pay(
        &mut self,
        reader: &mut Reader,
        first: PaymentNumber,
        mask: U256,
    ) -> Result<(), StoreError> {
        let arrivals = reader.arrivals_of(first, mask)?;
        let refs: Vec<PaymentRef> = arrivals.iter().map(|(reference, _)| *reference).collect();
        // How long people take to approve is not quoted.
        let mut quotes = match Route::of(first) {
            Route::Direct => reader.quotes_of(&refs)?,
            Route::Proposal => BTreeMap::new(),
        };
        for (reference, arrival) in arrivals {
            if arrival == 0 {
                self.broken = self.broken.saturating_add(1);
            } else {
                self.whole = self.whole.saturating_add(1);
                self.paid.push((arrival, quotes.remove(&reference)));
            }
        }
        Ok(())
    }

    /// What was paid has arrived once the block after which it is final is taken in.
    fn arrive(&mut self, reader: &mut Reader, time: BlockTime) -> Result<(), StoreError> {
        while let Some((arrival, quote)) = self.paid.last() {
            if let Some(since) = self.accepted_at(reader, *arrival)? {
                let seconds = time.seconds().saturating_sub(since.seconds());
                let quoted = quote.as_ref().and_then(|quote| Quoted::of(quote, seconds));
                if let Some(count) = quoted.and_then(|quoted| self.quoted.get_mut(&quoted)) {
                    *count = count.saturating_add(1);
                }
                self.arrivals.add(seconds);
            }
            self.paid.pop(); // not before it is looked up: what fails is counted the next time
        }
        Ok(())
    }

    fn accepted_at(
        &self,
        reader: &mut Reader,
        arrival: u64,
    ) -> Result<Option<BlockTime>, StoreError> {
        let after = self
            .times
            .partition_point(|(through, _)| *through < arrival);
        match self.times.get(after) {
            // Before the first that is remembered there may have been others.
            Some((_, time)) if after > 0 => Ok(Some(*time)),
            _ => reader.accepted_at(arrival),
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Whose doing it is that a payment is stopped, and the word for it.
type Stop = (Class, &'static str);

const REJECTED: Stop = (Class::Policy, "never payable");
const CANCELLED: Stop = (Class::Operator, "withdrawn");
const DISPLACED: Stop = (Class::Abnormal, "displaced");

/// Everything by which a payment can be stopped: the three that end it, and reasons to hold it.
const STOPPED: [Stop; 13] = [
    REJECTED,
    CANCELLED,
    DISPLACED,
    (Class::Policy, "recipient blocked"),
    (Class::Policy, "above limit"),
    (Class::Policy, "token blacklist"),
    (Class::Policy, "vetoed"),
    (Class::Operator, "held"),
    (Class::Abnormal, "token refuses"),
    (Class::Abnormal, "cannot simulate"),
    (Class::Abnormal, "keeps failing"),
    (Class::Abnormal, "foreign proposal"),
    (Class::Abnormal, "paid elsewhere"),
];

/// Why a payment is held, in a word of the figures.
#[cfg(feature = "otlp")]
pub(crate) fn stopped_by(reason: &HoldReason) -> &'static str {
    class_of(reason).1
}

fn class_of(reason: &HoldReason) -> Stop {
    let [
        _,
        _,
        _,
        blocked,
        above_limit,
        blacklist,
        vetoed,
        operator,
        refuses,
        cannot_simulate,
        keeps_failing,
        foreign,
        elsewhere,
    ] = STOPPED;
    match reason {
        HoldReason::RecipientBlocked => blocked,
        HoldReason::AboveLimit => above_limit,
        HoldReason::TokenBlacklist => blacklist,
        HoldReason::Vetoed => vetoed,
        HoldReason::Operator { .. } => operator,
        HoldReason::TokenRefuses => refuses,
        HoldReason::CannotSimulate { .. } => cannot_simulate,
        HoldReason::KeepsFailing => keeps_failing,
        HoldReason::ForeignProposal => foreign,
        HoldReason::PaidElsewhere { .. } => elsewhere,
    }
}
