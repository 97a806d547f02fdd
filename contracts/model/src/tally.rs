//! Votes, clocks and states: counted from all that signers ever said.

use alloc::collections::BTreeSet;

use alloy_primitives::{Address, B256};

use crate::{Vault, abi::Content};

/// Lifecycle of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) content: Content,
    pub(crate) proposed_at: u64,
    pub(crate) required: u8,
    pub(crate) delay: u64,
    pub(crate) instant: bool,
    pub(crate) end: Option<State>,
}

impl Proposal {
    pub(crate) fn vetoable(&self) -> bool {
        !self.instant && !matches!(self.content, Content::Guardians(_) | Content::Unfreeze(_))
    }
}

/// A vote, or a vote taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub(crate) signer: Address,
    pub(crate) epoch: u64,
    pub(crate) time: u64,
    pub(crate) yes: bool,
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

impl Vault {
    /// Votes and clock of a proposal.
    pub fn tally(&self, id: B256) -> Tally {
        let proposal = self.proposals.get(&id);
        let required = proposal.map_or(usize::MAX, |p| usize::from(p.required));
        let mut tally = Tally::default();
        if required == 0 {
            tally.quorum_at = proposal.map(|p| p.proposed_at);
        }
        for said in self.said.get(&id).into_iter().flatten() {
            if said.epoch != tally.epoch {
                tally.epoch = said.epoch;
                tally.barred.clear();
                if self.rules.epochs_drop_votes {
                    tally.votes.clear();
                    tally.quorum_at = tally.quorum_at.filter(|_| required == 0);
                }
            }
            if said.yes {
                tally.votes.insert(said.signer);
                tally.voted_at = said.time;
                if tally.votes.len() >= required {
                    tally.quorum_at.get_or_insert(said.time);
                }
            } else {
                tally.votes.remove(&said.signer);
                if self.rules.revoking_forbids {
                    tally.barred.insert(said.signer);
                }
                tally.quorum_at = tally.quorum_at.filter(|_| tally.votes.len() >= required);
            }
        }
        tally
    }

    fn needs(&self, proposal: &Proposal, tally: &Tally) -> Needs {
        let (required, delay) = match &proposal.content {
            Content::Batch(batch) => match self.tier(batch.tier) {
                Some(tier) => (tier.approvals, tier.delay),
                None => (0, 0),
            },
            _ if proposal.instant => (self.threshold, 0),
            _ => (self.threshold, self.policy_delay),
        };
        let mut not_before = 0;
        if required > proposal.required && self.rules.stricter_terms_restart {
            not_before = tally.voted_at;
            if matches!(proposal.content, Content::Batch(_)) {
                not_before = not_before.max(self.terms_changed_at);
            }
        }
        Needs {
            required: required.max(proposal.required),
            delay: delay.max(proposal.delay),
            not_before,
        }
    }

    /// How many votes are of the signer set of now.
    fn counting(&self, tally: &Tally) -> usize {
        if tally.epoch == self.epoch {
            tally.votes.len()
        } else {
            0
        }
    }

    /// When a proposal whose votes suffice now began to wait, and for how long; nothing if votes are missing. [seconds]
    pub(crate) fn running(&self, proposal: &Proposal, tally: &Tally) -> Option<(u64, u64)> {
        let counting = self.counting(tally);
        let needs = self.needs(proposal, tally);
        let started = tally.quorum_at?;
        (counting >= usize::from(needs.required))
            .then(|| (started.max(needs.not_before), needs.delay))
    }

    pub(crate) fn is_running(&self, id: B256) -> bool {
        let proposal = self.proposals.get(&id);
        proposal.is_some_and(|p| self.running(p, &self.tally(id)).is_some())
    }

    /// A proposal's state at a time.
    pub fn state(&self, id: B256, time: u64) -> State {
        let Some(proposal) = self.proposals.get(&id) else {
            return State::None;
        };
        if let Some(end) = proposal.end {
            return end;
        }
        if time >= proposal.content.expires_at() {
            return State::Expired;
        }
        match self.running(proposal, &self.tally(id)) {
            None => State::Proposed,
            Some((start, delay)) if time < start + delay => State::Queued,
            Some(_) => State::Ready,
        }
    }

    /// Where a proposal stands, and what it waits for.
    pub fn view(&self, id: B256, time: u64) -> View {
        let state = self.state(id, time);
        let Some(proposal) = self.proposals.get(&id) else {
            return View {
                state,
                earliest: 0,
                votes: 0,
                required: 0,
            };
        };
        let tally = self.tally(id);
        let waits = matches!(state, State::Queued | State::Ready);
        let running = self.running(proposal, &tally).filter(|_| waits);
        let ready = running.map(|(start, delay)| start + delay);
        let frozen_until = if time < self.halted_until {
            self.halted_until
        } else {
            0
        };
        let earliest = ready.map(|ready| ready.max(frozen_until));
        let in_time = earliest.filter(|earliest| *earliest < proposal.content.expires_at());
        View {
            state,
            earliest: in_time.unwrap_or(0),
            votes: self.counting(&tally),
            required: self.needs(proposal, &tally).required,
        }
    }

    /// Whether a vote of that signer counts.
    pub fn has_vote(&self, id: B256, signer: Address) -> bool {
        let tally = self.tally(id);
        tally.epoch == self.epoch && tally.votes.contains(&signer)
    }

    pub(crate) fn is_barred(&self, id: B256, signer: Address) -> bool {
        let tally = self.tally(id);
        tally.epoch == self.epoch && tally.barred.contains(&signer)
    }

    pub(crate) fn end(&mut self, id: B256, state: State) {
        if let Some(proposal) = self.proposals.get_mut(&id) {
            proposal.end = Some(state);
        }
    }
}
