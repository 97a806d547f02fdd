//! `/v1/log`: the keeper's log as it is, for whoever holds it to its hashes.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Serialize;
use tidelock_store::RawEntry;
use utoipa::ToSchema;

use crate::{App, access::MayAudit, acts::ActParameters, problem::Problem, query};

/// An entry of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogEntry {
    /// Its number, from 1.
    seq: u64,
    /// What happened, in a word.
    kind: String,
    /// The entry as it is hashed.
    body: String,
    /// The hash of the entry before.
    prev: String,
    /// Its hash.
    hash: String,
}

/// A part of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogPage {
    /// In order, without gaps.
    items: Vec<LogEntry>,
    /// What to give as `after` next.
    next: u64,
}

impl From<RawEntry> for LogEntry {
    fn from(entry: RawEntry) -> Self {
        Self {
            seq: entry.seq,
            kind: entry.kind,
            body: entry.body,
            prev: entry.prev.to_string(),
            hash: entry.hash.to_string(),
        }
    }
}

/// Shows the log as it is
///
/// With signed transactions in full, and each entry's hash; `keeper verify-log` holds them to it.
#[utoipa::path(get, path = "/v1/log", operation_id = "readLog", tag = "acts",
    params(ActParameters),
    responses(
        (status = 200, description = "Entries after one", body = LogPage),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["audit"])))]
pub(crate) async fn log(
    _: MayAudit,
    State(app): State<App>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Json<LogPage>, Problem> {
    let (after, limit) = query::page(&given)?;
    let asked = app
        .readers
        .ask(move |reader| reader.raw_after(after, limit));
    let entries = asked.await?;
    let next = entries.last().map_or(after, |last| last.seq);
    let items = entries.into_iter().map(LogEntry::from).collect();
    Ok(Json(LogPage { items, next }))
}
