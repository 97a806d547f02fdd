//! The approval machine: votes, quorum, clock, veto, state.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolValue;

use super::{
    Caller, Done, MAX_LIFE, Revert, SETTLE, Tier, Vault,
    abi::{Abi, unpack},
    log,
    payments::{PROPOSALS_END, check_header, check_total},
    revert,
};

/// What a call of the approval machine costs. [gas]
const VOTE_GAS: u64 = 60_000;
/// What proposing costs for each payment. [gas]
const PROPOSED_PAYMENT_GAS: u64 = 2_000;

/// One proposal of a batch.
#[derive(Debug, Clone)]
pub struct Proposal {
    tier: usize,
    required: u8,
    delay: u64,
    expires_at: u64,
    votes: BTreeSet<Address>,
    /// The signer set that votes and clock belong to.
    epoch: u64,
    quorum_at: Option<u64>,
    executed: bool,
    cancelled: bool,
}

/// States in the order of the contract's enumeration.
pub mod state {
    pub const NONE: u8 = 0;
    pub const PROPOSED: u8 = 1;
    pub const QUEUED: u8 = 2;
    pub const READY: u8 = 3;
    pub const EXECUTED: u8 = 4;
    pub const CANCELLED: u8 = 5;
    pub const EXPIRED: u8 = 6;
}

/// A proposal as the lens shows it.
#[derive(Debug, Clone, Copy)]
pub struct ProposalView {
    /// One of [`state`].
    pub state: u8,
    /// First second at which time alone may make it ready; 0 if votes are short.
    pub earliest: u64,
    /// Votes that count.
    pub votes: u8,
    /// Votes it needs.
    pub required: u8,
}

impl Vault {
    pub(super) fn propose(
        &mut self,
        caller: Caller,
        batch: &Abi::Batch,
        payments: &[u8],
    ) -> Result<Done, Revert> {
        let index = usize::from(batch.tier);
        let id = self.id(batch);
        let Some(tier) = self.tiers.get(index).copied() else {
            return Err(revert(Abi::VaultTierUnknown {
                tier: U256::from(index),
                tiers: U256::from(self.tiers.len()),
            }));
        };
        if tier.is_automatic() {
            return Err(revert(Abi::VaultTierAutomatic {
                tier: U256::from(index),
            }));
        }
        check_header(batch, payments, PROPOSALS_END)?;
        let items = unpack(payments);
        check_total(batch, &items)?;
        let fits = self.fitting(index, &items);
        if let Some(i) = (0..items.len()).find(|i| !fits.bit(*i)) {
            return Err(self.refusal(index, &items, i));
        }
        let queued = self.open(caller, id, index, tier, batch.expiresAt.to::<u64>())?;
        let proposer = caller.address;
        let mut logs = vec![log(Abi::BatchProposed {
            id,
            proposer,
            batch: batch.clone(),
            payments: payments.to_vec().into(),
        })];
        if queued {
            logs.push(log(Abi::Queued {
                id,
                caller: proposer,
            }));
        }
        Ok(Done {
            logs,
            returned: id.abi_encode().into(),
            gas: VOTE_GAS + PROPOSED_PAYMENT_GAS * items.len() as u64,
        })
    }

    /// Opens a proposal. Answers whether its clock runs already.
    fn open(
        &mut self,
        caller: Caller,
        id: B256,
        index: usize,
        tier: Tier,
        expires_at: u64,
    ) -> Result<bool, Revert> {
        let signs = self.is_signer(caller.address);
        if !signs && caller.time >= self.member(caller.address).proposer_until {
            return Err(revert(Abi::VaultNotProposer {
                caller: caller.address,
            }));
        }
        if self.proposals.contains_key(&id) {
            let state = self.view(id, caller.time).state;
            return Err(revert(Abi::VaultAlreadyProposed { id, state }));
        }
        let delay = u64::from(tier.delay);
        check_life(expires_at, delay, caller.time)?;
        let mut proposal = Proposal {
            tier: index,
            required: tier.approvals,
            delay,
            expires_at,
            votes: BTreeSet::new(),
            epoch: self.epoch,
            quorum_at: None,
            executed: false,
            cancelled: false,
        };
        if signs {
            proposal.votes.insert(caller.address);
        }
        proposal.start_clock(caller.time);
        let queued = proposal.quorum_at.is_some();
        self.proposals.insert(id, proposal);
        Ok(queued)
    }

    pub(super) fn approve(&mut self, caller: Caller, id: B256) -> Result<Done, Revert> {
        self.check_signer(caller)?;
        let (epoch, signer) = (self.epoch, caller.address);
        let proposal = self.pending(caller, id)?;
        let mut next = proposal.clone();
        if next.epoch == epoch && next.votes.contains(&signer) {
            return Err(revert(Abi::VaultAlreadyApproved { id, signer }));
        }
        let was_running = next.is_running(epoch);
        if !was_running {
            next.quorum_at = None;
        }
        if next.epoch != epoch {
            next.votes.clear();
            next.epoch = epoch;
        }
        next.votes.insert(signer);
        next.start_clock(caller.time);
        let starts = !was_running && next.quorum_at.is_some();
        if starts {
            check_life(next.expires_at, next.delay, caller.time)?;
        }
        *proposal = next;
        Ok(voted(if starts {
            log(Abi::Queued { id, caller: signer })
        } else {
            log(Abi::Approved { id, signer })
        }))
    }

    pub(super) fn revoke(&mut self, caller: Caller, id: B256) -> Result<Done, Revert> {
        self.check_signer(caller)?;
        let (epoch, signer) = (self.epoch, caller.address);
        let proposal = self.pending(caller, id)?;
        if proposal.epoch != epoch || !proposal.votes.remove(&signer) {
            return Err(revert(Abi::VaultNotApproved { id, signer }));
        }
        let mut done = voted(log(Abi::Revoked { id, signer }));
        let short = proposal.votes.len() < usize::from(proposal.required);
        if short && proposal.quorum_at.take().is_some() {
            done.logs.push(log(Abi::Unqueued { id }));
        }
        Ok(done)
    }

    pub(super) fn cancel(&mut self, caller: Caller, id: B256) -> Result<Done, Revert> {
        self.check_guardian(caller)?;
        let guardian = caller.address;
        self.pending(caller, id)?.cancelled = true;
        Ok(voted(log(Abi::Cancelled { id, guardian })))
    }

    fn pending(&mut self, caller: Caller, id: B256) -> Result<&mut Proposal, Revert> {
        let state = self.view(id, caller.time).state;
        match self.proposals.get_mut(&id) {
            Some(proposal) if state < state::EXECUTED => Ok(proposal),
            _ => Err(revert(Abi::VaultStateInvalid { id, state })),
        }
    }

    pub(super) fn check_executable(&self, caller: Caller, id: B256) -> Result<(), Revert> {
        let keeps = caller.time < self.member(caller.address).keeper_until;
        if !keeps && !self.is_signer(caller.address) {
            return Err(revert(Abi::VaultNotExecutor {
                caller: caller.address,
            }));
        }
        let state = self.view(id, caller.time).state;
        if state != state::READY {
            return Err(revert(Abi::VaultStateInvalid { id, state }));
        }
        Ok(())
    }

    pub(super) fn mark_executed(&mut self, id: B256) {
        self.proposals
            .get_mut(&id)
            .expect("was executable")
            .executed = true;
    }

    /// Where a proposal stands. Execution needs the larger of the stored and today's terms.
    pub fn view(&self, id: B256, time: u64) -> ProposalView {
        let Some(proposal) = self.proposals.get(&id) else {
            return ProposalView {
                state: state::NONE,
                earliest: 0,
                votes: 0,
                required: 0,
            };
        };
        let tier = self.tiers[proposal.tier];
        let required = proposal.required.max(tier.approvals);
        let delay = proposal.delay.max(u64::from(tier.delay));
        let current = proposal.epoch == self.epoch;
        let votes = if current {
            proposal.votes.len() as u8
        } else {
            0
        };
        let ready_at = (proposal.quorum_at)
            .filter(|_| proposal.is_running(self.epoch) && votes >= required)
            .map(|quorum_at| quorum_at + delay);
        let (state, earliest) = match ready_at {
            _ if proposal.executed => (state::EXECUTED, 0),
            _ if proposal.cancelled => (state::CANCELLED, 0),
            _ if time >= proposal.expires_at => (state::EXPIRED, 0),
            None => (state::PROPOSED, 0),
            Some(ready_at) => {
                let state = if time < ready_at {
                    state::QUEUED
                } else {
                    state::READY
                };
                (state, ready_at.max(self.halted_until))
            }
        };
        ProposalView {
            state,
            earliest,
            votes,
            required,
        }
    }

    /// Proposals that were ever made.
    pub fn proposal_ids(&self) -> impl Iterator<Item = B256> {
        self.proposals.keys().copied()
    }

    /// Whether a vote of that signer counts for the proposal.
    pub fn has_vote(&self, id: B256, signer: Address) -> bool {
        let counts = |p: &Proposal| p.epoch == self.epoch && p.votes.contains(&signer);
        self.proposals.get(&id).is_some_and(counts)
    }

    fn check_signer(&self, caller: Caller) -> Result<(), Revert> {
        if self.is_signer(caller.address) {
            return Ok(());
        }
        Err(revert(Abi::VaultNotSigner {
            caller: caller.address,
        }))
    }
}

impl Proposal {
    fn is_running(&self, epoch: u64) -> bool {
        self.quorum_at.is_some() && (self.epoch == epoch || self.required == 0)
    }

    fn start_clock(&mut self, time: u64) {
        if self.quorum_at.is_none() && self.votes.len() >= usize::from(self.required) {
            self.quorum_at = Some(time);
        }
    }
}

fn voted(log: alloy_primitives::LogData) -> Done {
    Done {
        logs: vec![log],
        gas: VOTE_GAS,
        ..Done::default()
    }
}

fn check_life(expires_at: u64, delay: u64, time: u64) -> Result<(), Revert> {
    let (earliest, latest) = (time + delay + SETTLE, time + MAX_LIFE);
    if (earliest..=latest).contains(&expires_at) {
        return Ok(());
    }
    Err(revert(Abi::VaultExpiryOutOfRange {
        expiresAt: U256::from(expires_at),
        earliest: U256::from(earliest),
        latest: U256::from(latest),
    }))
}
