//! From a simulation to a transaction that waits for its signature, or to the reason why not.

use alloy_primitives::U256;

use super::{
    Engine, EngineError,
    memory::Candidate,
    pricing::{Errand, GasBound},
};
use crate::{
    abi::{Revert, decode_paid_mask, encode_job},
    domain::{Payment, PaymentRef},
    event::{Event, HoldReason, Job, Route},
    journal::JournalError,
    lifecycle::{PaymentStatus, SlotStatus},
    port::Simulation,
    store::Store,
    submit::Unsigned,
};

/// Strikes after which a payment that cannot be simulated waits for a person.
const STRIKES: u32 = 4;

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Decides about a candidate: seal and sign it, cut it down, put it off, or use its nonce up.
    pub(super) fn simulated(
        &mut self,
        candidate: Candidate,
        simulation: Simulation,
    ) -> Result<(), EngineError<S::Error>> {
        if !self.memory.view.contains(candidate.at) || !self.is_current(&candidate) {
            return Ok(()); // of a fork that is gone, or of payments that something else happened to
        }
        match simulation {
            Simulation::Succeeds { returned, gas } => {
                let tried = tried(&candidate);
                let paid = decode_paid_mask(&candidate.job, &returned);
                let Some(paid) = paid.filter(|paid| (*paid & !tried).is_zero()) else {
                    self.memory
                        .stall("the node's answer to a simulated call is no answer of the vault");
                    return Ok(());
                };
                self.memory.strikes.succeeded();
                Ok(self.succeeds(candidate, paid, gas)?)
            }
            Simulation::Reverts(revert) if candidate.nonce.is_some() => {
                self.slot_reverts(&candidate, &revert);
                Ok(())
            }
            Simulation::Reverts(revert) => match candidate.job {
                Job::Execute { batch, skip } => {
                    self.execution_reverts(candidate, batch, skip, &revert);
                    Ok(())
                }
                _ => Ok(self.cut_reverts(&candidate, revert)?),
            },
        }
    }

    /// Whether its payments are still as they were when it was made.
    fn is_current(&self, candidate: &Candidate) -> bool {
        let state = self.journal.state();
        if (candidate.nonce).is_some_and(|nonce| state.slot(nonce).is_none()) {
            return false;
        }
        if candidate.seal.is_none() {
            let batch = candidate.job.batch().and_then(|id| state.open_batch(&id));
            let is_live = batch.is_some_and(|batch| batch.status.is_live());
            return is_live && !self.is_stopped(&candidate.job);
        }
        let wanted = match candidate.nonce {
            Some(_) => PaymentStatus::Sealed,
            None => PaymentStatus::Open,
        };
        candidate.payments.iter().all(|payment| {
            let row = state.open_payment(&payment.reference());
            row.is_some_and(|row| row.status == wanted && row.hold.is_none())
        })
    }

    fn succeeds(
        &mut self,
        mut candidate: Candidate,
        paid: U256,
        gas: u64,
    ) -> Result<(), JournalError> {
        let count = candidate.payments.len();
        let left_out = full(count) & !paid;
        let is_execution = matches!(candidate.job, Job::Execute { .. });
        if is_execution && paid.is_zero() && candidate.nonce.is_some() {
            self.slot_reverts(&candidate, &Revert::NothingToPay); // paid already, by another batch
            return Ok(());
        }
        match &mut candidate.job {
            Job::Pay { .. } if candidate.nonce.is_none() && !left_out.is_zero() => {
                return self.leave_out(&candidate, left_out);
            }
            Job::Execute { batch, .. } if paid.is_zero() => {
                let id = *batch;
                let tip = self.memory.view.tip();
                self.memory.strikes.batch(id, tip);
                return Ok(());
            }
            Job::Execute { skip, .. } => *skip = left_out,
            _ => {}
        }
        let (most, bound) = self.most_gas();
        if gas > most {
            if let Some(by) = bound.filter(|_| count == 1 && gas <= self.transaction_gas()) {
                self.memory.stall(format!(
                    "{by} at most {most} gas at the fees of now, and one payment needs {gas}"
                ));
            } else if candidate.nonce.is_some() {
                self.slot_reverts(&candidate, &Revert::OutOfGas);
            } else if let Job::Execute { batch, skip } = candidate.job {
                self.execution_reverts(candidate, batch, skip, &Revert::OutOfGas);
            } else {
                self.cut_reverts(&candidate, Revert::OutOfGas)?;
            }
            return Ok(());
        }
        let gas = gas.saturating_add(margin(gas)).min(most);
        if candidate.seal.is_some() {
            self.pack(count, gas);
        }
        self.seal(candidate, gas)
    }

    /// Most gas that a transaction may ask for in the next block.
    pub(super) fn transaction_gas(&self) -> u64 {
        let tip = self.memory.view.tip_block();
        let most = (self.settings.transaction_gas).at(tip.map(|tip| tip.fork).unwrap_or_default());
        tip.map_or(most, |tip| most.min(tip.gas_limit))
    }

    /// And that is paid for at the fees of now, with what says so if that is less.
    fn most_gas(&self) -> (u64, Option<GasBound>) {
        let most = self.transaction_gas();
        let paid_for = self.gas_that_is_paid_for();
        match paid_for.filter(|(gas, _)| *gas < most) {
            Some((gas, bound)) => (gas, Some(bound)),
            None => (most, None),
        }
    }

    /// The next batches are cut so that a whole number of them fills a block: a block holds no transaction whose gas limit is
    /// more than what is left of it.
    fn pack(&mut self, count: usize, gas: u64) {
        let (Some(tip), Ok(count)) = (self.memory.view.tip_block(), u64::try_from(count)) else {
            return;
        };
        let block = tip.gas_limit;
        let largest = u64::from(self.settings.batch.max_payments);
        // 1. Gas of the largest batch there can be, as if each payment cost the same.
        let whole = gas.saturating_mul(largest).div_ceil(count.max(1));
        let whole = whole.min(self.most_gas().0).max(1);
        // 2. So many batches are needed to fill a block, and each may use an equal share of it.
        let share = block.div_euclid(block.div_ceil(whole).max(1));
        // 3. Payments that fit the share.
        let fitting = share.saturating_mul(count).div_euclid(gas.max(1));
        let limit = fitting.clamp(1, largest.max(1));
        self.memory.limit = usize::try_from(limit).unwrap_or(1);
    }

    /// First commit of rule 3: header, numbers and nonce are durable before anything is signed with them.
    fn seal(&mut self, mut candidate: Candidate, gas: u64) -> Result<(), JournalError> {
        let errand = Errand::Call { gas: Some(gas) };
        let Some(fees) = self.offer(candidate.nonce, errand) else {
            return Ok(());
        };
        if !self.is_armed() {
            let job = candidate.job;
            self.memory.stall(format!("would send {job:?}"));
            if self.journal.follows() {
                self.tell(&candidate)?;
            }
            return Ok(());
        }
        self.encode(&mut candidate);
        let Candidate {
            job,
            header,
            payments,
            seal,
            nonce,
            data,
            ..
        } = candidate;
        if let Some((route, anchor)) = seal {
            self.journal.record(Event::BatchSealed {
                anchor,
                batch: header,
                refs: payments.iter().map(Payment::reference).collect(),
                route,
            })?;
        }
        let next = self.journal.state().next_nonce();
        let nonce = match nonce {
            Some(nonce) => nonce,
            None => {
                self.journal
                    .record(Event::SlotReserved { nonce: next, job })?;
                next
            }
        };
        let domain = self.journal.state().opening().domain;
        self.memory.signing = Some(Unsigned::call(&domain, nonce, job, data, gas, fees));
        Ok(())
    }

    pub(super) fn encode(&self, candidate: &mut Candidate) {
        if let Some(data) = encode_job(&candidate.job, &candidate.header, &candidate.payments) {
            candidate.data = data;
        }
    }

    /// Uses a nonce up, at the fees of now.
    pub(super) fn sign_void(&mut self, nonce: u64) {
        let Some(fees) = self.offer(Some(nonce), Errand::Void) else {
            return;
        };
        if self.is_armed() {
            let opening = self.journal.state().opening();
            let void = Unsigned::void(&opening.domain, nonce, opening.keeper, fees);
            self.memory.signing = Some(void);
        }
    }

    /// A nonce that is reserved is used up if its job cannot be done now; one that is in use, if it never can.
    fn slot_reverts(&mut self, candidate: &Candidate, revert: &Revert) {
        let Some(nonce) = candidate.nonce else {
            return;
        };
        let is_reserved = self
            .journal
            .state()
            .slot(nonce)
            .is_some_and(|slot| slot.status == SlotStatus::Reserved);
        let is_settled = matches!(
            revert,
            Revert::NothingToPay | Revert::WrongState | Revert::AlreadyProposed | Revert::Expired
        );
        if is_reserved || is_settled {
            self.sign_void(nonce);
        }
        let tip = self.memory.view.tip().number;
        self.memory.lanes.looked_at(nonce, tip);
    }

    /// Payments that the token or the policy leaves out while others go through.
    fn leave_out(&mut self, candidate: &Candidate, left_out: U256) -> Result<(), JournalError> {
        for (bit, payment) in candidate.payments.iter().enumerate() {
            if !left_out.bit(bit) {
                continue;
            }
            let reference = payment.reference();
            if self.strike_payment(reference) > 1 {
                self.hold(reference, HoldReason::TokenRefuses)?;
            }
        }
        Ok(())
    }

    /// Why a fresh batch cannot be sent now.
    fn cut_reverts(&mut self, candidate: &Candidate, revert: Revert) -> Result<(), JournalError> {
        match &revert {
            Revert::OutOfGas if candidate.payments.len() > 1 => {
                self.memory.limit = candidate.payments.len().div_ceil(2);
            }
            Revert::Payment { index, answer } | Revert::BurnsGas { index, answer } => {
                if let Some(payment) = candidate.payments.get(*index) {
                    let reference = payment.reference();
                    if self.strike_payment(reference) > STRIKES {
                        let answer = answer.clone();
                        self.hold(reference, HoldReason::CannotSimulate { answer })?;
                    }
                } else {
                    self.note(&revert); // no payment of ours: asked again at the next block
                }
            }
            Revert::NothingPaid => self.nothing_paid(candidate)?,
            Revert::NothingToPay => self.pass_numbers(candidate),
            Revert::Frozen
            | Revert::CapExceeded
            | Revert::BalanceTooLow
            | Revert::Expired
            | Revert::NotEntitled => self.note(&revert),
            Revert::OutOfGas | Revert::AlreadyProposed | Revert::WrongState | Revert::Other(_) => {
                self.note(&revert);
                for payment in &candidate.payments {
                    let reference = payment.reference();
                    let answer = format!("{revert:?}");
                    if self.strike_payment(reference) > STRIKES && candidate.payments.len() == 1 {
                        self.hold(reference, HoldReason::CannotSimulate { answer })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Another key used the numbers up. What has none yet gets later ones; what has its own waits for that to be final.
    fn pass_numbers(&mut self, candidate: &Candidate) {
        let state = self.journal.state();
        let refs = candidate.payments.iter().map(Payment::reference);
        let is_numbered = |known: &PaymentRef| {
            state
                .open_payment(known)
                .is_some_and(|row| row.number.is_some())
        };
        let numbered: Vec<PaymentRef> = refs.filter(is_numbered).collect();
        let first = candidate.header.first_number;
        let last = first.checked_add(candidate.header.count);
        let end = last.and_then(|last| state.opening().namespace.counter_of(last));
        match end {
            Some((Route::Direct, end)) if numbered.is_empty() => {
                self.memory.counters.direct = end.max(self.memory.counters.direct);
            }
            _ => {
                for reference in numbered {
                    self.strike_payment(reference);
                }
                self.memory.recall.at_once();
            }
        }
    }

    /// The token refuses all of them: it is paused, or each of them is poison. Tried alone, a payment that the token goes
    /// on to refuse while it takes others waits for a person.
    fn nothing_paid(&mut self, candidate: &Candidate) -> Result<(), JournalError> {
        self.note(&Revert::NothingPaid);
        for payment in &candidate.payments {
            let reference = payment.reference();
            let count = self.strike_payment(reference);
            let others_pass = self.memory.strikes.others_pass(&reference);
            if candidate.payments.len() == 1 && count > STRIKES && others_pass {
                self.hold(reference, HoldReason::TokenRefuses)?;
            }
        }
        Ok(())
    }

    /// Advice that did not hold is asked for again.
    fn strike_payment(&mut self, reference: PaymentRef) -> u32 {
        self.memory.advised.doubt(&reference);
        let tip = self.memory.view.tip();
        self.memory.strikes.payment(reference, tip)
    }

    fn hold(&mut self, reference: PaymentRef, reason: HoldReason) -> Result<(), JournalError> {
        self.memory.strikes.clear(&reference);
        self.journal.record(Event::Held {
            refs: vec![reference],
            reason,
        })
    }

    pub(super) fn note(&mut self, revert: &Revert) {
        self.memory
            .stall(format!("the vault refuses now: {revert:?}"));
    }
}

/// The payments that a candidate would try.
fn tried(candidate: &Candidate) -> U256 {
    let all = full(candidate.payments.len());
    match candidate.job {
        Job::Execute { skip, .. } => all & !skip,
        _ => all,
    }
}

/// Gas beyond what a simulation needed: for one recipient that holds nothing any more when the batch is mined (17,100 more,
/// EIP-2200), and a little for the rest.
fn margin(gas: u64) -> u64 {
    gas.div_ceil(64).saturating_add(20_000)
}

/// The mask of that many payments.
pub(super) fn full(count: usize) -> U256 {
    // Not checked_shr, which gives none as soon as a set bit is shifted out.
    U256::MAX.wrapping_shr(256_usize.saturating_sub(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_many_payments_has_a_bit_for_each() {
        for count in [0, 1, 2, 63, 64, 65, 96, 255, 256] {
            let mask = full(count);
            assert_eq!(mask.count_ones(), count, "{count} payments");
            assert_eq!(mask.trailing_ones(), count, "{count} payments");
        }
    }
}
