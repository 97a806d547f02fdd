//! What the keeper knows for good: the fold of its log, in rows that a store keeps beside it.

mod apply;
mod error;
mod foreign;
mod rows;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{BatchId, BlockTime, PaymentNumber, PaymentRef},
    event::{BlockRef, HaltReason, Mode, Opening, Route},
    lifecycle::{BatchStatus, PaymentStatus},
};

pub use error::LogError;
use foreign::ForeignRefs;
pub use rows::{AttemptRow, BatchRow, PaymentRow, SlotRow};

/// The fold of the log. Holds what can still change; what is final lives in the store only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    opening: Opening,
    finalised: BlockRef,
    mode: Mode,
    quiet_until: Option<BlockTime>,
    /// Arrivals up to this one have been looked at.
    arrivals: u64,
    /// Commands up to this one have been looked at.
    commands: u64,
    next_nonce: u64,
    next_counters: Counters,
    payments: BTreeMap<PaymentRef, PaymentRow>,
    numbers: BTreeMap<PaymentNumber, PaymentRef>,
    batches: BTreeMap<BatchId, BatchRow>,
    /// Of foreign proposals that may still be executed.
    foreign: ForeignRefs,
    slots: BTreeMap<u64, SlotRow>,
    touched: Touched,
}

/// The next counter of each half of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Of automatic batches.
    pub direct: u64,
    /// Of proposals.
    pub proposal: u64,
}

impl Counters {
    /// The next counter of that half.
    pub fn of(&self, route: Route) -> u64 {
        match route {
            Route::Direct => self.direct,
            Route::Proposal => self.proposal,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Touched {
    payments: BTreeSet<PaymentRef>,
    batches: BTreeSet<BatchId>,
    slots: BTreeSet<u64>,
}

/// Everything that a snapshot of the state consists of, and that changes with a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The one row about the log as a whole.
    pub head: HeadRow,
    /// Payments, by ref.
    pub payments: Vec<PaymentRow>,
    /// Batches, by id.
    pub batches: Vec<BatchRow>,
    /// Slots, by nonce.
    pub slots: Vec<SlotRow>,
}

/// What the state says of the log as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRow {
    /// What it was opened for.
    pub opening: Opening,
    /// Where observing goes on after a start.
    pub finalised: BlockRef,
    /// Whether the keeper sends.
    pub mode: Mode,
    /// Rule 14: until a block of this time is final, the keeper sends nothing, whatever else halted it meanwhile.
    pub quiet_until: Option<BlockTime>,
    /// Arrivals up to this one have been looked at.
    pub arrivals: u64,
    /// Commands up to this one have been looked at.
    pub commands: u64,
    /// The next nonce to reserve.
    pub next_nonce: u64,
    /// The next counters to give out.
    pub next_counters: Counters,
}

fn weight(reason: &HaltReason) -> u8 {
    match reason {
        // It ends by itself.
        HaltReason::Restored { .. } => 0,
        HaltReason::Operator { .. } => 1,
        HaltReason::Reopened { .. } => 2,
        HaltReason::FinalityBroken { .. }
        | HaltReason::ForeignNonce { .. }
        | HaltReason::ForeignTransaction { .. }
        | HaltReason::ForeignNumber { .. }
        | HaltReason::ForeignRef { .. } => 3,
    }
}

impl State {
    /// The state after the first entry of a log.
    pub fn open(opening: Opening) -> Self {
        Self {
            finalised: opening.start,
            next_nonce: opening.first_nonce,
            opening,
            mode: Mode::Armed,
            quiet_until: None,
            arrivals: 0,
            commands: 0,
            next_counters: Counters::default(),
            payments: BTreeMap::new(),
            numbers: BTreeMap::new(),
            batches: BTreeMap::new(),
            foreign: ForeignRefs::default(),
            slots: BTreeMap::new(),
            touched: Touched::default(),
        }
    }

    /// The state from a store's rows, of which final ones may be left out.
    pub fn restore(rows: Rows) -> Self {
        let Rows {
            head,
            payments,
            batches,
            slots,
        } = rows;
        let mut state = Self::open(head.opening);
        state.finalised = head.finalised;
        state.mode = head.mode;
        state.quiet_until = head.quiet_until;
        state.arrivals = head.arrivals;
        state.commands = head.commands;
        state.next_nonce = head.next_nonce;
        state.next_counters = head.next_counters;
        let numbered = payments
            .iter()
            .filter_map(|row| Some((row.number?, row.reference())));
        state.numbers = numbered.collect();
        state.payments = payments
            .into_iter()
            .map(|row| (row.reference(), row))
            .collect();
        for row in batches {
            if row.status == BatchStatus::Foreign {
                state.foreign.add(&row.payments);
            }
            state.batches.insert(row.id, row);
        }
        state.slots = slots.into_iter().map(|row| (row.nonce, row)).collect();
        let all = state.payments.keys().copied().collect();
        state.forget_final(&all);
        state
    }

    /// What has changed since the last call, to be stored together with the events that changed it. Forgets what is final.
    pub fn take_changes(&mut self) -> Rows {
        let touched = std::mem::take(&mut self.touched);
        let rows = Rows {
            head: self.head(),
            payments: pick(&self.payments, &touched.payments),
            batches: pick(&self.batches, &touched.batches),
            slots: pick(&self.slots, &touched.slots),
        };
        self.forget_final(&touched.payments);
        rows
    }

    /// Everything that can still change.
    pub fn open_rows(&self) -> Rows {
        Rows {
            head: self.head(),
            payments: self.payments.values().cloned().collect(),
            batches: self.batches.values().cloned().collect(),
            slots: self.slots.values().cloned().collect(),
        }
    }

    fn head(&self) -> HeadRow {
        HeadRow {
            opening: self.opening,
            finalised: self.finalised,
            mode: self.mode.clone(),
            quiet_until: self.quiet_until,
            arrivals: self.arrivals,
            commands: self.commands,
            next_nonce: self.next_nonce,
            next_counters: self.next_counters,
        }
    }

    /// Forgets what is final among payments that were touched, and all slots and batches that nothing needs: there are few.
    fn forget_final(&mut self, payments: &BTreeSet<PaymentRef>) {
        self.slots.retain(|_, slot| slot.is_live());
        // A slot that is not consumed may have to be told that its batch is settled.
        let needed: BTreeSet<BatchId> = self
            .slots
            .values()
            .filter_map(|slot| slot.job.batch())
            .collect();
        self.batches
            .retain(|id, batch| batch.status.is_open() || needed.contains(id));
        for reference in payments {
            let row = self.payments.get(reference);
            let Some(row) = row.filter(|row| row.status.is_final()) else {
                continue;
            };
            if let Some(number) = row.number {
                self.numbers.remove(&number);
            }
            self.payments.remove(reference);
        }
    }

    /// What the log was opened for.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The last block that has been taken in for good.
    pub fn finalised(&self) -> BlockRef {
        self.finalised
    }

    /// Whether the keeper sends.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Whether it halts for that: it sends, or is halted for what weighs less. A person who lets it go on must see the gravest that is known;
    /// of two that weigh the same the first stays.
    pub(crate) fn halts_for(&self, found: &HaltReason) -> bool {
        match &self.mode {
            Mode::Armed => true,
            Mode::Halted { reason } => weight(found) > weight(reason),
        }
    }

    /// Rule 14: what it still has to wait for, if an earlier log may have signed something; whatever else halted it since.
    pub fn waits_until(&self) -> Option<BlockTime> {
        let until = self.quiet_until?;
        (self.finalised.time < until).then_some(until)
    }

    /// Arrivals up to this one have been looked at.
    pub fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Commands up to this one have been looked at.
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// The next nonce to reserve.
    pub fn next_nonce(&self) -> u64 {
        self.next_nonce
    }

    /// The next counters to give out.
    pub fn next_counters(&self) -> Counters {
        self.next_counters
    }

    /// The payment with that ref, if it is not final. What is final is for the store to tell: [`crate::store::Store::payments`].
    pub fn open_payment(&self, reference: &PaymentRef) -> Option<&PaymentRow> {
        self.payments.get(reference)
    }

    /// Whether a payment is in a batch that is not to pay it any more.
    pub fn is_contested(&self, reference: &PaymentRef) -> bool {
        let row = self.payments.get(reference);
        row.is_some_and(|row| row.status == PaymentStatus::Sealed && row.hold.is_some())
    }

    /// The payment with that number, if it is not final.
    pub fn open_numbered(&self, number: PaymentNumber) -> Option<&PaymentRow> {
        self.payments.get(self.numbers.get(&number)?)
    }

    /// Payments that are not final, by ref.
    pub fn open_payments(&self) -> impl Iterator<Item = &PaymentRow> {
        self.payments.values()
    }

    /// A batch that is live or foreign, or that a live slot is about.
    pub fn open_batch(&self, id: &BatchId) -> Option<&BatchRow> {
        self.batches.get(id)
    }

    /// Whether a foreign proposal that may still be executed holds the ref.
    pub fn is_foreign(&self, reference: &PaymentRef) -> bool {
        self.foreign.contains(reference)
    }

    /// Batches that are live or foreign, or that a live slot is about.
    pub fn open_batches(&self) -> impl Iterator<Item = &BatchRow> {
        self.batches.values()
    }

    /// Slots that are not consumed, by nonce.
    pub fn slots(&self) -> impl Iterator<Item = &SlotRow> {
        self.slots.values().filter(|slot| slot.is_live())
    }

    /// The slot with that nonce, if it is not consumed.
    pub fn slot(&self, nonce: u64) -> Option<&SlotRow> {
        self.slots.get(&nonce).filter(|slot| slot.is_live())
    }
}

fn pick<K: Ord, V: Clone>(rows: &BTreeMap<K, V>, keys: &BTreeSet<K>) -> Vec<V> {
    keys.iter()
        .filter_map(|key| rows.get(key).cloned())
        .collect()
}
