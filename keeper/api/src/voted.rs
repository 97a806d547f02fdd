//! Votes: where something that signers decide about stands, and what signers are shown of it and of the votes that are kept.

mod given;
mod subject;

use std::collections::BTreeSet;

use alloy_primitives::Address;
use serde::Serialize;
use serde_json::Value;
use tidelock_core::domain::{BatchId, VaultDomain};
use tidelock_store::Vote;
use utoipa::ToSchema;

use crate::{
    App,
    approvals::{Ballot, BallotState},
    port::Ballots,
    problem::Problem,
};
pub(crate) use given::{Given, keep};
use subject::short;
pub use subject::{Subject, Worth};

/// What the vault says of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    /// Where it stands.
    state: BallotState,
    /// Votes that count.
    votes: u8,
    /// Votes that it needs.
    required: u8,
    /// First second at which it can be executed if only time passes; none if time alone does not help.
    earliest: Option<u64>,
    /// The signer set in force, counted from 1.
    signer_epoch: u64,
    /// Signers whose votes count.
    voted: Vec<String>,
    /// Signers whose votes it may wait for, each with what to sign.
    waits_for: Vec<Ballotee>,
}

/// A signer who has not voted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ballotee {
    /// Who.
    signer: String,
    /// The vote as EIP-712 typed data, as `eth_signTypedData_v4` takes it.
    #[schema(value_type = Object)]
    typed_data: Value,
    /// Its digest, to hold the signing tool to.
    digest: String,
    /// A vote of theirs is kept here.
    signed: bool,
    /// They took their vote back: no signature of theirs counts any more, and only their own call votes again.
    revoked: bool,
}

/// A call to the vault.
#[derive(Debug, Serialize, ToSchema)]
pub struct Call {
    /// The vault.
    to: String,
    /// What to send.
    data: String,
}

/// A vote that was given off chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptVote {
    /// Whose.
    signer: String,
    /// Of which signer set.
    epoch: u64,
    /// 65 bytes.
    signature: String,
}

/// What signers are shown of whatever they decide about.
pub(crate) struct Shown {
    /// None if the server asks no node.
    pub standing: Option<Standing>,
    /// Of itself; its digest is its id.
    pub typed_data: Value,
    pub approve: Call,
    pub signatures: Vec<KeptVote>,
    pub relay: Option<Call>,
}

impl Shown {
    pub fn of(
        domain: &VaultDomain,
        subject: Subject<'_>,
        votes: &[Vote],
        polled: Option<(&Ballots, &Ballot)>,
    ) -> Self {
        Self {
            standing: polled.map(|polled| Standing::of(domain, subject, votes, polled)),
            typed_data: subject.document(domain),
            approve: subject.approve(domain),
            signatures: kept(votes),
            relay: polled.and_then(|polled| subject.relay(domain, votes, polled)),
        }
    }
}

/// The votes that are kept for each of these.
pub(crate) async fn votes(app: &App, ids: Vec<BatchId>) -> Result<Vec<Vec<Vote>>, Problem> {
    let asked = app.readers.ask(move |reader| {
        let each = ids.iter().map(|id| reader.votes(id));
        each.collect::<Result<Vec<_>, _>>()
    });
    asked.await
}

fn kept(votes: &[Vote]) -> Vec<KeptVote> {
    let shown = |vote: &Vote| KeptVote {
        signer: vote.signer.to_string(),
        epoch: vote.epoch,
        signature: vote.signature.to_string(),
    };
    votes.iter().map(shown).collect()
}

impl Standing {
    fn of(
        domain: &VaultDomain,
        subject: Subject<'_>,
        votes: &[Vote],
        (all, ballot): (&Ballots, &Ballot),
    ) -> Self {
        let signed = votes.iter().filter(|vote| vote.epoch == all.epoch);
        let signed: BTreeSet<Address> = signed.map(|vote| vote.signer).collect();
        let waits_for = all
            .signers
            .iter()
            .filter(|signer| !ballot.voted.contains(signer));
        let epoch = short(all.epoch);
        Self {
            state: ballot.state,
            votes: ballot.votes,
            required: ballot.required,
            earliest: (ballot.earliest > 0).then_some(ballot.earliest),
            signer_epoch: all.epoch,
            voted: ballot.voted.iter().map(Address::to_string).collect(),
            waits_for: waits_for
                .map(|signer| Ballotee {
                    signer: signer.to_string(),
                    typed_data: subject.vote_document(domain, *signer, epoch),
                    digest: subject.vote_digest(domain, *signer, epoch).to_string(),
                    signed: signed.contains(signer),
                    revoked: ballot.revoked.contains(signer),
                })
                .collect(),
        }
    }
}
