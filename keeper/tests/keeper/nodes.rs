//! The keeper on real nodes of other chains, which `scripts/build-nodes` compiles in some minutes: bsc 1.7.8 and op-geth 1.101702.3, whose
//! pools, EVMs and JSON-RPC are their own and whose blocks come from a simulated beacon chain, and avalanchego 1.14.2 with its consensus. To
//! run these:
//!
//! `scripts/build-nodes && cargo test -p tidelock-keeper --test keeper -- --ignored nodes`

use serde_json::{Value, json};
use tidelock_core::{domain::ChainId, lifecycle::PaymentStatus};
use tidelock_keeper::profile::Profile;

use super::{
    BALANCE,
    daemon::{Daemon, each_paid_once},
    small,
    world::{Plan, Program, World},
};

/// A node, and what the keeper has to know of its chain.
struct Case {
    name: &'static str,
    /// The public chain of its software.
    chain: ChainId,
    block_gas_limit: u64,
    /// Added to `[chain]`.
    more: &'static str,
    /// What its blocks stand up to, and whether it proves what it says of the state.
    checks: (&'static str, Value),
}

const ALL_CHECKS: (&str, Value) = ("receipts", Value::Bool(true));

impl Case {
    /// What the keeper would take from the profile of the public chain by its number, which the node's chain does not have.
    fn settings(&self) -> String {
        let profile = Profile::of(self.chain).unwrap();
        let fees = &profile.fees;
        format!(
            "block_checks = \"{}\"\n{}\n\
             [gas]\nmax_transaction_gas = {}\n\
             [fees]\nmin_tip_gwei = \"{}\"\nmax_tip_gwei = \"{}\"\nmax_fee_gwei = \"{}\"\n\
             [lane]\nrebroadcast_blocks = {}\nreplace_blocks = {}\n",
            profile.checks.blocks,
            self.more,
            profile.transaction_gas().osaka,
            fees.min_tip_gwei,
            fees.max_tip_gwei,
            fees.max_fee_gwei,
            profile.rebroadcast_blocks(),
            profile.replace_blocks(),
        )
    }
}

/// Payments to holders and new holders, with all checks that a block allows.
async fn pays_on(case: Case) {
    let world = World::start(Plan {
        program: Program::Relative(case.name),
        block_gas_limit: case.block_gas_limit,
        balance: BALANCE,
        ..Plan::default()
    })
    .await;
    world.mine(10).await;
    let mut daemon = Daemon::set_up(&world, "");
    daemon.change("[vault]", &format!("{}[vault]", case.settings()));
    daemon.start();
    daemon.opened().await;
    let first = small(0..300);
    daemon.file(&first);
    daemon.until_count(PaymentStatus::Paid, 300).await;
    let checked = daemon.ask(&["--json", "check"]);
    let (blocks, proofs) = case.checks;
    assert_eq!(checked["block_checks_possible"], blocks, "{checked}");
    assert_eq!(checked["state_proofs"], proofs, "{checked}");
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
    pays_on(Case {
        name: "bsc",
        chain: ChainId(56),
        block_gas_limit: 60_000_000,
        // Without validators nobody attests to a block, and none has the tag.
        more: "final_depth = 4",
        checks: ALL_CHECKS,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants scripts/build-nodes op"]
async fn pays_on_op_geth() {
    pays_on(Case {
        name: "op",
        chain: ChainId(10),
        block_gas_limit: 60_000_000,
        more: "",
        checks: ALL_CHECKS,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants scripts/build-nodes avalanche"]
async fn pays_on_avalanche() {
    pays_on(Case {
        name: "avalanche",
        chain: ChainId(43_114),
        block_gas_limit: 10_000_000,
        more: "",
        checks: ("none", json!(null)),
    })
    .await;
}
