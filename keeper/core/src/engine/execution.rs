//! Executing what people approved: in one transaction, or in parts that are under way at once.

use std::collections::BTreeSet;

use alloy_primitives::U256;

use super::{Engine, memory::Candidate, room::room_of, simulated::full};
use crate::{
    abi::{Fact, Revert, encode_job},
    domain::{BatchId, PaymentNumber},
    event::{BlockRef, Job},
    lifecycle::BatchStatus,
    port::{ProposalState, VaultLook},
    state::BatchRow,
    store::Store,
};

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// A proposal that may be executed, as far as there is room for its payments, and what is left of one that did not fit
    /// one transaction: nothing of it is tried by two at a time.
    pub(super) fn execution(&self, at: BlockRef, vault: &VaultLook) -> Option<Candidate> {
        let time = self.memory.view.tip().time.seconds();
        if time < vault.halted_until || time >= vault.keeper_until {
            return None;
        }
        let (room, balance) = self.room(at, vault);
        let paid = self.paid_in_view();
        let tip = self.memory.view.tip();
        let ready = vault.proposals.iter();
        let ready = ready.filter(|(_, look)| look.state == ProposalState::Ready);
        let sought = self.memory.sought;
        for (id, _) in ready.filter(|(id, _)| sought.may_execute(id)) {
            let Some(batch) = self.state().open_batch(id) else {
                continue;
            };
            let is_free =
                batch.status == BatchStatus::Proposed && !self.memory.strikes.is_paused(id, tip);
            if !is_free {
                continue;
            }
            let most = room_of(&room, batch.header.tier).min(balance);
            let others = self.contested(batch) | self.executing(batch);
            let aside = self.memory.strikes.aside(id);
            let skip = skip_mask(batch, &paid, aside | others, most)
                .or_else(|| skip_mask(batch, &paid, others, most));
            let Some(skip) = skip else {
                continue;
            };
            let job = Job::Execute { batch: *id, skip };
            return Some(Candidate {
                job,
                data: encode_job(&job, &batch.header, &batch.payments)?,
                header: batch.header,
                payments: batch.payments.clone(),
                seal: None,
                nonce: None,
                at,
            });
        }
        None
    }

    /// Bit `i` set: a live slot tries payment `i` of the batch.
    fn executing(&self, batch: &BatchRow) -> U256 {
        let all = full(batch.payments.len());
        self.state()
            .slots()
            .fold(U256::ZERO, |mask, slot| match slot.job {
                Job::Execute { batch: id, skip } if id == batch.id => mask | (all & !skip),
                _ => mask,
            })
    }

    /// Numbers that blocks of the view have paid.
    fn paid_in_view(&self) -> BTreeSet<PaymentNumber> {
        let mut numbers = BTreeSet::new();
        for fact in self.memory.view.blocks().flat_map(|block| &block.facts) {
            if let Fact::Paid {
                first_number, paid, ..
            } = fact
            {
                let bits = (0..256_u16).filter(|bit| paid.bit(usize::from(*bit)));
                numbers.extend(bits.filter_map(|bit| first_number.checked_add(bit)));
            }
        }
        numbers
    }

    /// Why an approved batch cannot be executed now. What stands in the way of the rest of it is set aside.
    pub(super) fn execution_reverts(
        &mut self,
        candidate: Candidate,
        id: BatchId,
        skip: U256,
        revert: &Revert,
    ) {
        let tried = full(candidate.payments.len()) & !skip;
        let guilty = match revert {
            Revert::OutOfGas if tried.count_ones() > 1 => return self.shrink(candidate, tried),
            Revert::OutOfGas | Revert::NothingPaid => tried,
            Revert::BurnsGas { index, .. } => U256::from(1).wrapping_shl(*index),
            _ => U256::ZERO,
        };
        let batch = self.state().open_batch(&id);
        let paid = batch.map_or(U256::ZERO, |batch| batch.paid | self.executing(batch));
        let open = full(candidate.payments.len()) & !paid;
        let tip = self.memory.view.tip();
        if self.memory.strikes.set_aside(id, guilty, open, tip) {
            self.note(revert);
        }
    }

    /// Too much gas: what is approved is executed in parts.
    fn shrink(&mut self, mut candidate: Candidate, tried: U256) {
        let Job::Execute { skip, .. } = &mut candidate.job else {
            return;
        };
        let most = tried.count_ones().div_ceil(2);
        let mut kept = 0_usize;
        for bit in (0..256).filter(|bit| tried.bit(*bit)) {
            kept = kept.saturating_add(1);
            if kept > most {
                skip.set_bit(bit, true);
            }
        }
        self.encode(&mut candidate);
        self.memory.candidate = Some(candidate);
    }
}

/// Leaves out what is paid, what was set aside and what has no room; none if nothing is left.
fn skip_mask(
    batch: &BatchRow,
    paid: &BTreeSet<PaymentNumber>,
    aside: U256,
    most: u128,
) -> Option<U256> {
    let mut left = most;
    let mut skip = U256::ZERO;
    let mut tries = false;
    for (offset, payment) in (0_u16..).zip(&batch.payments) {
        let bit = usize::from(offset);
        let number = batch.header.first_number.checked_add(offset);
        let is_paid = batch.paid.bit(bit) || number.is_some_and(|number| paid.contains(&number));
        let is_out = is_paid || aside.bit(bit);
        match left.checked_sub(payment.amount().0) {
            Some(rest) if !is_out => {
                left = rest;
                tries = true;
            }
            _ => skip.set_bit(bit, true),
        }
    }
    tries.then_some(skip)
}
