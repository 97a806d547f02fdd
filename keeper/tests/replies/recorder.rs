//! Sends to a node and writes down what came back.

use std::time::Duration;

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::Encodable2718,
    primitives::{Address, B256, Bytes, U256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidelock_keeper::chain::{Rpc, RpcError, RpcSettings};

/// How a node is told what tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sets balances, and mines when told to.
    Hardhat,
    /// Has a rich account, and mines every few seconds.
    Geth,
}

pub struct Recorder {
    pub chain_id: u64,
    pub version: String,
    pub kind: Kind,
    pub answers: Vec<Value>,
    rpc: Rpc,
    key: PrivateKeySigner,
    /// What was given to the account. [wei]
    funds: u128,
}

/// A key that is the same in every recording, so that what is recorded is too.
fn key(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap()
}

impl Recorder {
    pub async fn connect(url: Url) -> Self {
        let rpc = Rpc::new(url, RpcSettings::default()).unwrap();
        let chain_id: U256 = rpc.request("eth_chainId", json!([])).await.unwrap();
        let asked = rpc.request("web3_clientVersion", json!([]));
        let version: String = asked.await.unwrap();
        let kind = if version.starts_with("Geth/") {
            Kind::Geth
        } else {
            Kind::Hardhat
        };
        Self {
            chain_id: chain_id.to(),
            version,
            kind,
            answers: Vec::new(),
            rpc,
            key: key(0x51),
            funds: 0,
        }
    }

    /// Signs with another key from now on, whose account was given so much. [wei]
    pub fn use_key(&mut self, byte: u8, wei: u128) {
        (self.key, self.funds) = (key(byte), wei);
    }

    /// Makes an empty account hold so much, and signs with its key from now on. [wei]
    pub async fn fund(&mut self, byte: u8, wei: u128) {
        self.use_key(byte, wei);
        let (to, value) = (self.key.address(), U256::from(wei));
        match self.kind {
            Kind::Hardhat => {
                self.ask::<Value>("hardhat_setBalance", json!([to, value]))
                    .await;
            }
            Kind::Geth => {
                let [rich]: [Address; 1] = self.ask("eth_accounts", json!([])).await;
                let funding = json!({"from": rich, "to": to, "value": value});
                let _: B256 = self.ask("eth_sendTransaction", json!([funding])).await;
            }
        }
        self.until("the account holds what it should", async |this| {
            this.balance().await == value
        })
        .await;
    }

    /// No block comes until told so, or for a while.
    pub async fn stop_mining(&self) {
        match self.kind {
            Kind::Hardhat => {
                self.ask::<Value>("evm_setAutomine", json!([false])).await;
            }
            Kind::Geth => self.next_block().await,
        }
    }

    pub async fn mine(&self) {
        match self.kind {
            Kind::Hardhat => {
                self.ask::<Value>("evm_mine", json!([])).await;
            }
            Kind::Geth => self.next_block().await,
        }
    }

    async fn next_block(&self) {
        let before = self.height().await;
        self.until("a block comes", async |this| this.height().await > before)
            .await;
    }

    pub async fn block_gas_limit(&self) -> u64 {
        let params = json!(["latest", false]);
        let block: Value = self.ask("eth_getBlockByNumber", params).await;
        let limit: U256 = serde_json::from_value(block["gasLimit"].clone()).unwrap();
        limit.to()
    }

    async fn height(&self) -> U256 {
        self.ask("eth_blockNumber", json!([])).await
    }

    async fn balance(&self) -> U256 {
        let params = json!([self.key.address(), "latest"]);
        self.ask("eth_getBalance", params).await
    }

    async fn nonce(&self, at: &str) -> u64 {
        let params = json!([self.key.address(), at]);
        let nonce: U256 = self.ask("eth_getTransactionCount", params).await;
        nonce.to()
    }

    async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> T {
        self.rpc.request(method, params).await.unwrap()
    }

    async fn until(&self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let asked = async {
            while !is_so(self).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), asked).await;
        waited.unwrap_or_else(|_| panic!("never: {what}"));
    }

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
    pub async fn record(&mut self, situation: &str, transaction: TxEip1559) {
        let fields = self.fields(&transaction).await;
        let answer = self.send(transaction).await;
        let mut entry = json!({"situation": situation, "answer": answer});
        if let (Some(entry), Some(fields)) = (entry.as_object_mut(), fields) {
            entry.extend(fields);
        }
        self.answers.push(entry);
    }

    /// Of geth all that its rules look at is kept: the simulator's pool is held to them.
    async fn fields(&self, sent: &TxEip1559) -> Option<serde_json::Map<String, Value>> {
        if self.kind != Kind::Geth {
            return None;
        }
        let account = json!({
            "address": self.key.address(),
            "nonce": self.nonce("latest").await,
            "funded_wei": self.funds.to_string(),
        });
        let sent = json!({
            "nonce": sent.nonce,
            "gas_limit": sent.gas_limit,
            "max_fee_wei": sent.max_fee_per_gas.to_string(),
            "tip_wei": sent.max_priority_fee_per_gas.to_string(),
            "raw": self.raw(sent.clone()),
        });
        let fields = [("account".to_owned(), account), ("sent".to_owned(), sent)];
        Some(fields.into_iter().collect())
    }

    /// Answers what the node does.
    pub async fn send(&self, transaction: TxEip1559) -> Value {
        let (nonce, pending) = (transaction.nonce, self.nonce("pending").await);
        let raw = self.raw(transaction);
        match self
            .rpc
            .request::<Value>("eth_sendRawTransaction", json!([raw]))
            .await
        {
            Ok(hash) => {
                if self.kind == Kind::Geth && nonce == pending {
                    // Geth answers before it has sorted what it took.
                    self.until("the pool has sorted it", async |this| {
                        this.nonce("pending").await > nonce
                    })
                    .await;
                }
                json!({"result": hash})
            }
            Err(RpcError::Refused { code, message, .. }) => {
                json!({"error": {"code": code, "message": message}})
            }
            Err(error) => panic!("nonce {nonce}: {error}"),
        }
    }
}
