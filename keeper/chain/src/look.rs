use alloy::primitives::{Address, U256};
use alloy_sol_types::sol;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tidelock_core::{
    abi::{Vault, VaultLens},
    domain::{Amount, BatchId, TierIndex},
    event::BlockRef,
    port::{ProposalLook, ProposalState, TierLook, VaultLook},
};

use super::{
    ChainError, PARALLEL, RpcChain,
    wire::{by_hash, narrow},
};

sol! {
    function balanceOf(address who) external view returns (uint256);
}

impl RpcChain {
    /// The vault after one block, every answer about that block.
    pub(super) async fn look(
        &self,
        at: BlockRef,
        proposals: &[BatchId],
    ) -> Result<VaultLook, ChainError> {
        let vault = self.parties.domain.vault;
        let lens = self.parties.lens;
        let keeper = self.parties.keeper;
        let (halted, balance, party, gas_balance, tiers, data_fee) = tokio::try_join!(
            self.call(at.hash, lens, VaultLens::haltedUntilCall { vault }),
            self.call(at.hash, self.parties.token, balanceOfCall { who: vault }),
            self.call(
                at.hash,
                lens,
                VaultLens::partyCall {
                    vault,
                    account: keeper,
                }
            ),
            self.gas_balance(at, keeper),
            self.tiers(at),
            async { Ok(self.recent_data_fee(at).await) },
        )?;
        let proposals = stream::iter(proposals.to_vec())
            .map(|id| self.proposal(at, id))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        Ok(VaultLook {
            halted_until: narrow("haltedUntil", halted)?,
            balance: Amount(narrow("balance", balance)?),
            tiers,
            proposals,
            keeper_until: party.keeperUntil.to::<u64>(),
            proposer_until: party.proposerUntil.to::<u64>(),
            gas_balance,
            data_fee,
        })
    }

    /// What an account holds to pay for gas. [wei]
    pub(super) async fn gas_balance(
        &self,
        at: BlockRef,
        account: Address,
    ) -> Result<U256, ChainError> {
        let params = json!([account, by_hash(at.hash)]);
        Ok(self.rpc.request("eth_getBalance", params).await?)
    }

    async fn tiers(&self, at: BlockRef) -> Result<Vec<TierLook>, ChainError> {
        let vault = self.parties.domain.vault;
        let rows = self
            .call(at.hash, self.parties.lens, VaultLens::tiersCall { vault })
            .await?;
        if rows.is_empty() || rows.len() > usize::from(TierIndex::COUNT) {
            return Err(ChainError::Field {
                field: "tiers",
                value: rows.len().to_string(),
                rule: "a vault has 1 to 4",
            });
        }
        stream::iter(rows.into_iter().enumerate())
            .map(|(index, row)| self.tier(at, index, row))
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    async fn tier(
        &self,
        at: BlockRef,
        index: usize,
        row: VaultLens::Tier,
    ) -> Result<TierLook, ChainError> {
        let vault = self.parties.domain.vault;
        let tier = U256::from(index);
        let cap_call = VaultLens::capInForceCall { vault, tier };
        let headroom_call = Vault::headroomCall { index: tier };
        let (cap, headroom) = tokio::try_join!(
            self.call(at.hash, self.parties.lens, cap_call),
            self.call(at.hash, vault, headroom_call),
        )?;
        Ok(TierLook {
            approvals: row.approvals,
            delay: row.delay,
            cap: Amount(narrow("cap", cap)?),
            headroom: Amount(narrow("headroom", headroom)?),
        })
    }

    async fn proposal(
        &self,
        at: BlockRef,
        id: BatchId,
    ) -> Result<(BatchId, ProposalLook), ChainError> {
        let call = VaultLens::explainCall {
            vault: self.parties.domain.vault,
            id: id.0,
        };
        let said = self.call(at.hash, self.parties.lens, call).await?;
        Ok((
            id,
            ProposalLook {
                state: state_of(said.state)?,
                earliest: said.earliest.to::<u64>(),
                votes: said.votes,
                required: said.required,
            },
        ))
    }
}

fn state_of(state: u8) -> Result<ProposalState, ChainError> {
    ProposalState::numbered(state).ok_or_else(|| ChainError::Field {
        field: "state",
        value: state.to_string(),
        rule: "a proposal has states 0 to 6",
    })
}
