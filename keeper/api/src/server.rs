//! The server: what its answers share, how long each may take, and that nothing that goes wrong is an answer without words.

use std::{
    io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, thread::JoinHandle, time::Duration,
};

use axum::{
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tokio::{
    net::TcpListener,
    sync::{Mutex, Semaphore, watch},
    time::{interval, timeout},
};
use tracing::{debug, error};

use crate::{
    Settings, Shared,
    access::Keys,
    body::Rules,
    door::{Door, accept},
    figures::Board,
    intake::Intake,
    keys::KeyFile,
    openapi,
    origin::Proxies,
    problem::{PROBLEM_JSON, Problem},
    rate::Rates,
    readers::Readers,
    sign_in,
    tail::Tail,
    tls::Certificate,
    write::WRITERS,
};

/// How long an answer may take, the request's body included.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long what is under way may take once the server is asked to end.
pub(crate) const END: Duration = Duration::from_secs(10);
/// Between two times that last uses of keys are written.
const USES: Duration = Duration::from_secs(30);

/// A server at work.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is doing.
    pub board: Board,
    stop: watch::Sender<bool>,
    accepts: tokio::task::JoinHandle<()>,
    keeps: tokio::task::JoinHandle<()>,
    turns: Arc<Semaphore>,
    connections: u32,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Begins to serve. Must be called on a runtime.
pub async fn start(listen: SocketAddr, settings: Settings) -> io::Result<Serving> {
    let tls = settings.tls.map(Certificate::acceptor).transpose()?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let (router, document) = openapi::routes();
    let document = document.to_json().map_err(io::Error::from)?;
    let (intake, filing) = Intake::start(settings.store.clone())?;
    let (tail, following) = Tail::start(settings.store.clone())?;
    let (stop, stopped) = watch::channel(false);
    let domain = settings.identity.domain;
    let readers = Readers::start(&settings.store)?;
    let door = |settings| sign_in::Door::new(settings, readers.clone());
    let sign_in = settings.sign_in.map(door).transpose()?;
    let shared = Arc::new(Shared {
        rules: Rules {
            decimals: settings.identity.decimals,
            vault: domain.vault,
            token: settings.identity.token,
        },
        identity: settings.identity,
        lookout: settings.lookout,
        pages: settings.pages,
        writers: Semaphore::new(WRITERS),
        sheets: Arc::new(Semaphore::new(crate::xlsx::AT_A_TIME)),
        keys: Keys::new(KeyFile::new(&settings.keys)),
        proxies: Proxies(settings.proxies),
        sign_in: sign_in.map(Arc::new),
        rates: Rates::new(settings.requests_per_second),
        readers,
        location: settings.store,
        intake,
        tail,
        stop: stopped.clone(),
        // Streams last; the others must find room beside them.
        streams: Arc::new(Semaphore::new(
            settings.connections.div_euclid(4).saturating_mul(3),
        )),
        document: document.into(),
        board: Board::default(),
        readiness: Mutex::default(),
    });
    let router = router
        .merge(crate::console::routes())
        .fallback(async || Problem::of_status(StatusCode::NOT_FOUND))
        .layer(from_fn(guard))
        .with_state(Arc::clone(&shared));
    let turns = Arc::new(Semaphore::new(settings.connections));
    let door = Door {
        tls,
        proxies: shared.proxies.clone(),
        router,
        write_timeout: settings.write_timeout,
        board: shared.board.clone(),
    };
    let accepts = tokio::spawn(accept(listener, door, Arc::clone(&turns), stopped));
    let keeps = tokio::spawn(keep_uses(Arc::clone(&shared)));
    Ok(Serving {
        address,
        board: shared.board.clone(),
        stop,
        accepts,
        keeps,
        turns,
        connections: u32::try_from(settings.connections).unwrap_or(u32::MAX),
        shared,
        threads: vec![filing, following],
    })
}

impl Serving {
    /// Takes no more connections, ends streams, answers what was asked, and files what was posted.
    pub async fn end(self) {
        let Self {
            stop,
            accepts,
            keeps,
            turns,
            connections,
            shared,
            threads,
            ..
        } = self;
        keeps.abort();
        // Nobody may be listening any more.
        let _ = stop.send(true);
        let _ = accepts.await;
        let all_ended = turns.acquire_many(connections);
        if timeout(END, all_ended).await.is_err() {
            debug!("some connections did not end in time");
        }
        shared.tail.end();
        let joined = tokio::task::spawn_blocking(move || {
            if let Err(cause) = shared.keys.keep_uses() {
                debug!(%cause, "when keys were last used is not kept");
            }
            drop(shared);
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = timeout(END, joined).await;
    }
}

/// Writes now and then when keys were last used.
async fn keep_uses(shared: Arc<Shared>) {
    let mut each = interval(USES);
    loop {
        each.tick().await;
        let shared = Arc::clone(&shared);
        let kept = tokio::task::spawn_blocking(move || shared.keys.keep_uses()).await;
        if let Ok(Err(cause)) = kept {
            error!(%cause, "when keys were last used is not kept");
        }
    }
}

/// Every answer comes in time, and every refusal has words, whoever refuses.
async fn guard(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match timeout(PATIENCE, answer).await {
        Ok(Ok(response)) => in_words(response),
        Ok(Err(_)) => {
            error!("an answer broke off");
            Problem::internal().into_response()
        }
        Err(_) => Problem::too_slow().into_response(),
    };
    let headers = response.headers_mut();
    let safe = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in safe {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The library's own refusals are plain text, or nothing.
fn in_words(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| kind == PROBLEM_JSON || kind == "application/json");
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allowed = response.headers().get(ALLOW).cloned();
    let mut problem = Problem::of_status(status).into_response();
    if let Some(allowed) = allowed {
        problem.headers_mut().insert(ALLOW, allowed);
    }
    problem
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        routing::get,
    };
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use tokio::time::sleep;

    use super::*;

    /// What a route comes to behind the guard: its status, and the problem.
    async fn answer(route: axum::routing::MethodRouter) -> (u16, serde_json::Value) {
        let router = Router::new().route("/", route).layer(from_fn(guard));
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        let response = TowerToHyperService::new(router)
            .call(request)
            .await
            .unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_a_refusal_in_words() {
        let slow = get(async || sleep(PATIENCE * 2).await);
        let (status, problem) = answer(slow).await;
        assert_eq!((status, &problem["status"]), (408, &408.into()));
        assert_eq!(problem["type"], "urn:tidelock:problem:too-slow");
    }

    #[tokio::test]
    async fn what_breaks_off_is_a_refusal_that_tells_no_secret() {
        async fn breaks() {
            panic!("a secret");
        }
        let (status, problem) = answer(get(breaks)).await;
        assert_eq!(status, 500);
        assert_eq!(problem["type"], "urn:tidelock:problem:internal");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
}
