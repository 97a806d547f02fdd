//! Payments that the vault may have paid without our having seen it: a node that once leaves a log out is believed where a
//! chain does not allow its blocks to be checked. What the vault calls paid is looked for again, and ends as paid.

use std::{collections::BTreeSet, ops::Bound};

use alloy_primitives::U256;

use super::{Engine, EngineError};
use crate::{
    abi::Fact,
    domain::PaymentNumber,
    lifecycle::PaymentStatus,
    port::{Effect, Key, Monotonic, ProposalState, Recalled},
    store::Store,
};

/// Numbers in one question at most.
const NUMBERS: usize = 256;
/// Between two rounds when nothing points to a payment that was missed. [milliseconds]
const ROUND_MS: u64 = 600_000;
/// Until a question that was not answered is asked again. [milliseconds]
const RETRY_MS: u64 = 60_000;

/// Where looking stands.
#[derive(Debug)]
pub(super) struct Recall {
    /// Numbers up to this one had their turn in this round.
    through: Option<PaymentNumber>,
    next: Monotonic,
    /// Another round is wanted after this one.
    again: bool,
    /// Paid, says the vault, and no log of it was found.
    unexplained: BTreeSet<PaymentNumber>,
}

impl Recall {
    pub(super) fn new(now: Monotonic) -> Self {
        Self {
            through: None,
            next: now,
            again: false,
            unexplained: BTreeSet::new(),
        }
    }

    /// Something points to a payment that was missed.
    pub(super) fn at_once(&mut self) {
        self.again = true;
        if self.through.is_none() {
            self.next = Monotonic::default();
        }
    }

    /// No answer came.
    pub(super) fn later(&mut self, now: Monotonic) {
        self.next = now.after(RETRY_MS);
    }

    fn end_round(&mut self, now: Monotonic) {
        self.through = None;
        if !std::mem::take(&mut self.again) {
            self.next = now.after(ROUND_MS);
        }
    }
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Asks about the next numbers in turn.
    pub(super) fn recall(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        // While blocks are read that the node has no state of, there is nothing to ask.
        if now < self.memory.recall.next
            || self.memory.lacks_nonce
            || !self.may_start(Key::Recall, now)
        {
            return;
        }
        let numbers = self.doubtful();
        if numbers.is_empty() {
            self.memory.recall.end_round(now);
            return;
        }
        let recall = Effect::Recall {
            first: self.state().opening().start.number,
            at: self.memory.view.base(),
            numbers,
        };
        self.begin(recall, now, effects);
    }

    /// Numbers, in turn, of payments that are not paid by our log and are in no transaction that will tell: those that a batch
    /// left behind, and those of a proposal that the vault has executed.
    fn doubtful(&self) -> Vec<PaymentNumber> {
        let looks = self.memory.vault().map(|(_, vault)| &vault.proposals);
        let executed: BTreeSet<_> = looks
            .into_iter()
            .flatten()
            .filter(|(_, look)| look.state == ProposalState::Executed)
            .map(|(id, _)| *id)
            .collect();
        let rows = self.state().open_payments().filter(|row| match row.status {
            PaymentStatus::Open | PaymentStatus::Held => true,
            PaymentStatus::Sealed => row.batch.is_some_and(|id| executed.contains(&id)),
            _ => false,
        });
        let numbers: BTreeSet<PaymentNumber> = rows.filter_map(|row| row.number).collect();
        let after = match self.memory.recall.through {
            Some(through) => Bound::Excluded(through),
            None => Bound::Unbounded,
        };
        let rest = numbers.range((after, Bound::Unbounded));
        rest.take(NUMBERS).copied().collect()
    }

    /// Takes in what was missed, as if its block had just become final. Only of numbers that were asked about: what else the
    /// same logs say was taken in before.
    pub(super) fn recalled(
        &mut self,
        asked: &[PaymentNumber],
        recalled: Recalled,
    ) -> Result<(), EngineError<S::Error>> {
        self.memory.recall.through = asked.last().copied();
        for (height, fact) in recalled.facts {
            let Fact::Paid {
                id,
                first_number,
                paid,
                items,
            } = fact
            else {
                continue;
            };
            if items.is_none() && self.state().open_batch(&id).is_none() {
                continue; // what it paid is not known
            }
            let mut missed = U256::ZERO;
            for offset in (0..256_u16).filter(|offset| paid.bit(usize::from(*offset))) {
                let number = first_number.checked_add(offset);
                let is_asked = |number| asked.contains(&number) && self.is_unsettled(number);
                if number.is_some_and(is_asked) {
                    missed.set_bit(usize::from(offset), true);
                }
            }
            if !missed.is_zero() {
                self.settling()
                    .paid(height, id, first_number, missed, items.as_deref())?;
            }
        }
        let is_left = |number: &PaymentNumber| self.is_unsettled(*number);
        let left: BTreeSet<PaymentNumber> = recalled.paid.into_iter().filter(is_left).collect();
        let unexplained = &mut self.memory.recall.unexplained;
        unexplained.retain(|number| !asked.contains(number));
        unexplained.extend(left);
        self.memory.prune(self.journal.state());
        Ok(())
    }

    /// A log that a node shows twice settles a payment once; what is settled here is known until it is committed.
    fn is_unsettled(&self, number: PaymentNumber) -> bool {
        let row = self.state().open_numbered(number);
        row.is_some_and(|row| !row.status.is_final())
    }

    /// Payments that the vault has paid and that the node shows no log of, for people.
    pub(super) fn unexplained(&self) -> Vec<String> {
        let numbers = &self.memory.recall.unexplained;
        let rows = numbers
            .iter()
            .filter_map(|number| self.state().open_numbered(*number));
        let named = rows.map(|row| row.reference().to_string());
        let mut named = named.peekable();
        let Some(first) = named.next() else {
            return Vec::new();
        };
        let more = match named.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        vec![format!(
            "ref {first}{more} is paid, says the vault, and the node shows no log of it: ask another node (chain.rpc_url)"
        )]
    }
}
