//! Opening a log: for a vault that nobody has used, or, after a lost database, for one with a past.
//!
//! Rule 14: what the vault has paid and what waits in it is known before anything is sent, under numbers of a new
//! namespace, and only when nothing that an earlier log signed can land any more.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, U256};
use rand::Rng;
use tidelock_core::{
    abi::Fact,
    domain::{Batch, BatchId, BlockTime, PackedItem, Payment, PaymentNumber, PaymentRef},
    event::{
        BlockRef, Event, HaltReason, InvalidNamespace, Mode, Namespace, NumberedPayment, Opening,
    },
};

use crate::chain::{ChainError, Identity, RpcChain};

/// Payments in one entry of the log.
const CHUNK: usize = 500;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The vault's own birth is not among its logs.
    #[error(
        "vault {vault}: its creation is not in the logs of blocks {first} to {last}, the last that is final; its past must be \
         known before anything is sent, so it must be final, the node must have these logs, and --from-block must not be after \
         the vault's first block"
    )]
    NoPast {
        /// The vault.
        vault: Address,
        /// First block asked for.
        first: u64,
        /// Last block asked for.
        last: u64,
    },
    /// What the vault says of itself is not what its logs say.
    #[error(
        "the vault's past up to block {last}: number {number} is paid, and no log was shown that pays it: the node leaves logs out, \
         and what it leaves out would be paid again; give another node (chain.rpc_url)"
    )]
    Hidden {
        /// The number.
        number: PaymentNumber,
        /// The last block asked for.
        last: u64,
    },
    /// Two nodes tell different stories.
    #[error(
        "the vault's past up to block {last}: the two nodes tell it differently; nothing is opened until they agree"
    )]
    NodesDiffer {
        /// The last block asked for.
        last: u64,
    },
    /// The random namespace is none.
    #[error(transparent)]
    Namespace(#[from] InvalidNamespace),
    /// A time beyond what chain time can be.
    #[error(transparent)]
    Time(#[from] tidelock_core::domain::DomainError),
}

/// A log to be: its first entry and those that follow at once.
#[derive(Debug, Clone)]
pub struct Past {
    /// What the log is opened for.
    pub opening: Opening,
    /// Everything that is known from the vault's logs.
    pub events: Vec<Event>,
    /// Payments that the vault has made.
    pub paid: usize,
    /// Proposals that wait in it.
    pub waiting: usize,
    /// Nothing is sent before a block of that time is final; none if it can be sent at once.
    pub wait: Option<(BlockTime, Suspicion)>,
}

/// Why an earlier keeper may have signed what can still land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    /// There are payments or proposals.
    #[error("the vault has been used")]
    Used,
    /// The pool holds more than the last final block.
    #[error("a transaction of the key waits in a node's pool")]
    Pending,
    /// Nobody said otherwise.
    #[error(
        "an earlier keeper may have signed something; if none ever worked for this vault, stop, move the database away, and \
         start with --first-keeper"
    )]
    Unsaid,
}

/// Reads the vault's past up to the block that is final now; with a second node, as both have it.
///
/// `ttl` is the longest life of a header that an earlier log may have signed. [seconds] `is_first` is the operator's word
/// that there was none.
pub async fn read_past(
    (chain, second): (&RpcChain, Option<&RpcChain>),
    identity: &Identity,
    from_block: u64,
    (ttl, is_first): (u64, bool),
    progress: impl FnMut(u64),
) -> Result<Past, OpeningError> {
    let parties = chain.parties();
    let last = identity.finalised;
    let history = chain.history(from_block, last, progress).await?;
    if let Some(second) = second {
        // The nonce is asked for by the block's hash: a node that lacks the block answers an error.
        let other = second.history(from_block, last, |_| {}).await?;
        let nonce = second.nonce_after(last).await?;
        if history != other || nonce != identity.keeper_nonce {
            return Err(OpeningError::NodesDiffer { last: last.number });
        }
    }
    if !history.iter().any(|(_, fact)| *fact == Fact::Created) {
        return Err(OpeningError::NoPast {
            vault: parties.domain.vault,
            first: from_block,
            last: last.number,
        });
    }
    let opening = Opening {
        domain: parties.domain,
        keeper: parties.keeper,
        first_nonce: identity.keeper_nonce,
        namespace: Namespace::new(rand::rng().random_range(1..Namespace::COUNT))?,
        start: last,
    };
    let tale = Tale::read(&history);
    if let Some(number) = chain.paid_besides(last, &tale.numbers).await? {
        let last = last.number;
        return Err(OpeningError::Hidden { number, last });
    }
    let (paid, waiting) = (tale.paid.len(), tale.waiting(last).len());
    let mut events = tale.events(last);
    let mut pending = chain.pending_nonce().await?;
    if let Some(second) = second {
        pending = pending.max(second.pending_nonce().await?);
    }
    let suspicion = match (tale.is_used, pending > identity.keeper_nonce) {
        (true, _) => Some(Suspicion::Used),
        (_, true) => Some(Suspicion::Pending),
        _ => (!is_first).then_some(Suspicion::Unsaid),
    };
    let mut wait = None;
    if let Some(suspicion) = suspicion {
        // An earlier log dated its headers by the newest block it saw.
        let newest = identity.head.time.max(last.time);
        let until = BlockTime::from_seconds(newest.seconds().saturating_add(ttl))?;
        wait = Some((until, suspicion));
        events.push(Event::ModeChanged {
            mode: Mode::Halted {
                reason: HaltReason::Restored { until },
            },
        });
    }
    Ok(Past {
        opening,
        events,
        paid,
        waiting,
        wait,
    })
}

/// The vault's logs as one story.
#[derive(Debug, Default)]
struct Tale {
    is_used: bool,
    /// Payments made, by ref: the first of each.
    paid: BTreeMap<PaymentRef, NumberedPayment>,
    /// Numbers used up.
    numbers: BTreeSet<PaymentNumber>,
    proposals: BTreeMap<BatchId, Proposal>,
}

#[derive(Debug)]
struct Proposal {
    header: Batch,
    payments: Vec<Payment>,
    paid: U256,
    is_over: bool,
}

impl Tale {
    fn read(history: &[(u64, Fact)]) -> Self {
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

    /// Proposals that may still be executed, and whether each is taken over: only if none of its refs and numbers is known
    /// otherwise. Any other is left to the people who proposed it, and what is asked for under its refs waits for a person.
    fn waiting(&self, last: BlockRef) -> Vec<(&Proposal, bool)> {
        let mut refs: BTreeSet<PaymentRef> = self.paid.keys().copied().collect();
        let mut numbers = self.numbers.clone();
        let proposals = self.proposals.values();
        let live = proposals.filter(|p| !p.is_over && p.header.expires_at > last.time);
        live.map(|proposal| {
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

    fn events(&self, last: BlockRef) -> Vec<Event> {
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
    use alloy::primitives::B256;
    use tidelock_core::{
        domain::{Amount, ChainId, TierIndex, VaultDomain},
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
