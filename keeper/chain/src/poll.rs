use std::sync::{MutexGuard, PoisonError};

use alloy::primitives::{B256, U256};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tidelock_core::{
    event::BlockRef,
    observe::{Block, Polled},
};

use super::{
    ChainError, PARALLEL, RpcChain, RpcError,
    wire::{BlockAnswer, CheckedBlock, by_hash, by_number, narrow},
};

/// Blocks in one answer at most: bounds its size, and the work that is lost if one block of them cannot be read.
const MAX_BLOCKS: u64 = 64;

#[derive(Deserialize)]
struct FeeHistory {
    #[serde(default)]
    reward: Vec<Vec<U256>>,
}

impl RpcChain {
    /// What came after `tip`, and what is final. Blocks are given as far as they can be read; if the first cannot, there
    /// is no answer.
    pub(super) async fn poll(&self, tip: BlockRef) -> Result<Polled, ChainError> {
        let (head, finalised, suggested_tip) = tokio::try_join!(
            self.by_tag("latest"),
            self.final_block(),
            self.suggested_tip(),
        )?;
        let blocks = self.blocks_after(tip, head).await?;
        // While catching up, what was asked for is final as a whole: it is taken in piece by piece.
        let last = blocks.last();
        let behind = last.filter(|last| last.id.number < finalised.id.number);
        let finalised = behind.cloned().unwrap_or(finalised);
        let finalised_nonce = self.nonce_if_kept(finalised.id).await?;
        Ok(Polled {
            blocks,
            finalised: (finalised.id.number, finalised.id.hash),
            finalised_nonce,
            suggested_tip,
        })
    }

    /// The keeper's nonce after a block. A node that keeps the state of its newest blocks only, as geth does by default,
    /// refuses to tell it after one that was missed long ago.
    async fn nonce_if_kept(&self, block: BlockRef) -> Result<Option<u64>, ChainError> {
        match self.nonce_after(block).await {
            Err(ChainError::Rpc(error @ RpcError::Refused { .. })) => {
                tracing::debug!(block = block.number, %error, "the node has no state of a final block");
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// The last block that is final, without its facts: by the node's tag, or deep enough under its newest one.
    pub(super) async fn final_block(&self) -> Result<Block, ChainError> {
        let Some(depth) = self.final_depth else {
            return self.block_by_tag("finalized").await;
        };
        let head = self.block_by_tag("latest").await?.id.number;
        let number = head.saturating_sub(depth);
        let checked = self.answer(number, Some(head)).await?;
        let checked = checked.numbered(number, self.checks)?;
        self.proofs.note(&checked);
        Ok(checked.block)
    }

    /// A block by its tag, without its facts.
    pub(super) async fn block_by_tag(&self, tag: &'static str) -> Result<Block, ChainError> {
        Ok(self.by_tag(tag).await?.block)
    }

    async fn by_tag(&self, tag: &'static str) -> Result<CheckedBlock, ChainError> {
        let answer: Option<BlockAnswer> = self
            .rpc
            .request("eth_getBlockByNumber", json!([tag, false]))
            .await?;
        let missing = || ChainError::MissingBlock {
            asked: tag.to_owned(),
            head: "unknown".to_owned(),
        };
        let checked = answer.ok_or_else(missing)?.checked(self.checks)?;
        self.proofs.note(&checked);
        if tag == "latest" {
            self.newest.set(checked.block.id);
        }
        Ok(checked)
    }

    /// The keeper's nonce after a block. No key has sent anything in the first block of a chain, whose state many nodes
    /// have dropped; nodes that know of no final block yet answer with that one.
    pub async fn nonce_after(&self, block: BlockRef) -> Result<u64, ChainError> {
        if block.number == 0 {
            return Ok(0);
        }
        let mut last = *self.last_nonce();
        if let Some((_, nonce)) = last.take_if(|(hash, _)| *hash == block.hash) {
            return Ok(nonce);
        }
        let keeper = self.parties.keeper;
        let nonce = match self.proven(block, keeper, &[]).await? {
            Some((nonce, _)) => nonce,
            None => {
                let params = json!([keeper, by_hash(block.hash)]);
                let nonce: U256 = self.rpc.request("eth_getTransactionCount", params).await?;
                narrow("nonce", nonce)?
            }
        };
        *self.last_nonce() = Some((block.hash, nonce));
        Ok(nonce)
    }

    fn last_nonce(&self) -> MutexGuard<'_, Option<(B256, u64)>> {
        let last = self.last_nonce.lock();
        last.unwrap_or_else(PoisonError::into_inner)
    }

    /// The keeper's next nonce if all that waits in the node's pool is mined.
    pub async fn pending_nonce(&self) -> Result<u64, ChainError> {
        let params = json!([self.parties.keeper, "pending"]);
        let nonce: U256 = self.rpc.request("eth_getTransactionCount", params).await?;
        narrow("nonce", nonce)
    }

    async fn blocks_after(
        &self,
        tip: BlockRef,
        newest: CheckedBlock,
    ) -> Result<Vec<Block>, ChainError> {
        let head = newest.block.id.number;
        let first = tip.number.saturating_add(1);
        if head == first {
            return Ok(vec![self.with_facts(newest).await?]); // it is here already
        }
        let last = head.min(tip.number.saturating_add(MAX_BLOCKS));
        let mut answers = stream::iter(first..=last)
            .map(|number| self.block_with_facts(number, Some(head)))
            .buffered(PARALLEL);
        let mut blocks = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(block) => blocks.push(block),
                Err(error) if blocks.is_empty() => return Err(error),
                Err(_) => break, // asked again next time, and reported if it stays
            }
        }
        Ok(blocks)
    }

    pub(super) async fn block_with_facts(
        &self,
        number: u64,
        head: Option<u64>,
    ) -> Result<Block, ChainError> {
        let answer = self.answer(number, head).await?;
        let answer = answer.numbered(number, self.checks)?;
        self.proofs.note(&answer);
        self.with_facts(answer).await
    }

    /// A block by its height, without its facts.
    pub(super) async fn header(&self, number: u64, head: Option<u64>) -> Result<Block, ChainError> {
        let answer = self.answer(number, head).await?;
        Ok(answer.numbered(number, self.checks)?.block)
    }

    async fn answer(&self, number: u64, head: Option<u64>) -> Result<BlockAnswer, ChainError> {
        let params = json!([by_number(number), false]);
        let answer: Option<BlockAnswer> = self.rpc.request("eth_getBlockByNumber", params).await?;
        let missing = || ChainError::MissingBlock {
            asked: number.to_string(),
            head: head.map_or_else(|| "unknown".to_owned(), |head| head.to_string()),
        };
        answer.ok_or_else(missing)
    }

    /// The tip that the node suggests; where it has no such method the median of what was tipped lately; 0 if it tells
    /// neither, and the operator's floor decides. [wei per gas]
    pub(super) async fn suggested_tip(&self) -> Result<u128, ChainError> {
        let asked = self.optional("eth_maxPriorityFeePerGas", json!([]));
        if let Some(tip) = asked.await? {
            return narrow("maxPriorityFeePerGas", tip);
        }
        let params = json!(["0x5", "latest", [50]]);
        let asked = self.optional::<FeeHistory>("eth_feeHistory", params);
        let Some(history) = asked.await? else {
            return Ok(0);
        };
        let mut tips: Vec<U256> = history.reward.into_iter().flatten().collect();
        tips.sort_unstable();
        let middle = tips.len().div_euclid(2);
        narrow("reward", tips.get(middle).copied().unwrap_or_default())
    }
}
