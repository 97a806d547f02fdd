use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes};
use futures_util::{StreamExt, TryStreamExt, stream};
use tidelock_core::{
    abi::VaultLens,
    domain::{MAX_BATCH_COUNT, Payment, TierIndex, pack_payments},
    event::BlockRef,
    port::Advice,
};

use super::{ChainError, PARALLEL, RpcChain};

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
}
