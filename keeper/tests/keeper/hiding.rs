//! A node that once leaves out what it should tell.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use tidelock_core::lifecycle::PaymentStatus;

use super::{
    daemon::each_paid_once,
    liar::{Lie, Server},
    small, start,
    world::Plan,
};

/// Takes the last log out of an answer that has some; whether there was one.
fn hide_last(method: &str, answer: &mut Value) -> bool {
    let logs = match method {
        "eth_getLogs" => answer.as_array_mut(),
        "eth_getBlockReceipts" => answer.as_array_mut().and_then(|receipts| {
            let logs = receipts.iter_mut().rev();
            let mut logs = logs.filter_map(|receipt| receipt["logs"].as_array_mut());
            logs.find(|logs| !logs.is_empty())
        }),
        _ => None,
    };
    logs.is_some_and(|logs| logs.pop().is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_once_hides_a_payment_is_named_and_asked_again() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    let hidden = Arc::new(AtomicUsize::new(0));
    let count = hidden.clone();
    let server = Server::start(world.node.url(), move |method, _, truth| {
        let mut answer = truth.clone();
        if count.load(Ordering::Relaxed) < 2 && hide_last(method, &mut answer) {
            count.fetch_add(1, Ordering::Relaxed);
            return Lie::Result(answer);
        }
        Lie::Truth
    })
    .await;
    let url = format!("http://127.0.0.1:{}", server.port);
    daemon.start_with(&["run", "--first-keeper", "--rpc-url", &url]);
    daemon.opened().await;
    let payments = small(0..5);
    daemon.file(&payments);
    daemon.until_count(PaymentStatus::Paid, 5).await;
    each_paid_once(&world, &payments).await;
    assert_eq!(hidden.load(Ordering::Relaxed), 2, "nothing was hidden");
    assert!(
        daemon.log().contains(": receiptsRoot 0x"),
        "{}",
        daemon.log()
    );
}
