//! What a node's answers look like, and how they are held to the question.

use alloy::{
    primitives::{Address, B256, Bloom, BloomInput, U256},
    rpc::types::Log,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Fact, read_fact},
    domain::{BlockTime, VaultDomain},
    event::BlockRef,
    observe::Block,
};

use super::ChainError;

/// A block with the hashes of its transactions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockAnswer {
    number: U256,
    hash: B256,
    parent_hash: B256,
    timestamp: U256,
    gas_limit: U256,
    base_fee_per_gas: Option<U256>,
    transactions: Vec<B256>,
    #[serde(default)]
    logs_bloom: Bloom,
}

impl BlockAnswer {
    /// Whether the block's header leaves open that the contract logged something in it. A header without a filter tells
    /// nothing.
    pub(super) fn may_hold_logs_of(&self, address: Address) -> bool {
        self.logs_bloom
            .contains_input(BloomInput::Raw(address.as_slice()))
    }

    /// The block, if it is the one that was asked for.
    pub(super) fn numbered(self, asked: u64) -> Result<Block, ChainError> {
        let block = self.block()?;
        if block.id.number != asked {
            return Err(ChainError::WrongBlock {
                asked: asked.to_string(),
                answered: block.id.number,
            });
        }
        Ok(block)
    }

    /// The block, whichever it is.
    pub(super) fn block(self) -> Result<Block, ChainError> {
        let number = narrow("number", self.number)?;
        if self.hash.is_zero() {
            return Err(ChainError::Field {
                field: "block hash",
                value: self.hash.to_string(),
                rule: "must not be zero",
            });
        }
        let base_fee = self.base_fee_per_gas.ok_or(ChainError::Field {
            field: "baseFeePerGas",
            value: "missing".to_owned(),
            rule: "the chain must know EIP-1559",
        })?;
        Ok(Block {
            id: BlockRef {
                number,
                hash: self.hash,
                time: BlockTime::from_seconds(narrow("timestamp", self.timestamp)?).map_err(
                    |_| ChainError::Field {
                        field: "timestamp",
                        value: self.timestamp.to_string(),
                        rule: "must be below 2^40",
                    },
                )?,
            },
            parent: self.parent_hash,
            base_fee: narrow("baseFeePerGas", base_fee)?,
            gas_limit: narrow("gasLimit", self.gas_limit)?,
            facts: Vec::new(),
            transactions: self.transactions,
        })
    }
}

/// What a transaction left behind, as far as its logs go.
#[derive(Debug, Deserialize)]
pub(super) struct ReceiptAnswer {
    pub logs: Vec<Log>,
}

/// What the vault logged in that block: every log must be the vault's and of that block, in rising order.
pub(super) fn read_logs(
    logs: &[Log],
    block: B256,
    domain: &VaultDomain,
) -> Result<Vec<Fact>, ChainError> {
    let mut facts = Vec::with_capacity(logs.len());
    let mut before = None;
    for log in logs {
        let strange = |what| Err(strange_log(block, what));
        if log.removed {
            return strange("it was removed");
        }
        if log.block_hash != Some(block) {
            return strange("it is of another block");
        }
        if log.inner.address != domain.vault {
            return strange("it is not the vault's");
        }
        if log.log_index.is_none() || log.log_index <= before {
            return strange("its index does not rise");
        }
        before = log.log_index;
        let fact = read_fact(&log.inner, domain);
        facts.push(fact.map_err(|error| strange_log(block, &error.to_string()))?);
    }
    Ok(facts)
}

/// A log that the question cannot have brought up.
pub(super) fn strange_log(block: B256, what: &str) -> ChainError {
    ChainError::StrangeLog {
        block,
        what: what.to_owned(),
    }
}

/// A quantity that fits its type.
pub(super) fn narrow<T: TryFrom<U256>>(field: &'static str, value: U256) -> Result<T, ChainError> {
    T::try_from(value).map_err(|_| ChainError::Field {
        field,
        value: value.to_string(),
        rule: "is beyond its type",
    })
}

/// A block by its hash, as EIP-1898 names it: a node that lacks it must answer an error.
pub(super) fn by_hash(hash: B256) -> Value {
    json!({ "blockHash": hash })
}

/// A block by its height.
pub(super) fn by_number(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

/// Filter for the logs of one contract in a range of blocks, both ends included.
pub(super) fn logs_between(address: Address, first: u64, last: u64) -> Value {
    json!([{ "address": address, "fromBlock": by_number(first), "toBlock": by_number(last) }])
}

/// Filter for the logs of one contract in one block.
pub(super) fn logs_of(address: Address, block: B256) -> Value {
    json!([{ "address": address, "blockHash": block }])
}
