//! Three pages over HTTP/1.1. No secret is on them, and nothing can be changed; who may ask is for the network to say.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tracing::debug;

use super::{
    metrics,
    pulse::Pulse,
    ready,
    snapshot::{Limits, Snapshot, Source},
};
use crate::store::Location;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 16;
/// How long a connection may take, question and answer; whoever asks more than once within that time may.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a question's head may take.
const HEAD: Duration = Duration::from_secs(5);
/// Between two tries after a connection could not be accepted, as when files are short.
const PAUSE: Duration = Duration::from_millis(100);

/// Ends when dropped.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to serve. Must be called on a runtime.
pub async fn start(
    address: SocketAddr,
    pulse: Pulse,
    limits: Limits,
    store: Location,
) -> io::Result<Serving> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let asked = Asked {
        source: Arc::new(Mutex::new(Source::new(pulse.clone(), limits, store))),
        pulse,
    };
    let task = tokio::spawn(serve(listener, asked));
    Ok(Serving { address, task })
}

async fn serve(listener: TcpListener, asked: Asked) {
    let turns = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "no connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let asked = asked.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(asked.clone(), request));
            let mut connection = http1::Builder::new();
            connection
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD);
            let served = connection.serve_connection(TokioIo::new(stream), service);
            if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, served).await {
                debug!(%error, "a connection broke");
            }
            drop(turn);
        });
    }
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

const PLAIN: &str = "text/plain; charset=utf-8";

async fn answer(
    asked: Asked,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n"));
    }
    Ok(match request.uri().path() {
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
        "/metrics" => match asked.snapshot().await.map(metrics::text) {
            Some(Ok((text, kind))) => page(StatusCode::OK, kind, text),
            _ => broken(),
        },
        _ => page(
            StatusCode::NOT_FOUND,
            PLAIN,
            "/healthz, /readyz, /metrics\n",
        ),
    })
}

fn broken() -> Response<Full<Bytes>> {
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        PLAIN,
        "the answer broke off\n",
    )
}

fn page(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
