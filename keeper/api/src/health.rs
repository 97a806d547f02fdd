//! Whether it lives and is ready, and what it is: pages that need no key and say nothing of payments.

use std::time::Instant;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, problem::Problem};

/// Whether it lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
}

/// Whether requests can be taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// All that is needed is there.
    ready: bool,
    /// Whether the store can be read.
    store: bool,
    /// Whether a keeper's log was opened in it.
    log: bool,
    /// Whether a keeper writes it now. Requests are taken in without one, and paid when one runs.
    keeper: bool,
}

/// Says whether it lives
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "operation",
    responses((status = 200, description = "It lives", body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Says whether requests can be taken in
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "operation",
    responses(
        (status = 200, description = "It is ready", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    // Whoever has no key must not keep the store busy.
    if !app.rates.take(None, Instant::now()) {
        return Problem::too_often().into_response();
    }
    let location = app.location.clone();
    let asked = app.readers.ask(move |reader| {
        let has_log = reader.end()? > 0;
        Ok((has_log, location.is_written()))
    });
    let found = asked.await.ok();
    let (log, keeper) = found.unwrap_or_default();
    let ready = found.is_some() && !*app.stop.borrow();
    let readiness = Readiness {
        ready,
        store: found.is_some(),
        log,
        keeper,
    };
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

/// The document of this API
#[utoipa::path(get, path = "/openapi.json", operation_id = "getDocument", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(crate) async fn document(State(app): State<App>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], app.document.clone()).into_response()
}
