//! What the status says, in figures: what operators watch over time.

use std::collections::BTreeMap;

use super::{Engine, budget::Budget, reverted::Cause};
use crate::{
    event::Fees,
    lifecycle::{BatchStatus, SlotStatus},
    log::LogHead,
    port::VaultLook,
    store::Store,
};

/// What the status says, in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Where the log ends.
    pub head: LogHead,
    /// Batches that are not settled, by status.
    pub batches: BTreeMap<BatchStatus, usize>,
    /// Nonces that no final block has used up, by status.
    pub slots: BTreeMap<SlotStatus, usize>,
    /// Transactions that were signed with those nonces.
    pub attempts: usize,
    /// What gas costs in the highest block known. [wei per gas]
    pub base_fee: Option<u128>,
    /// Tip that the node suggests. [wei per gas]
    pub suggested_tip: u128,
    /// The least that a new transaction must offer to be in the next block. [wei per gas]
    pub needed: Option<u128>,
    /// The highest offer among transactions that are in no block.
    pub offer: Option<Fees>,
    /// How the day's budget for gas stands; none if there is none.
    pub budget: Option<Budget>,
    /// Why the key has not signed what it was asked for, in the signer's words.
    pub unsigned: Option<String>,
    /// Own transactions that were seen to revert since the start and whose cause was found, by cause.
    pub reverted: BTreeMap<Cause, u64>,
    /// The vault, as a block of the chain as it is now shows it.
    pub vault: Option<VaultLook>,
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    pub(super) fn figures(&self) -> Figures {
        let state = self.state();
        let attempts = state.slots().map(|slot| slot.attempts.len());
        let offers = self.unincluded().flat_map(|slot| &slot.attempts);
        let offers = offers.map(|attempt| attempt.fees);
        let tip = self.memory.view.tip_block();
        Figures {
            head: self.head(),
            batches: counted(state.open_batches().map(|batch| batch.status)),
            slots: counted(state.slots().map(|slot| slot.status)),
            attempts: attempts.fold(0, usize::saturating_add),
            base_fee: tip.map(|block| block.base_fee),
            suggested_tip: self.memory.suggested_tip,
            needed: self.needed(),
            offer: offers.max_by_key(|fees| (fees.max_fee, fees.tip)),
            budget: self.budget(),
            unsigned: self
                .memory
                .unsigned_because
                .clone()
                .filter(|_| self.memory.signing.is_some()),
            reverted: self.memory.reverted.by_cause().clone(),
            vault: self.memory.vault().map(|(_, vault)| vault.clone()),
        }
    }
}

fn counted<T: Ord>(each: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for one in each {
        let count = counts.entry(one).or_default();
        *count = count.saturating_add(1);
    }
    counts
}
