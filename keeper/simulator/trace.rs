//! A seed's canonical chain as it is written out: what was set up, every call with what the model says came of it, and what
//! the model says of the vault now and then. `keeper/tests/replay` plays it to the contract.

use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use serde::{Deserialize, Serialize};

/// Everything about one seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trace {
    /// The seed.
    pub seed: u64,
    /// Steps with faults.
    pub steps: u64,
    /// What was before the first call.
    pub setup: Setup,
    /// The canonical blocks that matter, oldest first.
    pub pages: Vec<Page>,
    /// What each recipient has got in the end. [base units]
    pub received: Vec<(Address, u128)>,
    /// Every number that any header named, and whether it is paid in the end.
    pub numbers: Vec<(u64, bool)>,
}

/// The vault and its token before the first call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// The chain's id.
    pub chain_id: u64,
    /// The first block's timestamp. [seconds]
    pub time: u64,
    /// The vault's address.
    pub vault: Address,
    /// The token's address.
    pub token: Address,
    /// Issues the token, pauses it, and sends it to the vault.
    pub issuer: Address,
    /// Accounting grain. [base units]
    pub unit: u128,
    /// Delay of policy changes. [seconds]
    pub policy_delay: u32,
    /// Approvals that a policy change needs.
    pub threshold: u8,
    /// The release policy.
    pub tiers: Vec<Row>,
    /// Who approves.
    pub signers: Vec<Address>,
    /// Who may stop things.
    pub guardian: Address,
    /// First second without the guardian's role.
    pub guardian_until: u64,
    /// First seconds without the keeper's and the proposer's role; 0 for none.
    pub grants: Vec<(Address, u64, u64)>,
    /// Recipients that are known.
    pub known: Vec<Address>,
    /// Recipients that the token refuses.
    pub refused: Vec<Address>,
    /// Recipients that the token pays and whose funds freeze.
    pub blacklisted: Vec<Address>,
    /// What the vault holds. [base units]
    pub balance: u128,
}

/// A row of the release policy. [base units, seconds]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Largest payment to a known recipient.
    pub max_known: u128,
    /// Largest payment to an unknown recipient.
    pub max_unknown: u128,
    /// Most that leaves in 24 hours.
    pub cap: u128,
    /// Signers that must approve.
    pub approvals: u8,
    /// Seconds between quorum and execution.
    pub delay: u32,
}

/// A block.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// Its height in the simulation.
    pub number: u64,
    /// Its timestamp. [seconds]
    pub time: u64,
    /// What was called, in order.
    pub calls: Vec<Call>,
    /// Calls that nobody made, and what would come of them after the block.
    pub probes: Vec<Probe>,
    /// What the vault is after the block.
    pub look: Option<Look>,
}

/// A call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Who made it.
    pub by: Address,
    /// What it does.
    pub act: Act,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a call does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Act {
    /// Calls the vault.
    Vault(Bytes),
    /// Executes a change that moves a blocked recipient to another standing.
    Unblock(Address, u8),
    /// Executes a change that ends the freeze that lasts until then.
    Unfreeze(u64),
    /// Executes a change of signers.
    Signers(Vec<Address>),
    /// Executes a change of tiers.
    Tiers(Vec<Row>),
    /// Brings a tightening of tiers into effect.
    Tighten(Vec<Row>),
    /// Sends the vault tokens. [base units]
    Deposit(u128),
    /// The issuer pauses the token, or lets it go on.
    Pause(bool),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It went through; what the vault logged.
    Made(Vec<LogData>),
    /// It was refused.
    Reverted(Bytes),
    /// It had too little gas, as the model counts it.
    OutOfGas,
}

/// A call that is asked about and not made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Probe {
    /// Who would make it.
    pub by: Address,
    /// What the vault would be called with.
    pub data: Bytes,
    /// What the function returns, or the revert data.
    pub answer: Result<Bytes, Bytes>,
}

/// What the vault and its token are after a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// First second at which payments flow again.
    pub halted_until: u64,
    /// What the vault holds. [base units]
    pub balance: u128,
    /// Whether the token is paused.
    pub paused: bool,
    /// Cap and room of each tier. [base units]
    pub tiers: Vec<(u128, u128)>,
    /// Proposals that were ever made.
    pub proposals: Vec<Proposal>,
    /// Masks of the numbers that are paid, for the headers of this and earlier calls.
    pub paid: Vec<(u64, u16, U256)>,
    /// What the policy says of some payments.
    pub advice: Vec<Advice>,
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: B256,
    /// Its state, as the contract numbers them.
    pub state: u8,
    /// First second at which time alone may make it ready; 0 if votes are short.
    pub earliest: u64,
    /// Votes that count.
    pub votes: u8,
    /// Votes it needs.
    pub required: u8,
}

/// What the policy says of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Who would be paid.
    pub recipient: Address,
    /// How much. [base units]
    pub amount: u128,
    /// The lowest tier whose limits it fits, or why there is none, as the contract numbers refusals.
    pub tier: Result<u8, u8>,
}
