use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use alloy::primitives::{Address, Bytes};
use alloy_sol_types::sol;
use futures_util::{StreamExt, TryStreamExt, stream};
use tidelock_core::{
    abi::VaultLens,
    domain::{MAX_BATCH_COUNT, Payment, TierIndex, pack_payments},
    event::BlockRef,
    port::Advice,
};

use super::{ChainError, PARALLEL, RpcChain};

sol! {
    /// Of USDT on Ethereum and Tron.
    function isBlackListed(address account) external view returns (bool);
    /// Of USDT on Polygon, Avalanche, Arbitrum and Optimism.
    function isBlocked(address account) external view returns (bool);
    /// Of tokens that can be paused.
    function paused() external view returns (bool);
}

/// How the token tells whom it freezes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blacklist {
    /// By `isBlackListed`.
    BlackListed,
    /// By `isBlocked`.
    Blocked,
    /// It does not, or has no such list.
    None,
}

impl RpcChain {
    /// What policy, recipient book and token say of each payment after one block.
    pub(super) async fn advise(
        &self,
        at: BlockRef,
        payments: &[Payment],
    ) -> Result<Vec<Advice>, ChainError> {
        let chunks: Vec<Vec<Payment>> = payments
            .chunks(MAX_BATCH_COUNT)
            .map(<[Payment]>::to_vec)
            .collect();
        let previews: Vec<Vec<Advice>> = stream::iter(chunks)
            .map(|chunk| self.preview(at, chunk))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let mut advice: Vec<Advice> = previews.into_iter().flatten().collect();
        let fits = |advice: &Advice| matches!(advice, Advice::Tier(_));
        let payable = payments.iter().zip(&advice).filter(|(_, a)| fits(a));
        let asked: BTreeSet<Address> = payable.map(|(p, _)| p.recipient()).collect();
        let listed = self.blacklisted(at, asked).await?;
        for (payment, advice) in payments.iter().zip(&mut advice) {
            if fits(advice) && listed.get(&payment.recipient()) == Some(&true) {
                *advice = Advice::Blacklisted;
            }
        }
        Ok(advice)
    }

    async fn preview(
        &self,
        at: BlockRef,
        payments: Vec<Payment>,
    ) -> Result<Vec<Advice>, ChainError> {
        let call = VaultLens::previewCall {
            vault: self.parties.domain.vault,
            payments: Bytes::from(pack_payments(&payments)),
        };
        let previews = self.call(at.hash, self.parties.lens, call).await?;
        if previews.len() != payments.len() {
            return Err(ChainError::Field {
                field: "previews",
                value: previews.len().to_string(),
                rule: "there must be one for each payment",
            });
        }
        let pairs = payments.iter().zip(previews);
        pairs
            .map(|(payment, said)| self.read(payment, &said))
            .collect()
    }

    fn read(&self, payment: &Payment, said: &VaultLens::Preview) -> Result<Advice, ChainError> {
        let recipient = payment.recipient();
        if recipient == self.parties.domain.vault || recipient == self.parties.token {
            return Ok(Advice::Never);
        }
        let strange = |value: u8, rule| ChainError::Field {
            field: "preview",
            value: value.to_string(),
            rule,
        };
        match said.refusal {
            0 => TierIndex::new(said.tier)
                .map(Advice::Tier)
                .map_err(|_| strange(said.tier, "a payment without refusal has a tier of 0 to 3")),
            2 => Ok(Advice::Blocked),
            3 => Ok(Advice::AboveLimit),
            refusal => Err(strange(refusal, "a payment is refused for reason 2 or 3")),
        }
    }

    async fn blacklisted(
        &self,
        at: BlockRef,
        accounts: BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, bool>, ChainError> {
        if accounts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let list = self.find_blacklist(at).await?;
        stream::iter(accounts)
            .map(|account| async move { Ok((account, self.is_listed(list, at, account).await?)) })
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    /// Asked anew each time: a token can be upgraded. One that reverts or answers something else than a truth value has no
    /// such function; but once it has told, an answer that it has none is a node's failure or something for a person to look
    /// at, and nothing is concluded from it.
    pub(super) async fn find_blacklist(&self, at: BlockRef) -> Result<Blacklist, ChainError> {
        for list in [Blacklist::BlackListed, Blacklist::Blocked] {
            let vault = self.parties.domain.vault;
            match self.is_listed(list, at, vault).await {
                Ok(_) => {
                    self.has_told_blacklist.store(true, Ordering::Relaxed);
                    return Ok(list);
                }
                Err(ChainError::Reverted { .. } | ChainError::Undecodable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if self.has_told_blacklist.load(Ordering::Relaxed) {
            return Err(ChainError::Field {
                field: "blacklist of the token",
                value: "none".to_owned(),
                rule: "it told whom it freezes before; if it really does not any more, start the keeper again",
            });
        }
        Ok(Blacklist::None)
    }

    /// Whether the token is paused; none if it does not tell.
    pub async fn is_token_paused(&self, at: BlockRef) -> Result<Option<bool>, ChainError> {
        match self.call(at.hash, self.parties.token, pausedCall {}).await {
            Ok(is_paused) => Ok(Some(is_paused)),
            Err(ChainError::Reverted { .. } | ChainError::Undecodable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn is_listed(
        &self,
        list: Blacklist,
        at: BlockRef,
        account: Address,
    ) -> Result<bool, ChainError> {
        let token = self.parties.token;
        match list {
            Blacklist::BlackListed => {
                let call = isBlackListedCall { account };
                self.call(at.hash, token, call).await
            }
            Blacklist::Blocked => {
                let call = isBlockedCall { account };
                self.call(at.hash, token, call).await
            }
            Blacklist::None => Ok(false),
        }
    }
}
