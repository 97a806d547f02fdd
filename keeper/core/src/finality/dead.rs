//! Batches that can pay nothing any more, and what becomes of their payments.

use std::collections::BTreeSet;

use super::Settling;
use crate::{
    domain::{BatchId, Payment, PaymentRef},
    event::{BlockRef, DeathCause, Event, HoldReason},
    journal::JournalError,
    lifecycle::{BatchStatus, PaymentStatus},
    state::{BatchRow, PaymentRow},
    store::Store,
};

impl<S: Store> Settling<'_, S> {
    /// No block after this one can be earlier, so what has expired here stays so.
    pub(super) fn bury_expired(&mut self, last: BlockRef) -> Result<(), JournalError> {
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
        let rows = self.journal.state().open_batches();
        rows.filter(|row| row.status.is_open() && which(row))
            .map(|row| row.id)
            .collect()
    }

    /// What a batch left behind too often while it paid others is held; and so is what nobody requested, and what a proposal
    /// of somebody else's may still pay: that is for signers to decide, not for the keeper.
    pub(super) fn bury(&mut self, id: BatchId, cause: DeathCause) -> Result<(), JournalError> {
        let rows = self.journal.state().open_batch(&id);
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
        let of = |reference: &&PaymentRef| state.open_payment(reference).is_some_and(&which);
        refs.iter().filter(of).copied().collect()
    }

    pub(super) fn hold_open(
        &mut self,
        mut refs: Vec<PaymentRef>,
        reason: HoldReason,
    ) -> Result<(), JournalError> {
        let state = self.journal.state();
        refs.retain(|reference| {
            let row = state.open_payment(reference);
            row.is_some_and(|row| row.status == PaymentStatus::Open)
        });
        if refs.is_empty() {
            return Ok(());
        }
        self.record(Event::Held { refs, reason })
    }
}
