//! What a person's command asks of the chain, who sends one transaction and waits for it.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::{SolEvent, SolInterface};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Fact, Vault, VaultLens, read_fact},
    domain::{Batch, BatchId, Payment, PaymentNumber},
    event::BlockRef,
    port::VaultLook,
};

use super::{
    ChainError, PARALLEL, RpcChain, RpcError, simulate,
    wire::{Log, by_hash, by_number, narrow, strange_log},
};

/// Numbers in one answer of the vault.
const MASK_BITS: u64 = 256;
/// Blocks in one question, where a node refuses to answer about all of them.
const FIRST_WINDOW: u64 = 50_000;

/// A proposal as the vault logged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Height.
    pub block: u64,
    /// Its header.
    pub header: Batch,
    /// Its payments.
    pub payments: Vec<Payment>,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mined {
    /// The block that holds it.
    pub block: u64,
    /// It went through.
    pub success: bool,
    /// What it used.
    pub gas_used: u64,
}

/// Why a call would not go through.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The vault refuses.
    #[error("the vault refuses: {0}")]
    Refused(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptAnswer {
    transaction_hash: B256,
    block_number: U256,
    status: U256,
    gas_used: U256,
}

impl RpcChain {
    /// The newest block.
    pub async fn head(&self) -> Result<BlockRef, ChainError> {
        Ok(self.block_by_tag("latest").await?.id)
    }

    /// What the node is known by among all others, if it tells: its key in the network, or the name of a development chain.
    pub(super) async fn node_name(&self) -> Option<String> {
        for (method, field) in [
            ("admin_nodeInfo", "id"),
            ("anvil_metadata", "instanceId"),
            ("hardhat_metadata", "instanceId"),
        ] {
            // A node that tells no name has none, whatever it answers.
            let told: Result<Value, _> = self.rpc.request(method, json!([])).await;
            let name = told
                .ok()
                .and_then(|told| Some(told.get(field)?.as_str()?.to_owned()));
            if name.is_some() {
                return name;
            }
        }
        None
    }

    /// The block that the node calls final.
    pub async fn finalised(&self) -> Result<BlockRef, ChainError> {
        Ok(self.final_block().await?.id)
    }

    /// The block at a height.
    pub async fn block_numbered(&self, number: u64) -> Result<BlockRef, ChainError> {
        Ok(self.header(number, None).await?.id)
    }

    /// Those of these numbers, in rising order, that the vault has paid after one block. One question for numbers that are
    /// close.
    pub async fn paid_among(
        &self,
        at: BlockRef,
        numbers: &[PaymentNumber],
    ) -> Result<BTreeSet<PaymentNumber>, ChainError> {
        let mut paid = BTreeSet::new();
        let mut rest = numbers;
        while let Some(first) = rest.first() {
            let offset = |number: &PaymentNumber| number.0.saturating_sub(first.0);
            let near = rest.partition_point(|number| offset(number) < MASK_BITS);
            let (group, others) = rest.split_at_checked(near).unwrap_or((rest, &[]));
            rest = others;
            let last = group.last().map_or(0, offset);
            let count = u16::try_from(last.saturating_add(1)).unwrap_or(u16::MAX);
            let mask = self.paid_mask(at, *first, count).await?;
            let is_paid = |number: &&PaymentNumber| {
                usize::try_from(offset(number)).is_ok_and(|bit| mask.bit(bit))
            };
            paid.extend(group.iter().filter(is_paid).copied());
        }
        Ok(paid)
    }

    /// A number that the vault has paid and that is not among these, of those in their words of 256 and the words beside: who
    /// gives numbers out gives them one after the other.
    pub async fn paid_besides(
        &self,
        at: BlockRef,
        known: &BTreeSet<PaymentNumber>,
    ) -> Result<Option<PaymentNumber>, ChainError> {
        let words: BTreeSet<u64> = (known.iter())
            .map(|number| number.0.div_euclid(MASK_BITS))
            .flat_map(|word| word.saturating_sub(1)..=word.saturating_add(1))
            .collect();
        let mut masks = stream::iter(words)
            .map(|word| async move {
                let first = PaymentNumber(word.saturating_mul(MASK_BITS));
                let count = u16::try_from(MASK_BITS).unwrap_or(u16::MAX);
                let mask = self.paid_mask(at, first, count).await?;
                Ok::<_, ChainError>((first, mask))
            })
            .buffered(PARALLEL);
        while let Some((first, mask)) = masks.try_next().await? {
            let paid = (0..256_u16).filter(|bit| mask.bit(usize::from(*bit)));
            let mut paid = paid.filter_map(|bit| first.checked_add(bit));
            if let Some(number) = paid.find(|number| !known.contains(number)) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Bit `i` set: the vault has paid number `first + i`, of `count` numbers, after one block.
    async fn paid_mask(
        &self,
        at: BlockRef,
        first: PaymentNumber,
        count: u16,
    ) -> Result<U256, ChainError> {
        let call = Vault::paidMaskCall {
            firstNumber: first.0,
            count,
        };
        let told = self.call(at.hash, self.parties.domain.vault, call).await?;
        match self.proven_mask(at, first, count).await? {
            Some(proven) if proven != told => Err(ChainError::Field {
                field: "numbers that are paid, as a mask",
                value: format!("{told:#x}"),
                rule: "must be what the vault's storage proves",
            }),
            _ => Ok(told),
        }
    }

    /// The vault at one block, without proposals.
    pub async fn look_at(&self, at: BlockRef) -> Result<VaultLook, ChainError> {
        self.look(at, &[]).await
    }

    /// Whether the token has an account on a list of those it freezes.
    pub async fn is_blacklisted(&self, at: BlockRef, account: Address) -> Result<bool, ChainError> {
        let list = self.find_blacklist(at).await?;
        self.is_listed(list, at, account).await
    }

    /// The base fee of the newest block, and the tip that the node suggests. [wei per gas]
    pub async fn market(&self) -> Result<(u128, u128), ChainError> {
        let (head, tip) = tokio::try_join!(self.block_by_tag("latest"), self.suggested_tip())?;
        Ok((head.base_fee, tip))
    }

    /// First second at which payments flow again; 0 or past if the vault is not frozen.
    pub async fn halted_until(&self, at: BlockRef) -> Result<u64, ChainError> {
        let call = VaultLens::haltedUntilCall {
            vault: self.parties.domain.vault,
        };
        let answer = self.call(at.hash, self.parties.lens, call).await?;
        narrow("haltedUntil", answer)
    }

    /// What a call of the vault by `from` returns after one block, or why it is refused.
    pub async fn try_call(
        &self,
        at: BlockRef,
        from: Address,
        data: &Bytes,
    ) -> Result<Bytes, CallError> {
        let call = json!({"from": from, "to": self.parties.domain.vault, "data": data});
        let asked = self
            .rpc
            .request::<Bytes>("eth_call", json!([call, by_hash(at.hash)]));
        asked
            .await
            .map_err(|error| match simulate::revert_data(&error) {
                Some(data) => CallError::Refused(revert_words(&data)),
                None => CallError::Chain(error.into()),
            })
    }

    /// The next nonce of an account, those of transactions that wait in the node's pool counted.
    pub async fn next_nonce(&self, account: Address) -> Result<u64, ChainError> {
        let params = json!([account, "pending"]);
        let nonce: U256 = self.rpc.request("eth_getTransactionCount", params).await?;
        narrow("nonce", nonce)
    }

    /// What became of a transaction; none if no block holds it.
    pub async fn mined(&self, hash: B256) -> Result<Option<Mined>, ChainError> {
        let params = json!([hash]);
        let answer: Option<ReceiptAnswer> = self
            .rpc
            .request("eth_getTransactionReceipt", params)
            .await?;
        let Some(receipt) = answer else {
            return Ok(None);
        };
        if receipt.transaction_hash != hash {
            return Err(ChainError::Field {
                field: "receipt of transaction",
                value: receipt.transaction_hash.to_string(),
                rule: "must be that of the transaction asked about",
            });
        }
        Ok(Some(Mined {
            block: narrow("blockNumber", receipt.block_number)?,
            success: receipt.status == U256::ONE,
            gas_used: narrow("gasUsed", receipt.gas_used)?,
        }))
    }

    /// The proposal with that id, not before `first`: in one question if the node allows it, else backwards from its head.
    pub async fn find_proposal(
        &self,
        id: BatchId,
        first: u64,
    ) -> Result<Option<Proposed>, ChainError> {
        let head = self.head().await?.number;
        match self.proposals_in(id, first, head).await {
            Err(ChainError::Rpc(RpcError::Refused { .. } | RpcError::Timeout { .. })) => {}
            answer => return answer,
        }
        let mut window = FIRST_WINDOW;
        let mut last = head;
        loop {
            let start = last.saturating_sub(window.saturating_sub(1)).max(first);
            match self.proposals_in(id, start, last).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) if start <= first => return Ok(None),
                Ok(None) => last = start.saturating_sub(1),
                Err(ChainError::Rpc(_)) if window > 1 => window = window.div_euclid(4).max(1),
                Err(error) => return Err(error),
            }
        }
    }

    async fn proposals_in(
        &self,
        id: BatchId,
        first: u64,
        last: u64,
    ) -> Result<Option<Proposed>, ChainError> {
        let domain = self.parties.domain;
        let filter: Value = json!([{
            "address": domain.vault,
            "topics": [Vault::BatchProposed::SIGNATURE_HASH, id],
            "fromBlock": by_number(first),
            "toBlock": by_number(last),
        }]);
        let logs: Vec<Log> = self.rpc.request("eth_getLogs", filter).await?;
        let Some(log) = logs.first() else {
            return Ok(None);
        };
        let strange = |what: &str| strange_log(log.block_hash.unwrap_or_default(), what);
        if log.inner.address != domain.vault {
            return Err(strange("it is not the vault's"));
        }
        let fact = read_fact(&log.inner, &domain).map_err(|error| strange(&error.to_string()))?;
        match fact {
            Fact::Proposed {
                id: found,
                header,
                payments,
            } if found == id => Ok(Some(Proposed {
                block: log.height().unwrap_or_default(),
                header,
                payments,
            })),
            _ => Err(strange("it is not the proposal asked for")),
        }
    }
}

/// Revert data in words: the vault's error with its values, or hexadecimal.
fn revert_words(data: &[u8]) -> String {
    let Ok(error) = Vault::VaultErrors::abi_decode(data) else {
        return format!("revert data 0x{}", hex::encode(data));
    };
    // Printed as `Name(Name { value: … })`.
    let words = format!("{error:?}");
    let inner = words
        .split_once('(')
        .map_or(words.as_str(), |(_, rest)| rest);
    let inner = inner.strip_suffix(')').unwrap_or(inner);
    // `Name { value: …, other: … }` becomes `Name, with value …, other …`.
    match inner.split_once(" { ") {
        None => inner.to_owned(),
        Some((name, values)) => {
            let values = values.trim_end_matches(" }").replace(": ", " ");
            format!("{name}, with {values}")
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_sol_types::SolError;

    use super::*;

    #[test]
    fn the_vaults_errors_read_as_words() {
        let caller = Address::repeat_byte(1);
        let data = Vault::VaultNotSigner { caller }.abi_encode();
        assert_eq!(
            revert_words(&data),
            format!("VaultNotSigner, with caller {caller:?}")
        );
        let data = Vault::VaultFrozen {
            haltedUntil: U256::from(7),
        };
        assert_eq!(
            revert_words(&data.abi_encode()),
            "VaultFrozen, with haltedUntil 7"
        );
        assert_eq!(revert_words(&[1, 2]), "revert data 0x0102");
    }
}
