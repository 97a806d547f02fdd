//! Withdrawals filed over HTTP, each durable before it is answered, by connections that ask again as soon as they are answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::{hex, primitives::keccak256};
use tidelock_keeper::store::{LogStore, Reader};

use super::{
    client::{Client, post},
    on_thread, plain, row,
    server::{Database, Place, no_chain},
    spread,
};

const CONNECTIONS: u64 = 64;

/// What came of asking for some time.
pub struct Load {
    pub answered: u64,
    pub seconds: f64,
    pub micros: Vec<u64>,
}

impl Load {
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.seconds
    }
}

/// Asks one of the server for so long; every answer has that status.
pub async fn load(
    address: &str,
    connections: u64,
    seconds: u64,
    status: u16,
    request: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> Load {
    let request = Arc::new(request);
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..connections)
        .map(|connection| {
            let (address, request) = (address.to_owned(), request.clone());
            tokio::spawn(async move {
                let mut client = Client::open(&address).await;
                let mut micros = Vec::new();
                for turn in 0.. {
                    let asked = request(turn * connections + connection);
                    let begin = Instant::now();
                    if begin >= end {
                        break;
                    }
                    assert_eq!(client.ask(&asked).await, status);
                    micros.push(begin.elapsed().as_micros() as u64);
                }
                micros
            })
        })
        .collect();
    let mut micros = Vec::new();
    for task in tasks {
        micros.extend(task.await.unwrap());
    }
    Load {
        answered: micros.len() as u64,
        seconds: begin.elapsed().as_secs_f64(),
        micros,
    }
}

/// Refs at random, as most wallets have them.
fn request(index: u64, key: &str) -> Vec<u8> {
    let hash = keccak256(index.to_be_bytes());
    let (reference, recipient) = (hex::encode(&hash[..16]), hex::encode(&hash[12..]));
    let body = format!(r#"{{"ref":"{reference}","to":"0x{recipient}","amount":"12.5"}}"#);
    post("/v1/withdrawals", key, &body)
}

pub async fn measure(seconds: u64) {
    for (database, target) in [(Database::Sqlite, 5_000), (Database::Postgres, 3_000)] {
        let ours = ours(database, seconds).await;
        let plain = {
            let (_folder, server) = plain::start(database);
            load(&server.address, CONNECTIONS, seconds, 201, |index| {
                request(index, "none")
            })
            .await
        };
        let name = database.name();
        row(
            &format!("POST /v1/withdrawals, durable, {CONNECTIONS} connections, {name} [1/s]"),
            &format!("{:.0}", ours.per_second()),
            &format!(">= {target}"),
        );
        let (middle, last) = spread(&ours.micros);
        row(
            "  p50, p99 [ms]",
            &format!("{middle:.1}, {last:.1}"),
            "p99 < 50",
        );
        row(
            "  a plain handler of axum and sqlx, one INSERT each [1/s]",
            &format!("{:.0}", plain.per_second()),
            "",
        );
        let (middle, last) = spread(&plain.micros);
        row("  p50, p99 [ms]", &format!("{middle:.1}, {last:.1}"), "");
        row(
            "  ours / plain",
            &format!("{:.1}", ours.per_second() / plain.per_second()),
            ">= 3",
        );
    }
}

async fn ours(database: Database, seconds: u64) -> Load {
    let (identity, _) = no_chain();
    let place = Place::new(database, &identity, "http://127.0.0.1:1", "");
    let location = place.location.clone();
    on_thread(move || {
        let store = LogStore::create(&location, identity).unwrap();
        store.close().unwrap();
    })
    .await;
    let (key, server) = (place.key(), place.serve());
    let asked = load(&server.address, CONNECTIONS, seconds, 201, move |index| {
        request(index, &key)
    })
    .await;
    // What was answered is there, and nothing else.
    let location = place.location.clone();
    let waiting = on_thread(move || Reader::open(&location).unwrap().overview().unwrap().waiting);
    assert_eq!(waiting.await, asked.answered);
    asked
}
