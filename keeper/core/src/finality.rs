//! What final blocks say, taken in for good: payments paid, proposals on chain, nonces used up, batches dead.

mod dead;
mod proposals;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;

use crate::{
    abi::Fact,
    domain::{BatchId, PackedItem, Payment, PaymentNumber, PaymentRef},
    engine::Spent,
    error::EngineError,
    event::{BlockRef, Event, HaltReason, HoldReason, Mode, NumberedPayment},
    journal::{Journal, JournalError},
    lifecycle::PaymentStatus,
    observe::Block,
    state::BatchRow,
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
    /// What was paid for gas.
    pub(crate) spent: &'a mut Spent,
    /// What a transaction pays for data beside gas, at most. [wei]
    pub(crate) data_fee: u128,
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
        // What waits for its end, a person's resume and `keeper restore`, is told at once.
        let wait = self.journal.state().waits_until();
        let is_over = wait.is_some_and(|until| last.time >= until);
        if self.journal.pending() > before || quiet >= QUIET_BLOCKS || is_over {
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

    /// A ref that was paid past us is not to be paid again, wherever it stands.
    fn hold_paid(
        &mut self,
        reference: PaymentRef,
        number: PaymentNumber,
    ) -> Result<(), JournalError> {
        let row = self.journal.state().open_payment(&reference);
        if row.is_none_or(|row| row.status.is_final() || row.number == Some(number)) {
            return Ok(());
        }
        self.record(Event::Held {
            refs: vec![reference],
            reason: HoldReason::PaidElsewhere { number },
        })
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
            let batch = state.open_batch(&id);
            let paid = body(usize::from(offset), items, batch);
            match state.open_numbered(number) {
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
            let is_live = self.journal.state().open_payment(&reference).is_some();
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
            let is_live = self.journal.state().open_payment(&reference).is_some();
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

    /// In place of what weighs less goes what is graver; but for a foreign nonce while an earlier log is waited for, which is found again after
    /// it.
    fn halt(&mut self, reason: HaltReason) -> Result<(), JournalError> {
        let state = self.journal.state();
        let is_of_earlier_log = match (&reason, state.mode()) {
            (HaltReason::ForeignNonce { .. }, Mode::Halted { reason }) => {
                let is_operators = matches!(reason, HaltReason::Operator { .. });
                !is_operators || state.waits_until().is_some()
            }
            _ => false,
        };
        if is_of_earlier_log || !state.halts_for(&reason) {
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
