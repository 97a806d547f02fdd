//! What a rollup takes for a transaction's bytes on the chain below it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use alloy::primitives::{Address, B256, Bytes, address, keccak256};
use alloy_sol_types::sol;
use serde::Deserialize;
use serde_json::json;
use tidelock_core::{domain::MAX_BATCH_COUNT, event::BlockRef};

use super::{
    ChainError, RpcChain,
    wire::{by_hash, narrow},
};

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
/// How long the fee of a full batch is taken for the same: some blocks of Ethereum. [seconds of chain time]
const STEADY_S: u64 = 60;

/// What a transaction pays for its bytes on another chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFee {
    /// Nothing.
    #[default]
    None,
    /// It is part of the gas that is used, and of what a node estimates.
    InGas,
    /// It is taken beside gas; the contract GasPriceOracle of the OP Stack says how much.
    OpOracle,
}

impl fmt::Display for DataFee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::InGas => "in the gas used",
            Self::OpOracle => "beside gas, by GasPriceOracle",
        })
    }
}

/// The fee of a full batch, and when it was that. [seconds, wei]
#[derive(Debug, Default)]
pub(super) struct LastFee(Mutex<Option<(u64, u128)>>);

impl LastFee {
    fn get(&self) -> Option<(u64, u128)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, time: u64, fee: u128) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((time, fee));
    }
}

impl RpcChain {
    /// How the chain takes its fee for data.
    pub fn charges(&self) -> DataFee {
        self.charges
    }

    /// What a transaction of these bytes, without its signature, pays beside gas in the block after one; none where nothing is taken
    /// beside gas, or the oracle that says how much is not there. [wei]
    pub async fn data_fee(&self, at: BlockRef, data: Bytes) -> Result<Option<u128>, ChainError> {
        if self.charges != DataFee::OpOracle {
            return Ok(None);
        }
        let params = json!([GAS_PRICE_ORACLE, by_hash(at.hash)]);
        let code: Bytes = self.rpc.request("eth_getCode", params).await?;
        if code.is_empty() {
            return Ok(None);
        }
        let call = getL1FeeCall { data };
        let fee = self.call(at.hash, GAS_PRICE_ORACLE, call).await?;
        narrow("getL1Fee", fee).map(Some)
    }

    /// The same of a transaction with a full batch. [wei]
    pub async fn data_fee_of_full_batch(&self, at: BlockRef) -> Result<Option<u128>, ChainError> {
        if self.charges != DataFee::OpOracle {
            return Ok(None);
        }
        self.data_fee(at, incompressible()).await
    }

    /// The same as it was lately, 0 where nothing is taken beside gas: for what is asked at every block. No answer is no failure, as
    /// nothing that is paid hangs on it.
    pub(super) async fn recent_data_fee(&self, at: BlockRef) -> Option<u128> {
        if self.charges != DataFee::OpOracle {
            return Some(0);
        }
        let now = at.time.seconds();
        let last = self.last_data_fee.get();
        if let Some((_, fee)) = last.filter(|(time, _)| time.abs_diff(now) < STEADY_S) {
            return Some(fee);
        }
        match self.data_fee_of_full_batch(at).await {
            Ok(Some(fee)) => {
                self.last_data_fee.set(now, fee);
                Some(fee)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::debug!(%error, "the fee for data is not told");
                last.map(|(_, fee)| fee)
            }
        }
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
