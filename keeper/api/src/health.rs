//! Whether it lives and is ready, and what it is: pages that need no key and say nothing of payments.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// Whoever asks more often is answered the same again: it takes no key, and must not keep the store busy.
const FRESH: Duration = Duration::from_secs(1);

/// Whether it lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`
    status: &'static str,
}

/// Whether requests can be taken in.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
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
    ))]
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let mut last = app.readiness.lock().await;
    let readiness = match *last {
        Some((at, readiness)) if at.elapsed() < FRESH => readiness,
        _ => {
            let readiness = look(&app).await;
            *last = Some((Instant::now(), readiness));
            readiness
        }
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

async fn look(app: &App) -> Readiness {
    let location = app.location.clone();
    let asked = app.readers.ask(move |reader| {
        let has_log = reader.end()? > 0;
        Ok((has_log, location.is_written()))
    });
    let found = asked.await.ok();
    let (log, keeper) = found.unwrap_or_default();
    Readiness {
        ready: found.is_some() && !*app.stop.borrow(),
        store: found.is_some(),
        log,
        keeper,
    }
}

/// The document of this API
#[utoipa::path(get, path = "/openapi.json", operation_id = "getDocument", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(crate) async fn document(State(app): State<App>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], app.document.clone()).into_response()
}
