//! The log's chain: each entry's hash covers the one before it, so that nothing can be changed, left out or put in
//! between without every later hash changing.

use alloy_primitives::{B256, Keccak256};

use crate::event::Event;

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

    /// Whether a log that ends here is the one of which `noted` was seen before. `found` is the hash that it has as the entry
    /// that was noted. An old copy would give out again what was given out since.
    pub fn must_follow(self, noted: Self, found: Option<B256>) -> Result<(), Regress> {
        if self.seq < noted.seq {
            return Err(Regress::Behind {
                found: self.seq,
                noted: noted.seq,
            });
        }
        match found {
            _ if noted.seq == 0 => Ok(()),
            Some(found) if found == noted.hash => Ok(()),
            found => Err(Regress::Forked {
                seq: noted.seq,
                found: found.unwrap_or_default(),
                noted: noted.hash,
            }),
        }
    }

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

/// A log that is not the one that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Regress {
    /// It lacks entries that were seen.
    #[error("ends with entry {found}; entry {noted} was seen before")]
    Behind {
        /// Its last entry.
        found: u64,
        /// The last one that was seen.
        noted: u64,
    },
    /// It has another entry in the place of one that was seen.
    #[error("entry {seq} is {found}; {noted} was seen before")]
    Forked {
        /// The entry.
        seq: u64,
        /// Its hash.
        found: B256,
        /// The one that was seen.
        noted: B256,
    },
}

/// The last entry as it is found in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEntry<'a> {
    /// Its number.
    pub seq: u64,
    /// The event as JSON.
    pub body: &'a str,
    /// Hash of the entry before it.
    pub prev: B256,
    /// Its own hash.
    pub hash: B256,
}

impl LastEntry<'_> {
    /// It must be what its hash says, and the end that was noted beside the log with the last commit: else something was torn
    /// or changed, and nothing goes on from it.
    pub fn must_end(&self, noted: LogHead) -> Result<(), Damaged> {
        if self.seq != noted.seq {
            return Err(Damaged::NotLast { last: self.seq });
        }
        let hash = entry_hash(self.prev, self.seq, self.body);
        if self.hash != hash {
            return Err(Damaged::Body);
        }
        if hash != noted.hash {
            return Err(Damaged::NotNoted);
        }
        Ok(())
    }
}

/// What is wrong with the end of a stored log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// The note beside the log names another entry.
    #[error("should be the last one, but the log ends at {last}")]
    NotLast {
        /// The log's last entry.
        last: u64,
    },
    /// Its body was changed.
    #[error("its hash is not that of its body")]
    Body,
    /// Another entry was noted.
    #[error("its hash is not the one noted as the log's last")]
    NotNoted,
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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: B256 = B256::repeat_byte(7);

    #[test]
    fn what_was_seen_must_be_there() {
        let at = |seq| LogHead { seq, hash: HASH };
        assert_eq!(at(9).must_follow(LogHead::EMPTY, None), Ok(()));
        assert_eq!(at(9).must_follow(at(8), Some(HASH)), Ok(()));
        let (found, noted) = (7, 8);
        let behind = Err(Regress::Behind { found, noted });
        assert_eq!(at(7).must_follow(at(8), None), behind);
        for other in [None, Some(B256::ZERO)] {
            let forked = at(9).must_follow(at(8), other);
            assert!(matches!(forked, Err(Regress::Forked { seq: 8, .. })));
        }
    }

    #[test]
    fn the_end_must_be_whole() {
        let hash = entry_hash(HASH, 3, "{}");
        let last = LastEntry {
            seq: 3,
            body: "{}",
            prev: HASH,
            hash,
        };
        let noted = LogHead { seq: 3, hash };
        assert_eq!(last.must_end(noted), Ok(()));
        let changed = LastEntry {
            body: "{ }",
            ..last
        };
        assert_eq!(changed.must_end(noted), Err(Damaged::Body));
        let torn = LogHead { seq: 2, hash: HASH };
        assert_eq!(last.must_end(torn), Err(Damaged::NotLast { last: 3 }));
        let other = LogHead { seq: 3, hash: HASH };
        assert_eq!(last.must_end(other), Err(Damaged::NotNoted));
    }
}
