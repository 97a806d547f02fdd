//! The pages of a running keeper.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
};

use hyper::{Method, Request, StatusCode, body::Incoming};

use super::{
    metrics::{self, METRICS},
    pages::{PLAIN, Page, Serving, listen_on, page},
    pulse::Pulse,
    ready,
    snapshot::{Limits, Snapshot, Source},
};
use crate::store::Location;

/// Begins to serve. Must be called on a runtime.
pub fn start(
    listener: TcpListener,
    pulse: Pulse,
    limits: Limits,
    store: Location,
) -> io::Result<Serving> {
    let asked = Asked {
        source: Arc::new(Mutex::new(Source::new(pulse.clone(), limits, store))),
        pulse,
    };
    listen_on(listener, move |request| answer(asked.clone(), request))
}

/// What answers come from.
#[derive(Clone)]
struct Asked {
    pulse: Pulse,
    source: Arc<Mutex<Source>>,
}

impl Asked {
    /// The store is read on a thread that may wait.
    async fn snapshot(self) -> Option<Snapshot> {
        let read = move || {
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            source.snapshot()
        };
        tokio::task::spawn_blocking(read).await.ok()
    }
}

async fn answer(asked: Asked, request: Request<Incoming>) -> Page {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n");
    }
    match request.uri().path() {
        "/healthz" => match ready::ill(&asked.pulse.said()) {
            None => page(StatusCode::OK, PLAIN, "ok\n"),
            Some(why) => page(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{why}\n")),
        },
        "/readyz" => match asked.snapshot().await.as_ref().map(ready::unready) {
            Some(unready) if unready.is_empty() => page(StatusCode::OK, PLAIN, "ready\n"),
            Some(unready) => {
                let lines: String = unready.iter().map(|why| format!("{why}\n")).collect();
                page(StatusCode::SERVICE_UNAVAILABLE, PLAIN, lines)
            }
            None => broken(),
        },
        "/metrics" => match asked
            .snapshot()
            .await
            .map(|snapshot| metrics::text(METRICS, snapshot))
        {
            Some(Ok((text, kind))) => page(StatusCode::OK, kind, text),
            _ => broken(),
        },
        _ => page(
            StatusCode::NOT_FOUND,
            PLAIN,
            "/healthz, /readyz, /metrics\n",
        ),
    }
}

fn broken() -> Page {
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        PLAIN,
        "the answer broke off\n",
    )
}
