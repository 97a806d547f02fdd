//! What a rollup takes beside gas for a transaction's bytes on the chain below it.

use alloy::primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy_sol_types::sol;
use serde_json::json;
use tidelock_core::{domain::MAX_BATCH_COUNT, event::BlockRef};

use super::{ChainError, RpcChain, wire::by_hash};

sol! {
    /// What a transaction of these bytes, without its signature, pays for them. [wei]
    function getL1Fee(bytes data) external view returns (uint256);
}

/// GasPriceOracle of the OP Stack, at the same address on each of its chains (specs.optimism.io, predeploys).
pub const GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000F");

/// Bytes of a payment in a batch: recipient, amount, ref.
const PAYMENT_BYTES: usize = 48;
/// Bytes of a transaction beside its payments, at most: fees, nonce, addresses, the batch's header.
const OTHER_BYTES: usize = 512;

impl RpcChain {
    /// What a transaction with a full batch pays for its bytes, by the oracle of the OP Stack; none if there is no such contract.
    /// [wei]
    pub async fn data_fee_of_full_batch(&self, at: BlockRef) -> Result<Option<U256>, ChainError> {
        let params = json!([GAS_PRICE_ORACLE, by_hash(at.hash)]);
        let code: Bytes = self.rpc.request("eth_getCode", params).await?;
        if code.is_empty() {
            return Ok(None);
        }
        let call = getL1FeeCall {
            data: incompressible(),
        };
        let fee = self.call(at.hash, GAS_PRICE_ORACLE, call).await?;
        Ok(Some(fee))
    }
}

/// As many bytes as a full batch has. The oracle charges for what is left after compression: hashes leave all of them.
fn incompressible() -> Bytes {
    let length = MAX_BATCH_COUNT
        .saturating_mul(PAYMENT_BYTES)
        .saturating_add(OTHER_BYTES);
    let mut word = B256::ZERO;
    let mut bytes = Vec::with_capacity(length.saturating_add(32));
    while bytes.len() < length {
        word = keccak256(word);
        bytes.extend_from_slice(word.as_slice());
    }
    bytes.into()
}
