//! Blocks of real chains, as far as packages and public documents show them (test-fixtures/headers): which checks hold there, and whether
//! the chain's profile asks for those.

use std::fs;

use alloy::primitives::B256;
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::domain::ChainId;
use tidelock_keeper::{
    chain::{
        BlockChecks,
        verify::{ReceiptAnswer, check_header, check_receipts},
    },
    profile::Profile,
};

use crate::world::repository;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    chain_id: u64,
    source: String,
    blocks: Vec<Shown>,
}

/// A block, and its receipts where they are known.
#[derive(Deserialize)]
struct Shown {
    block: Value,
    receipts: Option<Value>,
}

impl Shown {
    /// The most that it stands up to.
    fn checks(&self) -> BlockChecks {
        let hash: B256 = serde_json::from_value(self.block["hash"].clone()).unwrap();
        let Ok(header) = check_header(&self.block, hash) else {
            return BlockChecks::None;
        };
        let Some(receipts) = &self.receipts else {
            return BlockChecks::Header;
        };
        let receipts: Vec<ReceiptAnswer> = serde_json::from_value(receipts.clone()).unwrap();
        match check_receipts(&header, &receipts) {
            Ok(()) => BlockChecks::Receipts,
            Err(_) => BlockChecks::Header,
        }
    }
}

fn recorded(name: &str) -> Recorded {
    let path = repository().join(format!("test-fixtures/headers/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn real_blocks_stand_up_to_what_their_profiles_ask_for() {
    for (name, most) in [
        ("arbitrum", BlockChecks::Header),
        ("avalanche", BlockChecks::None),
        ("bsc", BlockChecks::Receipts),
        ("op-sepolia", BlockChecks::Header),
        ("polygon", BlockChecks::Header),
        ("zora", BlockChecks::Receipts),
    ] {
        let recorded = recorded(name);
        assert!(!recorded.source.is_empty(), "{name}");
        for block in &recorded.blocks {
            assert_eq!(block.checks(), most, "{name}: {}", block.block["number"]);
        }
        // Receipts are known of few; what is asked for must hold as far as they are.
        let profile = Profile::of(ChainId(recorded.chain_id)).unwrap();
        let has_receipts = recorded.blocks.iter().any(|block| block.receipts.is_some());
        if !profile.is_unknown() && (has_receipts || most == BlockChecks::None) {
            assert_eq!(profile.checks.blocks, most, "{name}");
        }
        assert!(
            profile.is_unknown() || profile.checks.blocks >= most,
            "{name}"
        );
    }
}

#[test]
fn headers_follow_one_another() {
    let blocks = recorded("op-sepolia").blocks;
    assert!(blocks.len() >= 3);
    for pair in blocks.windows(2) {
        assert_eq!(pair[1].block["parentHash"], pair[0].block["hash"]);
    }
}

/// Nodes of the OP Stack tell two fields of a deposit's receipt that its block's root commits to, from Canyon on.
#[test]
fn a_deposits_receipt_commits_to_its_nonce_and_version() {
    let zora = recorded("zora").blocks.remove(0);
    let with = |field: &str, value: Option<&str>| {
        let mut receipts = zora.receipts.clone().unwrap();
        let receipt = receipts[0].as_object_mut().unwrap();
        match value {
            Some(value) => drop(receipt.insert(field.to_owned(), json!(value))),
            None => drop(receipt.remove(field)),
        }
        let block = zora.block.clone();
        let receipts = Some(receipts);
        Shown { block, receipts }.checks()
    };
    assert_eq!(with("status", Some("0x1")), BlockChecks::Receipts);
    for (field, value) in [
        ("depositNonce", Some("0x13edd8a")),
        ("depositNonce", None),
        ("depositReceiptVersion", Some("0x2")),
        ("depositReceiptVersion", None),
        ("type", Some("0x7d")),
        ("cumulativeGasUsed", Some("0xab4c")),
    ] {
        assert_eq!(with(field, value), BlockChecks::Header, "{field} {value:?}");
    }
}

/// Each field of a header that its hash commits to.
#[test]
fn a_change_in_a_real_header_is_noticed() {
    for name in ["arbitrum", "bsc", "op-sepolia", "polygon", "zora"] {
        for mut shown in recorded(name).blocks {
            shown.block["receiptsRoot"] = json!(B256::repeat_byte(7));
            assert_eq!(shown.checks(), BlockChecks::None, "{name}");
        }
    }
}
