//! What arrived of a payment: the token's own word, in the receipt of the transaction that paid it.

use alloy::primitives::{Address, B256, U256};
use alloy_sol_types::{SolEvent, sol};
use serde::Deserialize;
use serde_json::json;
use tidelock_core::domain::Amount;

use super::{
    ChainError, RpcChain,
    wire::{Log, narrow},
};

sol! {
    event Transfer(address indexed from, address indexed to, uint256 value);
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    logs: Vec<Log>,
}

impl RpcChain {
    /// What the token moved from the vault to a recipient in one transaction: each transfer, in order. None if no block holds the
    /// transaction. [base units]
    pub async fn arrived(
        &self,
        transaction: B256,
        recipient: Address,
    ) -> Result<Option<Vec<Amount>>, ChainError> {
        let asked = self
            .rpc
            .request::<Option<Receipt>>("eth_getTransactionReceipt", json!([transaction]));
        let Some(receipt) = asked.await? else {
            return Ok(None);
        };
        if receipt.transaction_hash != transaction {
            return Err(ChainError::Field {
                field: "receipt of transaction",
                value: receipt.transaction_hash.to_string(),
                rule: "must be that of the transaction asked about",
            });
        }
        let (token, vault) = (self.parties.token, self.parties.domain.vault);
        let logs = receipt.logs.iter().filter(|log| log.inner.address == token);
        let moved = logs.filter_map(|log| Transfer::decode_log_data(&log.inner.data).ok());
        let moved = moved.filter(|moved| moved.from == vault && moved.to == recipient);
        let values: Result<Vec<Amount>, ChainError> =
            moved.map(|moved| amount(moved.value)).collect();
        values.map(Some)
    }
}

fn amount(value: U256) -> Result<Amount, ChainError> {
    Ok(Amount(narrow("value", value)?))
}
