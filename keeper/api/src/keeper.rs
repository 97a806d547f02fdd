//! `/v1/keeper`: what a running keeper says of itself, to those who may act on it.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, access::MayLook, problem::Problem};

/// A running keeper's own pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeeperPages {
    /// Whether it pays what can be paid.
    pub ready: bool,
    /// What keeps it from it: of each component its name and why, as `/readyz` says it.
    #[schema(example = json!(["mode: halted: an operator halted it"]))]
    pub unready: Vec<String>,
    /// Its figures as `/metrics` has them, in Prometheus's text format; empty if nobody answers.
    pub figures: String,
}

/// Shows the keeper's health and figures
///
/// From the pages that it serves at `operations.listen`, asked once a second at most. They hold no secret.
#[utoipa::path(get, path = "/v1/keeper", operation_id = "getKeeper", tag = "acts",
    responses(
        (status = 200, description = "What the keeper says, or that it says nothing", body = KeeperPages),
        (status = 404, description = "This server was not told where the keeper's pages are", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["operate"]), ("key" = ["audit"]), ("key" = ["administer"])))]
pub(crate) async fn show(_: MayLook, State(app): State<App>) -> Result<Json<KeeperPages>, Problem> {
    let pages = app.pages.as_ref().ok_or_else(|| {
        Problem::missing("the keeper has no pages: whoever runs it sets operations.listen")
    })?;
    Ok(Json(pages.look().await))
}
