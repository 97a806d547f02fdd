//! Fees beyond the cap, an empty gas account: it waits, and goes on by itself.

use std::time::{Duration, Instant};

use alloy::primitives::U256;
use tidelock_core::lifecycle::PaymentStatus;

use super::{
    daemon::each_paid_once,
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
