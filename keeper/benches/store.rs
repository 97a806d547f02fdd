//! How fast the store is on this machine, in a folder of one's choice:
//! `cargo bench -p tidelock-keeper --bench store -- [entries] [folder]`.
//!
//! Measures what a forced write costs, entries committed a second (JSON, chained hashes, the fold and its rows included, each
//! commit forced to disk), a cold start of the log that results, and its verification; and the same entries on a PostgreSQL server
//! that it starts in the same folder's file system.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a measurement, not a part of the keeper: what goes wrong here may stop it"
)]

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "shared with another measurement"
)]
mod made;
#[path = "../tests/support/postgres.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::pedantic,
    reason = "shared with tests"
)]
mod postgres;

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use made::{Log, block};
use tidelock_core::{
    domain::{ChainId, VaultDomain},
    event::{Namespace, Opening},
    store::Store,
};
use tidelock_keeper::store::{Identity, Location, LogStore, Reader, Server};

/// Enough to tell a rate.
const MOST_ON_POSTGRES: u64 = 200_000;
/// Payments that are open at the cold start.
const OPEN: u64 = 10_000;

fn main() {
    // cargo adds --bench
    let mut arguments = std::env::args().skip(1).filter(|text| text != "--bench");
    let entries: u64 = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .unwrap();
    let forced = forced_write(folder.path());
    let path = folder.path().join("keeper.db");
    let domain = VaultDomain {
        chain_id: ChainId(1),
        vault: Address::repeat_byte(1),
    };
    let identity = Identity {
        domain,
        token: Address::repeat_byte(2),
        decimals: 6,
    };
    let mut store = LogStore::create(&path, identity).unwrap();
    let mut log = opened(domain);
    let (rate, commits) = fill(&mut store, &mut log, entries);
    log.wait(OPEN);
    log.commit(&mut store);
    store.close().unwrap();

    println!(
        "Store: {} entries in {commits} commits, each forced to disk\n",
        log.head.seq
    );
    row(
        "one forced write of 4 KiB",
        format!("{} us", forced.as_micros()),
        "",
    );
    row("durable entries per second", rate.to_string(), ">= 20000");
    let bytes = std::fs::metadata(&path).unwrap().len();
    row("database [MiB]", (bytes >> 20).to_string(), "");
    cold_start(&path);
    verification(&path);
    on_postgres(&path, identity, entries.min(MOST_ON_POSTGRES));
}

fn opened(domain: VaultDomain) -> Log {
    let opening = Opening {
        domain,
        keeper: Address::repeat_byte(3),
        first_nonce: 0,
        namespace: Namespace::new(1).unwrap(),
        start: block(1),
    };
    Log::open(opening, true)
}

/// Entries a second, and the commits they were in.
fn fill(store: &mut LogStore, log: &mut Log, entries: u64) -> (u128, u32) {
    let start = Instant::now();
    let mut commits = 0_u32;
    while log.head.seq < entries {
        log.round();
        log.commit(store);
        commits += 1;
    }
    let taken = start.elapsed().as_micros();
    (u128::from(log.head.seq) * 1_000_000 / taken, commits)
}

/// The same number of entries on both, one after the other.
fn on_postgres(path: &Path, identity: Identity, entries: u64) {
    let beside = path.with_file_name("second.db");
    let mut sqlite = LogStore::create(&beside, identity).unwrap();
    let (of_sqlite, _) = fill(&mut sqlite, &mut opened(identity.domain), entries);
    let server = postgres::Server::start(&["fsync=on"]);
    let url = postgres::Server::url(server.folder(), &server.database());
    let location = Location {
        path: path.with_file_name("postgres"),
        server: Some(Server::parse(&url, None, Duration::from_secs(60)).unwrap()),
    };
    let mut store = LogStore::create(&location, identity).unwrap();
    let (rate, _) = fill(&mut store, &mut opened(identity.domain), entries);
    row(
        &format!("the same on PostgreSQL, {entries} entries"),
        rate.to_string(),
        "",
    );
    let percent = rate * 100 / of_sqlite.max(1);
    row(
        "  against SQLite, the same entries",
        format!("{percent} %"),
        ">= 50 %",
    );
}

fn cold_start(path: &Path) {
    let start = Instant::now();
    let mut store = LogStore::open(path).unwrap();
    let snapshot = store.load().unwrap().unwrap();
    let open = snapshot.rows.payments.len();
    row(
        &format!("cold start, {open} open payments"),
        millis(start.elapsed()),
        "< 300 ms",
    );
}

fn verification(path: &Path) {
    for (what, fold, target) in [
        (
            "verification: hashes",
            false,
            "< 3000 ms for 1,000,000 entries",
        ),
        (
            "verification: hashes, and the rows they fold to",
            true,
            "<= 1240 ms for 1,000,000 entries",
        ),
    ] {
        let start = Instant::now();
        let verified = Reader::open(path).unwrap().verify(fold, |_| {}).unwrap();
        assert!(verified.findings.is_empty(), "{:?}", verified.findings);
        row(what, millis(start.elapsed()), target);
    }
}

fn row(what: &str, result: String, target: &str) {
    println!("{what:<50} {result:>14}  {target}");
}

fn millis(time: Duration) -> String {
    let tenths = time.as_micros() / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

fn forced_write(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("probe")).unwrap();
    let start = Instant::now();
    let rounds = 100;
    for round in 0_u8..rounds {
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[round; 4_096]).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed() / u32::from(rounds)
}
