//! What the daemon takes while it pays, while it has nothing to do, and with a long past: the real program on anvil, blocks of a
//! second, questions counted by a relay in front of the node.
//!
//! `cargo bench -p tidelock-keeper --bench daemon -- [--payments N] [--past N] [--open N] [--minutes N]`

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::float_arithmetic,
    reason = "a measurement that cannot go on should say so and end; its figures are for people"
)]

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "shared with another measurement"
)]
#[path = "../made/mod.rs"]
mod made;
mod process;
mod relay;
#[path = "../../tests/world/mod.rs"]
mod world;

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, U256};
use serde_json::json;
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    event::{Namespace, Opening},
};
use tidelock_keeper::store::{Identity, LogStore};

use made::{BATCH, Log};
use process::Usage;
use relay::Relay;
use world::{Mining, Office, Plan, USDT, json_of};

/// Between two looks at what the daemon says of itself.
const LOOK: Duration = Duration::from_millis(500);
/// After the start, before anything is measured: the log is read, the first blocks are looked at.
const WARM: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let payments = option("--payments", 1_000);
    let past = option("--past", 1_000_000);
    let open = option("--open", 100_000);
    let minutes = option("--minutes", 5);
    println!("Daemon on anvil, blocks of a second, polled as by default\n");
    busy_and_idle(payments, minutes).await;
    long_past(past, open, minutes).await;
}

fn option(name: &str, default: u64) -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    let value = at.and_then(|at| arguments.get(at + 1));
    value.map_or(default, |value| value.parse().expect("a whole number"))
}

fn row(what: &str, result: String, target: &str) {
    println!("{what:<66} {result:>14}  {target}");
}

/// As a user's configuration has it: how often the node is asked is not said.
async fn office(balance: u128, relay: Option<&mut Option<Relay>>) -> Office {
    let office = Office::open(Plan {
        mining: Mining::Every(1),
        balance,
        ..Plan::default()
    })
    .await;
    let mut url = office.world.node.url().to_string();
    if let Some(place) = relay {
        let started = Relay::start(office.world.node.url()).await;
        url = started.url();
        *place = Some(started);
    }
    office.configure(|text| {
        text.replace("poll_interval_ms = 100\n", "")
            .replace(office.world.node.url().as_str(), &url)
    });
    office
}

/// Questions for each payment that becomes final, and what the daemon takes once it has nothing to do.
async fn busy_and_idle(payments: u64, minutes: u64) {
    let mut relay = None;
    let office = office(1_000_000 * USDT, Some(&mut relay)).await;
    let relay = relay.unwrap();
    let daemon = office.daemon().await;
    tokio::time::sleep(WARM).await;
    let before = relay.asked();
    office.request((0..payments).map(newcomer).collect());
    let begin = Instant::now();
    while finals(&office).await < payments {
        assert!(begin.elapsed().as_secs() < 600, "{}", office.log());
        tokio::time::sleep(LOOK).await;
    }
    let took = begin.elapsed();
    let asked = relay.asked().less(&before);
    row(
        &format!("questions for each of {payments} payments to new recipients, all final"),
        format!("{:.3}", asked.total() as f64 / payments as f64),
        "<= 0.192, which is 0.15 x 1.28",
    );
    row(
        "  questions, in seconds from filing to the last final one",
        format!("{} in {}", asked.total(), took.as_secs()),
        "",
    );
    for (method, count) in asked.most(4) {
        row(&format!("    {method}"), count.to_string(), "");
    }
    let (from, asked, begin) = (Usage::of(daemon.id()), relay.asked(), Instant::now());
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
    let (to, wall) = (Usage::of(daemon.id()), begin.elapsed().as_secs_f64());
    row(
        &format!("idle for {minutes} min: processor time, of a core"),
        format!("{:.2} %", (to.cpu_s - from.cpu_s) / wall * 100.0),
        "<= 0.26 %, which is 0.2 x 1.3 %",
    );
    let asked = relay.asked().less(&asked);
    row(
        "  questions a second, which is for each block",
        format!("{:.2}", asked.total() as f64 / wall),
        "",
    );
    for (method, count) in asked.most(8) {
        row(
            &format!("    {method}"),
            format!("{:.2}", count as f64 / wall),
            "",
        );
    }
    row(
        "  resident memory [MiB]",
        format!("{:.0}", to.resident_mib),
        "",
    );
    daemon.stop();
}

/// Payments that are final, as the status has it.
async fn finals(office: &Office) -> u64 {
    let status = json_of(&office.keeper(&["status", "--json"]).await);
    status["counts"]["paid"].as_u64().unwrap_or(0)
}

/// Memory with a long past and much that waits for money.
async fn long_past(past: u64, open: u64, minutes: u64) {
    let office = office(0, None).await;
    while office.world.finalised().await.number == 0 {
        tokio::time::sleep(LOOK).await;
    }
    let keeper = office.world.keys.keeper.address();
    let opening = Opening {
        domain: office.world.domain,
        keeper,
        first_nonce: 0,
        namespace: Namespace::new(1).unwrap(),
        start: office.world.finalised().await,
    };
    let identity = Identity {
        domain: office.world.domain,
        token: office.world.token,
        decimals: 6,
    };
    let path = office.path("keeper.db");
    let rounds = past.div_ceil(BATCH);
    thread::spawn(move || write(path, identity, opening, rounds, open))
        .join()
        .unwrap();
    let nonce = json!([keeper, format!("{rounds:#x}")]);
    office
        .world
        .ask::<serde_json::Value>("anvil_setNonce", nonce)
        .await;
    let daemon = office.daemon().await;
    tokio::time::sleep(WARM).await;
    let mut seen = vec![Usage::of(daemon.id())];
    for _ in 0..6 * minutes {
        tokio::time::sleep(Duration::from_secs(10)).await;
        seen.push(Usage::of(daemon.id()));
    }
    let resident = |usage: &Usage| usage.resident_mib;
    let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
    let most = seen.iter().map(resident).fold(0.0, f64::max);
    row(
        &format!("resident memory, {past} payments in the log, {open} open [MiB]"),
        format!("{most:.0}"),
        "<= 150",
    );
    row(
        &format!("  at first, and {minutes} min later [MiB]"),
        format!("{:.0}, {:.0}", first.resident_mib, last.resident_mib),
        "flat",
    );
    let wall = (60 * minutes) as f64;
    row(
        "  processor time, of a core",
        format!("{:.2} %", (last.cpu_s - first.cpu_s) / wall * 100.0),
        "",
    );
    daemon.stop();
}

/// A log of payments that were never made, and of others that wait.
fn write(path: PathBuf, identity: Identity, opening: Opening, rounds: u64, open: u64) {
    let mut store = LogStore::create(&path, identity).unwrap();
    let mut log = Log::open(opening, false);
    for _ in 0..rounds {
        log.round();
        log.commit(&mut store);
    }
    for _ in 0..open.div_ceil(BATCH) {
        log.wait(BATCH.min(open));
        log.commit(&mut store);
    }
    store.close().unwrap();
}

fn newcomer(index: u64) -> Payment {
    let mut recipient = [0x77; 20];
    recipient[12..].copy_from_slice(&index.to_be_bytes());
    let reference = U256::from(index + 1).to_be_bytes::<32>();
    let (_, reference) = reference.split_last_chunk::<16>().unwrap();
    Payment::new(
        Address::from(recipient),
        Amount(USDT),
        PaymentRef(*reference),
    )
    .unwrap()
}
