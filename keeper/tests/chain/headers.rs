//! Headers of a real chain, as a package has them (test-fixtures/headers): they stand up to the check, and no change of them does.

use std::fs;

use alloy::primitives::B256;
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::domain::ChainId;
use tidelock_keeper::{
    chain::{BlockChecks, verify::check_header},
    profile::Profile,
};

use crate::world::repository;

#[derive(Deserialize)]
struct Recorded {
    source: String,
    blocks: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    block: Value,
}

impl Shown {
    fn stands_up(&self) -> bool {
        let hash: B256 = serde_json::from_value(self.block["hash"].clone()).unwrap();
        check_header(&self.block, hash).is_ok()
    }
}

/// OP Sepolia, of the OP Stack as OP Mainnet and Base are.
fn recorded() -> Recorded {
    let path = repository().join("test-fixtures/headers/op-sepolia.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn real_headers_stand_up_and_follow_one_another() {
    let Recorded { source, blocks } = recorded();
    assert!(!source.is_empty());
    assert!(blocks.len() >= 3);
    assert!(blocks.iter().all(Shown::stands_up));
    for pair in blocks.windows(2) {
        assert_eq!(pair[1].block["parentHash"], pair[0].block["hash"]);
    }
    for chain in [10, 8_453] {
        let profile = Profile::of(ChainId(chain)).unwrap();
        assert!(profile.checks.blocks >= BlockChecks::Header, "{chain}");
    }
}

#[test]
fn a_change_in_a_real_header_is_noticed() {
    for mut shown in recorded().blocks {
        shown.block["receiptsRoot"] = json!(B256::repeat_byte(7));
        assert!(!shown.stands_up());
    }
}
