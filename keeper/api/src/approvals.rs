//! `/v1/approvals`: what waits for signers, what they sign, and the votes that they gave off chain. The server brings no vote to the vault:
//! whoever wants to does, with the call that is told here.

use alloy_primitives::{Address, B256};
use axum::{
    Json,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidelock_core::{domain::BatchId, port::ProposalState, state::BatchRow};
use tidelock_store::Vote;
use utoipa::ToSchema;

use crate::{
    App,
    access::MayRead,
    body::{self, must_be_json},
    changes::{self, ChangeApproval},
    fields,
    port::{self, AsOf, Ballots},
    problem::Problem,
    voted::{self, Call, Given, KeptVote, Shown, Standing, Subject},
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

impl From<ProposalState> for BallotState {
    fn from(state: ProposalState) -> Self {
        match state {
            ProposalState::None => Self::NotProposed,
            ProposalState::Proposed => Self::Proposed,
            ProposalState::Queued => Self::Queued,
            ProposalState::Ready => Self::Ready,
            ProposalState::Executed => Self::Executed,
            ProposalState::Cancelled => Self::Cancelled,
            ProposalState::Expired => Self::Expired,
        }
    }
}

impl BallotState {
    /// Whether the vault takes votes.
    pub fn is_open(self) -> bool {
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
    /// Policy changes that the vault takes votes for, in the order of their ids; none if the server asks no node, for the keeper does not know them.
    changes: Vec<ChangeApproval>,
    /// From which block on policy changes were looked for, thirty days back at most; none if the server asks no node. Older ones are still looked for.
    changes_from: Option<u64>,
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

impl Approval {
    fn of(
        app: &App,
        batch: &BatchRow,
        votes: &[Vote],
        polled: Option<(&Ballots, &Ballot)>,
    ) -> Self {
        let decimals = app.rules.decimals;
        let subject = Subject::Batch(&batch.header);
        let shown = Shown::of(&app.identity.domain, subject, votes, polled);
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
            standing: shown.standing,
            typed_data: shown.typed_data,
            approve: shown.approve,
            signatures: shown.signatures,
            relay: shown.relay,
        }
    }
}

/// Shows what waits for signers
///
/// Batches that need approvals, as the keeper has sealed them, and policy changes, as the vault's log has them.
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
    let found = app.readers.ask(|reader| reader.proposals()).await?;
    let ids: Vec<BatchId> = found.iter().map(|batch| batch.id).collect();
    let votes = voted::votes(&app, ids.clone()).await?;
    let ballots = match &app.lookout {
        Some(lookout) => Some(lookout.ballots(ids).await?),
        None => None,
    };
    let each = found.iter().zip(&votes).enumerate();
    let each = each.map(|(place, (batch, votes))| {
        let polled = ballots.as_ref();
        let polled = polled.and_then(|all| Some((all, all.each.get(place)?)));
        Approval::of(&app, batch, votes, polled)
    });
    let items = each.collect();
    let (changes, changes_from) = changes::waiting(&app).await?;
    Ok(Json(ApprovalList {
        items,
        changes,
        changes_from,
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
    let (id, given) = brought(&text, request).await?;
    let found = app.readers.ask(move |reader| reader.proposals()).await?;
    let batch = found.into_iter().find(|batch| batch.id == id);
    let batch =
        batch.ok_or_else(|| Problem::missing(format!("batch {id}: it waits for no vote")))?;
    let lookout = port::there(app.lookout.as_ref())?;
    let ballots = lookout.ballots(vec![id]).await?;
    let subject = Subject::Batch(&batch.header);
    let (status, votes) = voted::keep(&app, id, given, subject, &ballots).await?;
    let polled = ballots.each.first().map(|ballot| (&ballots, ballot));
    let shown = Approval::of(&app, &batch, &votes, polled);
    Ok((status, Json(shown)).into_response())
}

/// What a vote is about, and the vote, as it was sent.
pub(crate) async fn brought(text: &str, request: Request) -> Result<(BatchId, Given), Problem> {
    let hash = text.parse::<B256>();
    let rule = "must be 0x and 64 hexadecimal digits";
    let id = BatchId(hash.map_err(|_| Problem::broken("id", text, rule))?);
    must_be_json(request.headers())?;
    let bytes = body::read(request, LONGEST).await?;
    let given = Given::read(fields::texts(&bytes, ["signer", "signature"])?)?;
    Ok((id, given))
}
