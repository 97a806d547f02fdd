//! The log as a publisher reads it: pages of events, and the hashes that show that it is the same log.

use tidelock_api::Told;
use tidelock_store::{Cursor, Location, Reader, StoreError};

use crate::asked::Asked;

/// Entries that are read at once.
pub(crate) const PAGE: u32 = 200;

/// Reads the log; never writes.
#[derive(Debug, Clone)]
pub(crate) struct Log(Asked<Reader>);

impl Log {
    pub fn new(location: Location) -> Self {
        Self(Asked::new(move || Reader::open(&location)))
    }

    pub async fn end(&self) -> Result<u64, StoreError> {
        self.0.ask(Reader::end).await
    }

    pub async fn after(&self, seq: u64) -> Result<Vec<Told>, StoreError> {
        self.0
            .ask(move |reader| Told::after(reader, seq, PAGE))
            .await
    }

    /// One entry.
    pub async fn entry(&self, seq: u64) -> Result<Option<Told>, StoreError> {
        let before = seq.saturating_sub(1);
        let told = self
            .0
            .ask(move |reader| Told::after(reader, before, 1))
            .await?;
        Ok(told.into_iter().find(|told| told.sequence == seq))
    }

    /// The place of an entry, to be kept.
    pub async fn cursor(&self, seq: u64) -> Result<Cursor, StoreError> {
        if seq == 0 {
            return Ok(Cursor::START);
        }
        let hash = self.0.ask(move |reader| reader.hash_of(seq)).await?;
        let hash = hash.ok_or_else(|| StoreError::Damaged {
            what: format!("entry {seq}"),
            why: "is not there".to_owned(),
        })?;
        Ok(Cursor { seq, hash })
    }

    /// Whether a place is one of this log.
    pub async fn has(&self, cursor: Cursor) -> Result<bool, StoreError> {
        if cursor.seq == 0 {
            return Ok(true);
        }
        let seq = cursor.seq;
        let hash = self.0.ask(move |reader| reader.hash_of(seq)).await?;
        Ok(hash == Some(cursor.hash))
    }

    pub async fn close(&self) {
        self.0.close().await;
    }
}
