//! Votes: where something that signers decide about stands, what each of them signs for it, and what they gave off chain. A batch and a policy
//! change are voted on the same way.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, Signature};
use alloy_sol_types::SolCall;
use serde::Serialize;
use serde_json::Value;
use tidelock_core::{
    abi::{Vault, header_argument},
    domain::{Batch, BatchId, VaultDomain, parse_address},
};
use tidelock_store::Vote;
use utoipa::ToSchema;

use crate::{
    App,
    approvals::{Ballot, BallotState},
    changes::Change,
    port::Ballots,
    problem::Problem,
};

/// What signers decide about.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Batch(&'a Batch),
    /// With its place in the vault's enumeration, and as the vault's calls carry it.
    Change(&'a Change, u8, &'a Bytes),
}

impl Subject<'_> {
    fn vote_document(&self, domain: &VaultDomain, signer: Address, epoch: u32) -> Value {
        match self {
            Self::Batch(header) => header.typed_data(domain, Some((signer, epoch))),
            Self::Change(change, ..) => change.document(domain, Some((signer, epoch))),
        }
    }

    fn vote_digest(&self, domain: &VaultDomain, signer: Address, epoch: u32) -> B256 {
        match self {
            Self::Batch(header) => header.vote_digest(domain, signer, epoch),
            Self::Change(change, ..) => change.vote_digest(domain, signer, epoch),
        }
    }

    /// A signer's own call.
    pub fn approve(&self, app: &App) -> Call {
        let data = match *self {
            Self::Batch(header) => Vault::approveCall {
                batch: header_argument(header),
            }
            .abi_encode(),
            Self::Change(_, kind, change) => Vault::approveChangeCall {
                kind,
                change: change.clone(),
            }
            .abi_encode(),
        };
        call(app, data)
    }

    /// A call that brings votes which do not count yet; none if there are none, or the vault takes none.
    pub fn relay(&self, app: &App, votes: &[Vote], all: &Ballots, ballot: &Ballot) -> Option<Call> {
        let votes = fresh(votes, all, ballot);
        if votes.is_empty() || !ballot.state.is_open() {
            return None;
        }
        let data = match *self {
            Self::Batch(header) => Vault::approveBySigCall {
                batch: header_argument(header),
                votes,
            }
            .abi_encode(),
            Self::Change(_, kind, change) => Vault::approveChangeBySigCall {
                kind,
                change: change.clone(),
                votes,
            }
            .abi_encode(),
        };
        Some(call(app, data))
    }
}

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

/// Votes as they are kept.
pub(crate) fn kept(votes: &[Vote]) -> Vec<KeptVote> {
    let shown = |vote: &Vote| KeptVote {
        signer: vote.signer.to_string(),
        epoch: vote.epoch,
        signature: vote.signature.to_string(),
    };
    votes.iter().map(shown).collect()
}

fn call(app: &App, data: Vec<u8>) -> Call {
    Call {
        to: app.identity.domain.vault.to_string(),
        data: Bytes::from(data).to_string(),
    }
}

/// Votes of the signer set in force, by its signers, that do not count yet and still may.
fn fresh(votes: &[Vote], all: &Ballots, ballot: &Ballot) -> Vec<Vault::Vote> {
    let counts = |vote: &&Vote| {
        vote.epoch == all.epoch
            && all.signers.contains(&vote.signer)
            && !ballot.voted.contains(&vote.signer)
            && !ballot.revoked.contains(&vote.signer)
    };
    let fresh = votes.iter().filter(counts);
    fresh
        .map(|vote| Vault::Vote {
            signer: vote.signer,
            signature: vote.signature.clone(),
        })
        .collect()
}

/// An epoch has 24 bits.
fn short(epoch: u64) -> u32 {
    u32::try_from(epoch).unwrap_or(u32::MAX)
}

impl Standing {
    pub fn of(
        app: &App,
        subject: Subject<'_>,
        votes: &[Vote],
        all: &Ballots,
        ballot: &Ballot,
    ) -> Self {
        let domain = &app.identity.domain;
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

/// A vote as it was brought: of the right shape, and held to nothing that only the chain knows.
pub(crate) struct Given {
    signer: Address,
    signature: Signature,
    /// For refusals.
    texts: [String; 2],
}

impl Given {
    pub fn read(texts: [String; 2]) -> Result<Self, Problem> {
        let [signer, signature] = &texts;
        let refused = |rule: &str| Problem::broken("signature", signature, rule);
        let signer = parse_address(signer)
            .map_err(|_| Problem::broken("signer", signer, "must be an address"))?;
        let bytes = signature
            .parse::<Bytes>()
            .map_err(|_| refused("must be 0x and hexadecimal digits"))?;
        let signature = Signature::from_raw(&bytes).map_err(|_| {
            refused("must have 65 bytes, the last of them 27 or 28: a signer that is a contract votes by a call")
        })?;
        // Of the two signatures with one meaning the vault takes the one with the lower `s`.
        if signature.normalize_s().is_some() {
            return Err(refused("must have the lower of the two values of s"));
        }
        Ok(Self {
            signer,
            signature,
            texts,
        })
    }

    /// As the vault would take it.
    pub fn held_to(
        self,
        app: &App,
        id: BatchId,
        subject: Subject<'_>,
        ballots: &Ballots,
    ) -> Result<Vote, Problem> {
        let [signer_text, signature_text] = &self.texts;
        let signer = self.signer;
        let refused = |rule: &str| Err(Problem::broken("signer", signer_text, rule));
        if !ballots.signers.contains(&signer) {
            return refused("must be a signer of the vault");
        }
        if ballots.each.iter().any(|one| one.revoked.contains(&signer)) {
            return refused("took its vote back: only its own call votes again");
        }
        let digest = subject.vote_digest(&app.identity.domain, signer, short(ballots.epoch));
        let by = self.signature.recover_address_from_prehash(&digest);
        if by.ok() != Some(signer) {
            let rule = "must be the signer's, of this typed data and of the signer set in force";
            return Err(Problem::broken("signature", signature_text, rule));
        }
        Ok(Vote {
            batch: id,
            signer,
            epoch: ballots.epoch,
            // As the vault takes it: with 27 or 28 at its end.
            signature: self.signature.as_bytes().to_vec().into(),
        })
    }
}
