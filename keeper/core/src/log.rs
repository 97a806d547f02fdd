//! The log's chain: each entry's hash covers the one before it, so that nothing can be changed, left out or put in
//! between without every later hash changing.

use alloy_primitives::{B256, Keccak256};

use crate::event::Event;

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Entries so far; the last one has this number.
    pub seq: u64,
    /// Hash of the last entry.
    pub hash: B256,
}

impl LogHead {
    /// Of a log without entries.
    pub const EMPTY: Self = Self {
        seq: 0,
        hash: B256::ZERO,
    };

    /// What a batch's `context` says of the log and of the decision behind the batch: keccak256 of the decision's hash,
    /// the number of the last entry (8 bytes, big-endian) and its hash. There are no decisions beyond the log yet, and
    /// `decision` is zero.
    pub fn context(&self, decision: B256) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(decision);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.hash);
        hasher.finalize()
    }
}

/// One entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// What kind of event it is.
    pub kind: &'static str,
    /// The event as JSON. The hash is over these bytes.
    pub body: String,
    /// Hash of the entry before it.
    pub prev: B256,
    /// keccak256 of `prev`, `seq` (8 bytes, big-endian) and `body`.
    pub hash: B256,
}

/// Why an entry cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The number of the next entry is beyond 64 bits.
    #[error("entry {seq}: the log is full")]
    Full {
        /// The last number.
        seq: u64,
    },
    /// The event cannot be written as JSON.
    #[error("entry after {seq}: {source}")]
    Body {
        /// The last number.
        seq: u64,
        /// Why.
        source: serde_json::Error,
    },
}

impl Entry {
    /// The entry that follows `head`.
    pub fn after(head: LogHead, event: &Event) -> Result<Self, EntryError> {
        let LogHead { seq: last, hash } = head;
        let seq = last.checked_add(1).ok_or(EntryError::Full { seq: last })?;
        let body = serde_json::to_string(event)
            .map_err(|source| EntryError::Body { seq: last, source })?;
        Ok(Self {
            seq,
            kind: event.kind(),
            hash: entry_hash(hash, seq, &body),
            prev: hash,
            body,
        })
    }

    /// Where the log ends with it.
    pub fn head(&self) -> LogHead {
        LogHead {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

/// The hash of an entry.
pub fn entry_hash(prev: B256, seq: u64, body: &str) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(prev);
    hasher.update(seq.to_be_bytes());
    hasher.update(body.as_bytes());
    hasher.finalize()
}
