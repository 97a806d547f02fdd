//! A lost database.

use tidelock_core::lifecycle::PaymentStatus;

use super::{daemon::each_paid_once, small, start, world::Plan};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_before_the_database_was_lost_is_not_paid_again() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..6);
    daemon.file(&payments[..4]);
    daemon.until_count(PaymentStatus::Paid, 4).await;
    daemon.stop();
    for ending in ["", ".high-water"] {
        let mut path = daemon.store().into_os_string();
        path.push(ending);
        std::fs::remove_file(path).unwrap();
    }
    daemon.start();
    daemon.opened().await;
    daemon.until_count(PaymentStatus::Paid, 4).await;
    daemon.file(&payments); // all of them again
    daemon
        .until("it waits for what may still land", |daemon| {
            daemon.log().contains("Restored")
        })
        .await;
    world.mine(3).await;
    assert!(world.token_balance(payments[5].recipient()).await.is_zero());
    world.skip(7_201).await;
    daemon.until_count(PaymentStatus::Paid, 6).await;
    each_paid_once(&world, &payments).await;
}
