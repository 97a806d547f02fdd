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
}

/// Reads the vault's past up to the block that is final now.
///
/// `ttl` is the longest life of a header that an earlier log of the same key may have signed. [seconds]
pub async fn read_past(
    chain: &RpcChain,
    identity: &Identity,
    from_block: u64,
    ttl: u64,
    progress: impl FnMut(u64),
) -> Result<Past, OpeningError> {
    let parties = chain.parties();
    let last = identity.finalised;
    let history = chain.history(from_block, last, progress).await?;
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
    let (paid, waiting) = (tale.paid.len(), tale.waiting(last).count());
    let mut events = tale.events(last);
    if identity.keeper_nonce > 0 && tale.is_used {
        let until = BlockTime::from_seconds(last.time.seconds().saturating_add(ttl))?;
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
    })
}

/// The vault's logs as one story.
#[derive(Debug, Default)]
struct Tale {
    is_used: bool,
    /// Payments made, by ref: the first of each.
    paid: BTreeMap<PaymentRef, NumberedPayment>,
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
                let paid = NumberedPayment { number, payment };
                self.paid.entry(payment.reference()).or_insert(paid);
            }
        }
    }

    /// Proposals that may still be executed and of which nothing is known otherwise. One of which a part is paid is left to
    /// the people who proposed it.
    fn waiting(&self, last: BlockRef) -> impl Iterator<Item = &Proposal> {
        let mut refs: BTreeSet<PaymentRef> = self.paid.keys().copied().collect();
        self.proposals.values().filter(move |proposal| {
            let is_live = !proposal.is_over && proposal.header.expires_at > last.time;
            let own: BTreeSet<PaymentRef> =
                proposal.payments.iter().map(Payment::reference).collect();
            let is_new = own.len() == proposal.payments.len() && own.is_disjoint(&refs);
            let taken = is_live && is_new && proposal.paid.is_zero();
            if taken {
                refs.extend(own);
            }
            taken
        })
    }

    fn events(&self, last: BlockRef) -> Vec<Event> {
        let paid: Vec<NumberedPayment> = self.paid.values().copied().collect();
        let recovered = paid.chunks(CHUNK).map(|chunk| Event::Recovered {
            payments: chunk.to_vec(),
        });
        let adopted = self.waiting(last).map(|proposal| Event::Adopted {
            batch: proposal.header,
            payments: proposal.payments.clone(),
        });
        recovered.chain(adopted).collect()
    }
}

/// What was paid is always a valid payment.
fn payment_of(item: &PackedItem) -> Option<Payment> {
    Payment::new(item.recipient, item.amount, item.reference).ok()
}
