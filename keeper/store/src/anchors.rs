//! The heads of the log that batches carry: each header's `context` commits to an entry, so whoever has the chain can tell
//! whether the log is still the one that made the batches.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use tidelock_core::{
    domain::BatchId,
    event::{BlockRef, Event, Opening},
    log::LogHead,
};

use super::{
    Finding, Reader, StoreError, columns, load,
    sql::{Connection, query},
};

/// Batches read at once; each is a few kilobytes at most.
const PAGE: i64 = 500;

/// What a log says of its batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchors {
    /// What the log was opened for.
    pub opening: Opening,
    /// Height up to which the log knows the chain.
    pub finalised: BlockRef,
    /// Every batch it sealed, and the entry that the batch commits to.
    pub sealed: BTreeMap<BatchId, u64>,
    /// Batches whose commitment is not that of the entry.
    pub findings: Vec<Finding>,
}

impl Reader {
    /// Reads every batch that the log sealed, and holds its commitment to the entry it names. None of a log that was never
    /// opened.
    pub fn anchors(&mut self) -> Result<Option<Anchors>, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(async {
            let Some((_, head)) = load::log_head(connection).await? else {
                return Ok(None);
            };
            let mut anchors = Anchors {
                opening: head.opening,
                finalised: head.finalised,
                sealed: BTreeMap::new(),
                findings: Vec::new(),
            };
            let mut last = 0;
            while let Some(end) = anchors.page(connection, last).await? {
                last = end;
            }
            Ok(Some(anchors))
        })
    }
}

impl Anchors {
    /// The batches of one page after an entry, and the page's last entry; none after the last page.
    async fn page(
        &mut self,
        connection: &mut Connection,
        after: u64,
    ) -> Result<Option<u64>, StoreError> {
        let rows = query(
            "SELECT seq, body FROM event WHERE seq > $1 AND kind = 'batch_sealed' ORDER BY seq LIMIT $2",
        )
        .bind(columns::integer("entry", after)?)
        .bind(PAGE)
        .fetch_all(&mut *connection)
        .await?;
        let mut end = None;
        for row in &rows {
            let (seq, event) = columns::event(row)?;
            end = Some(seq);
            let Event::BatchSealed { anchor, batch, .. } = event else {
                continue;
            };
            let hash = load::entry_hash(connection, anchor).await?;
            let committed = LogHead { seq: anchor, hash }.context(B256::ZERO);
            let id = batch.id(&self.opening.domain);
            if anchor >= seq || batch.context != committed {
                self.findings.push(Finding {
                    seq: Some(seq),
                    why: format!("batch {id} does not commit to entry {anchor} as it is now"),
                });
            }
            self.sealed.insert(id, anchor);
        }
        Ok(end)
    }
}
