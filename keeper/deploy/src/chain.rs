//! What is asked of the node, typed.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    DeployError,
    node::{Node, NodeError},
};

/// The chain as one node has it.
#[derive(Clone, Copy)]
pub struct Chain<'a>(pub &'a dyn Node);

impl std::fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chain")
    }
}

/// A block, as far as a deployment looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// Height.
    pub number: U256,
    /// Hash.
    pub hash: B256,
    /// [seconds]
    pub timestamp: U256,
    /// [gas]
    pub gas_limit: U256,
    /// None before London. [wei per gas]
    pub base_fee_per_gas: Option<U256>,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Its hash.
    pub transaction_hash: B256,
    /// Height of its block.
    pub block_number: U256,
    /// Its block.
    pub block_hash: B256,
    /// 1 if it went through.
    pub status: U256,
    /// [gas]
    pub gas_used: U256,
    /// What it logged.
    pub logs: Vec<Log>,
}

/// A log entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// Who logged it.
    pub address: Address,
    /// What, first.
    pub topics: Vec<B256>,
    /// The rest.
    pub data: Bytes,
    /// By which transaction.
    pub transaction_hash: B256,
}

type Answer<T> = Result<T, DeployError>;

impl Chain<'_> {
    async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Answer<T> {
        let answer = self.0.ask(method, params).await?;
        serde_json::from_value(answer).map_err(|error| {
            let reason = error.to_string();
            NodeError::Malformed { method, reason }.into()
        })
    }

    /// The chain's id.
    pub async fn id(&self) -> Answer<u64> {
        let id: U256 = self.ask("eth_chainId", json!([])).await?;
        narrow("eth_chainId", id)
    }

    /// Refuses any other chain than the one that is meant.
    pub async fn require(&self, expected: u64) -> Answer<()> {
        let found = self.id().await?;
        if found != expected {
            return Err(DeployError::WrongChain { expected, found });
        }
        Ok(())
    }

    /// Code at an address now; empty if there is none.
    pub async fn code(&self, address: Address) -> Answer<Bytes> {
        self.ask("eth_getCode", json!([address, "latest"])).await
    }

    /// The same once what waits in the node's pool is in a block.
    pub async fn pending_code(&self, address: Address) -> Answer<Bytes> {
        self.ask("eth_getCode", json!([address, "pending"])).await
    }

    /// [wei]
    pub async fn balance(&self, account: Address) -> Answer<U256> {
        let params = json!([account, "latest"]);
        self.ask("eth_getBalance", params).await
    }

    /// Transactions of an account in blocks (`latest`), or those in the pool too (`pending`).
    pub async fn nonce(&self, account: Address, tag: &str) -> Answer<u64> {
        let params = json!([account, tag]);
        let nonce: U256 = self.ask("eth_getTransactionCount", params).await?;
        narrow("eth_getTransactionCount", nonce)
    }

    /// The newest block, or the last final one.
    pub async fn block(&self, tag: &str) -> Answer<Block> {
        self.ask("eth_getBlockByNumber", json!([tag, false])).await
    }

    /// What the node suggests for a tip. [wei per gas]
    pub async fn tip(&self) -> Answer<u128> {
        let tip: U256 = self.ask("eth_maxPriorityFeePerGas", json!([])).await?;
        narrow("eth_maxPriorityFeePerGas", tip)
    }

    /// What a call answers now; without `to`, the code that a creation would leave.
    pub async fn call(
        &self,
        from: Option<Address>,
        to: Option<Address>,
        data: &Bytes,
    ) -> Answer<Bytes> {
        let mut call = json!({ "data": data });
        set(&mut call, "from", from);
        set(&mut call, "to", to);
        self.ask("eth_call", json!([call, "latest"])).await
    }

    /// A view of a contract.
    pub async fn read<C: SolCall>(&self, to: Address, call: &C) -> Answer<C::Return> {
        let answer = self.call(None, Some(to), &call.abi_encode().into()).await?;
        C::abi_decode_returns(&answer).map_err(|error| {
            let reason = format!("{} of {to}: {error}", C::SIGNATURE);
            NodeError::Malformed {
                method: "eth_call",
                reason,
            }
            .into()
        })
    }

    /// [gas]
    pub async fn estimate(
        &self,
        from: Address,
        to: Address,
        value: U256,
        data: &Bytes,
    ) -> Answer<u64> {
        let call = json!({ "from": from, "to": to, "value": value, "data": data });
        let gas: U256 = self.ask("eth_estimateGas", json!([call])).await?;
        narrow("eth_estimateGas", gas)
    }

    /// The same of a creation. [gas]
    pub async fn estimate_creation(&self, from: Address, data: &Bytes) -> Answer<u64> {
        let call = json!({ "from": from, "data": data });
        let gas: U256 = self.ask("eth_estimateGas", json!([call])).await?;
        narrow("eth_estimateGas", gas)
    }

    /// Gives a signed transaction to the node.
    pub async fn send(&self, raw: &Bytes) -> Answer<B256> {
        self.ask("eth_sendRawTransaction", json!([raw])).await
    }

    /// What became of a transaction; none if no block holds it.
    pub async fn receipt(&self, hash: B256) -> Answer<Option<Receipt>> {
        let params = json!([hash]);
        self.ask("eth_getTransactionReceipt", params).await
    }

    /// Logs of a contract with those first topics.
    pub async fn logs(
        &self,
        address: Address,
        topics: &[B256],
        first: u64,
        last: u64,
    ) -> Answer<Vec<Log>> {
        let filter = json!([{
            "address": address,
            "topics": topics,
            "fromBlock": U256::from(first),
            "toBlock": U256::from(last),
        }]);
        self.ask("eth_getLogs", filter).await
    }
}

fn set(call: &mut Value, field: &str, account: Option<Address>) {
    if let (Some(account), Some(fields)) = (account, call.as_object_mut()) {
        fields.insert(field.to_owned(), json!(account));
    }
}

/// A number that fits.
pub(crate) fn narrow<T: TryFrom<U256>>(method: &'static str, number: U256) -> Answer<T> {
    T::try_from(number).map_err(|_| {
        let reason = format!("{number} is too large");
        NodeError::Malformed { method, reason }.into()
    })
}
