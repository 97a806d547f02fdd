//! On the simulator's chains the vault's model answers to the contract: what it says of every call on the canonical chains of
//! many seeds is compared with what the contract does when the same calls reach it at the same times.
//!
//! `REPLAY_SEEDS=42..42 cargo test -p tidelock-keeper --test replay -- --nocapture` plays one seed.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod change;
mod guard;
mod judge;
mod play;
mod stage;
mod tally;
#[path = "../../simulator/trace.rs"]
mod trace;
mod wire;
#[path = "../world/mod.rs"]
mod world;

use std::{fs, path::Path, process::Command, time::Instant};

use futures_util::{StreamExt, stream};
use play::Play;
use tally::Tally;
use trace::Trace;

const SEEDS: &str = "1..120";
/// Nodes at a time.
const STAGES: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_does_what_the_model_says() {
    let chosen = std::env::var("REPLAY_SEEDS");
    let seeds = chosen.as_deref().unwrap_or(SEEDS);
    let recorded = tempfile::tempdir().unwrap();
    let began = Instant::now();
    record(seeds, recorded.path());
    println!("recorded, {} s", began.elapsed().as_secs());

    let (first, last) = seeds.split_once("..").expect("A..B");
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
    let played = stream::iter(first..=last).map(|seed| {
        let trace = read(recorded.path(), seed);
        async move {
            (
                seed,
                tokio::spawn(async move { Play::run(&trace).await }).await,
            )
        }
    });
    let mut played = played.buffer_unordered(STAGES);
    let mut total = Tally::default();
    let mut wrong = Vec::new();
    while let Some((seed, outcome)) = played.next().await {
        match outcome.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(tally) => {
                println!(
                    "seed {seed}: {} calls, {} looks, {} s",
                    tally.total(),
                    tally.looks,
                    began.elapsed().as_secs()
                );
                total.add(tally);
            }
            Err(what) => {
                println!("seed {seed}: {what}");
                wrong.push(format!("seed {seed}: {what}"));
            }
        }
    }
    total.print();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if chosen.is_err() {
        let missing = total.missing();
        assert!(missing.is_empty(), "never played: {}", missing.join("; "));
    }
}

/// Runs the simulator, built from the sources as they are. Whether the keeper does well in it is another check's matter.
fn record(seeds: &str, directory: &Path) {
    let mut command = Command::new("scripts/simulate");
    command
        .current_dir(world::repository())
        .args([
            "--seeds",
            seeds,
            "--any-coverage",
            "--quiet",
            "--keep-going",
        ])
        .arg("--record")
        .arg(directory);
    let ended = command.status().expect("scripts/simulate does not start");
    let ran = matches!(ended.code(), Some(0 | 1));
    assert!(ran, "scripts/simulate --seeds {seeds}: {ended}");
}

fn read(directory: &Path, seed: u64) -> Trace {
    let text = fs::read(directory.join(format!("{seed}.json"))).unwrap();
    let trace: Trace = serde_json::from_slice(&text).unwrap();
    assert_eq!(trace.seed, seed);
    trace
}
