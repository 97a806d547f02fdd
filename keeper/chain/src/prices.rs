//! What gas cost: base fees of the past, and what a payment's transaction paid.

use alloy::primitives::{B256, U256};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tidelock_core::{
    event::BlockRef,
    port::{Advice, Effect, Outcome, Simulation},
};

use super::{Chain, ChainError, PARALLEL, RpcChain, wire::narrow};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    gas_used: U256,
    effective_gas_price: U256,
}

impl RpcChain {
    /// Times and base fees of blocks, evenly spaced from one height to another, both included. [seconds since 1970, wei per gas]
    pub async fn base_fees(
        &self,
        first: u64,
        last: u64,
        count: u64,
    ) -> Result<Vec<(u64, u128)>, ChainError> {
        let blocks = last.saturating_sub(first);
        let step = blocks.div_ceil(count.max(1)).max(1);
        let mut heights: Vec<u64> = Vec::new();
        let mut next = first;
        while next < last {
            heights.push(next);
            next = next.saturating_add(step);
        }
        heights.push(last);
        stream::iter(heights)
            .map(|height| async move {
                let block = self.header(height, None).await?;
                Ok((block.id.time.seconds(), block.base_fee))
            })
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    /// What a transaction paid for gas; none if no block holds it. [wei]
    pub async fn gas_paid(&self, transaction: B256) -> Result<Option<u128>, ChainError> {
        let asked = self
            .rpc
            .request::<Option<Receipt>>("eth_getTransactionReceipt", json!([transaction]));
        let Some(receipt) = asked.await? else {
            return Ok(None);
        };
        let paid = receipt.gas_used.saturating_mul(receipt.effective_gas_price);
        narrow("gas paid", paid).map(Some)
    }

    /// What policy, recipient book and token say of one payment after one block.
    pub async fn advise_one(
        &self,
        at: BlockRef,
        payment: tidelock_core::domain::Payment,
    ) -> Result<Option<Advice>, ChainError> {
        Ok(self.advise(at, &[payment]).await?.first().copied())
    }

    /// What the keeper's call would come to after one block, or in words why there is no answer.
    pub async fn try_job(
        &self,
        at: BlockRef,
        data: alloy::primitives::Bytes,
        (gas_limit, until): (u64, u64),
    ) -> Result<Simulation, String> {
        let effect = Effect::Simulate {
            at,
            data,
            gas_limit,
            until,
        };
        match self.answer(effect).await {
            Outcome::Simulated(simulation) => Ok(simulation),
            Outcome::Failed(why) => Err(why),
            other => Err(format!("no simulation: {other:?}")),
        }
    }
}
