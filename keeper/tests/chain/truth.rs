//! What a node tells of a block is held against the block's hash; where a chain does not allow that, against the question.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use alloy::primitives::{B256, U256};
use serde_json::{Value, json};
use tidelock_core::{event::BlockRef, observe::Polled};
use tidelock_keeper::chain::BlockChecks;

use crate::{
    by_hand, header,
    liar::{Lie, Server},
    lies::poll,
    pay_data, payment,
    world::{USDT, World},
};

/// A world whose next block after `tip` holds two batches, paid by two transactions.
async fn two_batches() -> (World, BlockRef) {
    let world = by_hand(2).await;
    let tip = world.head().await;
    let keeper = world.keys.keeper.address();
    for (first, byte) in [(100, 0x71), (101, 0x72)] {
        let payments = [payment(byte, USDT)];
        let header = header(&world, 0, first, &payments).await;
        let data = pay_data(&header, &payments);
        let gas = U256::from(2_000_000);
        let pay = json!({"from": keeper, "to": world.domain.vault, "data": data, "gas": gas});
        world.ask::<B256>("eth_sendTransaction", json!([pay])).await;
    }
    world.mine(1).await;
    (world, tip)
}

/// What a keeper that checks so much is told by a liar.
async fn told(
    checks: BlockChecks,
    liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
) -> Result<Polled, String> {
    let (world, tip) = two_batches().await;
    let server = Server::start(world.node.url(), liar).await;
    poll(&server.chain(&world).checking(checks), tip).await
}

/// The same if nothing is checked.
async fn believed(
    liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
) -> Result<Polled, String> {
    told(BlockChecks::None, liar).await
}

// ── Held against the hash ────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn the_truth_is_the_same_however_much_is_checked() {
    let (world, tip) = two_batches().await;
    let mut said = Vec::new();
    for checks in BlockChecks::ALL {
        let polled = poll(&world.chain().checking(checks), tip).await.unwrap();
        assert_eq!(polled.blocks.len(), 1, "{checks}");
        assert_eq!(polled.blocks[0].facts.len(), 2, "{checks}");
        said.push(polled);
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Changes what a node says of logs in the same way wherever it says it: in logs as asked for, and in receipts.
fn everywhere(method: &str, truth: &Value, change: fn(&mut Vec<Value>)) -> Lie {
    let mut answer = truth.clone();
    let logs = match method {
        "eth_getLogs" => Some(&mut answer),
        "eth_getBlockReceipts" => answer
            .as_array_mut()
            .and_then(|receipts| receipts.last_mut()?.get_mut("logs")),
        _ => None,
    };
    let Some(logs) = logs.and_then(Value::as_array_mut).filter(|l| !l.is_empty()) else {
        return Lie::Truth;
    };
    change(logs);
    Lie::Result(answer)
}

#[tokio::test]
async fn a_log_that_is_hidden_added_or_changed_is_found_out() {
    let changes: [fn(&mut Vec<Value>); 7] = [
        Vec::clear,
        |logs| drop(logs.pop()),
        |logs| drop(logs.remove(0)),
        |logs| logs.push(logs[0].clone()),
        |logs| logs.reverse(),
        |logs| logs[0]["data"] = json!(format!("0x{:064x}", 1)),
        |logs| logs[0]["address"] = json!("0x0909090909090909090909090909090909090909"),
    ];
    for (case, change) in changes.into_iter().enumerate() {
        let lied = told(BlockChecks::Receipts, move |method, _, truth| {
            everywhere(method, truth, change)
        });
        let why = lied.await.expect_err(&format!("case {case} is believed"));
        assert!(why.contains(": receiptsRoot 0x"), "case {case}: {why}");
    }
}

#[tokio::test]
async fn a_receipt_that_is_hidden_or_changed_is_found_out() {
    let changes: [fn(&mut Vec<Value>); 7] = [
        Vec::clear,
        |receipts| drop(receipts.pop()),
        |receipts| drop(receipts.remove(0)),
        |receipts| receipts.reverse(),
        |receipts| receipts.push(receipts[0].clone()),
        |receipts| receipts[0]["status"] = json!("0x0"),
        |receipts| receipts[0]["type"] = json!("0x7e"),
    ];
    for (case, change) in changes.into_iter().enumerate() {
        let lied = told(
            BlockChecks::Receipts,
            move |method, _, truth| match method {
                "eth_getLogs" => Lie::Result(json!([])),
                "eth_getBlockReceipts" => {
                    let mut receipts = truth.as_array().unwrap().clone();
                    change(&mut receipts);
                    Lie::Result(receipts.into())
                }
                _ => Lie::Truth,
            },
        );
        let why = lied.await.expect_err(&format!("case {case} is believed"));
        assert!(why.contains(": receiptsRoot 0x"), "case {case}: {why}");
    }
}

/// The filter in the header is what says that receipts need not be read.
#[tokio::test]
async fn a_header_that_is_changed_is_found_out() {
    let zeros = "0".repeat(512);
    let fields = [
        ("logsBloom", json!(format!("0x{zeros}"))),
        ("receiptsRoot", json!(B256::repeat_byte(9))),
        ("timestamp", json!("0x70000000")),
        ("baseFeePerGas", json!("0x1")),
        ("gasLimit", json!("0x1")),
        ("stateRoot", json!(B256::repeat_byte(9))),
    ];
    for checks in [BlockChecks::Header, BlockChecks::Receipts] {
        for (field, value) in fields.clone() {
            let lied = told(checks, move |method, params, truth| match method {
                "eth_getBlockByNumber" if params[0] != "finalized" => {
                    let mut block = truth.clone();
                    block[field] = value.clone();
                    Lie::Result(block)
                }
                "eth_getLogs" | "eth_getBlockReceipts" => Lie::Result(json!([])),
                _ => Lie::Truth,
            });
            let why = lied.await.expect_err(&format!("{field} is believed"));
            assert!(why.contains(": hash 0x"), "{field}: {why}");
        }
    }
}

#[tokio::test]
async fn a_header_without_its_parts_is_no_answer() {
    let lied = told(BlockChecks::Header, |method, _, truth| match method {
        "eth_getBlockByNumber" => {
            let mut block = truth.clone();
            block.as_object_mut().unwrap().remove("stateRoot");
            Lie::Result(block)
        }
        _ => Lie::Truth,
    });
    let why = lied.await.unwrap_err();
    assert!(why.contains("missing field `stateRoot`"), "{why}");
}

/// Some nodes know no `eth_getBlockReceipts`, or refuse it for a large block.
#[tokio::test]
async fn receipts_are_asked_for_one_by_one_where_they_are_not_given_together() {
    let refusals = [
        json!({"code": -32601, "message": "Method not found"}),
        json!({"code": -32000, "message": "response is too big"}),
    ];
    for refusal in refusals {
        let told = told(BlockChecks::Receipts, move |method, _, _| match method {
            "eth_getBlockReceipts" => Lie::Error(refusal.clone()),
            _ => Lie::Truth,
        });
        assert_eq!(told.await.unwrap().blocks[0].facts.len(), 2);
    }
    let lied = told(BlockChecks::Receipts, |method, _, truth| match method {
        "eth_getBlockReceipts" => Lie::Error(json!({"code": -32601, "message": "unknown"})),
        "eth_getTransactionReceipt" => {
            let mut receipt = truth.clone();
            receipt["logs"].as_array_mut().unwrap().pop();
            Lie::Result(receipt)
        }
        _ => Lie::Truth,
    });
    let why = lied.await.unwrap_err();
    assert!(why.contains(": receiptsRoot 0x"), "{why}");
}

#[tokio::test]
async fn a_block_whose_filter_rules_the_vault_out_is_not_asked_about() {
    let (world, tip) = two_batches().await;
    world.mine(3).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let server = Server::start(world.node.url(), move |method, _, _| {
        let is_about_logs = ["eth_getLogs", "eth_getBlockReceipts"].contains(&method);
        counter.fetch_add(is_about_logs.into(), Ordering::Relaxed);
        Lie::Truth
    })
    .await;
    let polled = poll(&server.chain(&world), tip).await.unwrap();
    assert_eq!(polled.blocks.len(), 4);
    assert_eq!(
        asked.load(Ordering::Relaxed),
        1,
        "the payments' block alone"
    );
}

// ── Held against the question ────────────────────────────────────────────────────────────────────────────────────────

/// Distorts the first log there is.
fn distort(truth: &Value, field: &str, value: Value) -> Lie {
    let mut logs = truth.clone();
    match logs.get_mut(0) {
        Some(log) => log[field] = value,
        None => return Lie::Truth,
    }
    Lie::Result(logs)
}

#[tokio::test]
async fn no_logs_are_no_answer_when_the_receipts_hold_some() {
    let polled = believed(|method, _, _| match method {
        "eth_getLogs" => Lie::Result(json!([])),
        _ => Lie::Truth,
    })
    .await;
    let why = polled.unwrap_err();
    assert!(why.contains("receipts hold some"), "{why}");
}

#[tokio::test]
async fn logs_that_cannot_be_the_blocks_are_no_answer() {
    let other = B256::repeat_byte(9);
    let cases = [
        ("blockHash", json!(other), "another block"),
        ("blockHash", Value::Null, "another block"),
        (
            "address",
            json!("0x0909090909090909090909090909090909090909"),
            "not the vault's",
        ),
        ("removed", json!(true), "removed"),
        ("logIndex", Value::Null, "does not rise"),
        ("data", json!("0x"), "not an event"),
        ("topics", json!([other]), "not an event"),
    ];
    for (field, value, words) in cases {
        let named = value.clone();
        let lied = believed(move |method, _, truth| match method {
            "eth_getLogs" => distort(truth, field, value.clone()),
            _ => Lie::Truth,
        });
        let why = lied.await.expect_err(field);
        assert!(why.contains(words), "{field} {named}: {why}");
    }
}

#[tokio::test]
async fn an_id_in_a_log_is_recomputed() {
    let lied = believed(|method, _, truth| match method {
        "eth_getLogs" if truth.get(0).is_some() => {
            let mut logs = truth.clone();
            logs[0]["topics"][1] = json!(B256::repeat_byte(9));
            Lie::Result(logs)
        }
        _ => Lie::Truth,
    });
    let why = lied.await.unwrap_err();
    assert!(why.contains("is not that of its header"), "{why}");
}

#[tokio::test]
async fn an_error_for_logs_is_not_an_empty_list() {
    let refusal = json!({"code": -32000, "message": "unknown block"});
    let lied = believed(move |method, _, _| match method {
        "eth_getLogs" => Lie::Error(refusal.clone()),
        _ => Lie::Truth,
    });
    let why = lied.await.unwrap_err();
    assert_eq!(
        why,
        "eth_getLogs: the node answers error -32000: unknown block"
    );
    let lied = believed(|method, _, _| match method {
        "eth_getLogs" => Lie::Result(Value::Null),
        _ => Lie::Truth,
    });
    assert!(lied.await.is_err());
}
