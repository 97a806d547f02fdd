//! What a block's hash commits to, computed again from what a node tells of the block. The hash of a final block is agreed
//! on by the whole chain, so a node that hides, adds or changes a part of it gives itself away.

use std::{fmt, str::FromStr};

use alloy::{
    consensus::{
        Eip658Value, Header, Receipt, ReceiptWithBloom, proofs::ordered_trie_root_with_encoder,
    },
    primitives::{Address, B256, Bloom, Bytes, Log, U64, keccak256},
    rlp::{BufMut, Encodable},
};
use serde::Deserialize;
use serde_json::Value;

use super::ChainError;

/// How much of a block can be computed again. It depends on the chain: some have fields in their headers, or receipts, that
/// nobody else knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockChecks {
    /// Nothing: the node is believed.
    None,
    /// The header's hash; the filter in it tells which blocks can hold no log of the vault.
    Header,
    /// The header's hash, and from the receipts every log.
    #[default]
    Receipts,
}

impl BlockChecks {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 3] = [Self::None, Self::Header, Self::Receipts];
}

impl fmt::Display for BlockChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Header => "header",
            Self::Receipts => "receipts",
        })
    }
}

impl FromStr for BlockChecks {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut known = Self::ALL.into_iter();
        known.find(|checks| checks.to_string() == text).ok_or(())
    }
}

/// What a transaction left behind: what the receipts' root commits to, and no more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Told")]
pub struct ReceiptAnswer {
    kind: U64,
    receipt: ReceiptWithBloom<Receipt>,
}

/// The same in a node's words.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(rename = "type", default)]
    kind: U64,
    status: U64,
    cumulative_gas_used: U64,
    logs_bloom: Bloom,
    logs: Vec<ToldLog>,
}

#[derive(Deserialize)]
struct ToldLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

impl From<Told> for ReceiptAnswer {
    fn from(told: Told) -> Self {
        let logs = told.logs.into_iter();
        let receipt = Receipt {
            status: Eip658Value::Eip658(!told.status.is_zero()),
            cumulative_gas_used: told.cumulative_gas_used.to(),
            logs: logs
                .map(|log| Log::new_unchecked(log.address, log.topics, log.data))
                .collect(),
        };
        Self {
            kind: told.kind,
            receipt: ReceiptWithBloom::new(receipt, told.logs_bloom),
        }
    }
}

impl ReceiptAnswer {
    /// What was logged, in order.
    pub fn logs(&self) -> &[Log] {
        &self.receipt.receipt.logs
    }

    /// As it stands in the receipts' trie: by EIP-2718 with the type's byte in front, unless it is of the first type.
    fn encode(&self, out: &mut dyn BufMut) {
        if !self.kind.is_zero() {
            out.put_u8(self.kind.byte(0));
        }
        self.receipt.encode(out);
    }
}

/// The header that a node tells of, if it has the hash that the node gives it.
pub fn check_header(told: &Value, hash: B256) -> Result<Header, ChainError> {
    let header = Header::deserialize(told).map_err(|error| ChainError::Unhashable {
        block: hash,
        reason: error.to_string(),
    })?;
    let computed = header.hash_slow();
    if computed != hash {
        return Err(ChainError::Untrue {
            block: header.number,
            field: "hash",
            told: hash,
            computed,
        });
    }
    Ok(header)
}

/// Whether these are all the receipts of the block, unchanged and in order, and the header's filter is theirs.
pub fn check_receipts(header: &Header, receipts: &[ReceiptAnswer]) -> Result<(), ChainError> {
    let root = ordered_trie_root_with_encoder(receipts, |receipt, out| receipt.encode(out));
    if root != header.receipts_root {
        return Err(ChainError::Untrue {
            block: header.number,
            field: "receiptsRoot",
            told: header.receipts_root,
            computed: root,
        });
    }
    let mut filter = Bloom::ZERO;
    for receipt in receipts {
        filter.accrue_bloom(&receipt.receipt.logs_bloom);
    }
    if filter != header.logs_bloom {
        return Err(ChainError::Untrue {
            block: header.number,
            field: "logsBloom, by its hash,",
            told: keccak256(header.logs_bloom),
            computed: keccak256(filter),
        });
    }
    Ok(())
}

/// Some chains leave the filter of every header empty, which would rule out all their logs.
pub fn check_filter(header: &Header, has_logs: bool) -> Result<(), ChainError> {
    if has_logs && header.logs_bloom.is_zero() {
        return Err(ChainError::Field {
            field: "logsBloom",
            value: format!("empty in block {}, which has logs", header.number),
            rule: "the chain has no filter of logs; chain.block_checks must be none",
        });
    }
    Ok(())
}
