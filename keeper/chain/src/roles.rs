//! How a key stands: its roles now and in a final block, and what it holds for gas. A few questions, where identifying the chain
//! reads a whole block.

use alloy::primitives::U256;
use tidelock_core::{abi::VaultLens, event::BlockRef};

use super::{ChainError, RpcChain, RpcError};

/// First seconds without each role; 0 if it was never granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Of the keeper's.
    pub keeper: u64,
    /// Of the proposer's.
    pub proposer: u64,
}

/// How a key stands, by one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// The newest block.
    pub head: BlockRef,
    /// After it.
    pub newest: Ends,
    /// The last block that is final.
    pub finalised: BlockRef,
    /// After that; none if the node does not keep its state.
    pub settled: Option<Ends>,
    /// [wei]
    pub gas_balance: U256,
}

impl RpcChain {
    /// How the adapter's key stands.
    pub async fn roles(&self) -> Result<Roles, ChainError> {
        let (head, finalised) = tokio::try_join!(self.block_by_tag("latest"), self.final_block())?;
        let (head, finalised) = (head.id, finalised.id);
        let newest = self.ends(head).await?;
        let settled = match self.ends(finalised).await {
            Err(ChainError::Rpc(RpcError::Refused { .. })) => None,
            answer => Some(answer?),
        };
        Ok(Roles {
            head,
            newest,
            finalised,
            settled,
            gas_balance: self.gas_balance(head, self.parties.keeper).await?,
        })
    }

    async fn ends(&self, at: BlockRef) -> Result<Ends, ChainError> {
        let call = VaultLens::partyCall {
            vault: self.parties.domain.vault,
            account: self.parties.keeper,
        };
        let party = self.call(at.hash, self.parties.lens, call).await?;
        Ok(Ends {
            keeper: party.keeperUntil.to::<u64>(),
            proposer: party.proposerUntil.to::<u64>(),
        })
    }
}
