//! Proposals that would pay again what was asked for once: signers must know before they vote.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, EngineError};
use crate::{
    abi::Fact,
    domain::{BatchId, Payment, PaymentNumber, PaymentRef},
    event::HoldReason,
    lifecycle::{BatchStatus, PaymentStatus},
    observe::{Block, View},
    state::{PaymentRow, State},
    store::Store,
};

/// Alerts about proposals at most: whoever may propose must not bury one of them.
const SHOWN: usize = 10;

/// Refs of payments that are final, and that a proposal names which may still be executed: the state has let go of them.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<PaymentRef, Final>);

/// A payment that is final.
#[derive(Debug, Clone, Copy)]
struct Final {
    status: PaymentStatus,
    number: Option<PaymentNumber>,
}

impl Repeats {
    /// Remembers those that are final.
    fn note<'a>(&mut self, rows: impl IntoIterator<Item = &'a PaymentRow>) {
        for row in rows {
            if row.status.is_final() {
                let (status, number) = (row.status, row.number);
                self.0.insert(row.reference(), Final { status, number });
            }
        }
    }

    /// Forgets what no proposal names any more.
    pub(super) fn prune(&mut self, state: &State, view: &View) {
        if self.0.is_empty() {
            return;
        }
        let seen = named_in(view.blocks());
        self.0
            .retain(|known, _| state.is_foreign(known) || seen.contains(known));
    }
}

/// Why a proposal is not to be approved; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Objection {
    /// The vault has paid the ref.
    Paid(PaymentRef, Option<PaymentNumber>),
    /// The ref is over in another way.
    Over(PaymentRef, PaymentStatus),
    /// The keeper was asked for it, and will pay it.
    Asked(PaymentRef, Option<BatchId>),
}

impl Objection {
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Refs of the proposals in these blocks.
fn named_in<'a>(blocks: impl Iterator<Item = &'a Block>) -> BTreeSet<PaymentRef> {
    let payments = proposals_in(blocks).flat_map(|(_, payments)| payments);
    payments.map(Payment::reference).collect()
}

fn proposals_in<'a>(
    blocks: impl Iterator<Item = &'a Block>,
) -> impl Iterator<Item = (BatchId, &'a [Payment])> {
    blocks
        .flat_map(|block| &block.facts)
        .filter_map(|fact| match fact {
            Fact::Proposed { id, payments, .. } => Some((*id, payments.as_slice())),
            _ => None,
        })
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// At a start: what the proposals of others name.
    pub(super) fn recall_repeats(&mut self) -> Result<(), EngineError<S::Error>> {
        let foreign = self.journal.state().open_batches();
        let foreign = foreign.filter(|batch| batch.status == BatchStatus::Foreign);
        for batch in foreign {
            let refs: Vec<PaymentRef> = batch.payments.iter().map(Payment::reference).collect();
            let rows = self.store.payments(&refs).map_err(EngineError::Store)?;
            self.memory.repeats.note(&rows);
        }
        Ok(())
    }

    /// What proposals in new blocks name.
    pub(super) fn look_for_repeats(
        &mut self,
        blocks: &[Block],
    ) -> Result<(), EngineError<S::Error>> {
        for (_, payments) in proposals_in(blocks.iter()) {
            let refs: Vec<PaymentRef> = payments.iter().map(Payment::reference).collect();
            let rows = self.store.payments(&refs).map_err(EngineError::Store)?;
            self.memory.repeats.note(&rows);
        }
        Ok(())
    }

    /// What has become final with the last commit.
    pub(super) fn keep_repeats(&mut self, committed: &[PaymentRow]) {
        let mut over = committed
            .iter()
            .filter(|row| row.status.is_final())
            .peekable();
        if over.peek().is_none() {
            return;
        }
        let seen = named_in(self.memory.view.blocks());
        let state = self.journal.state();
        let is_named = |row: &&PaymentRow| {
            let reference = row.reference();
            state.is_foreign(&reference) || seen.contains(&reference)
        };
        let named: Vec<&PaymentRow> = over.filter(is_named).collect();
        self.memory.repeats.note(named);
    }

    /// Rule 12: proposals that would pay what is paid, or what is ours to pay, a second time, if signers let them.
    pub(super) fn repeats(&self) -> Vec<String> {
        let state = self.state();
        let mut objections: Vec<(Objection, usize, BatchId)> = Vec::new();
        let mut object = |id: BatchId, payments: &[Payment]| {
            let found = payments
                .iter()
                .filter_map(|payment| self.objection(payment));
            let mut found: Vec<Objection> = found.collect();
            found.sort_unstable();
            if let Some(worst) = found.first().copied() {
                let count = found.iter().filter(|other| other.is_like(&worst)).count();
                objections.push((worst, count, id));
            }
        };
        for batch in state.open_batches() {
            if batch.status == BatchStatus::Foreign {
                object(batch.id, &batch.payments);
            }
        }
        for (id, payments) in proposals_in(self.memory.view.blocks()) {
            if state.open_batch(&id).is_none() {
                object(id, payments);
            }
        }
        objections.sort_unstable();
        let more = objections.len().saturating_sub(SHOWN);
        let mut alerts: Vec<String> = objections.iter().take(SHOWN).map(words).collect();
        if more > 0 {
            alerts.push(format!(
                "{more} more proposals of somebody else's name refs that the keeper knows: approve none unseen"
            ));
        }
        alerts.extend(self.own_repeats());
        alerts
    }

    fn objection(&self, payment: &Payment) -> Option<Objection> {
        let reference = payment.reference();
        if let Some(row) = self.state().open_payment(&reference) {
            let own = row.batch.filter(|_| row.status == PaymentStatus::Sealed);
            return Some(match &row.hold {
                Some(HoldReason::PaidElsewhere { number }) => {
                    Objection::Paid(reference, Some(*number))
                }
                _ => Objection::Asked(reference, own),
            });
        }
        let over = self.memory.repeats.0.get(&reference)?;
        Some(match over.status {
            PaymentStatus::Paid => Objection::Paid(reference, over.number),
            status => Objection::Over(reference, status),
        })
    }

    /// Own proposals that hold what was paid past the keeper. It does not execute that part; signers could.
    fn own_repeats(&self) -> Option<String> {
        let mut batches = self.state().open_batches().filter_map(|batch| {
            let is_proposed = batch.status == BatchStatus::Proposed;
            let bit = is_proposed.then(|| self.contested(batch).trailing_zeros())?;
            let payment = batch.payments.get(bit)?;
            Some((batch.id, payment.reference()))
        });
        let (id, reference) = batches.next()?;
        let more = and_more(batches.count());
        Some(format!(
            "batch {id}{more} of the keeper's would pay ref {reference} again, which was paid past it: do not execute it, have it \
             cancelled"
        ))
    }
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

fn words((objection, count, id): &(Objection, usize, BatchId)) -> String {
    let more = and_more(count.saturating_sub(1));
    let theirs = format!("batch {id} is somebody else's and would pay ref");
    match objection {
        Objection::Paid(reference, number) => {
            let number = number.map_or(String::new(), |number| format!(" under number {number}"));
            format!(
                "{theirs} {reference}{more} again, which the vault has paid{number}: do not approve it"
            )
        }
        Objection::Over(reference, status) => {
            let how = match status {
                PaymentStatus::Cancelled => "which was withdrawn",
                PaymentStatus::Rejected => "which was refused for good",
                _ => "whose number was used for something else",
            };
            format!(
                "{theirs} {reference}{more}, {how}: ask whoever asked for it before you approve it"
            )
        }
        Objection::Asked(reference, own) => {
            let own = own.map_or(String::new(), |own| {
                format!("; the keeper's own batch of it is {own}")
            });
            format!(
                "{theirs} {reference}{more}, which the keeper was asked for: approve one of them at most{own}"
            )
        }
    }
}
