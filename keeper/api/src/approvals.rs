//! `/v1/approvals`: what waits for signers, what they sign, and the votes that they gave off chain. The server brings no vote to the vault:
//! whoever wants to does, with the call that is told here.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes, Signature};
use alloy_sol_types::SolCall;
use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidelock_core::{
    abi::{Vault, header_argument},
    domain::{BatchId, parse_address},
    state::BatchRow,
};
use tidelock_store::Vote;
use utoipa::ToSchema;

use crate::{
    App,
    access::MayRead,
    body::{self, must_be_json},
    port::{self, AsOf, Ballots},
    problem::Problem,
    typed,
};

/// Bytes of one vote.
const LONGEST: usize = 4_096;

/// Where a proposal stands, by the vault's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BallotState {
    /// The vault does not know it yet: the keeper is about to propose it. Votes may be signed.
    NotProposed,
    /// Votes are short.
    Proposed,
    /// Its delay runs.
    Queued,
    /// It can be executed.
    Ready,
    /// It is over.
    Executed,
    /// A guardian vetoed it.
    Cancelled,
    /// Its time is over.
    Expired,
}

impl BallotState {
    /// Whether the vault takes votes.
    fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Queued | Self::Ready)
    }
}

/// Where a proposal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// By the vault's word.
    pub state: BallotState,
    /// Votes that count.
    pub votes: u8,
    /// Votes that it needs.
    pub required: u8,
    /// First second at which it can be executed if only time passes; 0 if time alone does not help.
    pub earliest: u64,
    /// Signers whose votes count.
    pub voted: Vec<Address>,
    /// Signers who took theirs back, and have not voted again: the vault takes no signature of theirs any more, and with one of them it takes
    /// none of those that come along.
    pub revoked: Vec<Address>,
}

/// What waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalList {
    /// In the order of their payments' numbers.
    items: Vec<Approval>,
    /// How old what the vault says of them is; none if the server asks no node.
    as_of: Option<AsOf>,
}

/// A batch that signers decide about.
#[derive(Debug, Serialize, ToSchema)]
pub struct Approval {
    /// The batch's id: the digest that the vault computes too.
    id: String,
    /// Its tier.
    #[schema(maximum = 3)]
    tier: u8,
    /// Its sum, in tokens.
    total: String,
    /// First second at which it can pay nothing any more.
    expires_at: u64,
    /// Every payment: one that is not shown is agreed to unseen.
    payments: Vec<ApprovedPayment>,
    /// What the vault says of it; none if the server asks no node.
    standing: Option<Standing>,
    /// The batch as EIP-712 typed data, whose digest is its id.
    #[schema(value_type = Object)]
    typed_data: Value,
    /// A signer's own call.
    approve: Call,
    /// Votes that were given off chain, and are kept here until somebody brings them.
    signatures: Vec<KeptVote>,
    /// A call that brings those of the signer set in force that do not count yet and were not taken back, for anybody to send; none if there
    /// are none, or the vault does not know the batch yet or takes no vote any more.
    relay: Option<Call>,
}

/// A payment of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovedPayment {
    /// Its number, for life.
    number: String,
    /// Its ref.
    #[serde(rename = "ref")]
    reference: String,
    /// Who is paid.
    to: String,
    /// How much, in tokens.
    amount: String,
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

/// A vote.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(
    dead_code,
    reason = "for the document; what is sent is read field by field"
)]
pub struct VoteRequest {
    /// Whose vote.
    #[schema(example = "0x1111111111111111111111111111111111111111")]
    signer: String,
    /// 65 bytes in hexadecimal: the signer's signature of the typed data.
    #[schema(pattern = "^0x[0-9a-fA-F]{130}$")]
    signature: String,
}

fn call(app: &App, data: Vec<u8>) -> Call {
    Call {
        to: app.identity.domain.vault.to_string(),
        data: Bytes::from(data).to_string(),
    }
}

impl Approval {
    fn of(
        app: &App,
        batch: &BatchRow,
        votes: &[Vote],
        ballot: Option<(&Ballots, &Ballot)>,
    ) -> Self {
        let domain = &app.identity.domain;
        let decimals = app.rules.decimals;
        let argument = header_argument(&batch.header);
        let own = Vault::approveCall {
            batch: argument.clone(),
        };
        let payments = (batch.header.first_number.0..).zip(&batch.payments);
        Self {
            id: batch.id.to_string(),
            tier: batch.header.tier.get(),
            total: batch.header.total.display(decimals),
            expires_at: batch.header.expires_at.seconds(),
            payments: payments
                .map(|(number, payment)| ApprovedPayment {
                    number: number.to_string(),
                    reference: payment.reference().to_string(),
                    to: payment.recipient().to_string(),
                    amount: payment.amount().display(decimals),
                })
                .collect(),
            standing: ballot.map(|(all, ballot)| Standing::of(app, batch, votes, all, ballot)),
            typed_data: typed::document(domain, &batch.header, None),
            approve: call(app, own.abi_encode()),
            signatures: (votes.iter())
                .map(|vote| KeptVote {
                    signer: vote.signer.to_string(),
                    epoch: vote.epoch,
                    signature: vote.signature.to_string(),
                })
                .collect(),
            relay: ballot.and_then(|(all, ballot)| {
                let votes = fresh(votes, all, ballot);
                let brings = Vault::approveBySigCall {
                    batch: argument,
                    votes,
                };
                let brings_any = ballot.state.is_open() && !brings.votes.is_empty();
                brings_any.then(|| call(app, brings.abi_encode()))
            }),
        }
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
    fn of(app: &App, batch: &BatchRow, votes: &[Vote], all: &Ballots, ballot: &Ballot) -> Self {
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
                    typed_data: typed::document(domain, &batch.header, Some((*signer, epoch))),
                    digest: batch.header.vote_digest(domain, *signer, epoch).to_string(),
                    signed: signed.contains(signer),
                    revoked: ballot.revoked.contains(signer),
                })
                .collect(),
        }
    }
}

/// Shows what waits for signers
///
/// Batches that need approvals, as the keeper has sealed them. Policy changes are not among them.
#[utoipa::path(get, path = "/v1/approvals", operation_id = "listApprovals", tag = "approvals",
    responses(
        (status = 200, description = "What waits, and for whom", body = ApprovalList),
        (status = "default", description = "Any refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn list(
    _: MayRead,
    State(app): State<App>,
) -> Result<Json<ApprovalList>, Problem> {
    let found = app.readers.ask(|reader| {
        let batches = reader.proposals()?;
        let each = batches.into_iter().map(|batch| {
            let votes = reader.votes(&batch.id)?;
            Ok((batch, votes))
        });
        each.collect::<Result<Vec<_>, _>>()
    });
    let found = found.await?;
    let ids = found.iter().map(|(batch, _)| batch.id).collect();
    let ballots = match &app.lookout {
        Some(lookout) => Some(lookout.ballots(ids).await?),
        None => None,
    };
    let each = found.iter().enumerate().map(|(place, (batch, votes))| {
        let ballot = ballots
            .as_ref()
            .and_then(|all| Some((all, all.each.get(place)?)));
        Approval::of(&app, batch, votes, ballot)
    });
    Ok(Json(ApprovalList {
        items: each.collect(),
        as_of: ballots.as_ref().map(|all| all.as_of.clone()),
    }))
}

/// Keeps a signer's vote
///
/// The vote is held to its signer, the signer set in force, and the batch; it is kept, and given back with a call that brings it. Any key that
/// reads may bring one: it is the signature that shows whose it is. A signer that is a contract votes by a call of its own.
#[utoipa::path(post, path = "/v1/approvals/{id}/signatures", operation_id = "addSignature", tag = "approvals",
    params(("id" = String, Path, description = "The batch's id")),
    request_body(content = VoteRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "Kept", body = Approval),
        (status = 200, description = "This signer's vote was kept before", body = Approval),
        (status = 404, description = "No such batch waits, or no node is asked", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is no vote of this signer for this batch", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn sign(
    _: MayRead,
    State(app): State<App>,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let hash = text.parse::<B256>();
    let rule = "must be 0x and 64 hexadecimal digits";
    let id = BatchId(hash.map_err(|_| Problem::broken("id", &text, rule))?);
    must_be_json(request.headers())?;
    let bytes = body::read(request, LONGEST).await?;
    let given = Given::read(body::texts(&bytes, ["signer", "signature"])?)?;
    let found = app.readers.ask(move |reader| reader.proposals()).await?;
    let batch = found.into_iter().find(|batch| batch.id == id);
    let batch =
        batch.ok_or_else(|| Problem::missing(format!("batch {id}: it waits for no vote")))?;
    let lookout = port::there(app.lookout.as_ref())?;
    let ballots = lookout.ballots(vec![id]).await?;
    let vote = given.held_to(&app, &batch, &ballots)?;
    let is_new = app.write(move |desk| desk.keep_vote(&vote)).await?;
    let votes = app.readers.ask(move |reader| reader.votes(&id)).await?;
    let ballot = ballots.each.first().map(|ballot| (&ballots, ballot));
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(Approval::of(&app, &batch, &votes, ballot))).into_response())
}

/// A vote as it was brought: of the right shape, and held to nothing that only the chain knows.
struct Given {
    signer: Address,
    signature: Signature,
    /// For refusals.
    texts: [String; 2],
}

impl Given {
    fn read(texts: [String; 2]) -> Result<Self, Problem> {
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
    fn held_to(self, app: &App, batch: &BatchRow, ballots: &Ballots) -> Result<Vote, Problem> {
        let [signer_text, signature_text] = &self.texts;
        let signer = self.signer;
        let refused = |rule: &str| Err(Problem::broken("signer", signer_text, rule));
        if !ballots.signers.contains(&signer) {
            return refused("must be a signer of the vault");
        }
        if ballots.each.iter().any(|one| one.revoked.contains(&signer)) {
            return refused("took its vote back: only its own call votes again");
        }
        let digest = batch
            .header
            .vote_digest(&app.identity.domain, signer, short(ballots.epoch));
        let by = self.signature.recover_address_from_prehash(&digest);
        if by.ok() != Some(signer) {
            let rule =
                "must be the signer's, of this batch's typed data and of the signer set in force";
            return Err(Problem::broken("signature", signature_text, rule));
        }
        Ok(Vote {
            batch: batch.id,
            signer,
            epoch: ballots.epoch,
            // As the vault takes it: with 27 or 28 at its end.
            signature: self.signature.as_bytes().to_vec().into(),
        })
    }
}
