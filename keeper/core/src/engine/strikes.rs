//! What could not be simulated: it pauses for longer each time, and holds nobody else up.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;

use crate::{
    domain::{BatchId, PaymentRef},
    event::BlockRef,
    state::State,
};

/// Longest pause. [blocks]
const LONGEST_PAUSE: u64 = 64;

/// Payments and batches that could not be simulated.
#[derive(Debug, Default)]
pub(super) struct Strikes {
    payments: BTreeMap<PaymentRef, Strike>,
    batches: BTreeMap<BatchId, Strike>,
    /// Payments of a proposed batch that keep it from being executed, and are tried when nothing else is left of it.
    aside: BTreeMap<BatchId, U256>,
    /// Simulations that went well so far: the token works for somebody.
    successes: u64,
}

/// How often something could not be simulated.
#[derive(Debug, Clone, Copy)]
struct Strike {
    count: u32,
    /// Not tried again below this height.
    until: u64,
    /// `successes` at the first strike.
    successes: u64,
}

impl Strikes {
    /// A simulation went well.
    pub(super) fn succeeded(&mut self) {
        self.successes = self.successes.saturating_add(1);
    }

    /// Counts a failure of a payment to simulate, and pauses it for longer each time. How often it failed.
    pub(super) fn payment(&mut self, reference: PaymentRef, tip: BlockRef) -> u32 {
        let strike = Strike::after(self.payments.get(&reference), tip, self.successes);
        self.payments.insert(reference, strike);
        strike.count
    }

    /// The same for a batch that should be executed.
    pub(super) fn batch(&mut self, id: BatchId, tip: BlockRef) {
        let strike = Strike::after(self.batches.get(&id), tip, self.successes);
        self.batches.insert(id, strike);
    }

    /// Whether a simulation of others went well since the payment first failed.
    pub(super) fn others_pass(&self, reference: &PaymentRef) -> bool {
        let first = self.payments.get(reference);
        first.is_some_and(|first| first.successes < self.successes)
    }

    /// A person looks at it.
    pub(super) fn clear(&mut self, reference: &PaymentRef) {
        self.payments.remove(reference);
    }

    pub(super) fn is_paused(&self, id: &BatchId, tip: BlockRef) -> bool {
        let strike = self.batches.get(id);
        strike.is_some_and(|strike| strike.holds(tip))
    }

    /// Payments that are not tried now.
    pub(super) fn paused(&self, tip: BlockRef) -> BTreeSet<PaymentRef> {
        let paused = self.payments.iter();
        let paused = paused.filter(|(_, strike)| strike.holds(tip));
        paused.map(|(reference, _)| *reference).collect()
    }

    /// Payments that are tried alone.
    pub(super) fn solo(&self) -> BTreeSet<PaymentRef> {
        self.payments.keys().copied().collect()
    }

    /// Payments of the batch that were set aside.
    pub(super) fn aside(&self, id: &BatchId) -> U256 {
        self.aside.get(id).copied().unwrap_or_default()
    }

    /// Sets payments of a batch aside. If all that is `open` of it is, or if they were before, there is nothing else to try:
    /// then none is aside any more, and the batch pauses. Whether it does.
    pub(super) fn set_aside(
        &mut self,
        id: BatchId,
        guilty: U256,
        open: U256,
        tip: BlockRef,
    ) -> bool {
        let before = self.aside(&id);
        let now = before | guilty;
        let pauses = now == before || (open & !now).is_zero();
        if pauses {
            self.aside.remove(&id);
            self.batch(id, tip);
        } else {
            self.aside.insert(id, now);
        }
        pauses
    }

    pub(super) fn prune(&mut self, state: &State) {
        self.payments
            .retain(|reference, _| state.open_payment(reference).is_some());
        self.batches.retain(|id, _| state.open_batch(id).is_some());
        self.aside.retain(|id, _| state.open_batch(id).is_some());
    }
}

impl Strike {
    fn after(before: Option<&Self>, tip: BlockRef, successes: u64) -> Self {
        let count = before.map_or(0, |strike| strike.count).saturating_add(1);
        let pause = 1_u64.checked_shl(count).unwrap_or(LONGEST_PAUSE);
        Self {
            count,
            until: tip.number.saturating_add(pause.min(LONGEST_PAUSE)),
            successes: before.map_or(successes, |strike| strike.successes),
        }
    }

    fn holds(&self, tip: BlockRef) -> bool {
        tip.number < self.until
    }
}
