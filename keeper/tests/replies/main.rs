//! What real nodes answer to a sent transaction, recorded in test-fixtures/rpc and held to the node that is pinned. The
//! core's tests hold `classify` to the same recordings, and the simulator's pool to geth's.
//!
//! `UPDATE_FIXTURES=1` records anew. With `REPLIES_NODE=<name> REPLIES_URL=<url>` as well, another node is recorded: a
//! fresh geth in its development mode, or a fresh node that pays no heed to a wrong chain id and knows the `hardhat_` verbs.
//! CONTRIBUTING.md has the commands.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod geth;
mod recorder;
#[path = "../world/mod.rs"]
mod world;

use std::fs;

use alloy::{
    consensus::TxEip1559,
    primitives::{Address, TxKind},
};
use recorder::{Kind, Recorder};
use serde_json::json;
use world::{Node, Plan, repository};

const GWEI: u128 = 1_000_000_000;
/// Of the account that has something. [wei]
const FUNDS: u128 = 1_000_000_000 * GWEI;

/// A plain transfer of nothing with everything right, to be made wrong in one place.
fn transfer(chain_id: u64, nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 20 * GWEI,
        max_priority_fee_per_gas: 2 * GWEI,
        to: TxKind::Call(Address::repeat_byte(0x71)),
        ..TxEip1559::default()
    }
}

/// Another one than [`transfer`] at the same price.
fn other(chain_id: u64, nonce: u64) -> TxEip1559 {
    TxEip1559 {
        to: TxKind::Call(Address::repeat_byte(0x72)),
        ..transfer(chain_id, nonce)
    }
}

/// The situations that are tried on every node, none of whose keys has sent anything yet.
async fn record_common(recorder: &mut Recorder) {
    let id = recorder.chain_id;
    let first = transfer(id, 0);
    recorder.fund(0x51, FUNDS).await;
    recorder.stop_mining().await;
    recorder.record("accepted", first.clone()).await;
    recorder.record("already known", first.clone()).await;
    let same_price = other(id, 0);
    recorder.record("replacement underpriced", same_price).await;
    recorder.mine().await;
    recorder.record("mined already", first).await;
    recorder.record("nonce too low", other(id, 0)).await;
    recorder.record("nonce gap", transfer(id, 5)).await;
    let mut cheap = transfer(id, 1);
    (cheap.max_fee_per_gas, cheap.max_priority_fee_per_gas) = (1, 1);
    recorder.record("below the base fee", cheap).await;
    let mut short = transfer(id, 1);
    short.gas_limit = 20_000;
    recorder.record("less than intrinsic gas", short).await;
    let mut large = transfer(id, 1);
    large.gas_limit = 40_000_000;
    recorder.record("more gas than a block", large).await;
    let mut capped = transfer(id, 1);
    capped.gas_limit = 16_777_217;
    let situation = "more gas than a transaction may have";
    recorder.record(situation, capped).await;
    let mut tip = transfer(id, 1);
    tip.max_priority_fee_per_gas = 21 * GWEI;
    recorder.record("tip above the fee", tip).await;
    let foreign = transfer(id + 1, 1);
    recorder.record("wrong chain id", foreign).await;
    recorder.fund(0x52, 1).await;
    let first = transfer(id, 0);
    recorder.record("insufficient funds", first).await;
}

#[tokio::test]
async fn a_node_answers_as_recorded() {
    let other = std::env::var("REPLIES_NODE")
        .ok()
        .zip(std::env::var("REPLIES_URL").ok());
    let (name, url, _node) = match other {
        Some((name, url)) => (name, url.parse().unwrap(), None),
        None => {
            let arguments = vec!["--enable-tx-gas-limit".to_owned()];
            let node = Node::start(&Plan {
                arguments,
                ..Plan::default()
            });
            ("anvil".to_owned(), node.url(), Some(node))
        }
    };
    let mut recorder = Recorder::connect(url).await;
    record_common(&mut recorder).await;
    if recorder.kind == Kind::Geth {
        geth::record_rules(&mut recorder).await;
    }
    let mut recorded = json!({"node": recorder.version, "answers": recorder.answers});
    if recorder.kind == Kind::Geth {
        recorded["block_gas_limit"] = recorder.block_gas_limit().await.into();
    }
    let text = format!("{recorded:#}\n");
    let path = repository().join(format!("test-fixtures/rpc/{name}.json"));
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        expected,
        "{} is not what the node answers now",
        path.display()
    );
}
