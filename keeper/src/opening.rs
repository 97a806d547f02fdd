//! Opening a log: for a vault that nobody has used, or, after a lost database, for one with a past.
//!
//! Rule 14: what the vault has paid and what waits in it is known before anything is sent, under numbers of a new
//! namespace, and only when nothing that an earlier log signed can land any more.

use alloy::primitives::Address;
use rand::Rng;
use tidelock_core::{
    abi::Fact,
    domain::{BlockTime, PaymentNumber},
    event::{BlockRef, Event, HaltReason, InvalidNamespace, Mode, Namespace, Opening},
};

use crate::{
    chain::{ChainError, History, Identity, RpcChain},
    past::Tale,
};

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The vault's own birth is not among its logs.
    #[error(
        "vault {vault}: its creation is not in the logs of blocks {first} to {last}; its past must be known before anything is \
         sent, so the node must have these logs, and --from-block must not be after the vault's first block"
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
    /// The vault was made a moment ago.
    #[error(
        "vault {vault}: it was made in block {made}, and {last} is the last block that is final"
    )]
    NotFinal {
        /// The vault.
        vault: Address,
        /// The block that made it.
        made: u64,
        /// The last block that is final.
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
    /// Nothing is sent before a block of that time is final and an operator resumes; none if it can be sent at once.
    pub wait: Option<(BlockTime, Suspicion)>,
}

/// Why an earlier keeper may have signed what can still land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    /// There are payments or proposals.
    #[error("the vault has been used")]
    Used,
    /// The node counts more transactions of the key than the last final block.
    #[error(
        "a transaction of the key is not final yet: in a node's pool, or in a block that is not final"
    )]
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
    nodes: (&RpcChain, Option<&RpcChain>),
    identity: &Identity,
    from_block: u64,
    word: (u64, bool),
    progress: impl FnMut(u64),
) -> Result<Past, OpeningError> {
    let mut reading = Reading::new(from_block);
    reading.read(nodes, identity, word, progress).await
}

/// Final blocks that may have come since the last one that was read. Nodes keep the state of their newest 128 blocks, some of
/// which are not final, so the state that is asked for must be younger than reading a long past takes.
const AGED: u64 = 8;

/// The reading of a past, which goes on where it was broken off.
#[derive(Debug)]
pub struct Reading {
    from_block: u64,
    first: History,
    second: History,
}

impl Reading {
    /// Nothing is read yet.
    pub fn new(from_block: u64) -> Self {
        Self {
            from_block,
            first: History::from(from_block),
            second: History::from(from_block),
        }
    }

    /// As [`read_past`]: what an earlier try has read is not read again.
    pub async fn read(
        &mut self,
        (chain, second): (&RpcChain, Option<&RpcChain>),
        identity: &Identity,
        (ttl, is_first): (u64, bool),
        progress: impl FnMut(u64),
    ) -> Result<Past, OpeningError> {
        let parties = chain.parties();
        let last = self
            .logs((chain, second), identity.finalised, progress)
            .await?;
        let nonce = chain.nonce_after(last).await?;
        if let Some(second) = second {
            // The nonce is asked for by the block's hash: a node that lacks the block answers an error.
            let is_same = self
                .first
                .until(last.number)
                .eq(self.second.until(last.number));
            if !is_same || second.nonce_after(last).await? != nonce {
                *self = Self::new(self.from_block); // one of them has told too little
                return Err(OpeningError::NodesDiffer { last: last.number });
            }
        }
        let mut history = self.first.until(last.number);
        if !history.any(|(_, fact)| *fact == Fact::Created) {
            return Err(no_creation(chain, last, self.from_block).await?);
        }
        let opening = Opening {
            domain: parties.domain,
            keeper: parties.keeper,
            first_nonce: nonce,
            namespace: Namespace::new(rand::rng().random_range(1..Namespace::COUNT))?,
            start: last,
        };
        let tale = Tale::read(self.first.until(last.number));
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
        let suspicion = match (tale.is_used, pending > nonce) {
            (true, _) => Some(Suspicion::Used),
            (_, true) => Some(Suspicion::Pending),
            _ => (!is_first).then_some(Suspicion::Unsaid),
        };
        let mut wait = None;
        if let Some(suspicion) = suspicion {
            // An earlier log dated its headers by the newest block it saw.
            let newest = identity.head.time.max(chain.head().await?.time);
            let until = BlockTime::from_seconds(newest.seconds().saturating_add(ttl))?;
            wait = Some((until, suspicion));
            events.push(Event::ModeChanged {
                mode: Mode::Halted {
                    reason: HaltReason::Reopened { until },
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

    /// Reads up to a final block that is young enough to be asked about, and answers which.
    async fn logs(
        &mut self,
        (chain, second): (&RpcChain, Option<&RpcChain>),
        mut last: BlockRef,
        mut progress: impl FnMut(u64),
    ) -> Result<BlockRef, ChainError> {
        loop {
            chain.read_on(&mut self.first, last, &mut progress).await?;
            if let Some(second) = second {
                second.read_on(&mut self.second, last, |_| {}).await?;
            }
            let mut fresh = chain.finalised().await?;
            if let Some(second) = second {
                let other = second.finalised().await?;
                if other.number < fresh.number {
                    fresh = chain.block_numbered(other.number).await?;
                }
            }
            if fresh.number <= last.number.saturating_add(AGED) {
                return Ok(last);
            }
            last = fresh;
        }
    }
}

/// Where the creation is that is in no final block, if it is anywhere.
async fn no_creation(
    chain: &RpcChain,
    last: BlockRef,
    from_block: u64,
) -> Result<OpeningError, ChainError> {
    let vault = chain.parties().domain.vault;
    let (last, head) = (last.number, chain.head().await?);
    let next = from_block.max(last.saturating_add(1));
    let later = if next <= head.number {
        chain.history(next, head, |_| {}).await?
    } else {
        Vec::new()
    };
    let made = later.iter().find(|(_, fact)| *fact == Fact::Created);
    Ok(match made {
        Some((made, _)) => OpeningError::NotFinal {
            vault,
            made: *made,
            last,
        },
        None => OpeningError::NoPast {
            vault,
            first: from_block,
            last: head.number,
        },
    })
}
