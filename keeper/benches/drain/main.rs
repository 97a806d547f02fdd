//! How full the keeper makes blocks while it works off a backlog: the real engine, store and adapter on anvil, beside a
//! feeder that floods the same node with the same signed transactions.
//!
//! `cargo bench -p tidelock-keeper --bench drain -- [--runs N] [--newcomers N] [--holders N]`

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

mod measure;
mod timed;
#[path = "../../tests/world/mod.rs"]
mod world;

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::{Value, json};
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    engine::{self, Engine},
    event::{Namespace, Opening},
    port::Monotonic,
    settings::{BatchSettings, LaneSettings, Settings, TransactionGas},
    submit::FeePolicy,
};
use tidelock_keeper::{
    daemon,
    signer::{Message, Signer, Signing},
    store::{Desk, Identity, Leadership, LogStore},
};

use measure::{Blocks, median, percentile};
use timed::Timed;
use world::{Mining, Plan, USDT, World};

const GWEI: u128 = 1_000_000_000;
/// The target of the design: share of block gas that is the keeper's.
const SHARE: f64 = 0.95;
/// Or this part of what the feeder reaches.
const OF_FEEDER: f64 = 0.99;
/// From a simulation's answer to a stored signature. [milliseconds]
const LATENCY_MS: f64 = 50.0;
/// After so long the feeder sends again what was not mined.
const AGAIN: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let runs = option("--runs", 1);
    let newcomers = option("--newcomers", 10_000);
    let holders = option("--holders", 30_000);
    let mut results = Vec::new();
    for run in 1..=runs {
        eprintln!("run {run} of {runs}: {newcomers} newcomers, then {holders} holders");
        results.push(one_run(newcomers, holders).await);
    }
    print!("{}", table(&results, newcomers, holders));
}

fn option(name: &str, default: u64) -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    let value = at.and_then(|at| arguments.get(at + 1));
    value.map_or(default, |value| value.parse().expect("a whole number"))
}

/// One backlog, worked off.
#[derive(Debug, Clone)]
struct Drain {
    share: f64,
    feeder: f64,
    seconds: f64,
    per_second: f64,
    cpu: f64,
    start_up_ms: f64,
    latencies_ms: Vec<f64>,
    batches: usize,
}

#[derive(Debug, Clone)]
struct Run {
    newcomers: Drain,
    holders: Drain,
    peak_mib: f64,
}

async fn one_run(newcomers: u64, holders: u64) -> Run {
    let world = World::start(Plan {
        mining: Mining::Every(1),
        block_gas_limit: 30_000_000,
        balance: 1_000_000 * USDT,
        ..Plan::default()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let first = drain(
        &world,
        &folder.path().join("newcomers.db"),
        1,
        newcomers,
        newcomers,
    )
    .await;
    let second = drain(
        &world,
        &folder.path().join("holders.db"),
        2,
        holders,
        newcomers,
    )
    .await;
    Run {
        newcomers: first,
        holders: second,
        peak_mib: measure::peak_mib(),
    }
}

/// Waits until everything so far is final.
async fn settled(world: &World) {
    let head = world.head().await.number;
    while world.finalised().await.number < head {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Recipients repeat after `distinct`.
fn payments(log: u32, count: u64, distinct: u64) -> Vec<Payment> {
    let one = |i: u64| {
        let mut recipient = [0x77; 20];
        recipient[12..].copy_from_slice(&(i % distinct).to_be_bytes());
        let mut reference = [0; 16];
        reference[..4].copy_from_slice(&log.to_be_bytes());
        reference[8..].copy_from_slice(&i.to_be_bytes());
        Payment::new(
            Address::from(recipient),
            Amount(USDT),
            PaymentRef(reference),
        )
        .unwrap()
    };
    (0..count).map(one).collect()
}

async fn drain(world: &World, path: &Path, log: u32, count: u64, distinct: u64) -> Drain {
    settled(world).await;
    let keeper = world.keys.keeper.address();
    let nonce = nonce(world, keeper).await;
    let opening = Opening {
        domain: world.domain,
        keeper,
        first_nonce: nonce,
        namespace: Namespace::new(log).unwrap(),
        start: world.finalised().await,
    };
    prepare(world, path, opening, payments(log, count, distinct));
    let snapshot: Value = world.ask("evm_snapshot", json!([])).await;
    let timed = Arc::new(Timed::new(world.chain()));
    let (cpu, begin) = (measure::cpu_seconds(), Instant::now());
    work_off(world, path, &timed, count).await;
    let (cpu, wall) = (measure::cpu_seconds() - cpu, begin.elapsed().as_secs_f64());
    let sent = timed.sent();
    let full = sent.iter().map(|sent| sent.payments).max().unwrap_or(0);
    let blocks = Blocks::read(world, &timed.paid_by_block()).await;
    let share = blocks.share(count, full);

    world.ask::<bool>("evm_revert", json!([snapshot])).await;
    let raws: Vec<Bytes> = sent.iter().map(|sent| sent.raw.clone()).collect();
    let paid = feed(
        world,
        &raws,
        nonce,
        &sent
            .iter()
            .map(|s| (s.hash, s.payments))
            .collect::<Vec<_>>(),
    )
    .await;
    let feeder = Blocks::read(world, &paid).await.share(count, full);
    world.set_mining(Mining::Every(1)).await;
    Drain {
        share,
        feeder,
        seconds: wall,
        per_second: count as f64 / blocks.seconds().max(1.0),
        cpu: cpu / wall,
        start_up_ms: timed.first_send_ms(begin),
        latencies_ms: timed.latencies_ms(),
        batches: sent.len(),
    }
}

fn prepare(world: &World, path: &Path, opening: Opening, payments: Vec<Payment>) {
    let identity = Identity {
        domain: world.domain,
        token: world.token,
        decimals: 6,
    };
    let path = path.to_owned();
    let work = move || {
        let mut store = LogStore::create(&path, identity).unwrap();
        engine::open(&mut store, opening, Vec::new()).unwrap();
        store.close().unwrap();
        Desk::open(&path).unwrap().file(&payments).unwrap();
    };
    thread::spawn(work).join().unwrap();
}

/// Runs the engine until every payment is final.
async fn work_off(world: &World, path: &Path, timed: &Arc<Timed>, count: u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let surroundings = daemon::World {
        chain: timed.clone(),
        signer: Arc::new(LocalKey(world.keys.keeper.clone())),
        tasks: tokio::runtime::Handle::current(),
        leadership: Leadership::for_good(),
    };
    let (path, token) = (path.to_owned(), world.token);
    let engine = thread::spawn({
        let stop = stop.clone();
        move || {
            let store = LogStore::open(&path).unwrap();
            let mut engine = Engine::start(store, settings(token), Monotonic::default()).unwrap();
            let started = Instant::now();
            daemon::run(&mut engine, &surroundings, &stop, |status| {
                let open: usize = status.payments.values().sum();
                if open == 0 && status.finalised.number > 0 && started.elapsed().as_secs() > 3 {
                    stop.store(true, Ordering::Relaxed);
                }
            })
            .unwrap();
        }
    });
    while !engine.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    engine.join().unwrap();
    let paid: u64 = timed.paid_by_block().iter().map(|(_, paid)| paid).sum();
    assert_eq!(paid, count, "not everything was paid");
}

fn settings(token: Address) -> Settings {
    Settings {
        token,
        unit: Amount(10_000),
        fees: FeePolicy {
            max_fee: 100_000 * GWEI, // full blocks in a row; caps are not what is measured
            min_tip: GWEI,
            max_tip: 10 * GWEI,
            blocks_ahead: 40,
            bump_percent: 10,
        },
        patience: None,
        max_gas_cost_per_day: None,
        batch: BatchSettings {
            max_payments: 256,
            max_wait_ms: 1_000,
            attempt_ttl_s: 7_200,
            voting_s: 604_800,
            max_returns: 3,
            escalate_after_s: None,
        },
        lane: LaneSettings {
            max_unincluded: 20,
            rebroadcast_blocks: 20,
            replace_blocks: 100,
        },
        transaction_gas: TransactionGas::always(16_777_216),
        sends: true,
        poll_ms: 100,
        retry_ms: 300,
    }
}

/// The same transactions, all at once.
async fn feed(world: &World, raws: &[Bytes], first: u64, sent: &[(B256, u64)]) -> Vec<(u64, u64)> {
    for raw in raws {
        world
            .ask::<B256>("eth_sendRawTransaction", json!([raw]))
            .await;
    }
    let keeper = world.keys.keeper.address();
    let last = first + raws.len() as u64;
    let mut sent_at = Instant::now();
    while nonce(world, keeper).await < last {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if sent_at.elapsed() > AGAIN {
            send_missing(world, raws, first).await;
            sent_at = Instant::now();
        }
    }
    let mut paid = Vec::new();
    for (hash, payments) in sent {
        let receipt = world.receipt(*hash).await.expect("it was mined");
        assert!(receipt.success);
        paid.push((receipt.block, *payments));
    }
    paid
}

/// The node may have lost what it took: anvil now and then does, if a block is mined in that moment.
async fn send_missing(world: &World, raws: &[Bytes], first: u64) {
    let mined = nonce(world, world.keys.keeper.address()).await - first;
    for (_, raw) in (0..).zip(raws).filter(|(place, _)| *place >= mined) {
        // What the node still has, it refuses.
        let _ = world
            .rpc
            .request::<B256>("eth_sendRawTransaction", json!([raw]))
            .await;
    }
}

async fn nonce(world: &World, account: Address) -> u64 {
    let nonce: U256 = world
        .ask("eth_getTransactionCount", json!([account, "latest"]))
        .await;
    nonce.to()
}

struct LocalKey(PrivateKeySigner);

impl Signer for LocalKey {
    fn address(&self) -> Address {
        self.0.address()
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        let signature = self.0.sign_hash_sync(&message.digest()).unwrap();
        Box::pin(async move { Ok(signature) })
    }
}

fn table(runs: &[Run], newcomers: u64, holders: u64) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Backlog on anvil, blocks of 30,000,000 gas every second, {} run(s); median (least to most)\n",
        runs.len()
    );
    let _ = writeln!(
        out,
        "{:<44} {:>24} {:>24}  target",
        "",
        format!("{newcomers} newcomers"),
        format!("{holders} holders")
    );
    let mut row = |name: &str, pick: &dyn Fn(&Drain) -> f64, digits: usize, target: &str| {
        let cell = |drains: Vec<f64>| {
            let (least, middle, most) = median(drains);
            format!("{middle:.digits$} ({least:.digits$} to {most:.digits$})")
        };
        let new = cell(runs.iter().map(|run| pick(&run.newcomers)).collect());
        let old = cell(runs.iter().map(|run| pick(&run.holders)).collect());
        let _ = writeln!(out, "{name:<44} {new:>24} {old:>24}  {target}");
    };
    row(
        "share of block gas",
        &|d| d.share,
        3,
        &format!(">= {SHARE:.2}, or >= {OF_FEEDER} of the feeder"),
    );
    row(
        "share of a feeder with the same transactions",
        &|d| d.feeder,
        3,
        "",
    );
    row("share / feeder's share", &|d| d.share / d.feeder, 3, "");
    row(
        "payments per second while draining",
        &|d| d.per_second,
        0,
        "",
    );
    row("batches", &|d| d.batches as f64, 0, "");
    row("keeper's CPU [cores]", &|d| d.cpu, 2, "< 1");
    row("start to first transaction [ms]", &|d| d.start_up_ms, 0, "");
    row("start to all final [s]", &|d| d.seconds, 1, "");
    row(
        "simulation to stored signature, p50 [ms]",
        &|d| percentile(&d.latencies_ms, 50),
        1,
        "",
    );
    row(
        "simulation to stored signature, p99 [ms]",
        &|d| percentile(&d.latencies_ms, 99),
        1,
        &format!("< {LATENCY_MS:.0}"),
    );
    let (_, peak, _) = median(runs.iter().map(|run| run.peak_mib).collect());
    let _ = writeln!(
        out,
        "\npeak memory of keeper and harness together: {peak:.0} MiB"
    );
    out
}
