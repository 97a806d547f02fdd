//! What the vault should do: policy and lifecycle once more, from the rules (contracts/src/interfaces/IVault.sol and
//! docs/adr), in plain data. Where the contract packs words this keeps lists: every charge, every number, everything that a
//! signer ever said. Calls come as calldata and end in logs and return data, or in the revert data of the contract.
//!
//! Where a call breaks several rules at once, the model names the one that the contract checks first.
#![no_std]
#![allow(
    clippy::arithmetic_side_effects,
    reason = "times and sums of a model, far below their types; debug builds check them, and it holds no money"
)]
extern crate alloc;

pub mod abi;
mod changes;
mod payments;
mod policy;
mod proposals;
mod rules;
mod tally;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use abi::{Content, VaultCalls as Call};
use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use alloy_sol_types::{Eip712Domain, SolError, SolEvent, SolInterface, SolValue};

pub use policy::{Limits, Standing};
pub use tally::{Said, State, Tally, View};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// What is outside the vault: tokens, and contracts that sign.
pub trait World: Clone {
    /// A balance; nothing if the token does not tell. [base units]
    fn balance(&self, token: Address, account: Address) -> Option<U256>;
    /// The vault calls a token's `transfer`. On failure nothing has changed, and the first 32 bytes of the answer are told.
    fn transfer(
        &mut self,
        token: Address,
        vault: Address,
        to: Address,
        amount: U256,
    ) -> Result<(), B256>;
    /// Whether an account is a contract (not merely a delegation) that takes the signature by ERC-1271.
    fn contract_signed(&self, signer: Address, digest: B256, signature: &[u8]) -> bool;
}

/// Numbers that the rules state. A trial changes one to show that it would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Length of a bucket of the rolling cap. [seconds]
    pub bucket: u64,
    /// Buckets that a charge counts in.
    pub buckets: u64,
    /// What is accepted can be paid for so long. [seconds]
    pub payable: u64,
    /// Longest life of a proposal. [seconds]
    pub max_life: u64,
    /// How much longer than the policy delay a freeze lasts. [seconds]
    pub freeze_margin: u64,
    /// Longest time that a role is granted for. [seconds]
    pub max_grant: u64,
    /// First number that is never paid automatically.
    pub proposal_numbers: u128,
    /// Whether a revocation forbids the signer's signatures.
    pub revoking_forbids: bool,
    /// Whether the delay runs anew from the last vote when policy asks for more than when proposed.
    pub stricter_terms_restart: bool,
    /// Whether votes of an earlier signer set are dropped.
    pub epochs_drop_votes: bool,
}

impl Rules {
    /// As they are.
    pub const VAULT: Self = Self {
        bucket: 4 * HOUR,
        buckets: 7,
        payable: HOUR,
        max_life: 30 * DAY,
        freeze_margin: 2 * DAY,
        max_grant: 400 * DAY,
        proposal_numbers: 1 << 63,
        revoking_forbids: true,
        stricter_terms_restart: true,
        epochs_drop_votes: true,
    };

    /// Longest time that a charge counts, and that a change of tiers settles. [seconds]
    pub fn release(&self) -> u64 {
        self.bucket * self.buckets
    }

    /// Life that must be left when a delay is over. [seconds]
    pub fn settle(&self) -> u64 {
        self.release() + self.payable
    }
}

/// What was charged to a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Charge {
    tier: u8,
    time: u64,
    units: u128,
}

/// The vault after some call.
#[derive(Debug, Clone)]
pub struct Vault {
    rules: Rules,
    domain: Eip712Domain,
    address: Address,
    token: Address,
    unit: u128,
    hard_ceiling: u128,
    policy_delay_floor: u64,
    policy_delay: u64,
    threshold: u8,
    tiers: Vec<Limits>,
    tiers_changed_at: Option<u64>,
    terms_changed_at: u64,
    signers: Vec<Address>,
    epoch: u64,
    guardians: Vec<Address>,
    /// First second without the role, by account and role.
    roles: BTreeMap<(Address, u8), u64>,
    freeze_again_at: BTreeMap<Address, u64>,
    standings: BTreeMap<Address, Standing>,
    successor: Address,
    halted_until: u64,
    paid: BTreeSet<u64>,
    charges: Vec<Charge>,
    proposals: BTreeMap<B256, tally::Proposal>,
    /// What signers said, by id; also of what was never proposed.
    said: BTreeMap<B256, Vec<Said>>,
}

/// Who calls, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub address: Address,
    /// The block's timestamp. [seconds]
    pub time: u64,
}

/// What a call did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// What the vault logged, in order.
    pub logs: Vec<LogData>,
    /// What the function returned.
    pub returned: Bytes,
}

impl Done {
    fn log<E: SolEvent>(&mut self, event: E) {
        self.logs.push(event.encode_log_data());
    }

    fn returns<V: SolValue>(&mut self, value: V) {
        self.returned = value.abi_encode().into();
    }
}

/// Revert data.
pub type Revert = Bytes;

/// Refuses with an error of the contract.
fn refuse<T, E: SolError>(error: E) -> Result<T, Revert> {
    Err(error.abi_encode().into())
}

impl Vault {
    /// A call: all of it or nothing.
    pub fn call<W: World>(
        &mut self,
        world: &mut W,
        caller: Caller,
        data: &[u8],
    ) -> Result<Done, Revert> {
        let (mut vault, mut after) = (self.clone(), world.clone());
        let done = vault.run(&mut after, caller, data)?;
        (*self, *world) = (vault, after);
        Ok(done)
    }

    fn run<W: World>(&mut self, world: &mut W, by: Caller, data: &[u8]) -> Result<Done, Revert> {
        // Arguments that are not valid ABI revert without data.
        let call = Call::abi_decode_validate(data).map_err(|_| Revert::new())?;
        let mut done = Done::default();
        match call {
            Call::pay(c) => self.pay(world, by, &c.order, &c.payments, &mut done),
            Call::payBySig(c) => {
                self.pay_by_sig(world, by, &c.order, &c.payments, &c.votes, &mut done)
            }
            Call::execute(c) => {
                self.execute(world, by, &c.order, &c.payments, c.skipMask, &mut done)
            }
            Call::propose(c) => self.propose(by, &c.order, &c.payments, &mut done),
            Call::proposeBySig(c) => {
                self.propose_by_sig(world, by, &c.order, &c.payments, &c.votes, &mut done)
            }
            Call::approve(c) => self.approve(by, &Content::of_batch(&c.batch), &mut done),
            Call::approveBySig(c) => {
                let content = Content::of_batch(&c.batch);
                self.approve_by_sig(world, by, &content, &c.votes, &mut done)
            }
            Call::proposeChange(c) => {
                self.propose_change(world, by, c.kind, &c.change, None, &mut done)
            }
            Call::proposeChangeBySig(c) => {
                self.propose_change(world, by, c.kind, &c.change, Some(&c.votes), &mut done)
            }
            Call::approveChange(c) => {
                self.approve_change(world, by, c.kind, &c.change, None, &mut done)
            }
            Call::approveChangeBySig(c) => {
                self.approve_change(world, by, c.kind, &c.change, Some(&c.votes), &mut done)
            }
            Call::executeChange(c) => self.execute_change(world, by, c.kind, &c.change, &mut done),
            Call::revoke(c) => self.revoke(by, c.id, &mut done),
            Call::cancel(c) => self.cancel(by, c.id, &mut done),
            Call::freeze(_) => self.freeze(by, &mut done),
            Call::blockRecipient(c) => self.block_recipient(by, c.recipient, &mut done),
            Call::revokeRole(c) => self.revoke_role(by, c.account, c.role, &mut done),
            _ => Err(Revert::new()), // views are read through the functions below
        }?;
        Ok(done)
    }

    // ── What can be read ─────────────────────────────────────────────────────────────────────────────────────────

    /// Where it is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Accounting grain. [base units]
    pub fn unit(&self) -> u128 {
        self.unit
    }

    /// Everything that was ever proposed, by id.
    pub fn proposal_ids(&self) -> impl Iterator<Item = B256> {
        self.proposals.keys().copied()
    }

    /// The vault's EIP-712 domain.
    pub fn domain(&self) -> &Eip712Domain {
        &self.domain
    }

    /// Whether a number is paid.
    pub fn is_paid(&self, number: u64) -> bool {
        self.paid.contains(&number)
    }

    /// Who votes, in order.
    pub fn signers(&self) -> &[Address] {
        &self.signers
    }

    /// Approvals that a change of policy needs.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// Counts signer sets from 1.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// First second at which payments flow again; past or 0 if they do.
    pub fn halted_until(&self) -> u64 {
        self.halted_until
    }

    /// Delay of policy changes. [seconds]
    pub fn policy_delay(&self) -> u64 {
        self.policy_delay
    }

    /// When the tiers were last written. [seconds]
    pub fn terms_changed_at(&self) -> u64 {
        self.terms_changed_at
    }

    /// When tiers last changed so that charges had to settle; 0 for never. [seconds]
    pub fn tiers_changed_at(&self) -> u64 {
        self.tiers_changed_at.unwrap_or(0)
    }

    /// Where sweeps go.
    pub fn successor(&self) -> Address {
        self.successor
    }

    /// Who was last appointed guardian.
    pub fn guardians(&self) -> &[Address] {
        &self.guardians
    }

    /// The release policy.
    pub fn tiers(&self) -> &[Limits] {
        &self.tiers
    }

    /// First second without a role; 0 for never held.
    pub fn role_until(&self, account: Address, role: u8) -> u64 {
        self.roles.get(&(account, role)).copied().unwrap_or(0)
    }

    /// When the party may freeze again; 0 for any time.
    pub fn freeze_again_at(&self, party: Address) -> u64 {
        self.freeze_again_at.get(&party).copied().unwrap_or(0)
    }

    fn is_signer(&self, account: Address) -> bool {
        self.signers.contains(&account)
    }
}
