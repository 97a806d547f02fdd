//! The chain as one node tells it. Every answer is held to its question, and one that makes no sense is no answer: it is
//! asked again, and nothing is concluded from it.

mod abilities;
mod advise;
mod agree;
mod arrived;
mod changes;
mod checkable;
mod data_fee;
mod dialect;
mod facts;
mod forks;
mod history;
mod identity;
mod lists;
mod look;
mod nodes;
mod optional;
mod people;
mod poll;
mod prices;
mod proof;
mod roles;
mod rpc;
mod send;
mod simulate;
pub mod tls;
mod token;
pub mod verify;
mod wire;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use alloy::primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall;
use serde_json::json;
use tidelock_core::{
    domain::VaultDomain,
    event::BlockRef,
    port::{Effect, Outcome},
};
use tokio::sync::Semaphore;

pub use abilities::Lacking;
pub use agree::TwoNodes;
pub use changes::ProposedChange;
pub use checkable::Checkable;
pub use data_fee::{DataFee, GAS_PRICE_ORACLE};
pub use history::History;
pub use identity::{Expected, Identity, IdentityError, Warning};
pub use nodes::{Laggard, Nodes};
pub use people::{CallError, Mined, Proposed};
pub use roles::{Ends, Roles};
pub use rpc::{Rpc, RpcError, RpcSettings, endpoint};
pub use token::TokenFee;
pub use verify::BlockChecks;

use data_fee::LastFee;
use forks::Forks;
use optional::Lacks;
use proof::Proofs;
use simulate::Ability;

/// Requests under way at most for one effect.
const PARALLEL: usize = 8;

/// Blocks whose receipts are read at the same time at most: bounds memory.
const RECEIPTS_AT_ONCE: usize = 2;

/// What comes of an effect, some day.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// What answers the engine's effects, but for signatures. A trait so that tests can delay, drop and distort answers.
pub trait Chain: Send + Sync {
    /// Does it, or answers [`Outcome::Failed`].
    fn answer(&self, effect: Effect) -> Answer<'_>;
}

/// Why an answer cannot be used. Each message names the field, the value and the rule; none holds a secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// No answer came.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The answer is about another block.
    #[error("block {answered}: block {asked} was asked for")]
    WrongBlock {
        /// The question.
        asked: String,
        /// The answer.
        answered: u64,
    },
    /// The node does not have a block that it must have.
    #[error("block {asked}: the node does not have it, though its head is {head}")]
    MissingBlock {
        /// The question.
        asked: String,
        /// The node's head.
        head: String,
    },
    /// A field of an answer cannot be true.
    #[error("{field} {value}: {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The node hides, adds or changes something: what it tells of a block does not make up the block's hash.
    #[error(
        "block {block}: {field} {told}, but what the node tells of the block gives {computed}; it hides or invents something, or the chain allows less than chain.block_checks asks for"
    )]
    Untrue {
        /// Its height.
        block: u64,
        /// What does not match.
        field: &'static str,
        /// As the node tells it.
        told: B256,
        /// As computed from what else it tells.
        computed: B256,
    },
    /// A header that cannot be hashed.
    #[error(
        "block {block}: its header cannot be hashed again: {reason}; chain.block_checks says what a chain allows"
    )]
    Unhashable {
        /// Its hash, as the node tells it.
        block: B256,
        /// In words.
        reason: String,
    },
    /// What a node says of the state does not lead to the state's root.
    #[error(
        "eth_getProof of {account} at block {block}: {reason}; what the node says of the state is not what the block's header has"
    )]
    Unproven {
        /// Height.
        block: u64,
        /// The account.
        account: Address,
        /// Where the proof fails.
        reason: String,
    },
    /// A log that the question cannot have brought up.
    #[error("log in answer to those of block {block}: {what}")]
    StrangeLog {
        /// The block that was asked about.
        block: B256,
        /// What is wrong.
        what: String,
    },
    /// A call was answered with bytes that its function cannot return.
    #[error("{function} of {contract}: answer 0x{answer} is not what it returns")]
    Undecodable {
        /// The function.
        function: &'static str,
        /// The contract.
        contract: Address,
        /// First bytes of the answer, in hexadecimal.
        answer: String,
    },
    /// A call that never reverts was refused.
    #[error("{function} of {contract}: reverted with 0x{data}")]
    Reverted {
        /// The function.
        function: &'static str,
        /// The contract.
        contract: Address,
        /// First bytes of the revert data, in hexadecimal.
        data: String,
    },
    /// Two nodes say different things.
    #[error("{field}: {first}, {second}; nothing is concluded until both say the same")]
    Disagree {
        /// What was asked.
        field: String,
        /// What the first says.
        first: String,
        /// What the second says.
        second: String,
    },
    /// One of two nodes gives no usable answer.
    #[error("{node}: {error}")]
    OfNode {
        /// Which.
        node: String,
        /// Why.
        error: Box<ChainError>,
    },
    /// The engine asked something that is not for the chain.
    #[error("effect {effect}: the chain does not answer it")]
    NotForChain {
        /// The effect.
        effect: &'static str,
    },
}

/// Whom the adapter asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parties {
    /// Chain and vault.
    pub domain: VaultDomain,
    /// The lens.
    pub lens: Address,
    /// The token.
    pub token: Address,
    /// The key that sends.
    pub keeper: Address,
}

/// The newest block that a node told.
#[derive(Debug, Default)]
struct Newest(Mutex<Option<BlockRef>>);

impl Newest {
    fn get(&self) -> Option<BlockRef> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, block: BlockRef) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(block);
    }
}

/// The chain through one node.
#[derive(Debug)]
pub struct RpcChain {
    rpc: Arc<Rpc>,
    parties: Parties,
    checks: BlockChecks,
    charges: DataFee,
    last_data_fee: LastFee,
    /// Blocks on top of one that is final; none if the node's tag says it.
    final_depth: Option<u64>,
    /// The token has told whom it freezes, at some time.
    has_told_blacklist: AtomicBool,
    ability: Ability,
    lacks: Lacks,
    proofs: Proofs,
    /// Receipts of a block can be many megabytes, and many blocks are read at once.
    receipt_turns: Semaphore,
    /// The keeper's nonce at the block that was final when it was asked about last.
    last_nonce: Mutex<Option<(B256, u64)>>,
    forks: Forks,
    newest: Newest,
}

impl RpcChain {
    /// An adapter that has asked nothing yet; see [`RpcChain::identify`].
    pub fn new(rpc: Arc<Rpc>, parties: Parties) -> Self {
        Self {
            rpc,
            parties,
            checks: BlockChecks::default(),
            charges: DataFee::default(),
            last_data_fee: LastFee::default(),
            final_depth: None,
            has_told_blacklist: AtomicBool::new(false),
            ability: Ability::default(),
            lacks: Lacks::default(),
            proofs: Proofs::default(),
            receipt_turns: Semaphore::new(RECEIPTS_AT_ONCE),
            last_nonce: Mutex::default(),
            forks: Forks::default(),
            newest: Newest::default(),
        }
    }

    /// Computes so much of each block again.
    #[must_use]
    pub fn checking(mut self, checks: BlockChecks) -> Self {
        self.checks = checks;
        self
    }

    /// Asks for what the chain takes for data in that way.
    #[must_use]
    pub fn charging(mut self, charges: DataFee) -> Self {
        self.charges = charges;
        self
    }

    /// Calls a block final by its depth, or by the node's tag.
    #[must_use]
    pub fn final_by(mut self, depth: Option<u64>) -> Self {
        self.final_depth = depth;
        self
    }

    /// The connection.
    pub fn rpc(&self) -> &Arc<Rpc> {
        &self.rpc
    }

    /// Whom it asks about.
    pub fn parties(&self) -> Parties {
        self.parties
    }

    /// The newest block, as the node told it when it was asked last.
    pub fn newest(&self) -> Option<BlockRef> {
        self.newest.get()
    }

    async fn try_answer(&self, effect: Effect) -> Result<Outcome, ChainError> {
        Ok(match effect {
            Effect::Poll { tip } => Outcome::Polled(self.poll(tip).await?),
            Effect::Look { at, proposals } => {
                Outcome::Looked(Box::new(self.look(at, &proposals).await?))
            }
            Effect::Advise { at, payments } => Outcome::Advised(self.advise(at, &payments).await?),
            Effect::Simulate {
                at,
                data,
                gas_limit,
                until,
            } => Outcome::Simulated(self.simulate(at, &data, gas_limit, until).await?),
            Effect::Replay {
                at,
                data,
                gas_limit,
                ..
            } => Outcome::Simulated(self.simulate_in(at, None, &data, gas_limit).await?),
            Effect::Recall { first, at, numbers } => {
                Outcome::Recalled(self.recall(first, at, &numbers).await?)
            }
            Effect::Send { hash, raw } => Outcome::Sent(self.send(hash, &raw).await),
            Effect::Sign { .. } => return Err(ChainError::NotForChain { effect: "sign" }),
        })
    }

    /// Calls a function that only reads, in the state after one block.
    pub async fn call<C: SolCall>(
        &self,
        at: B256,
        contract: Address,
        call: C,
    ) -> Result<C::Return, ChainError> {
        let params = json!([
            { "to": contract, "data": Bytes::from(call.abi_encode()) },
            wire::by_hash(at)
        ]);
        let answer = self.rpc.request::<Bytes>("eth_call", params).await;
        let answer = answer.map_err(|error| match simulate::revert_data(&error) {
            Some(data) => ChainError::Reverted {
                function: C::SIGNATURE,
                contract,
                data: head_of(&data),
            },
            None => error.into(),
        })?;
        C::abi_decode_returns_validate(&answer).map_err(|_| ChainError::Undecodable {
            function: C::SIGNATURE,
            contract,
            answer: head_of(&answer),
        })
    }
}

impl Chain for RpcChain {
    fn answer(&self, effect: Effect) -> Answer<'_> {
        Box::pin(async move {
            match self.try_answer(effect).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Failed(error.to_string()),
            }
        })
    }
}

/// The first bytes in hexadecimal: enough to recognise, too little to flood a log.
fn head_of(bytes: &[u8]) -> String {
    const SHOWN: usize = 36;
    let (head, rest) = bytes.split_at_checked(SHOWN).unwrap_or((bytes, &[]));
    let more = if rest.is_empty() { "" } else { "…" };
    format!("{}{more}", alloy::hex::encode(head))
}
