//! Votes, clocks and states.

use alloc::collections::BTreeSet;

use alloy_primitives::{Address, B256};

use crate::{Vault, abi::Content, memory::Memory};

/// Lifecycle of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as in the contract")]
pub enum State {
    None,
    Proposed,
    Queued,
    Ready,
    Executed,
    Cancelled,
    Expired,
}

impl State {
    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Proposed => 1,
            Self::Queued => 2,
            Self::Ready => 3,
            Self::Executed => 4,
            Self::Cancelled => 5,
            Self::Expired => 6,
        }
    }
}

/// What a proposal was proposed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// Tier of a batch; nothing for a change.
    pub tier: Option<u8>,
    /// When. [seconds]
    pub proposed_at: u64,
    /// First dead second.
    pub expires_at: u64,
    /// Approvals that the policy asked for.
    pub required: u8,
    /// Delay that it asked for. [seconds]
    pub delay: u64,
    /// Whether it takes effect with its quorum: a change that only tightens.
    pub instant: bool,
    /// Whether a guardian may cancel it.
    pub vetoable: bool,
    /// How it ended, if it was executed or cancelled.
    pub end: Option<State>,
}

impl Proposal {
    /// With a veto, a guardian that has one vote of a tightening could end it before the others arrive; and nobody vetoes what
    /// replaces guardians or ends a freeze.
    pub(crate) fn new(
        content: &Content,
        time: u64,
        (required, delay): (u8, u64),
        instant: bool,
    ) -> Self {
        let firm = matches!(content, Content::Guardians(_) | Content::Unfreeze(_));
        Self {
            tier: match content {
                Content::Batch(batch) => Some(batch.tier),
                _ => None,
            },
            proposed_at: time,
            expires_at: content.expires_at(),
            required,
            delay,
            instant,
            vetoable: !instant && !firm,
            end: None,
        }
    }
}

/// A vote, or a vote taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub signer: Address,
    /// In which signer epoch.
    pub epoch: u64,
    /// When. [seconds]
    pub time: u64,
    /// A vote.
    pub yes: bool,
}

/// What votes come to, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Signer epoch of those that count.
    pub epoch: u64,
    /// How many.
    pub votes: usize,
    /// When the vote came that reached what was asked for when proposed.
    pub quorum_at: Option<u64>,
    /// When the last vote came, of any epoch.
    pub voted_at: u64,
}

/// What it comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Signer epoch of those that count.
    pub epoch: u64,
    /// Who voted.
    pub votes: BTreeSet<Address>,
    /// Whose signatures count no more.
    pub barred: BTreeSet<Address>,
    /// When the vote came that reached what was asked for when proposed.
    pub quorum_at: Option<u64>,
    /// When the last vote came, of any epoch.
    pub voted_at: u64,
}

/// A proposal as the lens shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Where it stands.
    pub state: State,
    /// First second at which time alone may let it be executed; 0 if votes are short, or it has ended. [seconds]
    pub earliest: u64,
    /// Votes that count.
    pub votes: usize,
    /// Votes that it needs.
    pub required: u8,
}

/// What execution needs.
struct Needs {
    required: u8,
    delay: u64,
    /// From when the delay runs at the earliest.
    not_before: u64,
}

impl<M: Memory> Vault<M> {
    fn needs(&self, proposal: &Proposal, count: &Count) -> Needs {
        let (required, delay) = match proposal.tier {
            Some(tier) => match self.memory.tier(tier) {
                Some(tier) => (tier.approvals, tier.delay),
                None => (0, 0),
            },
            None if proposal.instant => (self.threshold(), 0),
            None => (self.threshold(), self.policy_delay()),
        };
        let mut not_before = 0;
        if required > proposal.required && self.rules.stricter_terms_restart {
            not_before = count.voted_at;
            if proposal.tier.is_some() {
                not_before = not_before.max(self.terms_changed_at());
            }
        }
        Needs {
            required: required.max(proposal.required),
            delay: delay.max(proposal.delay),
            not_before,
        }
    }

    /// How many votes are of the signer set of now.
    fn counting(&self, count: &Count) -> usize {
        if count.epoch == self.epoch() {
            count.votes
        } else {
            0
        }
    }

    /// When a proposal whose votes suffice now began to wait, and for how long; nothing if votes are missing. [seconds]
    pub(crate) fn running(&self, proposal: &Proposal, count: &Count) -> Option<(u64, u64)> {
        let counting = self.counting(count);
        let needs = self.needs(proposal, count);
        let started = count.quorum_at?;
        (counting >= usize::from(needs.required))
            .then(|| (started.max(needs.not_before), needs.delay))
    }

    pub(crate) fn is_running(&self, id: B256) -> bool {
        let proposal = self.memory.proposal(id);
        proposal.is_some_and(|p| self.running(&p, &self.count(id)).is_some())
    }

    /// A proposal's state at a time.
    pub fn state(&self, id: B256, time: u64) -> State {
        let Some(proposal) = self.memory.proposal(id) else {
            return State::None;
        };
        if let Some(end) = proposal.end {
            return end;
        }
        if time >= proposal.expires_at {
            return State::Expired;
        }
        match self.running(&proposal, &self.count(id)) {
            None => State::Proposed,
            Some((start, delay)) if time < start + delay => State::Queued,
            Some(_) => State::Ready,
        }
    }

    /// Where a proposal stands, and what it waits for.
    pub fn view(&self, id: B256, time: u64) -> View {
        let state = self.state(id, time);
        let Some(proposal) = self.memory.proposal(id) else {
            return View {
                state,
                earliest: 0,
                votes: 0,
                required: 0,
            };
        };
        let count = self.count(id);
        let waits = matches!(state, State::Queued | State::Ready);
        let running = self.running(&proposal, &count).filter(|_| waits);
        let ready = running.map(|(start, delay)| start + delay);
        let frozen_until = Some(self.halted_until()).filter(|until| time < *until);
        let earliest = ready.map(|ready| ready.max(frozen_until.unwrap_or(0)));
        let in_time = earliest.filter(|earliest| *earliest < proposal.expires_at);
        View {
            state,
            earliest: in_time.unwrap_or(0),
            votes: self.counting(&count),
            required: self.needs(&proposal, &count).required,
        }
    }

    /// Whether a vote of that signer counts.
    pub fn has_vote(&self, id: B256, signer: Address) -> bool {
        self.memory.has_vote(&self.rules, id, signer)
    }

    pub(crate) fn is_barred(&self, id: B256, signer: Address) -> bool {
        self.memory.is_barred(&self.rules, id, signer)
    }

    pub(crate) fn count(&self, id: B256) -> Count {
        self.memory.count(&self.rules, id)
    }
}
