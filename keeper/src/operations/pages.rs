//! Pages for other programs over HTTP/1.1. No secret is on them, and nothing can be changed; who may ask is for the network to say.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tracing::debug;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 16;
/// How long a connection may take, question and answer; whoever asks more than once within that time may.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a question's head may take.
const HEAD: Duration = Duration::from_secs(5);
/// Between two tries after a connection could not be accepted, as when files are short.
const PAUSE: Duration = Duration::from_millis(100);

/// What a page of words is.
pub const PLAIN: &str = "text/plain; charset=utf-8";

/// A page.
pub type Page = Response<Full<Bytes>>;

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

/// Begins to serve what `answer` says. Must be called on a runtime.
#[cfg(feature = "service")]
pub async fn listen<A, F>(address: SocketAddr, answer: A) -> io::Result<Serving>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Page> + Send + 'static,
{
    listen_on(std::net::TcpListener::bind(address)?, answer)
}

/// The same where somebody listens already. Must be called on a runtime.
pub fn listen_on<A, F>(listener: std::net::TcpListener, answer: A) -> io::Result<Serving>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Page> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(serve(listener, answer));
    Ok(Serving { address, task })
}

async fn serve<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Page> + Send + 'static,
{
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
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
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

/// A page of that kind.
pub fn page(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Page {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `/healthz` and `/metrics`, of a process that has no more pages.
#[cfg(feature = "service")]
pub fn figures(
    method: &hyper::Method,
    path: &str,
    text: impl FnOnce() -> Result<(String, &'static str), std::fmt::Error>,
) -> Page {
    if !matches!(*method, hyper::Method::GET | hyper::Method::HEAD) {
        return page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n");
    }
    match path {
        "/healthz" => page(StatusCode::OK, PLAIN, "ok\n"),
        "/metrics" => match text() {
            Ok((text, kind)) => page(StatusCode::OK, kind, text),
            Err(_) => page(
                StatusCode::INTERNAL_SERVER_ERROR,
                PLAIN,
                "the answer broke off\n",
            ),
        },
        _ => page(StatusCode::NOT_FOUND, PLAIN, "/healthz, /metrics\n"),
    }
}
