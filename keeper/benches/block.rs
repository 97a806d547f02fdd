//! What it costs to hold a block against its hash: `cargo bench -p tidelock-keeper --bench block`.
//!
//! A block of 300 transactions with three logs each is made up, told as a node tells it, and checked again and again.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a measurement, not a part of the keeper: what goes wrong here may stop it"
)]

use std::time::{Duration, Instant};

use alloy::{
    consensus::{
        Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, proofs::calculate_receipt_root,
    },
    primitives::{Address, B256, Bloom, Bytes, Log, U256, keccak256},
};
use serde_json::{Value, json};
use tidelock_keeper::chain::verify::{ReceiptAnswer, check_header, check_receipts};

const RECEIPTS: u64 = 300;
const LOGS: u64 = 3;
const ROUNDS: usize = 300;

fn main() {
    let (header, receipts) = block();
    let hash = header.hash_slow();
    let block_text = told_block(&header, hash).to_string();
    let receipts_text = told_receipts(&receipts).to_string();
    let told: Value = serde_json::from_str(&block_text).unwrap();
    let answers: Vec<ReceiptAnswer> = serde_json::from_str(&receipts_text).unwrap();

    let checked = median(|| {
        let header = check_header(&told, hash).unwrap();
        check_receipts(&header, &answers).unwrap();
    });
    let read = median(|| {
        let told: Value = serde_json::from_str(&block_text).unwrap();
        let answers: Vec<ReceiptAnswer> = serde_json::from_str(&receipts_text).unwrap();
        let header = check_header(&told, hash).unwrap();
        check_receipts(&header, &answers).unwrap();
    });
    let kib = (block_text.len() + receipts_text.len()) >> 10;
    println!(
        "A block against its hash: {RECEIPTS} receipts of {LOGS} logs, {kib} KiB as a node tells it; medians of {ROUNDS}\n"
    );
    row("header, filter and receipts' root", checked, "<= 2 ms");
    row("the same, with reading the node's text", read, "");
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn row(what: &str, time: Duration, target: &str) {
    let hundredths = time.as_micros() / 10;
    let result = format!("{}.{:02} ms", hundredths / 100, hundredths % 100);
    println!("{what:<50} {result:>14}  {target}");
}

/// Bytes that are the same in every run, and look like any others.
fn digest(of: &str, index: u64) -> B256 {
    keccak256(format!("{of} {index}"))
}

fn block() -> (Header, Vec<ReceiptEnvelope>) {
    let mut bloom = Bloom::ZERO;
    let receipts: Vec<ReceiptEnvelope> = (0..RECEIPTS)
        .map(|index| {
            let logs = (0..LOGS).map(|log| {
                let topics = (0..3).map(|topic| digest("topic", index * 9 + log * 3 + topic));
                let address = Address::from_word(digest("token", index % 40));
                let data = Bytes::copy_from_slice(digest("amount", index).as_slice());
                Log::new_unchecked(address, topics.collect(), data)
            });
            let receipt = Receipt {
                status: (index % 50 != 0).into(),
                cumulative_gas_used: 60_000 * (index + 1),
                logs: logs.collect(),
            };
            let receipt: ReceiptWithBloom<Receipt> = receipt.with_bloom();
            bloom.accrue_bloom(&receipt.logs_bloom);
            match index % 3 {
                0 => ReceiptEnvelope::Legacy(receipt),
                _ => ReceiptEnvelope::Eip1559(receipt),
            }
        })
        .collect();
    let header = Header {
        number: 24_000_000,
        timestamp: 1_800_000_000,
        gas_limit: 60_000_000,
        gas_used: 60_000 * RECEIPTS,
        base_fee_per_gas: Some(1_000_000_000),
        logs_bloom: bloom,
        receipts_root: calculate_receipt_root(&receipts),
        withdrawals_root: Some(digest("withdrawals", 0)),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(digest("beacon", 0)),
        requests_hash: Some(digest("requests", 0)),
        ..Header::default()
    };
    (header, receipts)
}

fn told_block(header: &Header, hash: B256) -> Value {
    let mut told = serde_json::to_value(header).unwrap();
    told["hash"] = json!(hash);
    let hashes: Vec<B256> = (0..RECEIPTS).map(|index| digest("hash", index)).collect();
    told["transactions"] = json!(hashes);
    told
}

/// With all that nodes tell beside.
fn told_receipts(receipts: &[ReceiptEnvelope]) -> Value {
    let told = (0..).zip(receipts).map(|(index, receipt)| {
        let hash = digest("hash", index);
        let block = digest("block", 0);
        let logs = (0..).zip(receipt.logs()).map(|(log, told)| {
            json!({
                "address": told.address,
                "topics": told.topics(),
                "data": told.data.data,
                "blockNumber": "0x16e3600",
                "transactionHash": hash,
                "transactionIndex": U256::from(index),
                "blockHash": block,
                "blockTimestamp": "0x6b49d200",
                "logIndex": U256::from(index * LOGS + log),
                "removed": false,
            })
        });
        json!({
            "blockHash": block,
            "blockNumber": "0x16e3600",
            "contractAddress": null,
            "cumulativeGasUsed": U256::from(receipt.cumulative_gas_used()),
            "effectiveGasPrice": "0x3b9aca00",
            "from": Address::from_word(digest("from", index)),
            "gasUsed": "0xea60",
            "logs": logs.collect::<Vec<_>>(),
            "logsBloom": receipt.logs_bloom(),
            "status": U256::from(u8::from(receipt.is_success())),
            "to": Address::from_word(digest("to", index)),
            "transactionHash": hash,
            "transactionIndex": U256::from(index),
            "type": U256::from(u8::from(receipt.tx_type())),
        })
    });
    told.collect()
}
