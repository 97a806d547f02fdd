//! What the vault should do: policy and lifecycle once more, from the rules (contracts/src/interfaces/IVault.sol and
//! docs/adr), in plain data. Calls come as calldata and end in logs and return data, or in the revert data of the contract. What is
//! remembered is kept by a `Memory`: where the contract packs words, `Lists` keeps every charge, every number, everything that a
//! signer ever said, and `Packed` packs words too, for a vault on a chain that runs these rules.
//!
//! Where a call breaks several rules at once, the model names the one that the contract checks first.
#![no_std]
#![allow(
    clippy::arithmetic_side_effects,
    reason = "times and sums far below their types; every build that holds money checks them"
)]
extern crate alloc;

pub mod abi;
mod changes;
mod lists;
pub mod memory;
pub mod packed;
mod payments;
mod policy;
mod proposals;
mod rules;
mod tally;
pub mod views;

use alloc::vec::Vec;

use abi::{Content, VaultCalls as Call};
use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use alloy_sol_types::{Eip712Domain, SolError, SolEvent, SolInterface, SolValue};

pub use changes::read_change;
pub use lists::Lists;
pub use memory::{Memory, Settings};
pub use policy::{Limits, Standing};
pub use rules::check_configuration;
pub use tally::{Count, Proposal, Said, State, Tally, View};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// What is outside the vault: tokens, and contracts that sign.
pub trait World: Clone {
    /// A balance; nothing if the token does not tell. [base units]
    fn balance(&self, token: Address, account: Address) -> Option<U256>;
    /// The transfer to come is that of the payment at this place of its batch.
    fn begin(&mut self, _place: usize) {}
    /// The vault calls a token's `transfer`. On failure nothing has changed, and the first 32 bytes of the answer are told.
    fn transfer(
        &mut self,
        token: Address,
        vault: Address,
        to: Address,
        amount: U256,
    ) -> Result<(), B256>;
    /// Who made an ECDSA signature whose `s` is low; `odd` tells which of two points `r` stands for.
    #[cfg(not(feature = "k256"))]
    fn recover(&self, digest: B256, r: U256, s: U256, odd: bool) -> Option<Address>;
    /// Who made an ECDSA signature whose `s` is low; `odd` tells which of two points `r` stands for.
    #[cfg(feature = "k256")]
    fn recover(&self, digest: B256, r: U256, s: U256, odd: bool) -> Option<Address> {
        let signature = alloy_primitives::Signature::new(r, s, odd);
        signature.recover_address_from_prehash(&digest).ok()
    }
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

/// The vault after some call.
#[derive(Debug, Clone)]
pub struct Vault<M = Lists> {
    rules: Rules,
    domain: Eip712Domain,
    fixed: Fixed,
    memory: M,
}

/// What never changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The vault.
    pub address: Address,
    /// The one token that it pays.
    pub token: Address,
    /// Accounting grain. [base units]
    pub unit: u128,
    /// Most that the caps of all tiers may ever add up to. [base units]
    pub hard_ceiling: u128,
    /// Least policy delay that can ever be set. [seconds]
    pub policy_delay_floor: u64,
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

/// A call that is read; arguments that are not valid ABI revert without data.
pub fn read(data: &[u8]) -> Result<Call, Revert> {
    Call::abi_decode_validate(data).map_err(|_| Revert::new())
}

impl<M: Memory> Vault<M> {
    /// A vault that was created before.
    pub fn at(rules: Rules, chain_id: u64, fixed: Fixed, memory: M) -> Self {
        Self {
            rules,
            domain: abi::domain(chain_id, fixed.address),
            fixed,
            memory,
        }
    }

    /// Where it keeps its state.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// What a call does. On failure some of it may be done: for callers that undo it.
    pub fn perform<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        call: Call,
    ) -> Result<Done, Revert> {
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
            _ => Err(Revert::new()), // views are read through other functions
        }?;
        Ok(done)
    }

    // ── What can be read ─────────────────────────────────────────────────────────────────────────────────────────

    /// Where it is.
    pub fn address(&self) -> Address {
        self.fixed.address
    }

    /// Accounting grain. [base units]
    pub fn unit(&self) -> u128 {
        self.fixed.unit
    }

    /// What never changes.
    pub fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// The vault's EIP-712 domain.
    pub fn domain(&self) -> &Eip712Domain {
        &self.domain
    }

    /// Approvals that a change of policy needs.
    pub fn threshold(&self) -> u8 {
        self.memory.settings().threshold
    }

    /// Counts signer sets from 1.
    pub fn epoch(&self) -> u64 {
        self.memory.settings().epoch
    }

    /// First second at which payments flow again; past or 0 if they do.
    pub fn halted_until(&self) -> u64 {
        self.memory.settings().halted_until
    }

    /// Delay of policy changes. [seconds]
    pub fn policy_delay(&self) -> u64 {
        self.memory.settings().policy_delay
    }

    /// When the tiers were last written. [seconds]
    pub fn terms_changed_at(&self) -> u64 {
        self.memory.settings().terms_changed_at
    }

    /// When tiers last changed so that charges had to settle; 0 for never. [seconds]
    pub fn tiers_changed_at(&self) -> u64 {
        self.memory.settings().tiers_changed_at.unwrap_or(0)
    }

    /// Where sweeps go.
    pub fn successor(&self) -> Address {
        self.memory.settings().successor
    }

    /// First second without a role; 0 for never held.
    pub fn role_until(&self, account: Address, role: u8) -> u64 {
        self.memory.role_until(account, role)
    }

    /// When the party may freeze again; 0 for any time.
    pub fn freeze_again_at(&self, party: Address) -> u64 {
        self.memory.freeze_again_at(party)
    }

    fn is_signer(&self, account: Address) -> bool {
        self.memory.is_signer(account)
    }
}

impl Vault {
    /// A call: all of it or nothing.
    pub fn call<W: World>(
        &mut self,
        world: &mut W,
        caller: Caller,
        data: &[u8],
    ) -> Result<Done, Revert> {
        let call = read(data)?;
        let (mut vault, mut after) = (self.clone(), world.clone());
        let done = vault.perform(&mut after, caller, call)?;
        (*self, *world) = (vault, after);
        Ok(done)
    }

    /// Everything that was ever proposed, by id.
    pub fn proposal_ids(&self) -> impl Iterator<Item = B256> {
        self.memory.proposals.keys().copied()
    }

    /// Whether a number is paid.
    pub fn is_paid(&self, number: u64) -> bool {
        self.memory.is_paid(number)
    }

    /// Who votes, in order.
    pub fn signers(&self) -> &[Address] {
        &self.memory.signers
    }

    /// Who was last appointed guardian.
    pub fn guardians(&self) -> &[Address] {
        &self.memory.guardians
    }

    /// The release policy.
    pub fn tiers(&self) -> &[Limits] {
        &self.memory.tiers
    }

    /// Votes and clock of a proposal.
    pub fn tally(&self, id: B256) -> Tally {
        self.memory.tally(&self.rules, id)
    }

    /// The header of what was proposed; nothing for a change.
    pub fn batch(&self, id: B256) -> Option<abi::Batch> {
        match &self.memory.proposals.get(&id)?.1 {
            Content::Batch(b) => Some(abi::Batch {
                firstNumber: b.firstNumber,
                count: b.count,
                tier: b.tier,
                total: b.total,
                recipient: b.recipient,
                expiresAt: b.expiresAt,
                paymentsHash: b.paymentsHash,
                context: b.context,
            }),
            _ => None,
        }
    }
}
