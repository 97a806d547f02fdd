//! What an operator sets.

use crate::{
    domain::{Address, Amount},
    observe::Fork,
    submit::{FeePolicy, Patience},
};

/// Everything the engine is told before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The vault's token.
    pub token: Address,
    /// Accounting grain of the vault's caps. [base units]
    pub unit: Amount,
    /// What may be paid for gas.
    pub fees: FeePolicy,
    /// How long what has just come may wait for a cheap hour; none if everything is paid at once.
    pub patience: Option<Patience>,
    /// Most that gas, and data where it is paid for, may cost within a day; none if only its price is bounded. [wei]
    pub max_gas_cost_per_day: Option<u128>,
    /// How batches are cut.
    pub batch: BatchSettings,
    /// How transactions are sent.
    pub lane: LaneSettings,
    /// Most gas of one transaction.
    pub transaction_gas: TransactionGas,
    /// Whether anything is decided, signed and sent; otherwise the keeper watches.
    pub sends: bool,
    /// Time between polls. [milliseconds]
    pub poll_ms: u64,
    /// Time after which what failed is asked again. [milliseconds]
    pub retry_ms: u64,
}

/// Most gas that one transaction may ask for, by the rules of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionGas {
    /// Up to Osaka. EIP-7825: 16,777,216.
    pub osaka: u64,
    /// From Amsterdam on, where that bound is on execution alone, and gas for new state comes on top of it (EIP-8037).
    pub amsterdam: u64,
}

impl TransactionGas {
    /// The same under all rules.
    pub const fn always(gas: u64) -> Self {
        Self {
            osaka: gas,
            amsterdam: gas,
        }
    }

    /// Under the rules of a fork.
    pub const fn at(self, fork: Fork) -> u64 {
        match fork {
            Fork::Osaka => self.osaka,
            Fork::Amsterdam => self.amsterdam,
        }
    }
}

/// How batches are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// Payments in a batch at most, 1 to 256.
    pub max_payments: u16,
    /// How long a payment waits for its batch to fill. [milliseconds]
    pub max_wait_ms: u64,
    /// Life of an automatic batch's header. [seconds of chain time]
    pub attempt_ttl_s: u64,
    /// Time that a proposal leaves for gathering votes. [seconds of chain time]
    pub voting_s: u64,
    /// How often a payment may be left behind by a batch that paid others before it is held.
    pub max_returns: u32,
    /// How long a payment waits for room under its tier's cap before it is proposed in a stricter tier; none waits for
    /// ever. [seconds]
    pub escalate_after_s: Option<u64>,
}

/// Life that the vault wants left of a proposal when its tier's delay is over (`Policy.SETTLE`). [seconds]
const SETTLE: u64 = 29 * 3_600;
/// The vault's longest life of a proposal (`Policy.MAX_LIFE`), less an hour of clock. [seconds]
const LONGEST_LIFE: u64 = 30 * 86_400 - 3_600;

impl BatchSettings {
    /// Life of a proposal in a tier with that delay: the votes, the delay, and what the vault wants left then. [seconds]
    pub fn proposal_life(&self, delay: u32) -> u64 {
        let life = self.voting_s.saturating_add(SETTLE);
        life.saturating_add(u64::from(delay)).min(LONGEST_LIFE)
    }
}

/// How transactions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneSettings {
    /// Transactions that are signed and in no block, at most.
    pub max_unincluded: usize,
    /// Blocks after which a transaction that is in none is sent again.
    pub rebroadcast_blocks: u64,
    /// Blocks after which a transaction that is in none is replaced by one that offers more.
    pub replace_blocks: u64,
}
