//! A model of the vault, from its specification (contracts/src/interfaces/IVault.sol). It imports nothing of the keeper's
//! core, and keeps plain lists where the contract packs words: every charge, every number, every vote.

pub mod abi;
mod payments;
mod policy;
mod proposals;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use alloy_sol_types::{SolError, SolEvent, SolInterface};

use super::token::Token;
use abi::Abi;
pub use policy::{Standing, THRESHOLD};
use proposals::Proposal;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Length of a bucket of the rolling cap. [seconds]
const BUCKET: u64 = 4 * HOUR;
/// Buckets that a charge counts in.
const BUCKETS: u64 = 7;
/// After which every charge has left its cap. [seconds]
const RELEASE: u64 = BUCKETS * BUCKET;
/// Life that must be left when a proposal's delay is over. [seconds]
pub const SETTLE: u64 = RELEASE + HOUR;
/// Longest life of a proposal. [seconds]
pub const MAX_LIFE: u64 = 30 * DAY;

/// A row of the release policy. [base units, seconds]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Largest payment to a known recipient.
    pub max_known: u128,
    /// Largest payment to an unknown recipient.
    pub max_unknown: u128,
    /// Most that leaves in 24 hours.
    pub cap: u128,
    /// The cap before the last change.
    pub cap_before: u128,
    /// Signers that must approve.
    pub approvals: u8,
    /// Seconds between quorum and execution.
    pub delay: u32,
}

impl Tier {
    fn is_automatic(&self) -> bool {
        self.approvals == 0 && self.delay == 0
    }
}

/// What was charged to a tier. [units]
#[derive(Debug, Clone, Copy)]
struct Charge {
    tier: usize,
    time: u64,
    units: u128,
}

/// Roles of an address: the first second without each.
#[derive(Debug, Clone, Copy, Default)]
struct Member {
    keeper_until: u64,
    proposer_until: u64,
    guardian_until: u64,
    freeze_again_at: u64,
}

/// The vault after some block.
#[derive(Debug, Clone)]
pub struct Vault {
    /// The chain's id.
    pub chain_id: u64,
    /// The vault's address.
    pub address: Address,
    /// Accounting grain. [base units]
    pub unit: u128,
    /// The release policy, tier 0 first.
    pub tiers: Vec<Tier>,
    /// Who approves.
    pub signers: Vec<Address>,
    /// First second at which payments flow again.
    pub halted_until: u64,
    policy_delay: u64,
    /// When a change of tiers took effect that has to settle.
    tiers_changed_at: u64,
    /// When any change of tiers took effect.
    terms_changed_at: u64,
    epoch: u64,
    members: BTreeMap<Address, Member>,
    standings: BTreeMap<Address, Standing>,
    paid: BTreeSet<u64>,
    charges: Vec<Charge>,
    proposals: BTreeMap<B256, Proposal>,
    /// Who revoked, by the signer set of then: whether or not it is proposed.
    revoked: BTreeMap<B256, BTreeSet<(u64, Address)>>,
}

/// Who calls, and when.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Who.
    pub address: Address,
    /// The block's timestamp.
    pub time: u64,
}

/// What a call did.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// What the vault logged, in order.
    pub logs: Vec<LogData>,
    /// What the function returned.
    pub returned: Bytes,
    /// Gas it needed, as the model counts it.
    pub gas: u64,
}

/// One log and nothing else.
impl From<LogData> for Done {
    fn from(log: LogData) -> Self {
        Self {
            logs: vec![log],
            ..Self::default()
        }
    }
}

/// Revert data.
pub type Revert = Bytes;

/// Revert data of an error.
fn revert<E: SolError>(error: E) -> Revert {
    error.abi_encode().into()
}

/// A log.
fn log<E: SolEvent>(event: E) -> LogData {
    event.encode_log_data()
}

impl Vault {
    /// A vault that nothing has happened to.
    pub fn new(chain_id: u64, address: Address, unit: u128, tiers: Vec<Tier>) -> Self {
        Self {
            chain_id,
            address,
            unit,
            tiers,
            signers: Vec::new(),
            halted_until: 0,
            policy_delay: DAY,
            tiers_changed_at: 0,
            terms_changed_at: 0,
            epoch: 0,
            members: BTreeMap::new(),
            standings: BTreeMap::new(),
            paid: BTreeSet::new(),
            charges: Vec::new(),
            proposals: BTreeMap::new(),
            revoked: BTreeMap::new(),
        }
    }

    /// A call: all of it or nothing.
    pub fn call(&mut self, token: &mut Token, caller: Caller, data: &[u8]) -> Result<Done, Revert> {
        let (mut vault, mut after) = (self.clone(), token.clone());
        let done = vault.run(&mut after, caller, data)?;
        (*self, *token) = (vault, after);
        Ok(done)
    }

    fn run(&mut self, token: &mut Token, caller: Caller, data: &[u8]) -> Result<Done, Revert> {
        use Abi::VaultCalls as Call;
        let call = Abi::VaultCalls::abi_decode(data).map_err(|_| Revert::new())?;
        match call {
            Call::pay(call) => self.pay(token, caller, &call.order, &call.payments),
            Call::propose(call) => self.propose(caller, &call.order, &call.payments),
            Call::execute(call) => {
                self.execute(token, caller, &call.order, &call.payments, call.skipMask)
            }
            Call::approve(call) => self.approve(caller, self.id(&call.batch)),
            Call::revoke(call) => self.revoke(caller, call.id),
            Call::cancel(call) => self.cancel(caller, call.id),
            Call::freeze(_) => self.freeze(caller),
            Call::blockRecipient(call) => self.block(caller, call.recipient),
            _ => Err(Revert::new()), // policy changes: see policy.rs; and nobody here votes by signature
        }
    }

    /// A header's id in this vault.
    pub fn id(&self, batch: &Abi::Batch) -> B256 {
        abi::batch_id(self.chain_id, self.address, batch)
    }

    /// Whether a number is paid.
    pub fn is_paid(&self, number: u64) -> bool {
        self.paid.contains(&number)
    }

    /// Mask of the numbers that are not paid.
    fn unpaid(&self, first: u64, count: usize) -> U256 {
        let is_paid = |i: usize| {
            let number = first.checked_add(i as u64);
            number.is_some_and(|number| self.paid.contains(&number))
        };
        mask((0..count).filter(|i| !is_paid(*i)))
    }

    fn is_signer(&self, address: Address) -> bool {
        self.signers.contains(&address)
    }

    fn member(&self, address: Address) -> Member {
        self.members.get(&address).copied().unwrap_or_default()
    }
}

/// The mask with those bits.
fn mask(bits: impl Iterator<Item = usize>) -> U256 {
    bits.fold(U256::ZERO, |mask, bit| mask | (U256::from(1) << bit))
}
