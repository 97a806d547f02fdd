//! Blocks as real nodes tell them, recorded in test-fixtures/blocks: each hash and root is computed again, and a change in any
//! field is noticed.
//!
//! `UPDATE_FIXTURES=1` records them anew, from anvil and from go-ethereum under the rules of two forks, which
//! `scripts/build-geth` makes. OP Sepolia's are written by `scripts/record-headers`, and Avalanche's by the test that is ignored.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use alloy::{
    consensus::{
        Header, SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy,
    },
    eips::{eip2718::Encodable2718, eip7702::Authorization},
    primitives::{Address, B256, Bytes, Signature, U256, hex},
    signers::{SignerSync, local::PrivateKeySigner},
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_keeper::chain::{
    ChainError, Rpc, RpcSettings,
    verify::{ReceiptAnswer, check_header, check_receipts},
};

use crate::world::{Node, Plan, Program, World, repository};

const NODES: [&str; 3] = ["anvil", "geth-osaka", "geth-amsterdam"];
const CHAIN: u64 = 31_337;
/// Of the first block, so that what is recorded is always the same. [seconds since 1970]
const BEGIN: u64 = 1_800_000_000;
/// Puts 42 into memory, logs it with two topics, and makes a contract without code.
const LOGS: &[u8] = &hex!("602a6000526007600860206000a260006000f3");
/// Reverts.
const REVERTS: &[u8] = &hex!("60006000fd");

#[derive(Deserialize)]
struct Recorded {
    block: Value,
    receipts: Value,
}

impl Recorded {
    /// What a keeper that computes everything again thinks of it.
    fn check(&self) -> Result<(), ChainError> {
        let hash: B256 = serde_json::from_value(self.block["hash"].clone()).unwrap();
        let header = check_header(&self.block, hash)?;
        let receipts: Vec<ReceiptAnswer> = serde_json::from_value(self.receipts.clone()).unwrap();
        check_receipts(&header, &receipts)
    }
}

fn recorded(node: &str) -> Vec<Recorded> {
    let path = repository().join(format!("test-fixtures/blocks/{node}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_real_nodes_tell_of_their_blocks_makes_up_their_hashes() {
    for node in NODES {
        let blocks = recorded(node);
        let mut kinds: Vec<&Value> = (blocks.iter())
            .flat_map(|block| block.receipts.as_array().unwrap())
            .map(|receipt| &receipt["type"])
            .collect();
        kinds.sort_by_key(|kind| kind.to_string());
        kinds.dedup();
        assert_eq!(kinds, ["0x0", "0x1", "0x2", "0x4"], "{node}");
        for (index, block) in blocks.iter().enumerate() {
            block
                .check()
                .unwrap_or_else(|error| panic!("{node} {index}: {error}"));
        }
    }
}

/// Every field that goes into a hash; the others do not matter.
#[test]
fn a_change_in_any_field_is_noticed() {
    const BESIDES: [&str; 5] = [
        "size",
        "totalDifficulty",
        "transactions",
        "uncles",
        "withdrawals",
    ];
    for node in NODES {
        for recorded in &recorded(node) {
            let fields = recorded.block.as_object().unwrap().keys();
            for field in fields.filter(|field| !BESIDES.contains(&field.as_str())) {
                let mut changed = Recorded {
                    block: recorded.block.clone(),
                    receipts: recorded.receipts.clone(),
                };
                changed.block[field] = other(&changed.block[field]);
                assert!(changed.check().is_err(), "{node}: {field} of the block");
            }
            for (index, receipt) in recorded.receipts.as_array().unwrap().iter().enumerate() {
                for field in ["type", "status", "cumulativeGasUsed", "logsBloom"] {
                    let mut changed = recorded.receipts.clone();
                    changed[index][field] = other(&receipt[field]);
                    let block = recorded.block.clone();
                    let receipts = changed;
                    let changed = Recorded { block, receipts };
                    assert!(
                        changed.check().is_err(),
                        "{node}: {field} of receipt {index}"
                    );
                }
            }
        }
    }
}

/// A chain of the OP Stack, under Canyon's rules: the root commits to a deposit's nonce and version too.
#[test]
fn receipts_of_op_sepolia_make_up_their_roots() {
    for mut recorded in recorded("op-sepolia") {
        recorded.check().unwrap();
        assert_eq!(recorded.receipts[0]["type"], "0x7e");
        for field in ["depositNonce", "depositReceiptVersion"] {
            let told = recorded.receipts[0][field].clone();
            recorded.receipts[0][field] = other(&told);
            assert!(recorded.check().is_err(), "{field}");
            recorded.receipts[0][field] = told;
        }
    }
}

/// Avalanche's headers have fields that Ethereum's lack, so their hashes are others (ADR 0074). Before Helicon the roots are of the block itself.
#[test]
fn hashes_of_avalanche_are_not_found() {
    for recorded in recorded("avalanchego") {
        let error = recorded.check().unwrap_err();
        assert!(
            matches!(error, ChainError::Untrue { field: "hash", .. }),
            "{error}"
        );
        let header = Header::deserialize(&recorded.block).unwrap();
        let receipts: Vec<ReceiptAnswer> = serde_json::from_value(recorded.receipts).unwrap();
        check_receipts(&header, &receipts).unwrap();
    }
}

/// A value of the same length that differs in its last digit.
fn other(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return json!("0x1");
    };
    let end = if text.ends_with('1') { "0" } else { "1" };
    let kept = text.strip_suffix(|_: char| true).unwrap();
    if kept == "0x" || text == "0x" {
        return json!(if text == "0x0" { "0x1" } else { "0x0" });
    }
    json!(format!("{kept}{end}"))
}

// ── Recording ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// go-ethereum under one fork's rules, where each transaction is mined at once in a block of its own.
struct Geth {
    process: Child,
    url: Url,
}

impl Geth {
    fn start(fork: &str, account: Address) -> Self {
        let program = repository().join("target/geth/devchain");
        let mut process = Command::new(&program)
            .args(["-fork", fork, "-timestamp", &BEGIN.to_string()])
            .args(["-accounts", &account.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let (_, address) = line.trim().rsplit_once(' ').unwrap();
        let url = format!("http://{address}").parse().unwrap();
        Self { process, url }
    }
}

impl Drop for Geth {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn key() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(0x51)).unwrap()
}

fn signed<T: SignableTransaction<Signature>>(transaction: T) -> Bytes
where
    TxEnvelope: From<alloy::consensus::Signed<T>>,
{
    let hash = transaction.signature_hash();
    let signature = key().sign_hash_sync(&hash).unwrap();
    TxEnvelope::from(transaction.into_signed(signature))
        .encoded_2718()
        .into()
}

/// One of each type, with logs and without, and one that fails.
fn transactions() -> Vec<Bytes> {
    const FEE: u128 = 20_000_000_000;
    let input = Bytes::from_static(LOGS);
    let legacy = TxLegacy {
        chain_id: Some(CHAIN),
        gas_price: FEE,
        gas_limit: 500_000,
        input: input.clone(),
        ..TxLegacy::default()
    };
    let with_access = TxEip2930 {
        chain_id: CHAIN,
        nonce: 1,
        gas_price: FEE,
        gas_limit: 500_000,
        input: input.clone(),
        ..TxEip2930::default()
    };
    let capped = TxEip1559 {
        chain_id: CHAIN,
        nonce: 2,
        gas_limit: 500_000,
        max_fee_per_gas: FEE,
        max_priority_fee_per_gas: 1,
        input,
        ..TxEip1559::default()
    };
    let fails = TxEip1559 {
        nonce: 3,
        input: Bytes::from_static(REVERTS),
        ..capped.clone()
    };
    let delegation = Authorization {
        chain_id: U256::from(CHAIN),
        address: Address::repeat_byte(0x77),
        nonce: 0,
    };
    let delegating = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x52)).unwrap();
    let signature = delegating.sign_hash_sync(&delegation.signature_hash());
    let delegates = TxEip7702 {
        chain_id: CHAIN,
        nonce: 4,
        gas_limit: 500_000,
        max_fee_per_gas: FEE,
        max_priority_fee_per_gas: 1,
        to: Address::repeat_byte(0x71),
        value: U256::ONE,
        authorization_list: vec![delegation.into_signed(signature.unwrap())],
        ..TxEip7702::default()
    };
    vec![
        signed(legacy),
        signed(with_access),
        signed(capped),
        signed(fails),
        signed(delegates),
    ]
}

async fn ask(rpc: &Rpc, method: &'static str, params: Value) -> Value {
    rpc.request(method, params).await.unwrap()
}

/// All blocks after the first.
async fn record(rpc: &Rpc, node: &str) {
    let head: U256 = serde_json::from_value(ask(rpc, "eth_blockNumber", json!([])).await).unwrap();
    record_until(rpc, node, head.to()).await;
}

/// Those after the first until one of them.
async fn record_until(rpc: &Rpc, node: &str, last: u64) {
    let mut blocks = Vec::new();
    for number in 1..=last {
        let number = json!(U256::from(number));
        let block = ask(rpc, "eth_getBlockByNumber", json!([number, false])).await;
        let receipts = ask(rpc, "eth_getBlockReceipts", json!([number])).await;
        blocks.push(json!({"block": block, "receipts": receipts}));
    }
    let folder = repository().join("test-fixtures/blocks");
    fs::create_dir_all(&folder).unwrap();
    let text = format!("{:#}\n", Value::from(blocks));
    fs::write(folder.join(format!("{node}.json")), text).unwrap();
}

#[tokio::test]
async fn blocks_are_recorded_when_asked_for() {
    if std::env::var_os("UPDATE_FIXTURES").is_none() {
        return;
    }
    let account = key().address();
    for fork in ["osaka", "amsterdam"] {
        let geth = Geth::start(fork, account);
        let rpc = Rpc::new(geth.url.clone(), RpcSettings::default()).unwrap();
        for (block, raw) in (1..).zip(transactions()) {
            let time = json!([BEGIN + 12 * block]);
            ask(&rpc, "evm_setNextBlockTimestamp", time).await;
            ask(&rpc, "eth_sendRawTransaction", json!([raw])).await;
        }
        record(&rpc, &format!("geth-{fork}")).await;
    }
    let node = Node::start(&Plan {
        arguments: vec!["--timestamp".to_owned(), BEGIN.to_string()],
        ..Plan::default()
    });
    let rpc = Rpc::new(node.url(), RpcSettings::default()).unwrap();
    let funds = json!([account, U256::from(10).pow(U256::from(20))]);
    ask(&rpc, "anvil_setBalance", funds).await;
    ask(&rpc, "evm_setAutomine", json!([false])).await;
    for raw in transactions() {
        ask(&rpc, "eth_sendRawTransaction", json!([raw])).await;
    }
    let time = json!([BEGIN + 12]);
    ask(&rpc, "evm_setNextBlockTimestamp", time).await;
    ask(&rpc, "evm_mine", json!([])).await;
    record(&rpc, "anvil").await;
}

/// A few blocks in which a token is made and moved.
#[tokio::test]
#[ignore = "wants scripts/build-nodes avalanche and UPDATE_FIXTURES=1"]
async fn avalanche_is_recorded_when_asked_for() {
    if std::env::var_os("UPDATE_FIXTURES").is_none() {
        return;
    }
    let world = World::start(Plan {
        program: Program::Relative("avalanche"),
        block_gas_limit: 10_000_000,
        ..Plan::default()
    })
    .await;
    record_until(&world.rpc, "avalanchego", world.head().await.number).await;
}
