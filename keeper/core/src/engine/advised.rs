//! What the policy said of payments, and since when they have been open.

use std::collections::BTreeMap;

use crate::{
    domain::{PaymentRef, TierIndex},
    port::Monotonic,
    state::State,
};

/// Advice as far as it is believed.
#[derive(Debug)]
pub(super) struct Advised {
    /// The lowest tier that takes each payment.
    tiers: BTreeMap<PaymentRef, TierIndex>,
    open_since: BTreeMap<PaymentRef, Monotonic>,
    /// There may be payments without a tier. Looking for them is long work with a long backlog.
    may_lack: bool,
}

impl Advised {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self {
            tiers: BTreeMap::new(),
            open_since: BTreeMap::new(),
            may_lack: true,
        }
    }

    pub(super) fn tiers(&self) -> &BTreeMap<PaymentRef, TierIndex> {
        &self.tiers
    }

    pub(super) fn open_since(&self) -> &BTreeMap<PaymentRef, Monotonic> {
        &self.open_since
    }

    /// Whether it is worth looking for payments without a tier.
    pub(super) fn may_lack(&self) -> bool {
        self.may_lack
    }

    /// There may be new ones.
    pub(super) fn look_again(&mut self) {
        self.may_lack = true;
    }

    /// There is none.
    pub(super) fn lacks_none(&mut self) {
        self.may_lack = false;
    }

    pub(super) fn learn(&mut self, reference: PaymentRef, tier: TierIndex, now: Monotonic) {
        self.tiers.insert(reference, tier);
        self.open_since.entry(reference).or_insert(now);
    }

    /// Advice that did not hold is asked for again.
    pub(super) fn doubt(&mut self, reference: &PaymentRef) {
        self.tiers.remove(reference);
        self.look_again();
    }

    /// All advice that was given is worth nothing any more.
    pub(super) fn forget(&mut self) {
        self.tiers.clear();
        self.look_again();
    }

    pub(super) fn prune(&mut self, state: &State) {
        let is_open = |reference: &PaymentRef| state.open_payment(reference).is_some();
        self.tiers.retain(|reference, _| is_open(reference));
        self.open_since.retain(|reference, _| is_open(reference));
    }
}
