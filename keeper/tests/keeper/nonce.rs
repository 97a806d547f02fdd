//! Somebody else uses the keeper's key.

use alloy::primitives::{Address, Bytes};
use tidelock_core::{event::Command, lifecycle::PaymentStatus};

use super::{daemon::each_paid_once, small, start, world::Plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_transaction_halts_until_an_operator_resumes() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start();
    daemon.opened().await;
    let keeper = world.keys.keeper.address();
    let nobody = Some(Address::repeat_byte(9));
    assert!(world.send(keeper, nobody, Bytes::new()).await.success);
    daemon
        .until("it halts", |daemon| {
            daemon.log().contains("the database is old")
        })
        .await;
    let payments = small(0..5);
    daemon.file(&payments);
    world.mine(3).await;
    assert!(world.token_balance(payments[0].recipient()).await.is_zero());
    let note = "a colleague had the key".to_owned();
    daemon.tell(Command::Resume { note });
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_transaction_takes_the_nonce_of_one_that_is_signed() {
    let (world, mut daemon) = start(Plan::default(), "[lane]\nrebroadcast_blocks = 2").await;
    daemon.start();
    daemon.opened().await;
    world.set_mining(super::world::Mining::ByHand).await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon.until_count(PaymentStatus::Sealed, 5).await;
    daemon.kill();
    world
        .ask::<serde_json::Value>("anvil_dropAllTransactions", serde_json::json!([]))
        .await;
    let keeper = world.keys.keeper.address();
    let nobody = Some(Address::repeat_byte(9));
    world.set_mining(super::world::Mining::Auto).await;
    assert!(world.send(keeper, nobody, Bytes::new()).await.success);
    world.set_mining(super::world::Mining::Every(1)).await;
    daemon.start();
    daemon
        .until("it halts", |daemon| {
            daemon.log().contains("else's transaction used nonce")
        })
        .await;
    let note = "a colleague had the key".to_owned();
    daemon.tell(Command::Resume { note });
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}
