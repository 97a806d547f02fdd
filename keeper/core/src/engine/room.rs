//! How much may leave now: what the vault says, less what is on its way.

use alloy_primitives::U256;

use super::{Engine, simulated::full};
use crate::{
    domain::TierIndex,
    event::{BlockRef, Job},
    port::VaultLook,
    state::{BatchRow, SlotRow},
    store::Store,
};

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Rule 11: room under each tier's cap, and balance, less what is in flight and not part of the block looked at.
    pub(super) fn room(&self, at: BlockRef, vault: &VaultLook) -> (Vec<u128>, u128) {
        let mut room: Vec<u128> = vault.tiers.iter().map(|tier| tier.headroom.0).collect();
        let mut balance = vault.balance.0;
        for slot in self.state().slots() {
            let included = self.included_at(slot);
            if included.is_some_and(|block| block.number <= at.number) {
                continue;
            }
            let Some((tier, sum)) = self.may_take(slot) else {
                continue;
            };
            balance = balance.saturating_sub(sum);
            if let Some(room) = room.get_mut(usize::from(tier.get())) {
                *room = room.saturating_sub(self.charge(sum));
            }
        }
        (room, balance)
    }

    /// The most that one of the slot's transactions may take, and from which tier.
    fn may_take(&self, slot: &SlotRow) -> Option<(TierIndex, u128)> {
        let attempts = slot.attempts.iter().map(|attempt| attempt.job);
        let takes = attempts.chain([slot.job]).filter_map(|job| {
            let skip = match job {
                Job::Pay { .. } => U256::ZERO,
                Job::Execute { skip, .. } => skip,
                Job::Propose { .. } | Job::Void => return None,
            };
            let batch = self.state().open_batch(&job.batch()?)?;
            let tried = full(batch.payments.len()) & !skip & !batch.paid;
            Some((batch.header.tier, sum_of(batch, tried)))
        });
        takes.max_by_key(|(_, sum)| *sum)
    }

    /// A sum as the vault charges it: rounded up to whole units.
    fn charge(&self, sum: u128) -> u128 {
        let unit = self.settings.unit.0.max(1);
        sum.div_ceil(unit).saturating_mul(unit)
    }
}

pub(super) fn room_of(room: &[u128], tier: TierIndex) -> u128 {
    room.get(usize::from(tier.get())).copied().unwrap_or(0)
}

fn sum_of(batch: &BatchRow, mask: U256) -> u128 {
    let amounts = batch.payments.iter().enumerate();
    let amounts = amounts.filter(|(bit, _)| mask.bit(*bit));
    amounts.fold(0, |sum, (_, payment)| {
        sum.saturating_add(payment.amount().0)
    })
}
