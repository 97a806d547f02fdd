//! Folding one event into the state. Everything that can contradict the state is refused.

use alloy_primitives::{Address, B256, Bytes, U256};

use super::{
    AttemptRow, BatchRow, LogError, PaymentRow, SlotRow, State,
    error::{contradiction, exists, forbidden, unknown},
};
use crate::{
    domain::{Batch, BatchId, Payment, PaymentNumber, PaymentRef},
    event::{
        BlockRef, Event, Fees, HaltReason, HoldReason, Job, Mode, NumberedPayment, Request, Route,
    },
    lifecycle::{
        AttemptStatus, AttemptStep, BatchStatus, BatchStep, PaymentStatus, PaymentStep, SlotStatus,
        SlotStep,
    },
    machine::Machine,
};

impl State {
    /// Folds one event. After an error the state must not be used any more.
    pub fn apply(&mut self, event: &Event) -> Result<(), LogError> {
        match event {
            Event::LogOpened(_) => Err(exists("log")),
            Event::Recovered { payments } => self.recover(payments),
            Event::RequestsAccepted { requests, through } => self.accept(requests, *through),
            Event::Held { refs, reason } => self.hold(refs, reason),
            Event::Released { refs } => self.step_all(refs, PaymentStep::Release),
            Event::Rejected { refs } => self.reject(refs),
            Event::Cancelled { refs } => self.step_all(refs, PaymentStep::Cancel),
            Event::BatchSealed {
                batch, refs, route, ..
            } => self.seal(batch, refs, *route),
            Event::Adopted { batch, payments } => self.adopt(batch, payments),
            Event::ForeignProposed { batch, payments } => self.notice(batch, payments),
            Event::SlotReserved { nonce, job } => self.reserve(*nonce, *job),
            Event::AttemptSigned {
                nonce,
                job,
                hash,
                raw,
                fees,
            } => self.sign(*nonce, *job, *hash, raw, *fees),
            Event::SlotConsumed { nonce, by, .. } => self.consume(*nonce, *by),
            Event::ProposalFinal { batch, .. } => self.step_batch(*batch, BatchStep::ProposalFinal),
            Event::OutcomeFinal {
                first_number, paid, ..
            } => self.pay(*first_number, *paid),
            Event::Displaced { refs, by, .. } => self.displace(refs, by),
            Event::BatchDied { batch, .. } => self.die(*batch),
            Event::FinalisedAdvanced { block } => self.advance(*block),
            Event::ForeignSeen { .. } => Ok(()),
            Event::CommandTaken { arrival, .. } => self.take_command(*arrival),
            Event::KeyChanged {
                keeper,
                first_nonce,
            } => self.change_key(*keeper, *first_nonce),
            Event::ModeChanged { mode } => {
                self.switch(mode);
                Ok(())
            }
        }
    }

    /// Nonces belong to a key: none of the old one may be left.
    fn change_key(&mut self, keeper: Address, first_nonce: u64) -> Result<(), LogError> {
        if let Some(slot) = self.slots.values().find(|slot| slot.is_live()) {
            let rule = "must be used up before another key sends";
            return Err(contradiction("nonce", slot.nonce, rule));
        }
        if keeper == self.opening.keeper {
            return Err(contradiction("key", keeper, "must be another than before"));
        }
        (self.opening.keeper, self.opening.first_nonce) = (keeper, first_nonce);
        self.next_nonce = first_nonce;
        self.slots.clear();
        self.touched.slots.clear();
        Ok(())
    }

    fn switch(&mut self, mode: &Mode) {
        if let Mode::Halted {
            reason: HaltReason::Restored { until } | HaltReason::Reopened { until },
        } = mode
        {
            self.quiet_until = self.quiet_until.max(Some(*until));
        }
        self.mode = mode.clone();
    }

    fn recover(&mut self, payments: &[NumberedPayment]) -> Result<(), LogError> {
        for NumberedPayment { number, payment } in payments {
            self.insert_foreign(Some(*number), *payment, PaymentStatus::Paid, None)?;
        }
        Ok(())
    }

    fn accept(&mut self, requests: &[Request], through: u64) -> Result<(), LogError> {
        for request in requests {
            let reference = request.payment.reference();
            if self.payments.contains_key(&reference) {
                return Err(exists(reference));
            }
            if request.arrival <= self.arrivals || request.arrival > through {
                return Err(contradiction("arrival", request.arrival, "must grow"));
            }
            self.insert(PaymentRow {
                payment: request.payment,
                arrival: request.arrival,
                status: PaymentStatus::Requested,
                hold: None,
                number: None,
                batch: None,
                returns: 0,
            });
        }
        self.arrivals = through.max(self.arrivals);
        Ok(())
    }

    fn take_command(&mut self, arrival: u64) -> Result<(), LogError> {
        if arrival <= self.commands {
            return Err(contradiction("command", arrival, "must grow"));
        }
        self.commands = arrival;
        Ok(())
    }

    fn hold(&mut self, refs: &[PaymentRef], reason: &HoldReason) -> Result<(), LogError> {
        for reference in refs {
            let row = match self.payments.get_mut(reference) {
                Some(row) if row.status == PaymentStatus::Sealed => {
                    self.touched.payments.insert(*reference);
                    row
                }
                _ => self.step(*reference, PaymentStep::Hold)?,
            };
            row.hold = Some(reason.clone());
        }
        Ok(())
    }

    fn step_all(&mut self, refs: &[PaymentRef], step: PaymentStep) -> Result<(), LogError> {
        for reference in refs {
            self.step(*reference, step)?;
        }
        Ok(())
    }

    /// A payment that has a number may have been signed for; only one that has none can be refused.
    fn reject(&mut self, refs: &[PaymentRef]) -> Result<(), LogError> {
        for reference in refs {
            let row = self.step(*reference, PaymentStep::Reject)?;
            if let Some(number) = row.number {
                return Err(contradiction(
                    "number",
                    number,
                    "a payment with a number is never refused",
                ));
            }
        }
        Ok(())
    }

    fn seal(&mut self, batch: &Batch, refs: &[PaymentRef], route: Route) -> Result<(), LogError> {
        let mut payments = Vec::with_capacity(refs.len());
        let id = batch.id(&self.opening.domain);
        for (offset, reference) in (0..).zip(refs) {
            let number = number_at(batch, offset)?;
            let row = self.step(*reference, PaymentStep::Seal)?;
            match row.number {
                Some(given) if given != number => {
                    return Err(contradiction(
                        "number",
                        number,
                        "a payment keeps its number for life",
                    ));
                }
                Some(_) => {}
                None => row.number = Some(number),
            }
            row.batch = Some(id);
            payments.push(row.payment);
            if self
                .numbers
                .insert(number, *reference)
                .is_some_and(|other| other != *reference)
            {
                return Err(contradiction(
                    "number",
                    number,
                    "belongs to another payment",
                ));
            }
            self.count(number)?;
        }
        check(batch, &payments)?;
        self.insert_batch(BatchRow {
            id,
            header: *batch,
            payments,
            route,
            status: BatchStatus::Sealed,
            paid: U256::ZERO,
        })
    }

    fn adopt(&mut self, batch: &Batch, payments: &[Payment]) -> Result<(), LogError> {
        check(batch, payments)?;
        let id = batch.id(&self.opening.domain);
        for (offset, payment) in (0..).zip(payments) {
            let number = number_at(batch, offset)?;
            self.insert_foreign(Some(number), *payment, PaymentStatus::Sealed, Some(id))?;
        }
        self.insert_batch(BatchRow {
            id,
            header: *batch,
            payments: payments.to_vec(),
            route: Route::Proposal,
            status: BatchStatus::Proposed,
            paid: U256::ZERO,
        })
    }

    /// Its payments are not ours; the batch alone is remembered.
    fn notice(&mut self, batch: &Batch, payments: &[Payment]) -> Result<(), LogError> {
        check(batch, payments)?;
        self.insert_batch(BatchRow {
            id: batch.id(&self.opening.domain),
            header: *batch,
            payments: payments.to_vec(),
            route: Route::Proposal,
            status: BatchStatus::Foreign,
            paid: U256::ZERO,
        })?;
        self.foreign.add(payments);
        Ok(())
    }

    fn reserve(&mut self, nonce: u64, job: Job) -> Result<(), LogError> {
        if nonce != self.next_nonce {
            return Err(contradiction(
                "nonce",
                nonce,
                "slots are reserved in order, without gaps",
            ));
        }
        self.next_nonce = nonce
            .checked_add(1)
            .ok_or_else(|| contradiction("nonce", nonce, "too large"))?;
        let slot = SlotRow {
            nonce,
            status: SlotStatus::Reserved,
            job,
            attempts: Vec::new(),
        };
        self.slots.insert(nonce, slot);
        self.touched.slots.insert(nonce);
        Ok(())
    }

    fn sign(
        &mut self,
        nonce: u64,
        job: Job,
        hash: B256,
        raw: &Bytes,
        fees: Fees,
    ) -> Result<(), LogError> {
        let slot = self.step_slot(nonce, SlotStep::Sign)?;
        slot.job = job;
        slot.attempts.push(AttemptRow {
            hash,
            raw: raw.clone(),
            fees,
            job,
            status: AttemptStatus::Signed,
        });
        Ok(())
    }

    fn consume(&mut self, nonce: u64, by: Option<B256>) -> Result<(), LogError> {
        let slot = self.step_slot(nonce, SlotStep::Consume)?;
        if let Some(hash) = by
            && !slot.attempts.iter().any(|attempt| attempt.hash == hash)
        {
            return Err(contradiction(
                "hash",
                hash,
                "is not an attempt of this slot",
            ));
        }
        for attempt in &mut slot.attempts {
            let step = if by == Some(attempt.hash) {
                AttemptStep::Consume
            } else {
                AttemptStep::Supersede
            };
            attempt.status = attempt
                .status
                .after(step)
                .map_err(|source| forbidden(attempt.hash, source))?;
        }
        Ok(())
    }

    fn pay(&mut self, first_number: PaymentNumber, paid: U256) -> Result<(), LogError> {
        for offset in (0..256_u16).filter(|offset| paid.bit(usize::from(*offset))) {
            let number = first_number
                .checked_add(offset)
                .ok_or_else(|| contradiction("first number", first_number, "runs past 2^64"))?;
            let reference = *self.numbers.get(&number).ok_or_else(|| unknown(number))?;
            self.step(reference, PaymentStep::Pay)?;
            self.use_up(number);
        }
        self.complete()
    }

    fn displace(&mut self, refs: &[PaymentRef], by: &[Payment]) -> Result<(), LogError> {
        for reference in refs {
            let row = self.step(*reference, PaymentStep::Displace)?;
            let number = row.number.ok_or_else(|| {
                contradiction("ref", reference, "must have a number that was used up")
            })?;
            self.use_up(number);
        }
        for payment in by {
            self.insert_foreign(None, *payment, PaymentStatus::Paid, None)?;
        }
        self.complete()
    }

    /// A final block paid something under the number: no batch can pay it any more.
    fn use_up(&mut self, number: PaymentNumber) {
        for batch in self.batches.values_mut() {
            if let Some(bit) = batch.offset_of(number) {
                batch.paid.set_bit(bit, true);
                self.touched.batches.insert(batch.id);
            }
        }
    }

    fn complete(&mut self) -> Result<(), LogError> {
        let complete: Vec<BatchId> = self
            .batches
            .values()
            .filter(|batch| batch.status.is_live() && batch.open() == 0)
            .map(|batch| batch.id)
            .collect();
        for id in complete {
            self.step_batch(id, BatchStep::Complete)?;
        }
        Ok(())
    }

    /// Payments that no other live batch holds may be batched again.
    fn die(&mut self, id: BatchId) -> Result<(), LogError> {
        let before = self.batches.get(&id).map(|batch| batch.status);
        self.step_batch(id, BatchStep::Die)?;
        let Some(batch) = self.batches.get(&id) else {
            return Err(unknown(id));
        };
        if before == Some(BatchStatus::Foreign) {
            self.foreign.remove(&batch.payments);
        }
        let left: Vec<PaymentRef> = batch.payments.iter().map(Payment::reference).collect();
        // What keeps others back too says nothing about this payment.
        let singled_out = !batch.paid.is_zero();
        for reference in left {
            let Some(row) = self.payments.get(&reference) else {
                continue;
            };
            let (Some(number), PaymentStatus::Sealed) = (row.number, row.status) else {
                continue;
            };
            let held = self
                .batches
                .values()
                .any(|other| other.status.is_live() && other.offset_of(number).is_some());
            if !held {
                let hold = row.hold.clone();
                let row = self.step(reference, PaymentStep::Reopen)?;
                row.returns = row.returns.saturating_add(u32::from(singled_out));
                if let Some(reason) = hold {
                    self.hold(&[reference], &reason)?;
                }
            }
        }
        Ok(())
    }

    fn advance(&mut self, block: BlockRef) -> Result<(), LogError> {
        if block.number <= self.finalised.number {
            return Err(contradiction("finalised block", block.number, "must grow"));
        }
        self.finalised = block;
        Ok(())
    }
}

fn number_at(batch: &Batch, offset: u16) -> Result<PaymentNumber, LogError> {
    let first = batch.first_number;
    first
        .checked_add(offset)
        .ok_or_else(|| contradiction("first number", first, "runs past 2^64"))
}

fn check(batch: &Batch, payments: &[Payment]) -> Result<(), LogError> {
    batch
        .check(payments)
        .map_err(|error| contradiction("header", error, "must be true of its payments"))
}
