//! Blocks that go away, and transactions that fall out of the pool.

use serde_json::{Value, json};
use tidelock_core::{event::Event, lifecycle::PaymentStatus};

use super::{
    daemon::each_paid_once,
    pooled, small, start,
    world::{Mining, Plan},
};

const LANE: &str = "[lane]\nrebroadcast_blocks = 2";

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_drops_what_was_paid() {
    let (world, mut daemon) = start(Plan::default(), LANE).await;
    let payments = pooled(&world, &mut daemon).await;
    let recipient = payments[0].recipient();
    world.mine(1).await;
    assert!(!world.token_balance(recipient).await.is_zero());
    world.reorg(1).await;
    assert!(world.token_balance(recipient).await.is_zero());
    world.set_mining(Mining::Every(1)).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_dropped_from_the_pool() {
    let (world, mut daemon) = start(Plan::default(), LANE).await;
    let payments = pooled(&world, &mut daemon).await;
    world
        .ask::<Value>("anvil_dropAllTransactions", json!([]))
        .await;
    world.mine(1).await;
    assert!(world.token_balance(payments[0].recipient()).await.is_zero());
    world.set_mining(Mining::Every(1)).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_crosses_finality() {
    let (world, mut daemon) = start(Plan::default(), LANE).await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..3);
    daemon.file(&payments);
    daemon.until_count(PaymentStatus::Paid, 3).await;
    // The block that paid is final in the log, however far the daemon has read since.
    let events = daemon.events(payments[0].reference());
    let paid = events.iter().find_map(|event| match event {
        Event::OutcomeFinal { block, .. } => Some(*block),
        _ => None,
    });
    world.set_mining(Mining::ByHand).await;
    let since = world.head().await.number - paid.unwrap();
    world.reorg(since + 1).await;
    world.set_mining(Mining::Every(1)).await;
    daemon
        .until("it halts", |daemon| daemon.log().contains("was final as"))
        .await;
    daemon.file(&small(3..6));
    world.mine(3).await;
    assert_eq!(daemon.count(PaymentStatus::Paid), 3);
}
