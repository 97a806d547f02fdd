//! What final blocks say, taken in for good: payments paid, proposals on chain, nonces used up, batches dead.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};

use crate::{
    abi::Fact,
    domain::{Batch, BatchId, PackedItem, Payment, PaymentNumber, PaymentRef},
    engine::EngineError,
    event::{BlockRef, DeathCause, Event, HaltReason, HoldReason, Mode, NumberedPayment, Route},
    journal::{Journal, JournalError},
    lifecycle::{BatchStatus, PaymentStatus},
    observe::Block,
    state::{BatchRow, PaymentRow},
    store::Store,
};

/// Blocks that may become final without an entry of the log when they say nothing about us: read again after a start.
const QUIET_BLOCKS: u64 = 32;

/// Taking in final blocks.
pub(crate) struct Settling<'a, S: Store> {
    pub(crate) journal: &'a mut Journal,
    pub(crate) store: &'a mut S,
    /// How often a payment may be left behind by a batch that paid others.
    pub(crate) max_returns: u32,
    /// A batch that is being signed: no slot may name it yet.
    pub(crate) in_hand: Option<BatchId>,
}

impl<S: Store> Settling<'_, S> {
    /// Takes in blocks that follow the last one taken in. `nonce` is the keeper's at the last of them, if it is known.
    pub(crate) fn settle(
        &mut self,
        blocks: &[Block],
        nonce: Option<u64>,
    ) -> Result<(), EngineError<S::Error>> {
        let Some(last) = blocks.last().map(|block| block.id) else {
            return Ok(());
        };
        let before = self.journal.pending();
        self.rearm(last)?; // first, so that what these blocks say can halt it again
        for block in blocks {
            for fact in &block.facts {
                self.take(block.id, fact)?;
            }
        }
        self.consume_slots(blocks, last, nonce)?;
        self.bury_expired(last)?;
        self.bury_abandoned()?;
        let quiet = last
            .number
            .saturating_sub(self.journal.state().finalised().number);
        if self.journal.pending() > before || quiet >= QUIET_BLOCKS {
            self.record(Event::FinalisedAdvanced { block: last })?;
        }
        Ok(())
    }

    fn take(&mut self, block: BlockRef, fact: &Fact) -> Result<(), EngineError<S::Error>> {
        match fact {
            Fact::Proposed {
                id,
                header,
                payments,
            } => self.proposed(block, *id, header, payments),
            Fact::Paid {
                id,
                first_number,
                paid,
                items,
            } => self.paid(block.number, *id, *first_number, *paid, items.as_deref()),
            Fact::Cancelled { id } => Ok(self.vetoed(*id)?),
            Fact::Created | Fact::Voted { .. } | Fact::Policy | Fact::Other => Ok(()),
        }
    }

    fn proposed(
        &mut self,
        block: BlockRef,
        id: BatchId,
        header: &Batch,
        payments: &[Payment],
    ) -> Result<(), EngineError<S::Error>> {
        if let Some(row) = self.journal.state().batch(&id) {
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
                .all(|known| state.payment(known).is_none() && !state.is_foreign(known))
            && numbers.iter().all(|number| {
                namespace.counter_of(*number).is_none() && state.numbered(*number).is_none()
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
        let row = state.numbered(number);
        let row = row.filter(|row| !row.status.is_final());
        let ours = row.map(|row| row.payment);
        if ours.is_some_and(|ours| ours != *payment) || self.is_unknown_of_ours(number) {
            return self.halt(HaltReason::ForeignNumber { number });
        }
        let reference = payment.reference();
        let row = self.journal.state().payment(&reference);
        if row.is_some_and(|row| row.number != Some(number)) {
            self.hold_waiting(reference)?;
        }
        Ok(())
    }

    /// A ref that was paid past us is not to be paid again, wherever it stands.
    fn hold_paid(
        &mut self,
        reference: PaymentRef,
        number: PaymentNumber,
    ) -> Result<(), JournalError> {
        let row = self.journal.state().payment(&reference);
        if row.is_none_or(|row| row.status.is_final() || row.number == Some(number)) {
            return Ok(());
        }
        self.record(Event::Held {
            refs: vec![reference],
            reason: HoldReason::PaidElsewhere { number },
        })
    }

    /// What somebody else proposed under a ref of ours waits for a person, if it is not under way.
    fn hold_waiting(&mut self, reference: PaymentRef) -> Result<(), JournalError> {
        let waits = [
            PaymentStatus::Requested,
            PaymentStatus::Open,
            PaymentStatus::Held,
        ];
        let row = self.journal.state().payment(&reference);
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

    /// Rules 1 and 12. A number is paid once ever, so one of ours that is paid must be one we wait for.
    pub(crate) fn paid(
        &mut self,
        block: u64,
        id: BatchId,
        first_number: PaymentNumber,
        mask: U256,
        items: Option<&[PackedItem]>,
    ) -> Result<(), EngineError<S::Error>> {
        let mut ours = U256::ZERO;
        let (mut displaced, mut instead) = (Vec::new(), Vec::new());
        let mut others = Vec::new();
        for offset in (0..256_u16).filter(|offset| mask.bit(usize::from(*offset))) {
            let Some(number) = first_number.checked_add(offset) else {
                continue;
            };
            let state = self.journal.state();
            let batch = state.batch(&id);
            let paid = body(usize::from(offset), items, batch);
            match state.numbered(number) {
                Some(row) if paid == Some(row.payment) && row.status != PaymentStatus::Paid => {
                    ours.set_bit(usize::from(offset), true);
                }
                Some(row) if !row.status.is_final() && paid.is_some() => {
                    displaced.push(row.reference());
                    instead.extend(paid.map(|paid| (number, paid)));
                    self.halt(HaltReason::ForeignNumber { number })?;
                }
                None if state.opening().namespace.counter_of(number).is_none() => {
                    others.push((number, paid));
                }
                _ => {
                    instead.extend(paid.map(|paid| (number, paid)));
                    self.halt(HaltReason::ForeignNumber { number })?;
                }
            }
        }
        if !ours.is_zero() {
            self.record(Event::OutcomeFinal {
                batch: id,
                first_number,
                paid: ours,
                block,
            })?;
        }
        self.displace(block, displaced, &instead)?;
        if !others.is_empty() {
            self.paid_for_others(&others)?;
            self.record(Event::ForeignSeen { batch: id, block })?;
        }
        Ok(())
    }

    /// What was paid under numbers of ours is never paid again either: its refs are known from now on.
    fn displace(
        &mut self,
        block: u64,
        refs: Vec<PaymentRef>,
        instead: &[(PaymentNumber, Payment)],
    ) -> Result<(), EngineError<S::Error>> {
        let mut by: BTreeMap<PaymentRef, Payment> = BTreeMap::new();
        for (_, payment) in instead {
            let reference = payment.reference();
            let is_live = self.journal.state().payment(&reference).is_some();
            if !is_live && !self.has_payment(&[reference], &[])? {
                by.entry(reference).or_insert(*payment);
            }
        }
        if !refs.is_empty() || !by.is_empty() {
            self.record(Event::Displaced {
                refs,
                by: by.into_values().collect(),
                block,
            })?;
        }
        for (number, payment) in instead {
            self.hold_paid(payment.reference(), *number)?;
        }
        Ok(())
    }

    fn has_payment(
        &mut self,
        refs: &[PaymentRef],
        numbers: &[PaymentNumber],
    ) -> Result<bool, EngineError<S::Error>> {
        let found = self.store.has_payment(refs, numbers);
        found.map_err(EngineError::Store)
    }

    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, EngineError<S::Error>> {
        self.store.has_request(refs).map_err(EngineError::Store)
    }

    /// What the vault paid for others is never paid again for us: its refs are known from now on. One that we were asked for
    /// has been paid past us; if it was filed and not read yet, it never will be.
    fn paid_for_others(
        &mut self,
        others: &[(PaymentNumber, Option<Payment>)],
    ) -> Result<(), EngineError<S::Error>> {
        let mut refs = BTreeSet::new();
        let mut payments = Vec::new();
        for (number, paid) in others {
            let Some(payment) = *paid else { continue };
            let (number, reference) = (*number, payment.reference());
            let is_live = self.journal.state().payment(&reference).is_some();
            if is_live || self.has_payment(&[reference], &[])? || !refs.insert(reference) {
                self.halt(HaltReason::ForeignRef { reference, number })?;
                self.hold_paid(reference, number)?;
                continue;
            }
            if self.has_request(&[reference])? {
                self.halt(HaltReason::ForeignRef { reference, number })?;
            }
            payments.push(NumberedPayment { number, payment });
        }
        if payments.is_empty() {
            return Ok(());
        }
        Ok(self.record(Event::Recovered { payments })?)
    }

    /// What a guardian stopped is not proposed again by a machine.
    fn vetoed(&mut self, id: BatchId) -> Result<(), JournalError> {
        let Some(row) = self.journal.state().batch(&id) else {
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

    /// A slot is used up by its attempt in these blocks, or, if the nonce says so and no attempt is there, by somebody else.
    /// Without the nonce the second is found out later.
    fn consume_slots(
        &mut self,
        blocks: &[Block],
        last: BlockRef,
        nonce: Option<u64>,
    ) -> Result<(), JournalError> {
        let mined: BTreeSet<B256> = blocks
            .iter()
            .flat_map(|block| block.transactions.iter().copied())
            .collect();
        let state = self.journal.state();
        let consumed: Vec<(u64, Option<B256>)> = state
            .slots()
            .map(|slot| {
                let mut hashes = slot.attempts.iter().map(|attempt| attempt.hash);
                (slot.nonce, hashes.find(|hash| mined.contains(hash)))
            })
            .filter(|(slot, by)| nonce.map_or(by.is_some(), |nonce| *slot < nonce))
            .collect();
        let foreign = consumed.iter().find(|(_, by)| by.is_none()).copied();
        for (nonce, by) in consumed {
            self.record(Event::SlotConsumed {
                nonce,
                by,
                block: last.number,
            })?;
        }
        let next = self.journal.state().next_nonce();
        if let Some(on_chain) = nonce.filter(|nonce| *nonce > next) {
            self.halt(HaltReason::ForeignNonce { on_chain, next })?;
        }
        match foreign {
            Some((nonce, _)) => self.halt(HaltReason::ForeignTransaction { nonce }),
            None => Ok(()),
        }
    }

    /// No block after this one can be earlier, so what has expired here stays so.
    fn bury_expired(&mut self, last: BlockRef) -> Result<(), JournalError> {
        let is_over = |row: &BatchRow| row.header.expires_at <= last.time;
        let foreign = self.open(|row| is_over(row) && !row.status.is_live());
        let live = self.open(|row| is_over(row) && row.status.is_live());
        for id in foreign.into_iter().chain(live) {
            self.bury(id, DeathCause::Expired)?;
        }
        Ok(())
    }

    /// A sealed batch that no unused nonce can carry to the chain any more.
    pub(crate) fn bury_abandoned(&mut self) -> Result<(), JournalError> {
        let state = self.journal.state();
        let mut carried: BTreeSet<BatchId> = self.in_hand.into_iter().collect();
        for slot in state.slots() {
            carried.extend(slot.job.batch());
            let jobs = slot.attempts.iter().map(|attempt| attempt.job);
            carried.extend(jobs.filter_map(|job| job.batch()));
        }
        let abandoned =
            self.open(|row| row.status == BatchStatus::Sealed && !carried.contains(&row.id));
        for id in abandoned {
            self.bury(id, DeathCause::Leftover)?;
        }
        Ok(())
    }

    fn open(&self, which: impl Fn(&BatchRow) -> bool) -> Vec<BatchId> {
        let rows = self.journal.state().batches();
        rows.filter(|row| row.status.is_open() && which(row))
            .map(|row| row.id)
            .collect()
    }

    /// What a batch left behind too often while it paid others is held; and so is what nobody requested, and what a proposal
    /// of somebody else's may still pay: that is for signers to decide, not for the keeper.
    fn bury(&mut self, id: BatchId, cause: DeathCause) -> Result<(), JournalError> {
        let rows = self.journal.state().batch(&id);
        let refs: Vec<PaymentRef> = rows
            .map(|row| row.payments.iter().map(Payment::reference).collect())
            .unwrap_or_default();
        self.record(Event::BatchDied { batch: id, cause })?;
        let adopted = self.refs_of(&refs, PaymentRow::is_adopted);
        self.hold_open(adopted, HoldReason::ForeignProposal)?;
        let state = self.journal.state();
        let contested = refs.iter().filter(|known| state.is_foreign(known));
        self.hold_open(contested.copied().collect(), HoldReason::ForeignProposal)?;
        let failing = self.refs_of(&refs, |row| row.returns > self.max_returns);
        self.hold_open(failing, HoldReason::KeepsFailing)
    }

    fn refs_of(&self, refs: &[PaymentRef], which: impl Fn(&PaymentRow) -> bool) -> Vec<PaymentRef> {
        let state = self.journal.state();
        let of = |reference: &&PaymentRef| state.payment(reference).is_some_and(&which);
        refs.iter().filter(of).copied().collect()
    }

    fn hold_open(
        &mut self,
        mut refs: Vec<PaymentRef>,
        reason: HoldReason,
    ) -> Result<(), JournalError> {
        let state = self.journal.state();
        refs.retain(|reference| {
            let row = state.payment(reference);
            row.is_some_and(|row| row.status == PaymentStatus::Open)
        });
        if refs.is_empty() {
            return Ok(());
        }
        self.record(Event::Held { refs, reason })
    }

    /// Rule 14.
    fn rearm(&mut self, last: BlockRef) -> Result<(), JournalError> {
        let Mode::Halted {
            reason: HaltReason::Restored { until },
        } = self.journal.state().mode()
        else {
            return Ok(());
        };
        if last.time < *until {
            return Ok(());
        }
        self.record(Event::ModeChanged { mode: Mode::Armed })
    }

    /// Over the wait for an earlier log, which ends by itself, goes what only a person may judge; but for a foreign nonce,
    /// which is found again after it.
    fn halt(&mut self, reason: HaltReason) -> Result<(), JournalError> {
        let state = self.journal.state();
        let is_due = match &reason {
            HaltReason::ForeignNonce { .. } => matches!(state.mode(), Mode::Armed),
            _ => state.sends_or_will(),
        };
        if !is_due {
            return Ok(());
        }
        self.record(Event::ModeChanged {
            mode: Mode::Halted { reason },
        })
    }

    fn record(&mut self, event: Event) -> Result<(), JournalError> {
        self.journal.record(event)
    }
}

/// What was paid: as the log gives it, or by the batch, whose id commits to it.
fn body(offset: usize, items: Option<&[PackedItem]>, batch: Option<&BatchRow>) -> Option<Payment> {
    let Some(items) = items else {
        return batch?.payments.get(offset).copied();
    };
    let item = items.get(offset)?;
    Payment::new(item.recipient, item.amount, item.reference).ok()
}
