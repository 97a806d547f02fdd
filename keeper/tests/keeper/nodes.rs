//! The keeper on go-ethereum's relatives, which `scripts/build-nodes` compiles in some minutes: bsc 1.7.8 and op-geth 1.101702.3. Their
//! pools, EVMs and JSON-RPC are their own; their blocks come from a simulated beacon chain. To run these:
//!
//! `scripts/build-nodes && cargo test -p tidelock-keeper --test keeper -- --ignored nodes`

use tidelock_core::lifecycle::PaymentStatus;

use super::{
    BALANCE,
    daemon::{Daemon, each_paid_once},
    small,
    world::{Plan, Program, World},
};

/// Payments to holders and new holders, with all checks that a block allows.
async fn pays_on(name: &'static str, final_depth: Option<u64>) {
    let world = World::start(Plan {
        program: Program::Relative(name),
        block_gas_limit: 60_000_000,
        balance: BALANCE,
        ..Plan::default()
    })
    .await;
    world.mine(10).await;
    let mut daemon = Daemon::set_up(&world, "");
    if let Some(depth) = final_depth {
        daemon.change("[vault]", &format!("final_depth = {depth}\n[vault]"));
    }
    daemon.start();
    daemon.opened().await;
    let first = small(0..300);
    daemon.file(&first);
    daemon.until_count(PaymentStatus::Paid, 300).await;
    let checked = daemon.ask(&["--json", "check"]);
    assert_eq!(checked["block_checks_possible"], "receipts", "{checked}");
    assert_eq!(checked["state_proofs"], true, "{checked}");
    let second = small(300..340);
    daemon.file(&second);
    daemon.until_count(PaymentStatus::Paid, 340).await;
    each_paid_once(&world, &[first, second].concat()).await;
    assert!(
        !daemon.log().contains("reverted in block"),
        "{}",
        daemon.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants scripts/build-nodes bsc"]
async fn pays_on_bsc() {
    // Without validators nobody attests to a block, and none has the tag.
    pays_on("bsc", Some(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants scripts/build-nodes op"]
async fn pays_on_op_geth() {
    pays_on("op", None).await;
}
