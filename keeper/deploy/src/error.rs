//! Why a deployment stops. Every error names what was looked at, what was found and what should be.

use alloy_primitives::{Address, B256, U256};

use crate::{
    node::NodeError,
    policy::{Violation, list},
    standing::Step,
    units::{ether, gwei},
};

/// Why a deployment stops.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The policy cannot be read.
    #[error("policy: {}", .0.join("; "))]
    Malformed(Vec<String>),
    /// The policy breaks rules of the vault.
    #[error("policy: {}", list(.0))]
    Invalid(Vec<Violation>),
    /// The release cannot be read.
    #[error("release: {0}")]
    Release(String),
    /// The compiler fails, or makes other code.
    #[error("compiler: {0}")]
    Compiler(String),
    /// The node is on another chain.
    #[error("chain.id = {expected}: the node is on chain {found}; nothing was sent")]
    WrongChain {
        /// The policy's.
        expected: u64,
        /// The node's.
        found: u64,
    },
    /// The token is not there.
    #[error("token.address = {0}: no contract is there on this chain")]
    NoToken(Address),
    /// A contract is there, but no token.
    #[error(
        "token.address = {token}: the contract there does not say decimals() as a token does ({reason})"
    )]
    NotAToken {
        /// The policy's.
        token: Address,
        /// In the node's words.
        reason: String,
    },
    /// The token has other decimals than the policy says, so that every amount would be another.
    #[error("token.decimals = {stated}: the token {token} says {found}")]
    Decimals {
        /// The policy's.
        stated: u8,
        /// The token's.
        found: u8,
        /// The token.
        token: Address,
    },
    /// Other code than the release's is at an address.
    #[error(
        "{what} at {address}: its code has the hash {found}, and must have {expected}: this is not what the release deploys"
    )]
    CodeDiffers {
        /// Which contract.
        what: &'static str,
        /// Where.
        address: Address,
        /// Hash there.
        found: B256,
        /// Hash of the release's.
        expected: B256,
    },
    /// A vault of the right code that the factory does not know, or knows with another configuration.
    #[error(
        "vault at {vault}: the factory {factory} has {found} for its configuration hash, and must have {expected}: it is somebody else's"
    )]
    NotOurs {
        /// Where.
        vault: Address,
        /// The factory.
        factory: Address,
        /// What it says.
        found: B256,
        /// What it must say.
        expected: B256,
    },
    /// The creation would be longer than chains take.
    #[error(
        "known: code and configuration have {size} bytes, and chains take at most {most} (EIP-3860): list {fewer} known recipients fewer, and add them by a policy change"
    )]
    TooLong {
        /// [bytes]
        size: usize,
        /// [bytes]
        most: usize,
        /// What fits.
        fewer: usize,
    },
    /// The vault's constructor refuses the configuration.
    #[error("the vault refuses the configuration: {0}")]
    Refused(String),
    /// The simulated creation leaves other code than the release's.
    #[error("simulation: {0}")]
    Simulation(String),
    /// What is asked about is not there yet.
    #[error("{what} at {address}: nothing is there; `keeper deploy apply` makes it")]
    Missing {
        /// Which contract.
        what: &'static str,
        /// Where.
        address: Address,
    },
    /// The deterministic deployer cannot be made.
    #[error("deterministic deployer {deployer}: {0}", deployer = crate::address::DEPLOYER)]
    Deployer(String),
    /// The account cannot pay.
    #[error("account {account}: has {} of the chain's coin, and {step} may cost {}", ether(*has), ether(*needs))]
    Funds {
        /// Who pays.
        account: Address,
        /// [wei]
        has: U256,
        /// [wei]
        needs: U256,
        /// For what.
        step: Step,
    },
    /// The chain asks for more than was allowed.
    #[error(
        "fees: the chain asks for {} gwei per gas now, and at most {} are allowed (--max-fee-gwei)", gwei(*asked), gwei(*most)
    )]
    Fee {
        /// [wei per gas]
        asked: u128,
        /// [wei per gas]
        most: u128,
    },
    /// A step does not fit a block.
    #[error("{step}: takes {gas} gas, and a block of this chain holds {limit}")]
    Gas {
        /// Which.
        step: Step,
        /// Estimate.
        gas: u64,
        /// Of the block.
        limit: u64,
    },
    /// A transaction was included and failed.
    #[error("{step}: transaction {hash} is in a block and failed; nothing was made by it")]
    Failed {
        /// Which.
        step: Step,
        /// Its hash.
        hash: B256,
    },
    /// No block holds a transaction in time.
    #[error(
        "{step}: no block holds transaction {hash} after {waited_s} s; it may still come: run the same command again"
    )]
    Waiting {
        /// Which.
        step: Step,
        /// Its hash.
        hash: B256,
        /// How long was waited. [seconds]
        waited_s: u64,
    },
    /// The account has transactions in the pool.
    #[error(
        "account {account}: transactions of it wait in the node's pool since {waited_s} s; run the same command again once they are in a block"
    )]
    Pending {
        /// Who pays.
        account: Address,
        /// How long was waited. [seconds]
        waited_s: u64,
    },
    /// There is no signature.
    #[error("signature by {account}: {reason}")]
    Sign {
        /// Who pays.
        account: Address,
        /// In words.
        reason: String,
    },
    /// The vault is not what the policy says.
    #[error("vault: {}", .0.join("; "))]
    Differs(Vec<String>),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The node does not answer, or not as it must.
    #[error(transparent)]
    Node(#[from] NodeError),
}
