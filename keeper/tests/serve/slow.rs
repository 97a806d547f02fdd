//! Readers of events that take nothing: they are cut off, hold up nobody and little memory, and go on without a gap.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::Value;
use tidelock_core::{
    domain::PaymentRef,
    event::{Event, HoldReason},
    log::Entry,
    store::Store,
};
use tidelock_keeper::store::{Location, LogStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{
    api::{Api, PATIENCE, Stream, block_on},
    support::{self, Kind},
};

/// Readers that take nothing, of each of the two kinds.
const SLOW: u64 = 20;
/// Entries, each about so many withdrawals: 1.4 MB of events, far more than server and system keep for a connection.
const ENTRIES: u64 = 100;
const REQUESTS: u64 = 200;
/// What a reader asks its system to keep for it, so that it soon takes nothing. [bytes]
const KEPT: u32 = 4_096;
/// What the server's system and the reader's may have for it once it is cut off, where Linux would take megabytes. [bytes]
const HELD: usize = 384 << 10;
/// What the server may take for forty that take nothing: less than all events for each of them. [bytes]
const MOST: u64 = 32 << 20;

/// A log of long events.
fn long(location: &Location) -> LogStore {
    let (mut store, _) = support::filled(location, 1, 1);
    let mut history = support::resumed(&mut store);
    let accepted = history.accept(REQUESTS);
    let mut entries: Vec<Entry> = vec![history.apply(&accepted)];
    let refs: Vec<PaymentRef> = (history.state.open_payments())
        .map(|row| row.reference())
        .collect();
    for turn in 2..ENTRIES {
        let refs = refs.clone();
        let event = match turn % 2 {
            0 => Event::Held {
                refs,
                reason: HoldReason::AboveLimit,
            },
            _ => Event::Released { refs },
        };
        entries.push(history.apply(&event));
    }
    store
        .commit(&entries, &history.state.take_changes())
        .unwrap();
    store
}

/// A connection whose own system keeps little.
async fn connected(api: &Api) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(KEPT).unwrap();
    socket.connect(api.address.parse().unwrap()).await.unwrap()
}

/// Asks for the stream, and reads no more than the answer's first bytes.
async fn stream(api: &Api, key: &str) -> TcpStream {
    let mut stream = connected(api).await;
    let asked = format!(
        "GET /v1/events/stream?after=0 HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stream
}

type Socket = WebSocketStream<TcpStream>;

/// Opens a socket, and reads no message of it.
async fn socket(api: &Api, key: &str, after: u64) -> Socket {
    let url = format!("ws://{}/v1/events/socket?after={after}", api.address);
    let mut request = url.into_client_request().unwrap();
    let bearer = format!("Bearer {key}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let stream = connected(api).await;
    client_async(request, stream).await.unwrap().0
}

/// Everything that is left of a stream: the last event that is whole, and how many bytes there were.
async fn rest(mut stream: TcpStream) -> (u64, usize) {
    let (mut all, mut some) = (Vec::new(), vec![0; 65_536]);
    let read = async {
        // Cut off it ends, with or without a word.
        while let Ok(count @ 1..) = stream.read(&mut some).await {
            all.extend_from_slice(&some[..count]);
        }
    };
    timeout(PATIENCE, read).await.expect("it was not cut off");
    let text = String::from_utf8_lossy(&all);
    let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    let last = whole.rsplit_once("id: ");
    let last = last.map_or(0, |(_, last)| last.lines().next().unwrap().parse().unwrap());
    (last, all.len())
}

/// The same of a socket.
async fn left(mut socket: Socket) -> (u64, usize) {
    let (mut last, mut bytes) = (0, 0);
    let read = async {
        while let Some(Ok(message)) = socket.next().await {
            bytes += message.len();
            if let Message::Text(text) = message {
                last = sequence(&text);
            }
        }
    };
    timeout(PATIENCE, read).await.expect("it was not cut off");
    (last, bytes)
}

fn sequence(text: &str) -> u64 {
    let event: Value = serde_json::from_str(text).unwrap();
    event["sequence"].as_str().unwrap().parse().unwrap()
}

const STALLED: &str = "tidelock_serve_cut_off_total{why=\"stalled\"}";
const STREAMS: &str = "tidelock_serve_streams{kind=\"sse\"}";
const SOCKETS: &str = "tidelock_serve_streams{kind=\"websocket\"}";
const CONNECTIONS: &str = "tidelock_serve_connections";

async fn until(api: &Api, wanted: &[(&str, u64)]) {
    let begin = Instant::now();
    loop {
        let figures = api.figures().await;
        // Somebody else may stand still too.
        let is_so = |(name, value): &(&str, u64)| match figures.get(*name) {
            Some(found) if *name == STALLED => found >= value,
            found => found == Some(value),
        };
        if wanted.iter().all(is_so) {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{wanted:?}: {figures:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The next of a stream, up to the last entry.
async fn all_from(stream: &mut Stream, first: u64) {
    for expected in first..=ENTRIES {
        assert_eq!(stream.next().await.expect("it ended").0, expected);
    }
}

pub fn a_reader_that_takes_nothing_is_cut_off_and_goes_on_without_a_gap(kind: Kind) {
    let (mut api, store) = Api::set_up(kind, long);
    store.close().unwrap();
    api.variables = vec![
        ("KEEPER_SERVE__WRITE_TIMEOUT_MS", "10000".to_owned()),
        ("KEEPER_SERVE__METRICS_LISTEN", "127.0.0.1:0".to_owned()),
    ];
    api.start();
    let key = api.key("read");
    block_on(async {
        let (mut streams, mut sockets) = (Vec::new(), Vec::new());
        // What it takes to read at all is there before.
        api.get(&key, "/v1/events?limit=30").await.of(200);
        let before = api.memory().unwrap_or(0);
        for _ in 0..SLOW {
            streams.push(stream(&api, &key).await);
            sockets.push(socket(&api, &key, 0).await);
        }
        // Whoever reads is not held up by them.
        let url = api.url("/v1/events/stream");
        let mut quick = Stream::open(format!("{url}?after=0"), &key, None).await;
        all_from(&mut quick, 1).await;
        // Nobody reads on until all are cut off.
        until(&api, &[(STALLED, 2 * SLOW), (STREAMS, 1), (SOCKETS, 0)]).await;
        let more = api.most_memory().unwrap_or(0).saturating_sub(before);
        assert!(more < MOST, "{} MiB", more >> 20);
        let (mut after, mut after_socket) = (0, 0);
        for (stream, socket) in streams.into_iter().zip(sockets) {
            let (last, bytes) = rest(stream).await;
            assert!(
                (1..ENTRIES).contains(&last) && bytes < HELD,
                "{last} {bytes}"
            );
            let (last_message, bytes) = left(socket).await;
            assert!(
                last_message < ENTRIES && bytes < HELD,
                "{last_message} {bytes}"
            );
            (after, after_socket) = (last, last_message);
        }
        let mut again = Stream::open(url, &key, Some(after)).await;
        all_from(&mut again, after + 1).await;
        let mut socket = socket(&api, &key, after_socket).await;
        for expected in after_socket + 1..=ENTRIES {
            let message = timeout(PATIENCE, socket.next()).await.unwrap().unwrap();
            assert_eq!(sequence(message.unwrap().to_text().unwrap()), expected);
        }
        // Streams that wait end with their key, and are connections until then.
        until(&api, &[(STREAMS, 2), (SOCKETS, 1), (CONNECTIONS, 3)]).await;
        let id = key.split('_').nth(1).unwrap();
        let ended = api.command().args(["api-key", "end", id]).output().unwrap();
        assert!(ended.status.success());
        assert!(quick.next().await.is_none() && again.next().await.is_none());
        assert_eq!(left(socket).await, (0, 0));
        until(&api, &[(STREAMS, 0), (SOCKETS, 0), (CONNECTIONS, 0)]).await;
    });
}

pub fn streams_end_when_the_server_does_also_those_that_nobody_reads(kind: Kind) {
    let (mut api, store) = Api::set_up(kind, long);
    store.close().unwrap();
    api.start();
    let key = api.key("read");
    block_on(async {
        let slow = (stream(&api, &key).await, socket(&api, &key, 0).await);
        let url = api.url("/v1/events/stream");
        let mut waits = Stream::open(format!("{url}?after=0"), &key, None).await;
        all_from(&mut waits, 1).await;
        api.ask_to_end();
        assert!(waits.next().await.is_none());
        let ended = tokio::task::spawn_blocking(move || (api.ended(), api.log()));
        let (status, log) = ended.await.unwrap();
        assert!(status.success(), "{log}");
        // What was written is all that there is.
        assert!(rest(slow.0).await.0 < ENTRIES);
        assert!(left(slow.1).await.0 < ENTRIES);
    });
}
