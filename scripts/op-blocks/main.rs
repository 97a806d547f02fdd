//! Executes a block of OP Sepolia as kona-executor's own tests have it, and prints its header, with the hash that it came to, and its
//! receipts in a node's words. Arguments: the block's `fixture.json`, and a file with what it takes of the state, a key and a value in
//! hexadecimal in each line.

use std::{collections::HashMap, env, error::Error, fs};

use alloy_consensus::{Header, Sealable};
use alloy_op_evm::OpEvmFactory;
use alloy_primitives::{B256, Bytes, U64};
use alloy_rlp::Decodable;
use kona_executor::{StatelessL2Builder, TrieDBProvider};
use kona_genesis::RollupConfig;
use kona_mpt::{NoopTrieHinter, TrieNode, TrieProvider};
use op_alloy_consensus::OpReceiptEnvelope;
use op_alloy_rpc_types_engine::OpPayloadAttributes;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Fixture {
    rollup_config: RollupConfig,
    parent_header: Header,
    executing_payload: OpPayloadAttributes,
    expected_block_hash: B256,
}

#[derive(Debug)]
struct Kept(HashMap<B256, Bytes>);

impl Kept {
    fn read(text: &str) -> Result<Self, Box<dyn Error>> {
        let mut kept = HashMap::new();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').ok_or("no value")?;
            kept.insert(key.parse()?, value.parse()?);
        }
        Ok(Self(kept))
    }

    fn of(&self, key: B256) -> Result<&Bytes, String> {
        self.0.get(&key).ok_or(format!("{key} is not kept"))
    }
}

impl TrieProvider for Kept {
    type Error = String;

    fn trie_node_by_hash(&self, key: B256) -> Result<TrieNode, String> {
        TrieNode::decode(&mut self.of(key)?.as_ref()).map_err(|error| error.to_string())
    }
}

impl TrieDBProvider for Kept {
    fn bytecode_by_hash(&self, hash: B256) -> Result<Bytes, String> {
        self.of(hash).cloned()
    }

    fn header_by_hash(&self, hash: B256) -> Result<Header, String> {
        Header::decode(&mut self.of(hash)?.as_ref()).map_err(|error| error.to_string())
    }
}

fn told(receipt: &OpReceiptEnvelope) -> Value {
    let logs = receipt.logs().iter();
    let mut told = json!({
        "type": U64::from(u8::from(receipt.tx_type())),
        "status": U64::from(receipt.status()),
        "cumulativeGasUsed": U64::from(receipt.cumulative_gas_used()),
        "logsBloom": receipt.logs_bloom(),
        "logs": logs.map(|log| json!({
            "address": log.address,
            "topics": log.data.topics(),
            "data": log.data.data,
        })).collect::<Vec<_>>(),
    });
    if let Some(deposit) = receipt.as_deposit_receipt() {
        told["depositNonce"] = json!(deposit.deposit_nonce.map(U64::from));
        told["depositReceiptVersion"] = json!(deposit.deposit_receipt_version.map(U64::from));
    }
    told
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut read = || fs::read_to_string(arguments.next().unwrap_or_default());
    let fixture: Fixture = serde_json::from_str(&read()?)?;
    let mut executor = StatelessL2Builder::new(
        &fixture.rollup_config,
        OpEvmFactory::default(),
        Kept::read(&read()?)?,
        NoopTrieHinter,
        fixture.parent_header.seal_slow(),
    );
    let outcome = executor.build_block(fixture.executing_payload)?;
    let hash = outcome.header.hash();
    if hash != fixture.expected_block_hash {
        return Err(format!("{hash}, not {}", fixture.expected_block_hash).into());
    }
    let mut block = serde_json::to_value(outcome.header.inner())?;
    block["hash"] = json!(hash);
    let receipts: Vec<Value> = outcome.execution_result.receipts.iter().map(told).collect();
    println!("{:#}", json!({"block": block, "receipts": receipts}));
    Ok(())
}
