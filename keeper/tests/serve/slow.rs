//! Readers of events that take nothing: they are cut off, hold up nobody and little memory, and go on without a gap.

use std::time::{Duration, Instant};

use tidelock_core::{
    domain::PaymentRef,
    event::{Event, HoldReason},
    log::Entry,
    store::Store,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    api::{Api, PATIENCE, Stream, block_on},
    support::{self, Kind},
};

/// Readers that take nothing, of each kind.
const SLOW: usize = 20;
/// Entries, each about so many withdrawals: their events are much more than what systems keep for a connection.
const ENTRIES: u64 = 450;
const REQUESTS: u64 = 500;
/// What all slow readers together may take. [bytes]
const MOST: u64 = 48 << 20;

/// A connection that asks for the stream, and reads no more than the answer's first bytes.
async fn open(api: &Api, key: &str, path: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&api.address).await.unwrap();
    let asked = format!(
        "GET {path}?after=0 HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\n{more}\r\n"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    stream
}

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// All that still comes, until the other side is done with it.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut some) = (Vec::new(), vec![0; 65_536]);
    loop {
        match timeout(PATIENCE, stream.read(&mut some)).await {
            Err(_) => panic!("a reader that took nothing was not cut off"),
            Ok(Ok(0) | Err(_)) => return all,
            Ok(Ok(count)) => all.extend_from_slice(&some[..count]),
        }
    }
}

/// The last event that came as a whole.
fn last_whole(text: &str) -> u64 {
    let (whole, _) = text.rsplit_once("\n\n").expect("no event at all");
    let (_, last) = whole.rsplit_once("id: ").unwrap();
    last.lines().next().unwrap().parse().unwrap()
}

pub fn a_reader_that_takes_nothing_is_cut_off_and_goes_on_without_a_gap(kind: Kind) {
    let (mut api, mut store) = Api::set_up(kind, |location| support::filled(location, 1, 1).0);
    let mut history = support::resumed(&mut store);
    let accepted = history.accept(REQUESTS);
    let mut entries: Vec<Entry> = vec![history.apply(&accepted)];
    let refs = history.state.open_payments().map(|row| row.reference());
    let refs: Vec<PaymentRef> = refs.collect();
    for turn in 1..ENTRIES {
        let refs = refs.clone();
        let event = match turn % 2 {
            1 => Event::Held {
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
    store.close().unwrap();
    api.start();
    let key = api.key("read");
    block_on(async {
        let before = api.memory();
        let mut slow = Vec::new();
        for _ in 0..SLOW {
            slow.push(open(&api, &key, "/v1/events/stream", "").await);
            slow.push(open(&api, &key, "/v1/events/socket", UPGRADE).await);
        }
        let begin = Instant::now();
        // Whoever reads is not held up by them.
        let mut quick = Stream::open(api.url("/v1/events/stream?after=0"), &key, None).await;
        for expected in 1..=ENTRIES + 1 {
            assert_eq!(quick.next().await.unwrap().0, expected);
        }
        // They may be slow for ten seconds.
        while begin.elapsed() < Duration::from_secs(11) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            if let Some((now, before)) = api.memory().zip(before) {
                let more = now.saturating_sub(before) >> 20;
                assert!(more < MOST >> 20, "{more} MiB for those who take nothing");
            }
        }
        let text = rest(&mut slow[0]).await;
        for stream in &mut slow[1..] {
            rest(stream).await;
        }
        let last = last_whole(&String::from_utf8_lossy(&text));
        assert!(last < ENTRIES, "it was told all, so it was not slow");
        let url = api.url("/v1/events/stream");
        let mut again = Stream::open(url, &key, Some(last)).await;
        for expected in last + 1..=ENTRIES + 1 {
            assert_eq!(again.next().await.unwrap().0, expected);
        }
        // Streams that wait end with their key.
        let id = key.split('_').nth(1).unwrap();
        let ended = api.command().args(["api-key", "end", id]).output().unwrap();
        assert!(ended.status.success());
        assert!(quick.next().await.is_none() && again.next().await.is_none());
    });
    api.ask_to_end();
    assert!(api.ended().success(), "{}", api.log());
}
