//! What real nodes answer to a sent transaction, recorded in test-fixtures/rpc and held to the node that is pinned. The
//! core's tests hold `classify` to the same recordings.
//!
//! `UPDATE_FIXTURES=1` records anew. With `REPLIES_NODE=<name> REPLIES_URL=<url>` as well, another node is recorded: a
//! fresh development node that pays no heed to a wrong chain id and knows the `hardhat_` verbs.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod world;

use std::fs;

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::Encodable2718,
    primitives::{Address, Bytes, TxKind, U256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::{Value, json};
use tidelock_keeper::chain::{Rpc, RpcError, RpcSettings};
use world::{Keys, Node, Plan, repository};

const GWEI: u128 = 1_000_000_000;

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

struct Recorder {
    rpc: Rpc,
    key: PrivateKeySigner,
    answers: Vec<Value>,
}

impl Recorder {
    fn raw(&self, transaction: TxEip1559) -> Bytes {
        let signature = self
            .key
            .sign_hash_sync(&transaction.signature_hash())
            .unwrap();
        TxEnvelope::from(transaction.into_signed(signature))
            .encoded_2718()
            .into()
    }

    /// Sends, and writes down what came back under the name of the situation.
    async fn record(&mut self, situation: &str, transaction: TxEip1559) {
        let raw = self.raw(transaction);
        let answer = match self
            .rpc
            .request::<Value>("eth_sendRawTransaction", json!([raw]))
            .await
        {
            Ok(hash) => json!({"result": hash}),
            Err(RpcError::Refused { code, message, .. }) => {
                json!({"error": {"code": code, "message": message}})
            }
            Err(error) => panic!("{situation}: {error}"),
        };
        self.answers
            .push(json!({"situation": situation, "answer": answer}));
    }

    async fn ask(&self, method: &'static str, params: Value) -> Value {
        self.rpc.request(method, params).await.unwrap()
    }

    async fn set_balance(&self, wei: u128) {
        let params = json!([self.key.address(), U256::from(wei)]);
        self.ask("hardhat_setBalance", params).await;
    }

    /// Every situation, on a node whose key has sent nothing yet.
    async fn record_all(&mut self) {
        let id: U256 = self.rpc.request("eth_chainId", json!([])).await.unwrap();
        let id: u64 = id.to();
        self.set_balance(10_u128.pow(18)).await;
        self.ask("evm_setAutomine", json!([false])).await;
        let first = transfer(id, 0);
        self.record("accepted", first.clone()).await;
        self.record("already known", first.clone()).await;
        let mut same_price = first.clone();
        same_price.value = U256::ONE;
        self.record("replacement underpriced", same_price).await;
        self.ask("evm_mine", json!([])).await;
        self.record("mined already", first).await;
        let mut late = transfer(id, 0);
        late.value = U256::ONE;
        self.record("nonce too low", late).await;
        self.record("nonce gap", transfer(id, 5)).await;
        let mut cheap = transfer(id, 1);
        (cheap.max_fee_per_gas, cheap.max_priority_fee_per_gas) = (1, 1);
        self.record("below the base fee", cheap).await;
        let mut short = transfer(id, 1);
        short.gas_limit = 20_000;
        self.record("less than intrinsic gas", short).await;
        let mut large = transfer(id, 1);
        large.gas_limit = 40_000_000;
        self.record("more gas than a block", large).await;
        let mut capped = transfer(id, 1);
        capped.gas_limit = 16_777_217;
        self.record("more gas than a transaction may have", capped)
            .await;
        let mut tip = transfer(id, 1);
        tip.max_priority_fee_per_gas = 21 * GWEI;
        self.record("tip above the fee", tip).await;
        self.record("wrong chain id", transfer(id.wrapping_add(1), 1))
            .await;
        self.set_balance(1).await;
        self.record("insufficient funds", transfer(id, 1)).await;
    }
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
    let mut recorder = Recorder {
        rpc: Rpc::new(url, RpcSettings::default()).unwrap(),
        key: Keys::fixed().stranger,
        answers: Vec::new(),
    };
    recorder.record_all().await;
    let version = recorder.ask("web3_clientVersion", json!([])).await;
    let recorded = json!({"node": version, "answers": recorder.answers});
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
