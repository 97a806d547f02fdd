//! Making rows, and taking them a step on.

use super::{
    BatchRow, LogError, PaymentRow, SlotRow, State,
    error::{contradiction, exists, forbidden, unknown},
};
use crate::{
    domain::{BatchId, Payment, PaymentNumber, PaymentRef},
    event::Route,
    lifecycle::{BatchStep, PaymentStatus, PaymentStep, SlotStep},
    machine::Machine,
};

impl State {
    /// A payment that was never requested here, under the number that others gave it; none if that is another payment's.
    pub(super) fn insert_foreign(
        &mut self,
        number: Option<PaymentNumber>,
        payment: Payment,
        status: PaymentStatus,
        batch: Option<BatchId>,
    ) -> Result<(), LogError> {
        let reference = payment.reference();
        if self.payments.contains_key(&reference) {
            return Err(exists(reference));
        }
        if let Some(number) = number
            && self.numbers.insert(number, reference).is_some()
        {
            return Err(contradiction(
                "number",
                number,
                "belongs to another payment",
            ));
        }
        self.insert(PaymentRow {
            payment,
            arrival: 0,
            status,
            hold: None,
            number,
            batch,
            returns: 0,
        });
        Ok(())
    }

    pub(super) fn insert(&mut self, row: PaymentRow) {
        self.touched.payments.insert(row.reference());
        self.payments.insert(row.reference(), row);
    }

    pub(super) fn insert_batch(&mut self, row: BatchRow) -> Result<(), LogError> {
        // What is over may be forgotten already or not: the log must mean the same either way.
        let before = self.batches.get(&row.id);
        if before.is_some_and(|before| before.status.is_open()) {
            return Err(exists(row.id));
        }
        self.touched.batches.insert(row.id);
        self.batches.insert(row.id, row);
        Ok(())
    }

    /// A counter that was used is never given out again.
    pub(super) fn count(&mut self, number: PaymentNumber) -> Result<(), LogError> {
        let Some((route, counter)) = self.opening.namespace.counter_of(number) else {
            return Ok(()); // adopted: somebody else's number
        };
        let next = counter
            .checked_add(1)
            .ok_or_else(|| contradiction("number", number, "too large"))?;
        let counters = &mut self.next_counters;
        let slot = match route {
            Route::Direct => &mut counters.direct,
            Route::Proposal => &mut counters.proposal,
        };
        *slot = next.max(*slot);
        Ok(())
    }

    pub(super) fn step(
        &mut self,
        reference: PaymentRef,
        step: PaymentStep,
    ) -> Result<&mut PaymentRow, LogError> {
        let row = self
            .payments
            .get_mut(&reference)
            .ok_or_else(|| unknown(reference))?;
        row.status = row
            .status
            .after(step)
            .map_err(|source| forbidden(reference, source))?;
        row.hold = None;
        self.touched.payments.insert(reference);
        Ok(row)
    }

    pub(super) fn step_batch(&mut self, id: BatchId, step: BatchStep) -> Result<(), LogError> {
        let row = self.batches.get_mut(&id).ok_or_else(|| unknown(id))?;
        row.status = row
            .status
            .after(step)
            .map_err(|source| forbidden(id, source))?;
        self.touched.batches.insert(id);
        Ok(())
    }

    pub(super) fn step_slot(
        &mut self,
        nonce: u64,
        step: SlotStep,
    ) -> Result<&mut SlotRow, LogError> {
        let subject = format!("nonce {nonce}");
        let row = self
            .slots
            .get_mut(&nonce)
            .ok_or_else(|| unknown(&subject))?;
        row.status = row
            .status
            .after(step)
            .map_err(|source| forbidden(subject, source))?;
        self.touched.slots.insert(nonce);
        Ok(row)
    }
}
