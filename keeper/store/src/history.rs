//! When things happened, and what they travelled in. Entries have no clock of their own: an entry's time is that of the last
//! block that was final when it was written.

use alloy_primitives::B256;
use tidelock_core::{
    domain::{BatchId, BlockTime},
    event::Event,
    lifecycle::AttemptStatus,
};

use super::{
    Reader, StoreError, columns, load,
    sql::{Connection, query},
};

/// A transaction that was signed for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// What is known of it.
    pub status: AttemptStatus,
}

impl Reader {
    /// What was signed for a batch, the oldest first.
    pub fn signed_for(&mut self, batch: &BatchId) -> Result<Vec<Signed>, StoreError> {
        let asked = query("SELECT * FROM attempt WHERE batch = $1 ORDER BY nonce, place")
            .bind(batch.0.to_vec())
            .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let signed = rows.iter().map(|row| {
            let (nonce, attempt) = columns::attempt(row)?;
            Ok(Signed {
                nonce,
                hash: attempt.hash,
                status: attempt.status,
            })
        });
        signed.collect()
    }

    /// The time of an entry; none of an entry that is not there.
    pub fn time_of(&mut self, seq: u64) -> Result<Option<BlockTime>, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(time_of(connection, seq))
    }

    /// When the request of that arrival was taken in; none if it was not.
    pub fn accepted_at(&mut self, arrival: u64) -> Result<Option<BlockTime>, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(async {
            let Some(end) = end(connection).await? else {
                return Ok(None);
            };
            if read_through(connection, end).await? < arrival {
                return Ok(None);
            }
            let (mut least, mut most) = (1, end);
            while least < most {
                let middle = least.midpoint(most);
                if read_through(connection, middle).await? < arrival {
                    least = middle.saturating_add(1);
                } else {
                    most = middle;
                }
            }
            time_of(connection, least).await
        })
    }

    /// The last arrival that was taken in up to that time.
    pub fn arrivals_until(&mut self, time: u64) -> Result<u64, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(async {
            let Some(end) = end(connection).await? else {
                return Ok(0);
            };
            let (mut done, mut open) = (0_u64, end.saturating_add(1));
            while done.saturating_add(1) < open {
                let middle = u64::midpoint(done, open);
                let at = time_of(connection, middle).await?;
                if at.is_some_and(|at| at.seconds() <= time) {
                    done = middle;
                } else {
                    open = middle;
                }
            }
            read_through(connection, done).await
        })
    }
}

async fn end(connection: &mut Connection) -> Result<Option<u64>, StoreError> {
    let meta = load::log_meta(connection).await?;
    Ok(meta.map(|meta| meta.seq))
}

/// The last entry of a kind up to one.
async fn last_of(
    connection: &mut Connection,
    kind: &'static str,
    seq: u64,
) -> Result<Option<Event>, StoreError> {
    const LAST: &str =
        "SELECT seq, body FROM event WHERE seq <= $1 AND kind = $2 ORDER BY seq DESC LIMIT 1";
    let row = query(LAST)
        .bind(columns::integer("entry", seq)?)
        .bind(kind)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(columns::event(&row)?.1)).transpose()
}

async fn time_of(connection: &mut Connection, seq: u64) -> Result<Option<BlockTime>, StoreError> {
    if let Some(Event::FinalisedAdvanced { block }) =
        last_of(connection, "finalised_advanced", seq).await?
    {
        return Ok(Some(block.time));
    }
    match last_of(connection, "log_opened", seq).await? {
        Some(Event::LogOpened(opening)) => Ok(Some(opening.start.time)),
        _ => Ok(None),
    }
}

/// Up to which arrival requests were taken in by an entry.
async fn read_through(connection: &mut Connection, seq: u64) -> Result<u64, StoreError> {
    match last_of(connection, "requests_accepted", seq).await? {
        Some(Event::RequestsAccepted { through, .. }) => Ok(through),
        _ => Ok(0),
    }
}
