//! How connections come in: so many at a time, by TLS or from where plain HTTP is allowed, and each holds little and ends when nobody takes
//! what is written.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use crate::{
    figures::{Board, Kind, Open},
    origin::{Peer, Proxies},
    server::END,
    timed::Timed,
};

/// How long a request's head may take, and how long a connection may say nothing.
const HEAD: Duration = Duration::from_secs(30);
/// What a connection reads ahead, and what it has written and nobody has taken yet, here and once more in the system's own keeping: there may
/// be thousands. [bytes]
const AHEAD: u16 = u16::MAX;
/// Between two tries after a connection could not be accepted, as when files are short.
const PAUSE: Duration = Duration::from_millis(100);

/// How connections come in.
#[derive(Clone)]
pub(crate) struct Door {
    pub tls: Option<TlsAcceptor>,
    /// Who is answered without it.
    pub proxies: Proxies,
    pub router: Router,
    /// How long the other side may take nothing.
    pub write_timeout: Duration,
    pub board: Board,
}

/// A place among the connections, until whatever came of one has ended.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    _permit: Arc<OwnedSemaphorePermit>,
    _open: Arc<Open>,
}

impl Door {
    async fn open(self, stream: TcpStream, peer: IpAddr, turn: Turn, stop: watch::Receiver<bool>) {
        if let Err(error) = hold_little(&stream) {
            return debug!(%error, "a connection broke");
        }
        match &self.tls {
            Some(tls) => match timeout(HEAD, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream, peer, turn, stop).await,
                Ok(Err(error)) => debug!(%error, "no TLS"),
                Err(_) => debug!("no TLS in time"),
            },
            None if self.proxies.may_speak_plainly(peer) => {
                self.serve(stream, peer, turn, stop).await;
            }
            None => debug!(%peer, "no TLS, and no proxy: not answered"),
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        stream: S,
        peer: IpAddr,
        turn: Turn,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(usize::from(AHEAD));
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: hyper::Request<_>| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(turn.clone());
            router.call(request)
        });
        let stream = Timed::new(stream, self.write_timeout, self.board);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connection.with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = asked(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                match timeout(END, connection).await {
                    Ok(served) => served,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = served {
            debug!(%error, "a connection broke");
        }
    }
}

/// Has the system keep little of what is written and not sent: it would take megabytes for whoever reads nothing, of memory that no process is
/// seen to have.
fn hold_little(stream: &TcpStream) -> io::Result<()> {
    // What is written is whole; waiting for more to send with it only delays it.
    stream.set_nodelay(true)?;
    bound(&SockRef::from(stream))
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn bound(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(u32::from(AHEAD))
}

/// What is on its way counts here too.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn bound(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_send_buffer_size(usize::from(AHEAD))
}

/// Takes connections in, until the server is asked to end.
pub(crate) async fn accept(
    listener: TcpListener,
    door: Door,
    turns: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            let turn = Arc::clone(&turns).acquire_owned().await;
            (turn, listener.accept().await)
        };
        let (turn, accepted) = tokio::select! {
            next = next => next,
            () = asked(&mut stop) => return,
        };
        let Ok(permit) = turn else { return };
        let turn = Turn {
            _permit: Arc::new(permit),
            _open: Arc::new(door.board.open(Kind::Connection)),
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer.ip()),
            Err(error) => {
                debug!(%error, "no connection");
                sleep(PAUSE).await;
                continue;
            }
        };
        tokio::spawn(door.clone().open(stream, peer, turn, stop.clone()));
    }
}

/// Until the server is asked to end.
async fn asked(stop: &mut watch::Receiver<bool>) {
    // Whoever could ask is gone: that is as good as having asked.
    let _ = stop.wait_for(|asked| *asked).await;
}
