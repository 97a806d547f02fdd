//! What was collected, held to the vault as the configured nodes have it.

use std::{collections::BTreeSet, fmt::Write as _};

use alloy::primitives::Bytes;
use serde_json::{Value, json};
use tidelock_api::{
    Ballot, BallotState, Change, LoggedChange, Lookout as _, Subject, Unseen, Worth,
};
use tidelock_core::{
    domain::{BatchId, VaultDomain},
    state::BatchRow,
};

use super::{
    super::{offline, online::block_on, serve::NodeLookout},
    as_cast,
};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure},
    store::Vote,
};

/// All of it, after one block.
pub(super) struct Found {
    pub domain: VaultDomain,
    pub block: u64,
    pub epoch: u64,
    pub each: Vec<Polled>,
    /// Ids with votes that nobody waits for any more, or that the vault's log does not have.
    pub others: usize,
}

/// A batch or a policy change, and its votes.
pub(super) struct Polled {
    pub id: BatchId,
    what: What,
    ballot: Ballot,
    votes: Vec<(Vote, Worth)>,
}

enum What {
    Batch(Box<BatchRow>),
    Change(Box<(LoggedChange, Change)>),
}

/// What a vote is worth, for programs.
fn word(worth: Worth) -> &'static str {
    match worth {
        Worth::Brings => "to_bring",
        Worth::Counts => "counts",
        Worth::TakenBack => "taken_back",
        Worth::OtherSigners => "other_signer_set",
        Worth::NoSigner => "no_signer",
        Worth::Forged => "not_theirs",
    }
}

/// The same for people.
fn words(worth: Worth) -> &'static str {
    match worth {
        Worth::Brings => "can be brought",
        Worth::Counts => "counts already",
        Worth::TakenBack => "was taken back: only its signer's own call votes again",
        Worth::OtherSigners => "was given as one of another signer set",
        Worth::NoSigner => "is of nobody who may vote",
        Worth::Forged => "is not signed by whom it says it is of",
    }
}

impl What {
    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Batch(batch) => Subject::Batch(&batch.header),
            Self::Change(read) => Subject::Change(&read.1, &read.0),
        }
    }

    fn kind(&self) -> String {
        match self {
            Self::Batch(_) => "batch".to_owned(),
            Self::Change(read) => read.1.kind(),
        }
    }
}

impl Found {
    /// Reads the store, and asks the nodes.
    pub fn look(config: &Config, wanted: Option<BatchId>) -> Result<Self, Failure> {
        let mut reader = offline::reader(config)?;
        let identity = *reader.identity();
        let ids: BTreeSet<BatchId> = reader.voted()?.into_iter().collect();
        let batches = reader.proposals()?;
        let mut votes = Vec::new();
        for id in &ids {
            votes.push((*id, reader.votes(id)?));
        }
        reader.close()?;
        let is_wanted = |id: &BatchId| wanted.is_none_or(|wanted| wanted == *id);
        votes.retain(|(id, _)| is_wanted(id));
        let lookout = NodeLookout::new(config, identity);
        let domain = identity.domain;
        block_on(async {
            let mut known = waiting_batches(batches, &ids);
            if ids.len() > known.len() {
                let (logged, _) = lookout.changes().await?;
                known.extend(logged_changes(logged, &ids, &domain));
            }
            let asked: Vec<BatchId> = known.iter().map(|(id, _)| *id).collect();
            let ballots = lookout.ballots(asked).await?;
            let others = ids.len().saturating_sub(known.len());
            let mut each = Vec::new();
            for ((id, what), ballot) in known.into_iter().zip(&ballots.each) {
                let Some((_, votes)) = votes.iter().find(|(of, _)| *of == id) else {
                    continue;
                };
                let judged = votes.iter().map(|vote| {
                    let polled = (&ballots, ballot);
                    (
                        vote.clone(),
                        Worth::of(what.subject(), &domain, vote, polled),
                    )
                });
                let votes = judged.collect();
                let ballot = ballot.clone();
                each.push(Polled {
                    id,
                    what,
                    ballot,
                    votes,
                });
            }
            Ok(Self {
                domain,
                block: ballots.as_of.block,
                epoch: ballots.epoch,
                each,
                others,
            })
        })
    }

    /// What is said after all of them.
    pub fn end(&self) -> String {
        let mut text = format!("after block {}, signer epoch {}", self.block, self.epoch);
        if self.each.is_empty() {
            text = format!("no vote was collected for what waits; {text}");
        }
        if self.others > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "; votes for {} that wait no more", self.others);
        }
        text
    }
}

fn waiting_batches(batches: Vec<BatchRow>, ids: &BTreeSet<BatchId>) -> Vec<(BatchId, What)> {
    let batches = batches.into_iter().filter(|batch| ids.contains(&batch.id));
    let each = batches.map(|batch| (batch.id, What::Batch(Box::new(batch))));
    each.collect()
}

fn logged_changes(
    logged: Vec<LoggedChange>,
    ids: &BTreeSet<BatchId>,
    domain: &VaultDomain,
) -> Vec<(BatchId, What)> {
    let logged = logged.into_iter().filter(|one| ids.contains(&one.id));
    let each = logged.filter_map(|one| {
        let change = one.read(domain)?;
        Some((one.id, What::Change(Box::new((one, change)))))
    });
    each.collect()
}

impl Polled {
    /// Votes that the vault would take now.
    pub fn to_bring(&self) -> impl Iterator<Item = &Vote> {
        let takes_votes = self.ballot.state.is_open();
        let votes = self.votes.iter();
        votes.filter_map(move |(vote, worth)| {
            (takes_votes && *worth == Worth::Brings).then_some(vote)
        })
    }

    /// What brings them; none if there are none.
    pub fn call(&self) -> Option<Bytes> {
        let votes: Vec<&Vote> = self.to_bring().collect();
        (!votes.is_empty()).then(|| self.what.subject().bring(&votes))
    }

    /// As JSON.
    pub fn told(&self, domain: &VaultDomain) -> Value {
        let votes = self.votes.iter().map(|(vote, worth)| {
            json!({
                "signer": vote.signer.to_string(), "epoch": vote.epoch, "signature": vote.signature,
                "is": word(*worth),
            })
        });
        let call = self.call();
        json!({
            "id": self.id, "kind": self.what.kind(), "state": self.ballot.state,
            "votes": self.ballot.votes, "required": self.ballot.required,
            "signatures": votes.collect::<Vec<Value>>(),
            "call": call.map(|data| json!({"to": domain.vault.to_string(), "data": data})),
        })
    }

    /// For people.
    pub fn lines(&self, domain: &VaultDomain) -> String {
        let Ballot {
            votes, required, ..
        } = self.ballot;
        let state = state(self.ballot.state);
        let mut text = format!(
            "{} {}: {state}, {votes} of {required} votes",
            self.what.kind(),
            self.id
        );
        for (vote, worth) in &self.votes {
            let words = words(*worth);
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  the vote of {} {words}", vote.signer);
        }
        if let Some(data) = self.call() {
            let _ = write!(text, "\n  {}", as_cast(domain, &data));
        }
        text
    }
}

fn state(state: BallotState) -> &'static str {
    match state {
        BallotState::NotProposed => "the vault does not know it yet",
        BallotState::Proposed => "proposed",
        BallotState::Queued => "queued",
        BallotState::Ready => "ready",
        BallotState::Executed => "executed",
        BallotState::Cancelled => "cancelled",
        BallotState::Expired => "expired",
    }
}

impl From<Unseen> for Failure {
    fn from(unseen: Unseen) -> Self {
        let status = match unseen {
            Unseen::Refused(_) => ExitStatus::Refused,
            Unseen::Differ(_) | Unseen::Silent(_) => ExitStatus::Chain,
        };
        Self::of(status, unseen)
    }
}
