//! From a commit of the log to the event at each of many readers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tidelock_core::{
    event::Event,
    log::{Entry, LogHead},
    state::State,
    store::Store,
};
use tidelock_keeper::store::LogStore;
use tokio::{io::AsyncReadExt, net::TcpStream, sync::watch, task::JoinHandle, time::timeout};

use super::{
    client::{Client, find, get},
    made, on_thread, row,
    server::{Database, Place, no_chain},
    spread,
};

/// Between two commits.
const PACE: Duration = Duration::from_millis(50);
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
const ID: &[u8] = b"\nid: ";

/// Readers of a server's stream of events.
pub struct Readers {
    tasks: Vec<JoinHandle<Vec<(u64, Instant)>>>,
    until: watch::Sender<u64>,
    heard: Arc<AtomicU64>,
}

impl Readers {
    /// All of them have been answered.
    pub async fn open(address: &str, key: &str, count: u64) -> Self {
        let (until, last) = watch::channel(u64::MAX);
        let heard = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for _ in 0..count {
            let client = Client::open(address).await;
            let mut stream = client.send(&get("/v1/events/stream", key)).await;
            let mut head = Vec::new();
            while find(&head, b"\r\n\r\n").is_none() {
                assert!(stream.read_buf(&mut head).await.unwrap() > 0);
            }
            assert!(head.starts_with(b"HTTP/1.1 200"));
            tasks.push(tokio::spawn(read(stream, last.clone(), heard.clone())));
        }
        Self {
            tasks,
            until,
            heard,
        }
    }

    /// Closes them. Events that all of them heard, together.
    pub fn end(self) -> u64 {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.heard.load(Ordering::Relaxed)
    }

    /// What each heard and when, up to that event.
    pub async fn until(self, last: u64) -> Vec<Vec<(u64, Instant)>> {
        self.until.send(last).unwrap();
        let mut all = Vec::new();
        for task in self.tasks {
            all.push(
                timeout(PATIENCE, task)
                    .await
                    .expect("a reader waits")
                    .unwrap(),
            );
        }
        all
    }
}

/// Notes each event until the last one; the connection then ends.
async fn read(
    mut stream: TcpStream,
    mut until: watch::Receiver<u64>,
    count: Arc<AtomicU64>,
) -> Vec<(u64, Instant)> {
    let (mut text, mut heard) = (Vec::with_capacity(16_384), Vec::new());
    while heard.last().is_none_or(|(id, _)| *id < *until.borrow()) {
        let more = tokio::select! {
            more = stream.read_buf(&mut text) => more.unwrap(),
            _ = until.changed() => continue,
        };
        assert!(more > 0, "the stream ended");
        let now = Instant::now();
        while let Some(start) = find(&text, ID) {
            let rest = &text[start + ID.len()..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            let id = std::str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
            heard.push((id, now));
            count.fetch_add(1, Ordering::Relaxed);
            text.drain(..start + ID.len() + end);
        }
        // Nothing before the last few bytes can be the beginning of an id.
        if find(&text, ID).is_none() {
            text.drain(..text.len().saturating_sub(ID.len()));
        }
    }
    heard
}

pub async fn measure(readers: u64, commits: u64) {
    for database in Database::BOTH {
        let (identity, opening) = no_chain();
        let place = Place::new(database, &identity, "http://127.0.0.1:1", "");
        let mut state = State::open(opening);
        let first = Entry::after(LogHead::EMPTY, &Event::LogOpened(opening)).unwrap();
        let mut head = first.head();
        let location = place.location.clone();
        let changes = state.take_changes();
        let mut store = on_thread(move || {
            let mut store = LogStore::create(&location, identity).unwrap();
            store.commit(&[first], &changes).unwrap();
            store
        })
        .await;
        let (key, server) = (place.key(), place.serve());
        let open = Readers::open(&server.address, &key, readers).await;
        let committed = on_thread(move || {
            let mut committed = Vec::new();
            for number in 0..commits {
                std::thread::sleep(PACE);
                let block = made::block(state.finalised().number + 1 + number);
                let event = Event::FinalisedAdvanced { block };
                state.apply(&event).unwrap();
                let entry = Entry::after(head, &event).unwrap();
                head = entry.head();
                store.commit(&[entry], &state.take_changes()).unwrap();
                committed.push(Instant::now());
            }
            store.close().unwrap();
            committed
        })
        .await;
        let heard = open.until(commits + 1).await;
        let mut micros = Vec::new();
        for one in heard {
            let ids: Vec<u64> = one.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids, (2..=commits + 1).collect::<Vec<_>>(), "no gap");
            micros.extend(one.iter().zip(&committed).map(|((_, heard), committed)| {
                heard.saturating_duration_since(*committed).as_micros() as u64
            }));
        }
        let (middle, last) = spread(&micros);
        row(
            &format!(
                "commit to event at an SSE reader, {readers} readers, {}, p50, p99 [ms]",
                database.name()
            ),
            &format!("{middle:.1}, {last:.1}"),
            "p99 < 50",
        );
    }
}
