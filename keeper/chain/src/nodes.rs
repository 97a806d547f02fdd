//! The nodes that are configured, for whoever concludes something from what they say: people's commands and the
//! comparisons. Of two nodes neither is believed alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Debug},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tidelock_core::{
    abi::Fact, calendar::span, differing::differing, domain::PaymentNumber, event::BlockRef,
};

use super::{
    Chain, ChainError, Expected, Identity, IdentityError, Roles, RpcChain, TwoNodes, Warning,
};

/// One node, or two.
#[derive(Debug, Clone)]
pub struct Nodes {
    first: Arc<RpcChain>,
    second: Option<Arc<RpcChain>>,
    disagreements: Arc<AtomicU64>,
}

impl Nodes {
    /// Asks the first alone, or both.
    pub fn new(first: RpcChain, second: Option<RpcChain>) -> Self {
        Self {
            first: Arc::new(first),
            second: second.map(Arc::new),
            disagreements: Arc::default(),
        }
    }

    /// How often both answered the daemon, and could not both be right.
    pub fn disagreements(&self) -> u64 {
        self.disagreements.load(Ordering::Relaxed)
    }

    /// The first, for what costs nothing if it is wrong.
    pub fn first(&self) -> &RpcChain {
        &self.first
    }

    /// The second, if there is one.
    pub fn second(&self) -> Option<&RpcChain> {
        self.second.as_deref()
    }

    /// Each, by the setting that names it.
    pub fn named(&self) -> impl Iterator<Item = (String, &RpcChain)> {
        let second = self.second.as_deref();
        let second = second.map(|second| (second_name(second), second));
        std::iter::once((first_name(&self.first), &*self.first)).chain(second)
    }

    /// What answers effects: transactions go to both, and blocks count once both show them.
    pub fn chain(&self) -> Arc<dyn Chain> {
        match &self.second {
            Some(second) => {
                let both = TwoNodes::new(self.first.clone(), second.clone());
                Arc::new(both.counting(self.disagreements.clone()))
            }
            None => self.first.clone(),
        }
    }

    /// What both answer; an error that names the field and what each says, if they differ.
    pub async fn agree<T: PartialEq + Debug>(
        &self,
        field: &str,
        ask: impl AsyncFn(&RpcChain) -> Result<T, ChainError>,
    ) -> Result<T, ChainError> {
        let Some(second) = &self.second else {
            return ask(&self.first).await;
        };
        let (first, other) = self.both(second, ask).await?;
        if first != other {
            return Err(self.disagreement(second, field, &first, &other));
        }
        Ok(first)
    }

    async fn both<T>(
        &self,
        second: &RpcChain,
        ask: impl AsyncFn(&RpcChain) -> Result<T, ChainError>,
    ) -> Result<(T, T), ChainError> {
        let (first, other) = tokio::join!(ask(&self.first), ask(second));
        let of = |node: String| {
            |error| ChainError::OfNode {
                node,
                error: Box::new(error),
            }
        };
        Ok((
            first.map_err(of(first_name(&self.first)))?,
            other.map_err(of(second_name(second)))?,
        ))
    }

    fn disagreement<T: Debug>(
        &self,
        second: &RpcChain,
        field: &str,
        one: &T,
        other: &T,
    ) -> ChainError {
        let (one, other) = differing(one, other);
        ChainError::Disagree {
            field: field.to_owned(),
            first: format!("{} says {one}", first_name(&self.first)),
            second: format!("{} says {other}", second_name(second)),
        }
    }

    /// How the key stands, by each node.
    pub async fn roles(&self) -> Result<Vec<Roles>, ChainError> {
        let Some(second) = &self.second else {
            return Ok(vec![self.first.roles().await?]);
        };
        let (one, other) = self.both(second, async |chain| chain.roles().await).await?;
        Ok(vec![one, other])
    }

    /// The newest block that both have.
    pub async fn head(&self) -> Result<BlockRef, ChainError> {
        self.lower(async |chain| chain.head().await).await
    }

    /// The last block that both call final.
    pub async fn finalised(&self) -> Result<BlockRef, ChainError> {
        self.lower(async |chain| chain.finalised().await).await
    }

    /// The slower node sets the pace; the other must have the same block.
    async fn lower(
        &self,
        ask: impl AsyncFn(&RpcChain) -> Result<BlockRef, ChainError>,
    ) -> Result<BlockRef, ChainError> {
        let Some(second) = &self.second else {
            return ask(&self.first).await;
        };
        let (first, other) = self.both(second, ask).await?;
        self.block_numbered(first.number.min(other.number)).await
    }

    /// The block at a height.
    pub async fn block_numbered(&self, number: u64) -> Result<BlockRef, ChainError> {
        let ask = async |chain: &RpcChain| chain.block_numbered(number).await;
        self.agree(&format!("block {number}"), ask).await
    }

    /// Everything that the vault logged from `first` to `last`, with the height of each.
    pub async fn history(
        &self,
        first: u64,
        last: BlockRef,
    ) -> Result<Vec<(u64, Fact)>, ChainError> {
        let field = format!("the vault's logs of blocks {first} to {}", last.number);
        let ask = async |chain: &RpcChain| chain.history(first, last, |_| {}).await;
        self.agree(&field, ask).await
    }

    /// Those of these numbers, in rising order, that the vault has paid after one block.
    pub async fn paid_among(
        &self,
        at: BlockRef,
        numbers: &[PaymentNumber],
    ) -> Result<BTreeSet<PaymentNumber>, ChainError> {
        let ask = async |chain: &RpcChain| {
            let paid = chain.paid_among(at, numbers).await?;
            let all = numbers.iter();
            let said = all.map(|number| (number.0, paid.contains(number)));
            Ok(said.collect::<BTreeMap<u64, bool>>())
        };
        let said = self.agree("which numbers are paid", ask).await?;
        let paid = said.into_iter().filter(|(_, is_paid)| *is_paid);
        Ok(paid.map(|(number, _)| PaymentNumber(number)).collect())
    }

    /// Compares the configuration with what each says, and what they say of the token with each other.
    pub async fn identify(&self, expected: Expected) -> Result<Identity, IdentityError> {
        let mut identity = self.first.identify(expected).await?;
        let Some(second) = &self.second else {
            return Ok(identity);
        };
        let other = second
            .identify(expected)
            .await
            .map_err(|error| IdentityError::OfSecond(Box::new(error)))?;
        let constants = |of: &Identity| (of.decimals, of.unit, of.has_blacklist);
        if constants(&identity) != constants(&other) {
            let said = |of: &Identity| {
                let (decimals, unit, has_blacklist) = constants(of);
                format!("decimals {decimals}, unit {unit}, blacklist {has_blacklist}")
            };
            return Err(ChainError::Disagree {
                field: "token".to_owned(),
                first: format!("{} says {}", first_name(&self.first), said(&identity)),
                second: format!("{} says {}", second_name(second), said(&other)),
            }
            .into());
        }
        let names = tokio::join!(self.first.node_name(), second.node_name());
        if let (Some(one), Some(other)) = names
            && one == other
        {
            identity.warnings.push(Warning::OneNode);
        }
        Ok(identity)
    }

    /// The node that is behind the other by what each said last of its newest block, if it is far behind.
    pub fn laggard(&self) -> Option<Laggard> {
        let second = self.second.as_deref()?;
        let (one, other) = (self.first.newest()?, second.newest()?);
        let (name, behind, ahead) = if one.number < other.number {
            (first_name(&self.first), one, other)
        } else {
            (second_name(second), other, one)
        };
        Laggard::of(name, behind, ahead)
    }
}

/// A node that is far behind the other. Nothing is concluded of the blocks that it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laggard {
    name: String,
    newest: u64,
    blocks: u64,
    seconds: u64,
}

impl Laggard {
    /// Behind by less is a matter of when each was asked. [seconds]
    pub const FAR: u64 = 60;

    fn of(name: String, behind: BlockRef, ahead: BlockRef) -> Option<Self> {
        let seconds = ahead.time.seconds().saturating_sub(behind.time.seconds());
        (seconds >= Self::FAR).then(|| Self {
            name,
            newest: behind.number,
            blocks: ahead.number.saturating_sub(behind.number),
            seconds,
        })
    }
}

impl fmt::Display for Laggard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            newest,
            blocks,
            seconds,
        } = self;
        write!(
            f,
            "{name} is {blocks} blocks and {} behind the other node, at block {newest}; nothing after that block is concluded",
            span(*seconds)
        )
    }
}

fn first_name(chain: &RpcChain) -> String {
    format!("chain.rpc_url ({})", chain.rpc().endpoint())
}

fn second_name(chain: &RpcChain) -> String {
    format!("chain.second_rpc_url ({})", chain.rpc().endpoint())
}
