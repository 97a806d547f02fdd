//! What is asked of a node, where the server may ask one: to look, never to send. Without one, what only the chain knows is not told.

use std::{pin::Pin, sync::Arc};

use serde::Serialize;
use tidelock_core::{
    domain::{Address, BatchId, Payment},
    event::BlockRef,
};
use utoipa::ToSchema;

use crate::{
    access::clock, approvals::Ballot, changes::LoggedChange, keeper::KeeperPages, problem::Problem,
    quotes::Estimate, vaults::Vault,
};

/// An answer that is waited for.
pub type Looked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unseen>> + Send + 'a>>;

/// Looks at the chain.
pub trait Lookout: Send + Sync {
    /// The vault after the newest block.
    fn vault(&self) -> Looked<'_, Vault>;
    /// What a payment would cost and when it would arrive if it were filed now. It is kept, to be held to what happens.
    fn quote(&self, payment: Payment) -> Looked<'_, Estimate>;
    /// Policy changes that were proposed, open or not, each once, and from which block on they were looked for.
    fn changes(&self) -> Looked<'_, (Vec<LoggedChange>, u64)>;
    /// Where proposals stand, and who may vote.
    fn ballots(&self, batches: Vec<BatchId>) -> Looked<'_, Ballots>;
}

/// Looks at the pages that a running keeper serves.
pub trait Pages: Send + Sync {
    /// What they say now. That nobody answers is an answer too.
    fn look(&self) -> Pin<Box<dyn Future<Output = KeeperPages> + Send + '_>>;
}

/// Where proposals stand.
#[derive(Debug, Clone)]
pub struct Ballots {
    /// When.
    pub as_of: AsOf,
    /// The signer set in force, counted from 1.
    pub epoch: u64,
    /// Who may vote.
    pub signers: Vec<Address>,
    /// In the order that they were asked for.
    pub each: Vec<Ballot>,
}

/// Why nothing was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// It would be refused, in words.
    #[error("{0}")]
    Refused(String),
    /// Two nodes say different things.
    #[error("{0}")]
    Differ(String),
    /// The node, or the store, says nothing.
    #[error("{0}")]
    Silent(String),
}

impl From<Unseen> for Problem {
    fn from(unseen: Unseen) -> Self {
        match unseen {
            Unseen::Refused(why) => Self::conflict("refused-by-vault", why),
            Unseen::Differ(why) => {
                tracing::error!(why, "the nodes differ");
                Self::nodes_differ()
            }
            // What a node says goes to whoever runs it: it may hold its address.
            Unseen::Silent(why) => {
                tracing::error!(why, "the chain");
                Self::unavailable("the node cannot be asked just now; ask again")
            }
        }
    }
}

/// How old an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AsOf {
    /// The block after which it was looked.
    pub block: u64,
    /// Its hash.
    pub hash: String,
    /// Its time, in seconds since 1970.
    pub time: u64,
    /// How long ago that is, by this server's clock, in seconds.
    pub age_s: u64,
}

impl From<BlockRef> for AsOf {
    fn from(block: BlockRef) -> Self {
        let time = block.time.seconds();
        Self {
            block: block.number,
            hash: block.hash.to_string(),
            time,
            age_s: clock().saturating_sub(time),
        }
    }
}

/// The lookout, or why there is none.
pub(crate) fn there(lookout: Option<&Arc<dyn Lookout>>) -> Result<Arc<dyn Lookout>, Problem> {
    lookout.cloned().ok_or_else(|| {
        Problem::missing(
            "this server asks no node, and only the chain knows this: whoever runs it sets serve.asks_node",
        )
    })
}
