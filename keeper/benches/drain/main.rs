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

mod backlog;
mod measure;
mod timed;
#[path = "../../tests/world/mod.rs"]
mod world;

use std::{
    fmt::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::primitives::{B256, Bytes};
use serde_json::{Value, json};

use backlog::{nonce, payments, prepare, settled, work_off};
use measure::{Blocks, median, percentile};
use timed::Timed;
use world::{Mining, Plan, USDT, World};

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

async fn drain(world: &World, path: &Path, log: u32, count: u64, distinct: u64) -> Drain {
    settled(world).await;
    let opening = prepare(world, path, log, payments(log, count, distinct)).await;
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
        opening.first_nonce,
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
