//! The log as a publisher reads it: pages of events, and the hashes that show that it is the same log. One look at its end is for all
//! receivers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tidelock_api::Told;
use tidelock_store::{Cursor, Location, Reader, StoreError};
use tokio::sync::Mutex;

use crate::asked::Asked;

/// Between two looks at the log's end while it grows.
const LOOK: Duration = Duration::from_millis(40);
/// The same once it has not grown for long.
const QUIET: Duration = Duration::from_millis(250);

/// Entries that are read at once.
pub(crate) const PAGE: u32 = 200;

/// Reads the log; never writes.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    reader: Asked<Reader>,
    end: Arc<Mutex<Option<End>>>,
}

/// The log's end as it was last seen.
#[derive(Debug, Clone, Copy)]
struct End {
    seq: u64,
    at: Instant,
    /// Until it is looked at again.
    wait: Duration,
}

impl Log {
    pub fn new(location: Location) -> Self {
        Self {
            reader: Asked::new(move || Reader::open(&location)),
            end: Arc::default(),
        }
    }

    /// The last entry, as it was seen a moment ago. The longer nothing comes, the less often it is looked at.
    pub async fn end(&self) -> Result<u64, StoreError> {
        let mut end = self.end.lock().await;
        if let Some(seen) = *end
            && seen.at.elapsed() < seen.wait
        {
            return Ok(seen.seq);
        }
        let seq = self.reader.ask(Reader::end).await?;
        let same = end.filter(|seen| seen.seq == seq);
        let wait = same.map_or(LOOK, |seen| seen.wait.saturating_mul(2).min(QUIET));
        let at = Instant::now();
        *end = Some(End { seq, at, wait });
        Ok(seq)
    }

    pub async fn after(&self, seq: u64) -> Result<Vec<Told>, StoreError> {
        self.reader
            .ask(move |reader| Told::after(reader, seq, PAGE))
            .await
    }

    /// One entry.
    pub async fn entry(&self, seq: u64) -> Result<Option<Told>, StoreError> {
        let before = seq.saturating_sub(1);
        let told = self
            .reader
            .ask(move |reader| Told::after(reader, before, 1))
            .await?;
        Ok(told.into_iter().find(|told| told.sequence == seq))
    }

    /// The place of an entry, to be kept.
    pub async fn cursor(&self, seq: u64) -> Result<Cursor, StoreError> {
        if seq == 0 {
            return Ok(Cursor::START);
        }
        let hash = self.reader.ask(move |reader| reader.hash_of(seq)).await?;
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
        let hash = self.reader.ask(move |reader| reader.hash_of(seq)).await?;
        Ok(hash == Some(cursor.hash))
    }

    pub async fn close(&self) {
        self.reader.close().await;
    }
}
