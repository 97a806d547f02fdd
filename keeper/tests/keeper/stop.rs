//! A vault that is frozen, a token that is paused: it waits, and goes on by itself.

use tidelock_core::{abi::Vault, lifecycle::PaymentStatus};

use super::{
    daemon::each_paid_once,
    small, start,
    world::{DAY, Plan, Tether},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_vault_pays_when_the_freeze_is_over() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    let guardian = world.keys.guardian.address();
    assert!(
        world
            .vault_call(guardian, &Vault::freezeCall {})
            .await
            .success
    );
    daemon.start();
    daemon.opened().await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon
        .until("it says that the vault is frozen", |daemon| {
            daemon.log().contains("the vault is frozen until")
        })
        .await;
    assert!(world.token_balance(payments[0].recipient()).await.is_zero());
    world.skip(u64::from(5 * DAY)).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_token_holds_nobody_for_good() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    world.token_call(&Tether::pauseCall {}).await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon
        .until("it says that the token refuses", |daemon| {
            daemon.log().contains("NothingPaid")
        })
        .await;
    world.token_call(&Tether::unpauseCall {}).await;
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
}
