//! Reading back what can still change, and nothing else: a start takes as long as there is work, not as there is history.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use serde::de::DeserializeOwned;
use tidelock_core::{
    domain::{Payment, PaymentRef},
    event::{BlockRef, Event, Request},
    lifecycle::PaymentStatus,
    log::{LastEntry, LogHead},
    state::{BatchRow, HeadRow, PaymentRow, Rows, SlotRow},
    store::Snapshot,
};

use super::{
    Identity, StoreError,
    columns::{self, LogMeta},
    sql::{Connection, Dialect, Row, among, query},
};

/// Not final. The statuses are those of the core; a test holds them to it.
macro_rules! is_open {
    () => {
        "WHERE p.status IN ('requested', 'held', 'open', 'sealed')"
    };
}
/// A condition on `payment p`: not final.
pub(super) const IS_OPEN: &str = is_open!();
const OPEN_PAYMENTS: &str = concat!("SELECT * FROM payment p ", is_open!());
const OPEN_BATCHES: &str = "SELECT * FROM batch WHERE status IN ('sealed', 'proposed', 'foreign')";
const LIVE_SLOTS: &str = "SELECT * FROM slot WHERE status IN ('reserved', 'occupied')";
/// A slot that is not consumed may have to be told that its batch is settled.
const BATCHES_OF_SLOTS: &str = "SELECT b.* FROM slot s JOIN batch b ON b.id = s.batch \
    WHERE s.status IN ('reserved', 'occupied')";
const LIVE_ATTEMPTS: &str = "SELECT a.* FROM slot s JOIN attempt a ON a.nonce = s.nonce \
    WHERE s.status IN ('reserved', 'occupied') ORDER BY a.nonce, a.place";

const COSTS: &str = "SELECT seq, body FROM event \
    WHERE seq < $1 AND (kind = 'slot_consumed' OR kind = 'finalised_advanced') ORDER BY seq DESC LIMIT $2";

/// Entries before one, newest first, that say what gas was paid and when.
pub(super) async fn costs_before(
    connection: &mut Connection,
    seq: u64,
    limit: u32,
) -> Result<Vec<(u64, Event)>, StoreError> {
    let rows = query(COSTS)
        .bind(columns::integer("entry", seq)?)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(columns::event).collect()
}

/// A row of `meta`.
pub(super) async fn meta<T: DeserializeOwned>(
    connection: &mut Connection,
    name: &'static str,
) -> Result<Option<T>, StoreError> {
    let row = query("SELECT value FROM meta WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    serde_json::from_str(row.text("value")?)
        .map(Some)
        .map_err(|error| StoreError::damaged(format!("meta {name}"), error))
}

/// Whether it is a keeper's database at all.
pub(super) async fn has_tables(connection: &mut Connection) -> Result<bool, StoreError> {
    has_table(connection, "meta").await
}

/// Whether there is a table of that name.
pub(super) async fn has_table(
    connection: &mut Connection,
    name: &'static str,
) -> Result<bool, StoreError> {
    let table = match connection.dialect() {
        Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = $1",
        Dialect::Postgres => {
            "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = $1"
        }
    };
    let table = query(table).bind(name).fetch_optional(connection).await?;
    Ok(table.is_some())
}

/// What the database was made for.
pub(super) async fn identity(connection: &mut Connection) -> Result<Identity, StoreError> {
    meta(connection, "identity")
        .await?
        .ok_or_else(|| StoreError::damaged("meta identity", "is missing"))
}

/// Where the log ends, and what it says as a whole; none if it was never opened.
pub(super) async fn log_meta(connection: &mut Connection) -> Result<Option<LogMeta>, StoreError> {
    meta(connection, "log").await
}

/// Where the log ends, and the row about it as a whole; none if it was never opened.
pub(super) async fn log_head(
    connection: &mut Connection,
) -> Result<Option<(LogHead, HeadRow)>, StoreError> {
    let Some(meta) = log_meta(&mut *connection).await? else {
        return Ok(None);
    };
    let finalised = checkpoint(connection, &meta).await?;
    Ok(Some((meta.log(), meta.head(finalised))))
}

/// The hash stored with an entry.
pub(super) async fn entry_hash(connection: &mut Connection, seq: u64) -> Result<B256, StoreError> {
    let row = query("SELECT hash FROM event WHERE seq = $1")
        .bind(columns::integer("entry", seq)?)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| missing_entry(seq))?;
    B256::try_from(row.bytes("hash")?)
        .map_err(|_| StoreError::damaged(format!("entry {seq}"), "hash has the wrong length"))
}

fn missing_entry(seq: u64) -> StoreError {
    StoreError::damaged(format!("entry {seq}"), "is missing")
}

/// Everything that can still change, seen at one moment. The caller's transaction is that moment.
pub(super) async fn snapshot(connection: &mut Connection) -> Result<Option<Snapshot>, StoreError> {
    let Some(meta) = log_meta(connection).await? else {
        nothing_without_a_head(connection).await?;
        return Ok(None);
    };
    last_entry(connection, &meta).await?;
    let finalised = checkpoint(connection, &meta).await?;
    let payments = all(connection, OPEN_PAYMENTS, columns::payment).await?;
    let mut batches: BTreeMap<_, BatchRow> = BTreeMap::new();
    for statement in [OPEN_BATCHES, BATCHES_OF_SLOTS] {
        for batch in all(connection, statement, columns::batch).await? {
            batches.insert(batch.id, batch);
        }
    }
    let head = meta.log();
    Ok(Some(Snapshot {
        rows: Rows {
            head: meta.head(finalised),
            payments,
            batches: batches.into_values().collect(),
            slots: slots(connection).await?,
        },
        head,
    }))
}

async fn all<T>(
    connection: &mut Connection,
    statement: &'static str,
    read: fn(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let rows = query(statement).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

async fn slots(connection: &mut Connection) -> Result<Vec<SlotRow>, StoreError> {
    let slots = all(connection, LIVE_SLOTS, columns::slot).await?;
    let mut slots: BTreeMap<u64, SlotRow> =
        slots.into_iter().map(|slot| (slot.nonce, slot)).collect();
    for (nonce, attempt) in all(connection, LIVE_ATTEMPTS, columns::attempt).await? {
        if let Some(slot) = slots.get_mut(&nonce) {
            slot.attempts.push(attempt);
        }
    }
    Ok(slots.into_values().collect())
}

async fn checkpoint(connection: &mut Connection, meta: &LogMeta) -> Result<BlockRef, StoreError> {
    let row = query("SELECT * FROM checkpoint WHERE vault = $1")
        .bind(meta.opening.domain.vault.to_vec())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::damaged("the checkpoint", "is missing"))?;
    columns::checkpoint(&row)
}

/// The last entry must be the one that `meta` names, and be what its hash says.
async fn last_entry(connection: &mut Connection, meta: &LogMeta) -> Result<(), StoreError> {
    let row = query("SELECT seq, body, prev, hash FROM event ORDER BY seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| missing_entry(meta.seq))?;
    let place = || format!("entry {}", meta.seq);
    let word = |name: &str| {
        let word = B256::try_from(row.bytes(name)?);
        word.map_err(|_| StoreError::damaged(place(), format!("{name} has the wrong length")))
    };
    let seq = row.integer("seq")?;
    let last = LastEntry {
        seq: u64::try_from(seq).map_err(|_| StoreError::damaged(place(), "is not the last one"))?,
        body: row.text("body")?,
        prev: word("prev")?,
        hash: word("hash")?,
    };
    let is_whole = last.must_end(meta.log());
    is_whole.map_err(|why| StoreError::damaged(place(), why))
}

async fn nothing_without_a_head(connection: &mut Connection) -> Result<(), StoreError> {
    let entry = query("SELECT seq FROM event LIMIT 1")
        .fetch_optional(connection)
        .await?;
    match entry {
        None => Ok(()),
        Some(_) => Err(StoreError::damaged(
            "meta log",
            "is missing, though the log has entries",
        )),
    }
}

/// The rows of these payments, those that are there, each as far as it can be read.
pub(super) async fn payments(
    connection: &mut Connection,
    refs: &[PaymentRef],
) -> Result<BTreeMap<PaymentRef, Result<PaymentRow, StoreError>>, StoreError> {
    let rows = of_refs(connection, "payment", refs).await?;
    rows.iter()
        .map(|row| Ok((columns::reference(row)?, columns::payment(row))))
        .collect()
}

/// How many payments have each status.
pub(super) async fn counts(
    connection: &mut Connection,
) -> Result<BTreeMap<PaymentStatus, u64>, StoreError> {
    let rows = query("SELECT status, COUNT(*) AS count FROM payment GROUP BY status")
        .fetch_all(connection)
        .await?;
    rows.iter().map(columns::count).collect()
}

/// Refs in one question; parameters stay far below what either database allows.
const REFS: usize = 256;

/// What these payments' refs were used for, and when it arrived, whether it was requested here or adopted from a foreign
/// proposal. Refs that were never used are not in it.
pub(super) async fn filed(
    connection: &mut Connection,
    payments: &[Payment],
) -> Result<BTreeMap<PaymentRef, (u64, Payment)>, StoreError> {
    let refs: BTreeSet<PaymentRef> = payments.iter().map(Payment::reference).collect();
    let refs: Vec<PaymentRef> = refs.into_iter().collect();
    let mut filed = BTreeMap::new();
    for refs in refs.chunks(REFS) {
        for row in &of_refs(connection, "request", refs).await? {
            let Request { arrival, payment } = columns::request(row)?;
            filed.insert(payment.reference(), (arrival, payment));
        }
        let others = refs
            .iter()
            .filter(|reference| !filed.contains_key(*reference));
        let others: Vec<PaymentRef> = others.copied().collect();
        for row in &of_refs(connection, "payment", &others).await? {
            let row = columns::payment(row)?;
            filed.insert(row.reference(), (row.arrival, row.payment));
        }
    }
    Ok(filed)
}

async fn of_refs(
    connection: &mut Connection,
    table: &'static str,
    refs: &[PaymentRef],
) -> Result<Vec<Row>, StoreError> {
    if refs.is_empty() {
        return Ok(Vec::new());
    }
    let keys = refs.iter().map(|reference| reference.0.to_vec()).collect();
    let asked = among(&format!("SELECT * FROM {table} WHERE ref"), keys);
    asked.fetch_all(connection).await
}
