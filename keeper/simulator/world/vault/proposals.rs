//! The approval machine: votes, quorum, clock, veto, state.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolValue;

use super::{
    Caller, Done, MAX_LIFE, Revert, SETTLE, Tier, Vault,
    abi::{Abi, header, unpack},
    log,
    payments::{PROPOSALS_END, check_count, check_numbers},
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
    /// When the votes asked for when proposed were there.
    quorum_at: Option<u64>,
    /// When the last vote came.
    voted_at: u64,
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
        order: &Abi::Order,
        payments: &[u8],
    ) -> Result<Done, Revert> {
        let index = usize::from(order.tier());
        let id = self.id(&header(order, payments));
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
        check_count(payments)?;
        check_numbers(order, payments, PROPOSALS_END)?;
        let items = unpack(payments);
        let fits = self.fitting(index, &items);
        if let Some(i) = (0..items.len()).find(|i| !fits.bit(*i)) {
            return Err(self.refusal(index, &items, i));
        }
        let queued = self.open(caller, id, index, tier, order.expires_at())?;
        let proposer = caller.address;
        let mut logs = vec![log(Abi::BatchProposed {
            id,
            proposer,
            order: order.clone(),
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
            epoch: 0,
            quorum_at: None,
            voted_at: 0,
            executed: false,
            cancelled: false,
        };
        if self.is_signer(caller.address) {
            proposal.vote(self.epoch, caller);
        } else if caller.time < self.member(caller.address).proposer_until {
            proposal.start_clock(caller.time);
        } else {
            return Err(revert(Abi::VaultNotProposer {
                caller: caller.address,
            }));
        }
        let queued = self.is_running(&proposal);
        self.proposals.insert(id, proposal);
        Ok(queued)
    }

    pub(super) fn approve(&mut self, caller: Caller, id: B256) -> Result<Done, Revert> {
        self.check_signer(caller)?;
        let (epoch, signer) = (self.epoch, caller.address);
        let proposal = self.pending(caller, id)?;
        if proposal.epoch == epoch && proposal.votes.contains(&signer) {
            return Err(revert(Abi::VaultAlreadyApproved { id, signer }));
        }
        let mut next = proposal.clone();
        next.vote(epoch, caller);
        let starts = self.is_running(&next) && !self.is_running(proposal);
        if starts {
            let (_, delay) = self.needs(&next);
            check_life(next.expires_at, delay, caller.time)?;
        }
        self.proposals.insert(id, next);
        Ok(voted(if starts {
            log(Abi::Queued { id, caller: signer })
        } else {
            log(Abi::Approved { id, signer })
        }))
    }

    /// Takes a vote back, if there is one; remembered also of what nobody proposed yet.
    pub(super) fn revoke(&mut self, caller: Caller, id: B256) -> Result<Done, Revert> {
        self.check_signer(caller)?;
        let (epoch, signer) = (self.epoch, caller.address);
        if self.proposals.contains_key(&id) {
            self.pending(caller, id)?;
        }
        let is_new = self.revoked.entry(id).or_default().insert((epoch, signer));
        if !is_new && !self.has_vote(id, signer) {
            return Err(revert(Abi::VaultNotApproved { id, signer }));
        }
        let mut done = voted(log(Abi::Revoked { id, signer }));
        if let Some(proposal) = self.proposals.get(&id) {
            let mut next = proposal.clone();
            next.revoke(epoch, signer);
            if self.is_running(proposal) && !self.is_running(&next) {
                done.logs.push(log(Abi::Unqueued { id }));
            }
            self.proposals.insert(id, next);
        }
        Ok(done)
    }

    pub(super) fn cancel(&mut self, caller: Caller, id: B256) -> Result<Done, Revert> {
        self.check_guardian(caller)?;
        let guardian = caller.address;
        let mut proposal = self.pending(caller, id)?.clone();
        proposal.cancelled = true;
        self.proposals.insert(id, proposal);
        Ok(voted(log(Abi::Cancelled { id, guardian })))
    }

    fn pending(&self, caller: Caller, id: B256) -> Result<&Proposal, Revert> {
        let state = self.view(id, caller.time).state;
        match self.proposals.get(&id) {
            Some(proposal) if state < state::EXECUTED => Ok(proposal),
            _ => Err(revert(Abi::VaultStateInvalid { id, state })),
        }
    }

    pub(super) fn check_executor(&self, caller: Caller) -> Result<(), Revert> {
        let keeps = caller.time < self.member(caller.address).keeper_until;
        if !keeps && !self.is_signer(caller.address) {
            return Err(revert(Abi::VaultNotExecutor {
                caller: caller.address,
            }));
        }
        Ok(())
    }

    pub(super) fn check_ready(&self, id: B256, time: u64) -> Result<(), Revert> {
        let state = self.view(id, time).state;
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

    /// Approvals and delay that execution needs: of each the larger of what was asked for when proposed and now. [seconds]
    fn needs(&self, proposal: &Proposal) -> (u8, u64) {
        let tier = self.tiers[proposal.tier];
        let required = proposal.required.max(tier.approvals);
        (required, proposal.delay.max(u64::from(tier.delay)))
    }

    /// Votes that count.
    fn count(&self, proposal: &Proposal) -> u8 {
        let is_current = proposal.epoch == self.epoch;
        if is_current {
            proposal.votes.len() as u8
        } else {
            0
        }
    }

    /// Whether only time is missing.
    fn is_running(&self, proposal: &Proposal) -> bool {
        let (required, _) = self.needs(proposal);
        proposal.quorum_at.is_some() && self.count(proposal) >= required
    }

    /// When the delay of a running proposal is over. Which vote fulfilled what is asked for since, it does not know.
    fn ready_at(&self, proposal: &Proposal) -> Option<u64> {
        let (required, delay) = self.needs(proposal);
        let mut start = proposal.quorum_at.filter(|_| self.is_running(proposal))?;
        if required > proposal.required {
            start = start.max(proposal.voted_at).max(self.terms_changed_at);
        }
        Some(start + delay)
    }

    /// Where a proposal stands.
    pub fn view(&self, id: B256, time: u64) -> ProposalView {
        let Some(proposal) = self.proposals.get(&id) else {
            return ProposalView {
                state: state::NONE,
                earliest: 0,
                votes: 0,
                required: 0,
            };
        };
        let (state, earliest) = match self.ready_at(proposal) {
            _ if proposal.executed => (state::EXECUTED, 0),
            _ if proposal.cancelled => (state::CANCELLED, 0),
            _ if time >= proposal.expires_at => (state::EXPIRED, 0),
            None => (state::PROPOSED, 0),
            Some(ready_at) if time < ready_at => (state::QUEUED, ready_at),
            Some(ready_at) => (state::READY, ready_at),
        };
        let frozen = time < self.halted_until && earliest != 0;
        let earliest = earliest.max(if frozen { self.halted_until } else { 0 });
        ProposalView {
            state,
            earliest: if earliest < proposal.expires_at {
                earliest
            } else {
                0
            },
            votes: self.count(proposal),
            required: self.needs(proposal).0,
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
    /// Forgets what signers of an earlier set said, and the clock with it, if it was theirs.
    fn enter(&mut self, epoch: u64) {
        if self.epoch == epoch {
            return;
        }
        self.votes.clear();
        self.epoch = epoch;
        if self.required != 0 {
            self.quorum_at = None;
        }
    }

    fn vote(&mut self, epoch: u64, by: Caller) {
        self.enter(epoch);
        self.votes.insert(by.address);
        self.voted_at = by.time;
        self.start_clock(by.time);
    }

    fn revoke(&mut self, epoch: u64, signer: Address) {
        self.enter(epoch);
        self.votes.remove(&signer);
        if self.votes.len() < usize::from(self.required) {
            self.quorum_at = None;
        }
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
