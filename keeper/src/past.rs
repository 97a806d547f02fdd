//! The vault's logs as one story: what it has paid, and what waits in it.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::U256;
use tidelock_core::{
    abi::Fact,
    domain::{Batch, BatchId, PackedItem, Payment, PaymentNumber, PaymentRef},
    event::{BlockRef, Event, NumberedPayment},
};

/// Payments in one entry of the log.
const CHUNK: usize = 500;

/// The vault's logs as one story.
#[derive(Debug, Default)]
pub(crate) struct Tale {
    /// Somebody proposed or paid.
    pub(crate) is_used: bool,
    /// Payments made, by ref: the first of each.
    pub(crate) paid: BTreeMap<PaymentRef, NumberedPayment>,
    /// Numbers used up.
    pub(crate) numbers: BTreeSet<PaymentNumber>,
    proposals: BTreeMap<BatchId, Proposal>,
}

/// A proposal, and what became of it.
#[derive(Debug)]
pub(crate) struct Proposal {
    header: Batch,
    pub(crate) payments: Vec<Payment>,
    paid: U256,
    is_over: bool,
}

impl Tale {
    pub(crate) fn read<'a>(history: impl IntoIterator<Item = &'a (u64, Fact)>) -> Self {
        let mut tale = Self::default();
        for (_, fact) in history {
            tale.take(fact);
        }
        tale
    }

    fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::Proposed {
                id,
                header,
                payments,
            } => {
                self.is_used = true;
                let proposal = Proposal {
                    header: *header,
                    payments: payments.clone(),
                    paid: U256::ZERO,
                    is_over: false,
                };
                self.proposals.insert(*id, proposal);
            }
            Fact::Paid {
                id,
                first_number,
                paid,
                items,
            } => {
                self.is_used = true;
                self.pay(*id, *first_number, *paid, items.as_deref());
            }
            Fact::Cancelled { id } => {
                if let Some(proposal) = self.proposals.get_mut(id) {
                    proposal.is_over = true;
                }
            }
            Fact::Created | Fact::Voted { .. } | Fact::Policy | Fact::Other => {}
        }
    }

    fn pay(&mut self, id: BatchId, first: PaymentNumber, mask: U256, items: Option<&[PackedItem]>) {
        let proposal = self.proposals.get_mut(&id);
        let payments: Vec<Option<Payment>> = match (&proposal, items) {
            (_, Some(items)) => items.iter().map(payment_of).collect(),
            (Some(proposal), None) => proposal.payments.iter().copied().map(Some).collect(),
            (None, None) => Vec::new(),
        };
        if let Some(proposal) = proposal {
            proposal.paid |= mask;
            proposal.is_over |= proposal.paid.count_ones() >= proposal.payments.len();
        }
        for (offset, payment) in (0_u16..).zip(payments) {
            let number = first.checked_add(offset);
            if let (true, Some(payment), Some(number)) =
                (mask.bit(usize::from(offset)), payment, number)
            {
                self.numbers.insert(number);
                let paid = NumberedPayment { number, payment };
                self.paid.entry(payment.reference()).or_insert(paid);
            }
        }
    }

    /// Proposals that may still be executed.
    pub(crate) fn live(&self, last: BlockRef) -> impl Iterator<Item = (BatchId, &Proposal)> {
        let live =
            move |proposal: &Proposal| !proposal.is_over && proposal.header.expires_at > last.time;
        let proposals = self.proposals.iter();
        proposals
            .filter(move |(_, proposal)| live(proposal))
            .map(|(id, proposal)| (*id, proposal))
    }

    /// Proposals that may still be executed, and whether each is taken over: only if none of its refs and numbers is known
    /// otherwise. Any other is left to the people who proposed it, and what is asked for under its refs waits for a person.
    pub(crate) fn waiting(&self, last: BlockRef) -> Vec<(&Proposal, bool)> {
        let mut refs: BTreeSet<PaymentRef> = self.paid.keys().copied().collect();
        let mut numbers = self.numbers.clone();
        self.live(last)
            .map(|(_, proposal)| {
                let own_refs: BTreeSet<PaymentRef> =
                    proposal.payments.iter().map(Payment::reference).collect();
                let own_numbers: BTreeSet<PaymentNumber> = (0..proposal.header.count)
                    .filter_map(|offset| proposal.header.first_number.checked_add(offset))
                    .collect();
                let is_new = own_refs.len() == proposal.payments.len()
                    && own_refs.is_disjoint(&refs)
                    && own_numbers.is_disjoint(&numbers);
                if is_new {
                    refs.extend(own_refs);
                    numbers.extend(own_numbers);
                }
                (proposal, is_new)
            })
            .collect()
    }

    pub(crate) fn events(&self, last: BlockRef) -> Vec<Event> {
        let paid: Vec<NumberedPayment> = self.paid.values().copied().collect();
        let recovered = paid.chunks(CHUNK).map(|chunk| Event::Recovered {
            payments: chunk.to_vec(),
        });
        let waiting = self.waiting(last).into_iter().map(|(proposal, is_new)| {
            let (batch, payments) = (proposal.header, proposal.payments.clone());
            if is_new {
                Event::Adopted { batch, payments }
            } else {
                Event::ForeignProposed { batch, payments }
            }
        });
        recovered.chain(waiting).collect()
    }
}

/// What was paid is always a valid payment.
fn payment_of(item: &PackedItem) -> Option<Payment> {
    Payment::new(item.recipient, item.amount, item.reference).ok()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};
    use tidelock_core::{
        domain::{Amount, BlockTime, ChainId, TierIndex, VaultDomain},
        event::{Namespace, Opening},
        state::State,
    };

    use super::*;

    fn payment(id: u8) -> Payment {
        let reference = PaymentRef([id; 16]);
        Payment::new(Address::repeat_byte(id), Amount(5), reference).unwrap()
    }

    fn time(seconds: u64) -> BlockTime {
        BlockTime::from_seconds(seconds).unwrap()
    }

    fn domain() -> VaultDomain {
        VaultDomain {
            chain_id: ChainId(1),
            vault: Address::repeat_byte(0xaa),
        }
    }

    fn proposed(first: u64, payments: &[Payment]) -> (BatchId, Fact) {
        let (first, tier) = (PaymentNumber(first), TierIndex::new(1).unwrap());
        let header = Batch::seal(first, tier, payments, time(9_000), B256::ZERO).unwrap();
        let id = header.id(&domain());
        let payments = payments.to_vec();
        let fact = Fact::Proposed {
            id,
            header,
            payments,
        };
        (id, fact)
    }

    fn executed(id: BatchId, first: u64) -> Fact {
        Fact::Paid {
            id,
            first_number: PaymentNumber(first),
            paid: U256::from(1),
            items: None,
        }
    }

    /// The log must fold, whatever somebody has proposed; how many proposals it takes over, and how many it leaves.
    fn open(facts: Vec<Fact>) -> (usize, usize) {
        let history: Vec<(u64, Fact)> = facts.into_iter().map(|fact| (1, fact)).collect();
        let last = BlockRef {
            number: 9,
            hash: B256::repeat_byte(9),
            time: time(1_000),
        };
        let mut state = State::open(Opening {
            domain: domain(),
            keeper: Address::repeat_byte(1),
            first_nonce: 0,
            namespace: Namespace::new(7).unwrap(),
            start: last,
        });
        let events = Tale::read(&history).events(last);
        for event in &events {
            state.apply(event).unwrap();
        }
        let count = |which: fn(&Event) -> bool| events.iter().filter(|e| which(e)).count();
        (
            count(|event| matches!(event, Event::Adopted { .. })),
            count(|event| matches!(event, Event::ForeignProposed { .. })),
        )
    }

    #[test]
    fn of_two_proposals_of_one_number_one_is_taken_over() {
        let facts = vec![proposed(70, &[payment(1)]).1, proposed(70, &[payment(2)]).1];
        assert_eq!(open(facts), (1, 1));
    }

    #[test]
    fn a_proposal_of_a_number_that_is_paid_is_not_taken_over() {
        let (id, first) = proposed(70, &[payment(1)]);
        let facts = vec![first, executed(id, 70), proposed(70, &[payment(2)]).1];
        assert_eq!(open(facts), (0, 1));
    }

    #[test]
    fn a_proposal_that_is_paid_in_part_is_remembered() {
        let (id, fact) = proposed(70, &[payment(1), payment(2)]);
        assert_eq!(open(vec![fact, executed(id, 70)]), (0, 1));
    }
}
