//! What a node's answers look like, and how they are held to the question.

use alloy::{
    consensus::Header,
    primitives::{self, Address, B256, Bloom, BloomInput, U64, U256},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Fact, read_fact},
    domain::{BlockTime, VaultDomain},
    event::BlockRef,
    observe::{Block, Fork},
};

use super::{BlockChecks, ChainError, verify::check_header};

/// A block with the hashes of its transactions, and all that the node tells of it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct BlockAnswer {
    fields: BlockFields,
    whole: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockFields {
    number: U256,
    hash: B256,
    parent_hash: B256,
    timestamp: U256,
    gas_limit: U256,
    base_fee_per_gas: Option<U256>,
    transactions: Vec<B256>,
    #[serde(default)]
    logs_bloom: Bloom,
    /// In headers from Amsterdam on (EIP-7928).
    block_access_list_hash: Option<B256>,
}

impl TryFrom<Value> for BlockAnswer {
    type Error = serde_json::Error;

    fn try_from(whole: Value) -> Result<Self, Self::Error> {
        let fields = BlockFields::deserialize(&whole)?;
        Ok(Self { fields, whole })
    }
}

/// A block without its facts.
#[derive(Debug)]
pub(super) struct CheckedBlock {
    pub block: Block,
    /// The header, if it was hashed again.
    pub header: Option<Header>,
    logs_bloom: Bloom,
}

impl CheckedBlock {
    /// Whether the block's header leaves open that the contract logged something in it. A header without a filter tells
    /// nothing.
    pub(super) fn may_hold_logs_of(&self, address: Address) -> bool {
        self.logs_bloom
            .contains_input(BloomInput::Raw(address.as_slice()))
    }
}

impl BlockAnswer {
    /// The block, if it is the one that was asked for.
    pub(super) fn numbered(
        self,
        asked: u64,
        checks: BlockChecks,
    ) -> Result<CheckedBlock, ChainError> {
        let answer = self.checked(checks)?;
        let number = answer.block.id.number;
        if number != asked {
            return Err(ChainError::WrongBlock {
                asked: asked.to_string(),
                answered: number,
            });
        }
        Ok(answer)
    }

    /// The block, whichever it is.
    pub(super) fn checked(self, checks: BlockChecks) -> Result<CheckedBlock, ChainError> {
        let logs_bloom = self.fields.logs_bloom;
        let block = self.fields.block()?;
        let header = match checks {
            BlockChecks::None => None,
            BlockChecks::Header | BlockChecks::Receipts => {
                Some(check_header(&self.whole, block.id.hash)?)
            }
        };
        Ok(CheckedBlock {
            block,
            header,
            logs_bloom,
        })
    }
}

impl BlockFields {
    fn block(self) -> Result<Block, ChainError> {
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
            fork: match self.block_access_list_hash {
                Some(_) => Fork::Amsterdam,
                None => Fork::Osaka,
            },
            facts: Vec::new(),
            transactions: self.transactions,
        })
    }
}

/// A log as nodes tell it; those of a block that waits have no place yet.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    #[serde(flatten)]
    pub(super) inner: primitives::Log,
    pub(super) block_hash: Option<B256>,
    block_number: Option<U64>,
    log_index: Option<U64>,
    #[serde(default)]
    pub(super) removed: bool,
}

impl Log {
    /// Height of its block.
    pub(super) fn height(&self) -> Option<u64> {
        self.block_number.map(|number| number.to())
    }
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
