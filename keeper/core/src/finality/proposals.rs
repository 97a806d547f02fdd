//! Proposals that final blocks hold: the keeper's own, those it takes over, and those that it leaves to people.

use std::collections::BTreeSet;

use super::Settling;
use crate::{
    domain::{Batch, BatchId, Payment, PaymentNumber, PaymentRef},
    error::EngineError,
    event::{BlockRef, DeathCause, Event, HaltReason, HoldReason, Route},
    journal::JournalError,
    lifecycle::{BatchStatus, PaymentStatus},
    store::Store,
};

impl<S: Store> Settling<'_, S> {
    pub(super) fn proposed(
        &mut self,
        block: BlockRef,
        id: BatchId,
        header: &Batch,
        payments: &[Payment],
    ) -> Result<(), EngineError<S::Error>> {
        if let Some(row) = self.journal.state().open_batch(&id) {
            if row.status == BatchStatus::Sealed && row.route == Route::Proposal {
                self.record(Event::ProposalFinal {
                    batch: id,
                    block: block.number,
                })?;
            }
            return Ok(());
        }
        let numbered: Vec<(PaymentNumber, Payment)> = (0..)
            .zip(payments)
            .filter_map(|(offset, payment)| {
                Some((header.first_number.checked_add(offset)?, *payment))
            })
            .collect();
        if self.may_adopt(&numbered)? {
            return Ok(self.record(Event::Adopted {
                batch: *header,
                payments: payments.to_vec(),
            })?);
        }
        for (number, payment) in &numbered {
            self.compare_foreign(*number, payment)?;
        }
        Ok(self.record(Event::ForeignProposed {
            batch: *header,
            payments: payments.to_vec(),
        })?)
    }

    /// Rule 12: a foreign proposal is taken over if nothing in it is ours.
    fn may_adopt(
        &mut self,
        numbered: &[(PaymentNumber, Payment)],
    ) -> Result<bool, EngineError<S::Error>> {
        let state = self.journal.state();
        let refs: Vec<PaymentRef> = numbered.iter().map(|(_, p)| p.reference()).collect();
        let numbers: Vec<PaymentNumber> = numbered.iter().map(|(number, _)| *number).collect();
        let namespace = state.opening().namespace;
        let distinct: BTreeSet<&PaymentRef> = refs.iter().collect();
        let is_new = distinct.len() == refs.len()
            && (refs.iter())
                .all(|known| state.open_payment(known).is_none() && !state.is_foreign(known))
            && numbers.iter().all(|number| {
                namespace.counter_of(*number).is_none() && state.open_numbered(*number).is_none()
            });
        if !is_new {
            return Ok(false);
        }
        let is_known = self.has_payment(&refs, &numbers)? || self.has_request(&refs)?;
        Ok(!is_known)
    }

    /// A foreign proposal may use our numbers only for what they are ours for; a payment of ours that it holds under
    /// another number waits for a person.
    fn compare_foreign(
        &mut self,
        number: PaymentNumber,
        payment: &Payment,
    ) -> Result<(), JournalError> {
        let state = self.journal.state();
        let row = state.open_numbered(number);
        let row = row.filter(|row| !row.status.is_final());
        let ours = row.map(|row| row.payment);
        if ours.is_some_and(|ours| ours != *payment) || self.is_unknown_of_ours(number) {
            return self.halt(HaltReason::ForeignNumber { number });
        }
        let reference = payment.reference();
        let row = self.journal.state().open_payment(&reference);
        if row.is_some_and(|row| row.number != Some(number)) {
            self.hold_waiting(reference)?;
        }
        Ok(())
    }

    /// What somebody else proposed under a ref of ours waits for a person, if it is not under way.
    fn hold_waiting(&mut self, reference: PaymentRef) -> Result<(), JournalError> {
        let waits = [
            PaymentStatus::Requested,
            PaymentStatus::Open,
            PaymentStatus::Held,
        ];
        let row = self.journal.state().open_payment(&reference);
        if !row.is_some_and(|row| waits.contains(&row.status)) {
            return Ok(());
        }
        self.record(Event::Held {
            refs: vec![reference],
            reason: HoldReason::ForeignProposal,
        })
    }

    /// A number of our namespace that the log never gave out.
    fn is_unknown_of_ours(&self, number: PaymentNumber) -> bool {
        let state = self.journal.state();
        let given = |(route, counter)| counter < state.next_counters().of(route);
        let counter = state.opening().namespace.counter_of(number);
        counter.is_some_and(|counter| !given(counter))
    }

    /// What a guardian stopped is not proposed again by a machine.
    pub(super) fn vetoed(&mut self, id: BatchId) -> Result<(), JournalError> {
        let Some(row) = self.journal.state().open_batch(&id) else {
            return Ok(());
        };
        let is_ours = row.status.is_live();
        if !row.status.is_open() {
            return Ok(());
        }
        let refs: Vec<PaymentRef> = row.payments.iter().map(Payment::reference).collect();
        self.bury(id, DeathCause::Vetoed)?;
        if is_ours {
            self.hold_open(refs, HoldReason::Vetoed)?;
        }
        Ok(())
    }
}
