//! What one commit writes.

use std::sync::LazyLock;

use alloy_primitives::Address;
use serde::Serialize;
use tidelock_core::{
    event::BlockRef,
    log::Entry,
    state::{AttemptRow, BatchRow, PaymentRow, Rows, SlotRow},
};

use super::{
    StoreError,
    columns::{self, integer, json, word},
    insert::Insert,
    sql::{Connection, Query, query},
};

static EVENTS: LazyLock<Insert> =
    LazyLock::new(|| Insert::new("event", &["seq", "kind", "body", "prev", "hash"], ""));
static PAYMENTS: LazyLock<Insert> =
    LazyLock::new(|| Insert::or_replace("payment", columns::PAYMENT, 1));
static BATCHES: LazyLock<Insert> = LazyLock::new(|| Insert::or_replace("batch", columns::BATCH, 1));
static SLOTS: LazyLock<Insert> = LazyLock::new(|| Insert::or_replace("slot", columns::SLOT, 1));
static ATTEMPTS: LazyLock<Insert> =
    LazyLock::new(|| Insert::or_replace("attempt", columns::ATTEMPT, 1));
static CHECKPOINT: LazyLock<Insert> =
    LazyLock::new(|| Insert::or_replace("checkpoint", &["vault", "number", "hash", "time"], 1));
static META: LazyLock<Insert> = LazyLock::new(|| Insert::or_replace("meta", &["name", "value"], 1));

/// Appends entries.
pub(super) async fn events(
    connection: &mut Connection,
    entries: &[Entry],
) -> Result<(), StoreError> {
    let bind = |query: Query, entry: &Entry| {
        Ok(query
            .bind(integer("entry", entry.seq)?)
            .bind(entry.kind)
            .bind(entry.body.clone())
            .bind(entry.prev.to_vec())
            .bind(entry.hash.to_vec()))
    };
    EVENTS.all(connection, entries, bind).await
}

/// Slots and attempts are those of the key that sends now: nonces of another one are other nonces. The log has them all.
pub(super) async fn key(connection: &mut Connection, entries: &[Entry]) -> Result<(), StoreError> {
    if entries.iter().all(|entry| entry.kind != "key_changed") {
        return Ok(());
    }
    for table in ["DELETE FROM attempt", "DELETE FROM slot"] {
        query(table).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Replaces the rows that changed.
pub(super) async fn rows(connection: &mut Connection, rows: &Rows) -> Result<(), StoreError> {
    PAYMENTS.all(connection, &rows.payments, payment).await?;
    BATCHES.all(connection, &rows.batches, batch).await?;
    SLOTS.all(connection, &rows.slots, slot).await?;
    let attempts: Vec<(u64, u64, &AttemptRow)> = rows
        .slots
        .iter()
        .flat_map(|slot| {
            (0..)
                .zip(&slot.attempts)
                .map(|(place, row)| (slot.nonce, place, row))
        })
        .collect();
    ATTEMPTS.all(connection, &attempts, attempt).await
}

fn payment(query: Query, row: &PaymentRow) -> Result<Query, StoreError> {
    let payment = &row.payment;
    let reason = row.hold.as_ref().map(|hold| json("reason", hold));
    Ok(query
        .bind(payment.reference().0.to_vec())
        .bind(integer("arrival", row.arrival)?)
        .bind(payment.recipient().to_vec())
        .bind(payment.amount().to_string())
        .bind(word("status", &row.status)?)
        .bind(reason.transpose()?)
        .bind(row.number.map(|number| columns::number(number).to_vec()))
        .bind(row.batch.map(|id| id.0.to_vec()))
        .bind(i64::from(row.returns)))
}

fn batch(query: Query, row: &BatchRow) -> Result<Query, StoreError> {
    Ok(query
        .bind(row.id.0.to_vec())
        .bind(json("header", &row.header)?)
        .bind(columns::packed(row))
        .bind(word("route", &row.route)?)
        .bind(word("status", &row.status)?)
        .bind(row.paid.to_be_bytes_vec()))
}

fn slot(query: Query, row: &SlotRow) -> Result<Query, StoreError> {
    Ok(query
        .bind(integer("nonce", row.nonce)?)
        .bind(word("status", &row.status)?)
        .bind(json("job", &row.job)?)
        .bind(row.job.batch().map(|id| id.0.to_vec())))
}

fn attempt(
    query: Query,
    (nonce, place, row): &(u64, u64, &AttemptRow),
) -> Result<Query, StoreError> {
    Ok(query
        .bind(row.hash.to_vec())
        .bind(integer("nonce", *nonce)?)
        .bind(integer("place", *place)?)
        .bind(row.raw.to_vec())
        .bind(row.fees.max_fee.to_string())
        .bind(row.fees.tip.to_string())
        .bind(json("job", &row.job)?)
        .bind(row.job.batch().map(|id| id.0.to_vec()))
        .bind(word("status", &row.status)?))
}

/// Moves the checkpoint.
pub(super) async fn checkpoint(
    connection: &mut Connection,
    vault: Address,
    block: BlockRef,
) -> Result<(), StoreError> {
    let bind = |query: Query, block: &BlockRef| {
        Ok(query
            .bind(vault.to_vec())
            .bind(integer("block", block.number)?)
            .bind(block.hash.to_vec())
            .bind(integer("time", block.time.seconds())?))
    };
    CHECKPOINT.all(connection, &[block], bind).await
}

/// Replaces one row of `meta`.
pub(super) async fn meta<T: Serialize>(
    connection: &mut Connection,
    name: &'static str,
    value: &T,
) -> Result<(), StoreError> {
    let bind = |query: Query, value: &String| Ok(query.bind(name).bind(value.clone()));
    META.all(connection, &[json(name, value)?], bind).await
}
