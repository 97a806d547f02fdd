//! What the vault logged in a block.

use alloy::primitives::{Address, B256};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tidelock_core::{
    abi::{Fact, read_fact},
    observe::Block,
};

use super::{
    BlockChecks, ChainError, PARALLEL, RpcChain, RpcError,
    verify::{ReceiptAnswer, check_receipts},
    wire::{CheckedBlock, Log, by_hash, logs_of, read_logs, strange_log},
};

impl RpcChain {
    /// The block with its facts, as far as they are checked. A filter that belongs to the block's hash and rules out a log of
    /// the vault is proof that there is none.
    pub(super) async fn with_facts(&self, answer: CheckedBlock) -> Result<Block, ChainError> {
        let vault = self.parties.domain.vault;
        let may_hold_logs = answer.may_hold_logs_of(vault);
        let CheckedBlock {
            mut block, header, ..
        } = answer;
        block.facts = match (header, self.checks) {
            (Some(_), _) if !may_hold_logs => Vec::new(),
            (Some(header), BlockChecks::Receipts) => {
                let (receipts, _) = self.receipts(&block).await?;
                check_receipts(&header, &receipts)?;
                self.facts_in(&receipts, block.id.hash)?
            }
            _ => {
                let facts = self.facts_of(block.id.hash).await?;
                if facts.is_empty() && may_hold_logs {
                    self.check_silence(block.id.hash, vault).await?;
                }
                facts
            }
        };
        Ok(block)
    }

    /// All receipts of a block, in order, and whether the node gave them together: one by one where it cannot or will not.
    pub(super) async fn receipts(
        &self,
        block: &Block,
    ) -> Result<(Vec<ReceiptAnswer>, bool), ChainError> {
        let _turn = self.receipt_turns.acquire().await;
        let params = json!([by_hash(block.id.hash)]);
        match self.optional("eth_getBlockReceipts", params).await {
            Ok(Some(receipts)) => return Ok((receipts, true)),
            Ok(None) | Err(RpcError::Refused { .. } | RpcError::TooLong { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let receipts = stream::iter(block.transactions.clone())
            .map(|hash| async move {
                let asked = self.rpc.request("eth_getTransactionReceipt", json!([hash]));
                Ok::<_, ChainError>(asked.await?)
            })
            .buffered(PARALLEL)
            .try_collect::<Vec<ReceiptAnswer>>();
        Ok((receipts.await?, false))
    }

    fn facts_in(&self, receipts: &[ReceiptAnswer], block: B256) -> Result<Vec<Fact>, ChainError> {
        let domain = self.parties.domain;
        let logs = receipts.iter().flat_map(ReceiptAnswer::logs);
        logs.filter(|log| log.address == domain.vault)
            .map(|log| {
                read_fact(log, &domain).map_err(|error| strange_log(block, &error.to_string()))
            })
            .collect()
    }

    /// Asked by hash: a node that lacks the block must answer an error, where by height it would answer nothing.
    async fn facts_of(&self, block: B256) -> Result<Vec<Fact>, ChainError> {
        let domain = self.parties.domain;
        let params = logs_of(domain.vault, block);
        let logs: Vec<Log> = self.rpc.request("eth_getLogs", params).await?;
        read_logs(&logs, block, &domain)
    }

    /// A node that has a block and has not indexed its logs yet answers with none. The block's header remembers that there may
    /// be some; its receipts say whether there are.
    async fn check_silence(&self, block: B256, vault: Address) -> Result<(), ChainError> {
        let params = json!([by_hash(block)]);
        let asked = self.optional::<Vec<ReceiptAnswer>>("eth_getBlockReceipts", params);
        let receipts = asked.await?.unwrap_or_default();
        let mut logs = receipts.iter().flat_map(ReceiptAnswer::logs);
        if logs.any(|log| log.address == vault) {
            let what = "none was answered, and the block's receipts hold some of the vault";
            return Err(strange_log(block, what));
        }
        Ok(())
    }
}
