//! The keeper as its operators run it, on a real chain that misbehaves.

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod crash;
#[allow(dead_code, reason = "shared with the tests of several hosts")]
mod daemon;
mod fees;
mod forks;
mod hiding;
#[path = "../chain/liar.rs"]
#[allow(dead_code, reason = "what a liar can do is for the tests of adapters")]
mod liar;
mod nodes;
mod nonce;
mod path;
mod reorg;
mod restore;
mod stop;
#[path = "../world/mod.rs"]
mod world;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidelock_core::domain::Payment;

use daemon::{BALANCE, Daemon, PATIENCE, ready, small};
use world::{Mining, Plan, World};

/// A world with a block a second, and a daemon that is set up for it.
async fn start(plan: Plan, more: &str) -> (World, Daemon) {
    let world = ready(plan).await;
    let daemon = Daemon::set_up(&world, more);
    (world, daemon)
}

/// Files payments and waits until their transaction waits in the node's pool, where nothing is mined.
async fn pooled(world: &World, daemon: &mut Daemon) -> Vec<Payment> {
    daemon.start();
    daemon.opened().await;
    world.set_mining(Mining::ByHand).await;
    let payments = small(0..5);
    daemon.file(&payments);
    let begin = Instant::now();
    loop {
        let pool: Value = world.ask("txpool_status", json!([])).await;
        if pool["pending"] != "0x0" {
            return payments;
        }
        assert!(begin.elapsed() < PATIENCE, "nothing is in the pool");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
