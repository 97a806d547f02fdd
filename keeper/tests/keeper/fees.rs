//! Fees beyond the cap, an empty gas account: it waits, and goes on by itself.

use std::time::{Duration, Instant};

use alloy::primitives::{B256, U256};
use serde_json::{Value, json};
use tidelock_core::{event::Event, lifecycle::PaymentStatus, store::Store};
use tidelock_keeper::store::LogStore;

use super::{
    daemon::{each_paid_once, on_thread},
    pooled, small, start,
    world::{Mining, Plan},
};

const GWEI: u128 = 1_000_000_000;
const CAP: &str =
    "[fees]\nmax_fee_gwei = \"50\"\n[lane]\nrebroadcast_blocks = 2\nreplace_blocks = 2";

#[tokio::test(flavor = "multi_thread")]
async fn a_spike_above_the_cap_holds_payments_until_it_ends() {
    let (world, mut daemon) = start(Plan::default(), CAP).await;
    daemon.start();
    daemon.opened().await;
    world.set_base_fee(200 * GWEI).await;
    world.mine(1).await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon
        .until("it says what it waits for", |daemon| {
            daemon.log().contains("the cap is 50000000000")
        })
        .await;
    assert!(world.token_balance(payments[0].recipient()).await.is_zero());
    world.set_base_fee(GWEI).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_outlasts_a_spike_above_the_cap() {
    let (world, mut daemon) = start(Plan::default(), CAP).await;
    let payments = pooled(&world, &mut daemon).await;
    for _ in 0..4 {
        world.set_base_fee(200 * GWEI).await;
        world.mine(1).await;
    }
    daemon
        .until("it says what it waits for", |daemon| {
            daemon.log().contains("the cap is 50000000000")
        })
        .await;
    assert!(world.token_balance(payments[0].recipient()).await.is_zero());
    world.set_base_fee(GWEI).await;
    world.set_mining(Mining::Every(1)).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_stuck_is_replaced_by_a_dearer_one() {
    let (world, mut daemon) = start(Plan::default(), CAP).await;
    let payments = pooled(&world, &mut daemon).await;
    // Above what was offered, below the cap: what is mined is not what was signed first.
    let begin = Instant::now();
    while world.token_balance(payments[0].recipient()).await.is_zero() {
        assert!(begin.elapsed() < Duration::from_secs(300), "it stays stuck");
        world.set_base_fee(20 * GWEI).await;
        world.mine(1).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.set_mining(Mining::Every(1)).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_gas_account_is_filled_later() {
    let (world, mut daemon) = start(Plan::default(), CAP).await;
    let keeper = world.keys.keeper.address();
    world.set_gas_balance(keeper, U256::ZERO).await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon
        .until("it says that gas cannot be paid for", |daemon| {
            let log = daemon.log();
            log.contains("nsufficient")
        })
        .await;
    world
        .set_gas_balance(keeper, U256::from(10).pow(U256::from(19)))
        .await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

/// A budget that pays for nothing holds everything; what is counted of a real transaction is no less than its receipt says, and little more.
#[tokio::test(flavor = "multi_thread")]
async fn a_days_budget_holds_payments_and_counts_what_was_paid() {
    let budget = "[fees]\nmax_gas_cost_per_day = \"0.000000001\"";
    let (world, mut daemon) = start(Plan::default(), budget).await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon
        .until("it says what it waits for", |daemon| {
            daemon
                .log()
                .contains("a day's budget for gas pays for at most")
        })
        .await;
    assert!(world.token_balance(payments[0].recipient()).await.is_zero());
    daemon.stop();
    daemon.change("0.000000001", "1");
    daemon.start();
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;

    daemon.stop();
    let store = daemon.store();
    let entries = on_thread(move || {
        let mut store = LogStore::open(&store).unwrap();
        let last = store.load().unwrap().unwrap().head.seq;
        store.costs_before(last + 1, 100).unwrap()
    });
    let counted = entries.into_iter().find_map(|(_, event)| match event {
        Event::SlotConsumed {
            by: Some(hash),
            cost: Some(cost),
            ..
        } => Some((hash, cost.wei)),
        _ => None,
    });
    let (hash, counted): (B256, u128) = counted.unwrap();
    let receipt: Value = world.ask("eth_getTransactionReceipt", json!([hash])).await;
    let number = |field: &str| -> U256 { serde_json::from_value(receipt[field].clone()).unwrap() };
    let paid: u128 = (number("gasUsed") * number("effectiveGasPrice")).to();
    assert!(
        paid <= counted && counted <= paid + paid / 2,
        "{paid} {counted}"
    );
}
