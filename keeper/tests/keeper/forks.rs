//! A real go-ethereum whose rules change under the keeper: Osaka's give way to Amsterdam's, under which a new holder costs five
//! times as much gas and a transaction may ask for more (EIP-8037).

use std::{collections::BTreeSet, time::Duration};

use alloy::primitives::{Address, U256};
use serde_json::{Value, json};
use tidelock_core::{domain::Payment, lifecycle::PaymentStatus};

use super::{
    BALANCE,
    daemon::{Daemon, each_paid_once, payment},
    liar::{Lie, Server},
    path, small,
    world::{Geth, Plan, Program, USDT, World},
};

/// Time of the first block. [seconds]
const BEGIN: u64 = 1_800_000_000;
/// When the rules change, for a keeper that is to see it coming: within the life of a batch.
const SOON: u64 = BEGIN + 3_600;
/// The bound of Osaka (EIP-7825).
const CAP: u64 = 16_777_216;
/// Looks between which a condition may come true; none of them is waited for by the clock.
const LOOKS: u32 = 1_500;

/// A world of geth's, final as far as the vault's creation, and a daemon that is set up for it.
async fn start(amsterdam: u64) -> (World, Daemon) {
    let world = World::start(Plan {
        program: Program::Geth(Geth {
            begin: BEGIN,
            amsterdam,
        }),
        block_gas_limit: 60_000_000,
        balance: BALANCE,
        ..Plan::default()
    })
    .await;
    world.mine(8).await;
    let daemon = Daemon::set_up(&world, "[batch]\nmax_wait_ms = 0");
    (world, daemon)
}

/// Looks until it is so, and makes blocks if it is told to.
async fn until(
    world: &World,
    daemon: &Daemon,
    what: &str,
    mines: bool,
    is_so: impl AsyncFn() -> bool,
) {
    for _ in 0..LOOKS {
        if is_so().await {
            return;
        }
        if mines {
            world.mine(1).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}\n{}", daemon.log());
}

async fn pending(world: &World) -> u64 {
    let pool: Value = world.ask("txpool_status", json!([])).await;
    let pending: U256 = serde_json::from_value(pool["pending"].clone()).unwrap();
    pending.to()
}

/// What the keeper sent: block, gas limit, and whether it went through.
async fn sent(world: &World) -> Vec<(u64, u64, bool)> {
    let keeper = world.keys.keeper.address();
    let mut sent = Vec::new();
    for number in 1..=world.head().await.number {
        let params = json!([format!("{number:#x}"), true]);
        let block: Value = world.ask("eth_getBlockByNumber", params).await;
        for transaction in block["transactions"].as_array().unwrap() {
            let from: Address = serde_json::from_value(transaction["from"].clone()).unwrap();
            if from == keeper {
                let hash = serde_json::from_value(transaction["hash"].clone()).unwrap();
                let limit: U256 = serde_json::from_value(transaction["gas"].clone()).unwrap();
                let receipt = world.receipt(hash).await.unwrap();
                sent.push((number, limit.to(), receipt.success));
            }
        }
    }
    sent
}

/// Starts the daemon and waits until its log is open.
async fn run(world: &World, daemon: &mut Daemon, rpc_url: &str) {
    daemon.start_with(&["run", "--first-keeper", "--rpc-url", rpc_url]);
    until(world, daemon, "the log is open", true, async || {
        daemon.store().exists()
    })
    .await;
}

async fn paid(world: &World, daemon: &Daemon, count: usize) {
    let count = u64::try_from(count).unwrap();
    let is_so = async || daemon.count(PaymentStatus::Paid) == count;
    until(world, daemon, "all are paid for good", true, is_so).await;
}

/// Batches wait in the pool when the rules change. The keeper has seen it coming: each has the gas that it needs by either
/// rules, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn the_rules_change_while_batches_are_pending() {
    let (world, mut daemon) = start(SOON).await;
    let url = world.node.url().to_string();
    run(&world, &mut daemon, &url).await;
    let first = small(0..600);
    daemon.file(&first);
    let are_pending = async || pending(&world).await >= 3;
    until(&world, &daemon, "batches are pending", false, are_pending).await;
    assert!(sent(&world).await.is_empty(), "none is in a block yet");
    world.mine_at(SOON).await;
    paid(&world, &daemon, first.len()).await;

    let all_of_first = sent(&world).await;
    assert!(
        all_of_first.iter().all(|(_, _, success)| *success),
        "{all_of_first:?}"
    );
    // 256 new holders do not fit the bound by Amsterdam's prices.
    assert!(all_of_first.len() >= 600 / 142, "{all_of_first:?}");

    // What is cut afterwards uses what Amsterdam allows.
    let second = small(600..856);
    daemon.file(&second);
    paid(&world, &daemon, first.len() + second.len()).await;
    let all = sent(&world).await;
    assert!(all.iter().all(|(_, _, success)| *success), "{all:?}");
    let largest = all.iter().map(|(_, limit, _)| *limit).max().unwrap();
    assert!(largest > CAP, "{all:?}");
    let head = world.head().await;
    assert!(head.time.seconds() > SOON);
    each_paid_once(&world, &[first, second].concat()).await;
}

/// The same, and nobody tells the keeper: transactions with too little gas revert. It says so, and pays all the same, once.
#[tokio::test(flavor = "multi_thread")]
async fn the_rules_change_unforeseen() {
    let (world, mut daemon) = start(SOON).await;
    let server = Server::start(world.node.url(), |method, _, _| match method {
        "eth_config" => Lie::Error(json!({"code": -32601, "message": "the method eth_config does not exist/is not available"})),
        _ => Lie::Truth,
    })
    .await;
    let url = format!("http://127.0.0.1:{}", server.port);
    run(&world, &mut daemon, &url).await;
    let payments = small(0..600);
    daemon.file(&payments);
    let are_pending = async || pending(&world).await >= 2;
    until(&world, &daemon, "batches are pending", false, are_pending).await;
    world.mine_at(SOON).await;
    paid(&world, &daemon, payments.len()).await;
    let sent = sent(&world).await;
    let reverted = sent.iter().filter(|(_, _, success)| !success).count();
    assert!(reverted >= 1, "nothing was too small: {sent:?}");
    let said: BTreeSet<String> = (daemon.log().lines())
        .filter(|line| line.contains("reverted in block"))
        .map(ToOwned::to_owned)
        .collect();
    assert!(!said.is_empty(), "{}", daemon.log());
    each_paid_once(&world, &payments).await;
}

/// What signers approved as one goes as one, where the chain allows the gas: 256 new holders need about 30 million.
#[tokio::test(flavor = "multi_thread")]
async fn an_approved_batch_of_new_holders_is_one_transaction() {
    let (world, mut daemon) = start(BEGIN + 200).await;
    world.mine_at(BEGIN + 600).await;
    world.mine(8).await;
    let url = world.node.url().to_string();
    run(&world, &mut daemon, &url).await;
    let payments: Vec<Payment> = (0..256).map(|id| payment(id, 1_500 * USDT)).collect();
    daemon.file(&payments);
    let is_final = async || path::is_proposed(&daemon, &payments[0]);
    until(
        &world,
        &daemon,
        "the batch is proposed for good",
        true,
        is_final,
    )
    .await;
    path::approve(&world, &daemon, &payments[0]).await;
    paid(&world, &daemon, payments.len()).await;
    let executions = sent(&world).await;
    assert_eq!(
        executions.len(),
        2,
        "one proposes, one executes: {executions:?}"
    );
    assert!(executions.iter().all(|(_, _, success)| *success));
    assert!(executions[1].1 > CAP, "{executions:?}");
    each_paid_once(&world, &payments).await;
}
