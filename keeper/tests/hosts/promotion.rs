//! The database's server goes, and the one that followed it is promoted.

use super::{
    Gate, PaymentStatus, daemon::Daemon, each_paid_once, host, log_holds, pair, postgres::Server,
    ready, small, world::Plan,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_every_commit_waited_for_goes_on() {
    let world = ready(Plan::default()).await;
    let (primary, replica) = Server::start_pair(true);
    let gate = Gate::to(primary.folder());
    let (first, _second) = pair(&world, gate.folder(), gate.folder(), "postgres").await;
    first.file(&small(0..4));
    first.until_count(PaymentStatus::Paid, 4).await;
    first.file(&small(4..12));
    drop(primary);
    replica.run("postgres", "SELECT pg_promote()").unwrap();
    gate.lead_to(replica.folder());
    first.until_count(PaymentStatus::Paid, 12).await;
    each_paid_once(&world, &small(0..12)).await;
    log_holds(&first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_nobody_waited_for_is_not_believed() {
    let world = ready(Plan::default()).await;
    let (primary, replica) = Server::start_pair(false);
    let gate = Gate::to(primary.folder());
    let mut keeper: Daemon = host(&world, gate.folder(), "postgres");
    keeper.start();
    keeper.opened().await;
    keeper.file(&small(0..4));
    keeper.until_count(PaymentStatus::Paid, 4).await;
    assert!(keeper.stop().success());
    drop(primary);
    replica.run("postgres", "SELECT pg_promote()").unwrap();
    gate.lead_to(replica.folder());
    keeper.start();
    let ended = keeper.ended().await;
    assert_eq!(ended.code(), Some(5), "{}", keeper.log());
    let log = keeper.log();
    assert!(log.contains("--accept-promotion"), "{log}");
    // The operator knows that it has everything: the one before was stopped in order.
    keeper.start_with(&["run", "--accept-promotion"]);
    keeper.file(&small(4..8));
    keeper.until_count(PaymentStatus::Paid, 8).await;
    each_paid_once(&world, &small(0..8)).await;
    log_holds(&keeper);
}
