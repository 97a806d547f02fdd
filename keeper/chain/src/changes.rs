//! Policy changes that somebody proposed, from the vault's own log.

use alloy::primitives::{B256, Bytes};
use alloy_sol_types::SolEvent;
use serde_json::{Value, json};
use tidelock_core::abi::Vault;

use super::{
    ChainError, RpcChain, RpcError,
    wire::{Log, by_number, strange_log},
};

/// A change as the vault logged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedChange {
    /// The digest of its struct.
    pub id: B256,
    /// Which struct it is, by the place in the vault's enumeration.
    pub kind: u8,
    /// The ABI encoding of that struct.
    pub change: Bytes,
}

impl RpcChain {
    /// Changes that were proposed from one height to another, both included; none if the node answers about fewer blocks only.
    pub async fn changes_between(
        &self,
        first: u64,
        last: u64,
    ) -> Result<Option<Vec<ProposedChange>>, ChainError> {
        let vault = self.parties.domain.vault;
        let filter: Value = json!([{
            "address": vault,
            "topics": [Vault::ChangeProposed::SIGNATURE_HASH],
            "fromBlock": by_number(first),
            "toBlock": by_number(last),
        }]);
        let asked = self.rpc.request::<Vec<Log>>("eth_getLogs", filter).await;
        let logs = match asked {
            Err(RpcError::Refused { .. } | RpcError::Timeout { .. }) if first < last => {
                return Ok(None);
            }
            asked => asked?,
        };
        let each = logs.iter().map(|log| {
            let strange = |what: &str| strange_log(log.block_hash.unwrap_or_default(), what);
            if log.inner.address != vault {
                return Err(strange("it is not the vault's"));
            }
            let event = Vault::ChangeProposed::decode_log(&log.inner);
            let event = event.map_err(|error| strange(&error.to_string()))?;
            Ok(ProposedChange {
                id: event.id,
                kind: event.kind,
                change: event.change.clone(),
            })
        });
        each.collect::<Result<_, _>>().map(Some)
    }
}
