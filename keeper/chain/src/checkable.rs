//! What a chain and its node let be checked, found on the node's newest block.

use serde_json::{Value, json};
use tidelock_core::event::BlockRef;

use super::{
    BlockChecks, ChainError, RpcChain,
    verify::{check_filter, check_header, check_receipts},
    wire::BlockAnswer,
};

/// What can be checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkable {
    /// What is checked: `chain.block_checks`.
    pub checks: BlockChecks,
    /// The most that the newest block stands up to.
    pub most: Option<BlockChecks>,
    /// The node gives the receipts of a block together; none if that was not tried.
    pub receipts_at_once: Option<bool>,
    /// The node proves what it says of the state; none if headers are not checked, without which a proof proves nothing.
    pub proofs: Option<bool>,
}

impl RpcChain {
    /// Tries all checks on a block. Those that are configured must pass.
    pub(super) async fn checkable(
        &self,
        head: BlockRef,
        finalised: BlockRef,
    ) -> Result<Checkable, ChainError> {
        let mut found = Checkable {
            checks: self.checks,
            most: None,
            receipts_at_once: None,
            proofs: None,
        };
        match self.try_block(head, &mut found).await {
            Ok(()) => {}
            Err(error) if found.most < Some(self.checks) => return Err(error),
            Err(error) => {
                tracing::debug!(block = head.number, %error, "the chain allows no further checks");
            }
        }
        if self.checks != BlockChecks::None && finalised.number > 0 {
            let keeper = self.parties.keeper;
            let proven = self.proven(finalised, keeper, &[]).await?;
            found.proofs = Some(proven.is_some());
        }
        Ok(found)
    }

    async fn try_block(&self, head: BlockRef, found: &mut Checkable) -> Result<(), ChainError> {
        let params = json!([head.hash, false]);
        let told: Option<Value> = self.rpc.request("eth_getBlockByHash", params).await?;
        let told = told.ok_or_else(|| ChainError::MissingBlock {
            asked: head.hash.to_string(),
            head: head.number.to_string(),
        })?;
        let answer =
            BlockAnswer::try_from(told.clone()).map_err(|error| ChainError::Unhashable {
                block: head.hash,
                reason: error.to_string(),
            })?;
        let block = answer.checked(BlockChecks::None)?.block;
        found.most = Some(BlockChecks::None);
        let header = check_header(&told, head.hash)?;
        let params = json!([{ "blockHash": head.hash }]);
        let logs: Vec<Value> = self.rpc.request("eth_getLogs", params).await?;
        check_filter(&header, !logs.is_empty())?;
        found.most = Some(BlockChecks::Header);
        let (receipts, at_once) = self.receipts(&block).await?;
        check_receipts(&header, &receipts)?;
        found.receipts_at_once = Some(at_once);
        found.most = Some(BlockChecks::Receipts);
        Ok(())
    }
}
