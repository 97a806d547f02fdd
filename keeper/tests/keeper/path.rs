//! The whole path, from a request to a final block, in every tier.

use alloy::primitives::Address;
use tidelock_core::{
    abi::{Vault, header_argument, order_argument},
    domain::{Batch, Payment},
    event::Event,
    lifecycle::PaymentStatus,
};

use super::{
    daemon::{Daemon, each_paid_once, payment},
    small, start,
    world::{HOUR, Plan, USDT, World},
};

/// Header and payments of the batch that a payment was proposed in.
fn proposed(daemon: &Daemon, payment: &Payment) -> Option<Batch> {
    let events = daemon.events(payment.reference());
    events.iter().rev().find_map(|event| match event {
        Event::BatchSealed { batch, .. } => Some(*batch),
        _ => None,
    })
}

/// Whether the batch of a payment is proposed in a final block.
pub(crate) fn is_proposed(daemon: &Daemon, payment: &Payment) -> bool {
    let events = daemon.events(payment.reference());
    let mut events = events.iter();
    events.any(|event| matches!(event, Event::ProposalFinal { .. }))
}

/// Two of three signers approve what is proposed, and the tier's delay passes.
pub(crate) async fn approve(world: &World, daemon: &Daemon, payment: &Payment) -> Batch {
    let is_final = |daemon: &Daemon| is_proposed(daemon, payment);
    daemon
        .until("the batch is proposed for good", is_final)
        .await;
    let header = proposed(daemon, payment).unwrap();
    for signer in &world.keys.signers[..2] {
        let call = Vault::approveCall {
            batch: header_argument(&header),
        };
        let receipt = world.vault_call(signer.address(), &call).await;
        assert!(receipt.success, "a signer could not approve");
    }
    world.skip(u64::from(HOUR) + 1).await;
    header
}

#[tokio::test(flavor = "multi_thread")]
async fn small_payments_flow_and_large_ones_wait_for_people_and_time() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start();
    daemon.opened().await;
    let automatic = small(0..40);
    let large = payment(1_000, 5_000 * USDT);
    let beyond = payment(1_001, 2_000_000 * USDT);
    let vault = Payment::new(
        world.domain.vault,
        automatic[0].amount(),
        payment(1_002, 1).reference(),
    );
    daemon.file(&automatic);
    daemon.file(&[large, beyond, vault.unwrap()]);
    daemon.until_count(PaymentStatus::Paid, 40).await;
    daemon.until_count(PaymentStatus::Held, 1).await;
    daemon.until_count(PaymentStatus::Rejected, 1).await;
    approve(&world, &daemon, &large).await;
    daemon.until_count(PaymentStatus::Paid, 41).await;
    each_paid_once(&world, &[automatic, vec![large]].concat()).await;
    assert!(daemon.stop().success(), "SIGTERM is an orderly end");
    let verified = daemon.ask(&["--json", "verify-log", "--chain"]);
    assert_eq!(verified["findings"], serde_json::json!([]));
    let batches = verified["batches_on_chain"].as_u64().unwrap();
    assert!(batches >= 2, "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_executes_the_batch() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start();
    daemon.opened().await;
    let large = payment(1, 5_000 * USDT);
    daemon.file(&[large]);
    let is_final = |daemon: &Daemon| is_proposed(daemon, &large);
    daemon
        .until("the batch is proposed for good", is_final)
        .await;
    daemon.kill();
    let header = approve(&world, &daemon, &large).await;
    let call = Vault::executeCall {
        order: order_argument(&header),
        payments: large.pack().to_vec().into(),
        skipMask: alloy::primitives::U256::ZERO,
    };
    let signer: Address = world.keys.signers[0].address();
    assert!(world.vault_call(signer, &call).await.success);
    daemon.start();
    daemon.until_count(PaymentStatus::Paid, 1).await;
    each_paid_once(&world, &[large]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_sends_nothing() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start_with(&["run", "--observe", "--first-keeper"]);
    daemon.opened().await;
    daemon.file(&small(0..3));
    daemon
        .until("it says what it would send", |daemon| {
            daemon.log().contains("would send Pay")
        })
        .await;
    let keeper = world.keys.keeper.address();
    let nonce: alloy::primitives::U256 = world
        .ask(
            "eth_getTransactionCount",
            serde_json::json!([keeper, "pending"]),
        )
        .await;
    assert!(nonce.is_zero());
    assert_eq!(daemon.count(PaymentStatus::Open), 3);
    daemon.stop();
    daemon.start();
    daemon.until_count(PaymentStatus::Paid, 3).await;
}
