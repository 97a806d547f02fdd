//! Policy changes that wait for votes: what the vault logged of them, held to the ids that it gave them, and the votes that were given off chain.

mod shape;

use alloy_primitives::Bytes;
use axum::{
    Json,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use tidelock_core::domain::{BatchId, VaultDomain};
use tidelock_store::Vote;
use tracing::error;
use utoipa::ToSchema;

use crate::{
    App,
    access::MayRead,
    approvals::{Ballot, VoteRequest, brought},
    port::{self, Ballots},
    problem::Problem,
    voted::{self, Call, KeptVote, Shown, Standing, Subject},
};
pub use shape::Change;

/// A change as the vault logged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedChange {
    /// The digest of its struct.
    pub id: BatchId,
    /// Which struct it is, by the place in the vault's enumeration.
    pub kind: u8,
    /// The ABI encoding of that struct.
    pub change: Bytes,
}

/// A policy change that signers decide about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeApproval {
    /// Its id: the digest that the vault computes too.
    id: String,
    /// What it changes: `signers`, `tiers`, `recipients`, `role`, `guardians`, `unfreeze`, `successor`, `sweep` or `tighten`.
    kind: String,
    /// First second at which it can be executed no more.
    expires_at: u64,
    /// What the vault says of it.
    standing: Standing,
    /// The change as EIP-712 typed data, whose digest is its id: what it says stands in `message`.
    #[schema(value_type = Object)]
    typed_data: Value,
    /// A signer's own call.
    approve: Call,
    /// Votes that were given off chain, and are kept here until somebody brings them.
    signatures: Vec<KeptVote>,
    /// A call that brings those that do not count yet, for anybody to send; none if there are none.
    relay: Option<Call>,
}

impl ChangeApproval {
    fn of(
        app: &App,
        (logged, change): &Read,
        votes: &[Vote],
        polled: (&Ballots, &Ballot),
    ) -> Option<Self> {
        let subject = Subject::Change(change, logged);
        let shown = Shown::of(&app.identity.domain, subject, votes, Some(polled));
        Some(Self {
            id: logged.id.to_string(),
            kind: change.kind(),
            expires_at: change.expires_at(),
            standing: shown.standing?,
            typed_data: shown.typed_data,
            approve: shown.approve,
            signatures: shown.signatures,
            relay: shown.relay,
        })
    }
}

impl LoggedChange {
    /// What it says; nothing if its digest is not the id that the vault knows it by: somebody would sign what they do not see.
    pub fn read(&self, domain: &VaultDomain) -> Option<Change> {
        let change = Change::read(self.kind, &self.change);
        change.filter(|change| change.id(domain) == self.id.0)
    }
}

/// A change, with what it was read from.
type Read = (LoggedChange, Change);

/// Those that can be read. Of others whoever runs this server is told.
fn read(app: &App, logged: Vec<LoggedChange>) -> Vec<Read> {
    let each = logged.into_iter().filter_map(|logged| {
        let change = logged.read(&app.identity.domain);
        if change.is_none() {
            error!(id = %logged.id, kind = logged.kind, "a policy change is not what its id says");
        }
        Some((logged, change?))
    });
    each.collect()
}

/// Those that the vault takes votes for, and from which block on they were looked for.
pub(crate) async fn waiting(app: &App) -> Result<(Vec<ChangeApproval>, Option<u64>), Problem> {
    let Some(lookout) = &app.lookout else {
        return Ok((Vec::new(), None));
    };
    let (logged, from) = lookout.changes().await?;
    let found = read(app, logged);
    if found.is_empty() {
        return Ok((Vec::new(), Some(from)));
    }
    let ids: Vec<BatchId> = found.iter().map(|(logged, _)| logged.id).collect();
    let ballots = lookout.ballots(ids.clone()).await?;
    let votes = voted::votes(app, ids).await?;
    let each = found.iter().zip(&votes).zip(&ballots.each);
    let open = each.filter(|(_, ballot)| ballot.state.is_open());
    let shown = open.filter_map(|((read, votes), ballot)| {
        ChangeApproval::of(app, read, votes, (&ballots, ballot))
    });
    Ok((shown.collect(), Some(from)))
}

/// Keeps a signer's vote for a policy change
///
/// As for a batch: the vote is held to its signer, the signer set in force, and the change; it is kept, and given back with a call that brings it.
#[utoipa::path(post, path = "/v1/changes/{id}/signatures", operation_id = "addChangeSignature", tag = "approvals",
    params(("id" = String, Path, description = "The change's id")),
    request_body(content = VoteRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "Kept", body = ChangeApproval),
        (status = 200, description = "This signer's vote was kept before", body = ChangeApproval),
        (status = 404, description = "No such change waits, or no node is asked", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is no vote of this signer for this change", body = Problem, content_type = "application/problem+json"),
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
    let lookout = port::there(app.lookout.as_ref())?;
    let missing = || Problem::missing(format!("change {id}: it waits for no vote"));
    let (logged, _) = lookout.changes().await?;
    let logged = logged.into_iter().filter(|one| one.id == id).collect();
    let read = read(&app, logged).pop().ok_or_else(missing)?;
    let ballots = lookout.ballots(vec![id]).await?;
    let ballot = ballots.each.first().filter(|ballot| ballot.state.is_open());
    let ballot = ballot.ok_or_else(missing)?;
    let subject = Subject::Change(&read.1, &read.0);
    let (status, votes) = voted::keep(&app, id, given, subject, &ballots).await?;
    let shown = ChangeApproval::of(&app, &read, &votes, (&ballots, ballot));
    let shown = shown.ok_or_else(Problem::internal)?;
    Ok((status, Json(shown)).into_response())
}
