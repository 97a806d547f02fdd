//! Blocks as a node of Nitro told them, the software of Arbitrum One, on another chain: they stand up to all checks.
//!
//! `scripts/nitro-answers && cargo test -p tidelock-keeper --test chain -- --ignored nitro`

use std::fs;

use alloy::primitives::{Address, B256, Bloom, Bytes, Log, b256};
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_keeper::chain::{
    ChainError,
    verify::{ReceiptAnswer, check_header, check_receipts},
};

use crate::world::repository;

/// ERC-20's `Transfer(address,address,uint256)`.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

#[derive(Deserialize)]
struct Answers {
    blocks: Vec<Value>,
    /// Of the only block that is told with its transactions; all but the last.
    receipts: Vec<Value>,
}

fn answers() -> Answers {
    let path = repository().join("target/nitro/answers.json");
    // scripts/nitro-answers writes it.
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn hash(block: &Value) -> B256 {
    serde_json::from_value(block["hash"].clone()).unwrap()
}

/// The receipt that nobody told, of a wrapped coin's withdrawal: the root is only that of all receipts if it is right.
fn last_receipt(block: &Value) -> Value {
    let transaction = block["transactions"].as_array().unwrap().last().unwrap();
    let of =
        |field: &str| -> Address { serde_json::from_value(transaction[field].clone()).unwrap() };
    let input: Bytes = serde_json::from_value(transaction["input"].clone()).unwrap();
    let amount = Bytes::copy_from_slice(&input[4..]);
    let topics = vec![TRANSFER, of("from").into_word(), B256::ZERO];
    let log = Log::new_unchecked(of("to"), topics, amount);
    let mut filter = Bloom::ZERO;
    filter.accrue_log(&log);
    json!({
        "type": transaction["type"],
        "status": "0x1",
        "cumulativeGasUsed": block["gasUsed"],
        "logsBloom": filter,
        "logs": [{"address": log.address, "topics": log.topics(), "data": log.data.data}],
    })
}

fn check(block: &Value, receipts: &[Value]) -> Result<(), ChainError> {
    let header = check_header(block, hash(block))?;
    let receipts: Vec<ReceiptAnswer> = serde_json::from_value(json!(receipts)).unwrap();
    check_receipts(&header, &receipts)
}

#[test]
#[ignore = "wants scripts/nitro-answers"]
fn blocks_of_nitro_stand_up_to_all_checks() {
    let Answers { blocks, receipts } = answers();
    for block in &blocks {
        check_header(block, hash(block)).unwrap();
    }
    let told = (blocks.iter())
        .find(|block| block["transactions"][0].is_object())
        .unwrap();
    let mut receipts = receipts;
    receipts.push(last_receipt(told));
    let kinds: Vec<&Value> = receipts.iter().map(|receipt| &receipt["type"]).collect();
    assert_eq!(kinds, ["0x6a", "0x0", "0x2", "0x0"]);
    check(told, &receipts).unwrap();
    // The root commits to the type that only Nitro knows.
    receipts[0]["type"] = json!("0x69");
    check(told, &receipts).unwrap_err();
}
