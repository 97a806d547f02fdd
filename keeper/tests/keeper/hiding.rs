//! A node that once leaves out what it should tell.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use tidelock_core::{event::Event, lifecycle::PaymentStatus};

use super::{
    daemon::each_paid_once,
    liar::{Lie, Server},
    small, start,
    world::{Plan, World},
};

/// Takes the newest logs out of an answer that has some; whether there were any.
fn hide_newest(method: &str, answer: &mut Value) -> bool {
    let logs = match method {
        "eth_getLogs" => answer.as_array_mut(),
        "eth_getBlockReceipts" => answer.as_array_mut().and_then(|receipts| {
            let logs = receipts.iter_mut().rev();
            let mut logs = logs.filter_map(|receipt| receipt["logs"].as_array_mut());
            logs.find(|logs| !logs.is_empty())
        }),
        _ => None,
    };
    let Some(logs) = logs.filter(|logs| !logs.is_empty()) else {
        return false;
    };
    logs.clear();
    true
}

/// A node that hides as often as it is told to.
async fn hiding(world: &World) -> (Server, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(0));
    let count = left.clone();
    let server = Server::start(world.node.url(), move |method, _, truth| {
        let mut answer = truth.clone();
        if count.load(Ordering::Relaxed) > 0 && hide_newest(method, &mut answer) {
            count.fetch_sub(1, Ordering::Relaxed);
            return Lie::Result(answer);
        }
        Lie::Truth
    })
    .await;
    (server, left)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_once_hides_a_payment_is_named_and_asked_again() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    let (server, left) = hiding(&world).await;
    let url = format!("http://127.0.0.1:{}", server.port);
    daemon.start_with(&["run", "--first-keeper", "--rpc-url", &url]);
    daemon.opened().await;
    left.store(2, Ordering::Relaxed);
    let payments = small(0..5);
    daemon.file(&payments);
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
    assert_eq!(left.load(Ordering::Relaxed), 0, "not all was hidden");
    assert!(
        daemon.log().contains(": receiptsRoot 0x"),
        "{}",
        daemon.log()
    );
}

/// On a chain whose blocks cannot be checked the node is believed. That the vault has paid shows in its state.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_node_is_believed_a_hidden_payment_is_found_by_what_the_vault_says() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.change("[vault]", "block_checks = \"none\"\n[vault]");
    let (server, left) = hiding(&world).await;
    let url = format!("http://127.0.0.1:{}", server.port);
    daemon.start_with(&["run", "--first-keeper", "--rpc-url", &url]);
    daemon.opened().await;
    // The log, and the receipts that are looked at because there is no log.
    left.store(2, Ordering::Relaxed);
    let payments = small(0..5);
    daemon.file(&payments);
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
    assert_eq!(left.load(Ordering::Relaxed), 0, "not all was hidden");
    let events = daemon.events(payments[0].reference());
    let died = events
        .iter()
        .any(|event| matches!(event, Event::BatchDied { .. }));
    assert!(died, "the payment was never missed: {events:?}");
}
