//! What a receiver did not take: tried again, or given up until somebody sends it again.

use super::{
    super::{
        StoreError,
        sql::{Connection, Row, query},
    },
    Outbox, Turn, number, signed,
};

/// An event that a receiver did not take. Times are milliseconds since 1970, by the publisher's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The entry of the log.
    pub seq: u64,
    /// How often it was tried.
    pub tries: u32,
    /// When it was first tried; 0 if it is to be tried as if it were new.
    pub first: u64,
    /// When it is tried next.
    pub next: u64,
    /// What went wrong last.
    pub why: String,
    /// When it was given up; none while it is tried.
    pub dead: Option<u64>,
}

/// One that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// For whom it was.
    pub sink: String,
    /// What became of it.
    pub delivery: Delivery,
}

/// Keeps one, in place of what was known of it.
pub(super) async fn keep(
    connection: &mut Connection,
    sink: &str,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO publish_delivery (sink, seq, tries, first, next, why, dead) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (sink, seq) DO UPDATE SET tries = excluded.tries, first = excluded.first, \
         next = excluded.next, why = excluded.why, dead = excluded.dead",
    )
    .bind(sink.to_owned())
    .bind(signed(delivery.seq)?)
    .bind(i64::from(delivery.tries))
    .bind(signed(delivery.first)?)
    .bind(signed(delivery.next)?)
    .bind(delivery.why.clone())
    .bind(signed(delivery.dead.unwrap_or(0))?)
    .execute(connection)
    .await
    .map(drop)
}

/// It was taken.
pub(super) async fn forget(
    connection: &mut Connection,
    sink: &str,
    seq: u64,
) -> Result<(), StoreError> {
    query("DELETE FROM publish_delivery WHERE sink = $1 AND seq = $2")
        .bind(sink.to_owned())
        .bind(signed(seq)?)
        .execute(connection)
        .await
        .map(drop)
}

impl Outbox {
    /// All that is to be tried again, oldest entry first.
    pub fn waiting(&mut self, turn: &Turn) -> Result<Vec<Delivery>, StoreError> {
        let asked =
            query("SELECT * FROM publish_delivery WHERE sink = $1 AND dead = 0 ORDER BY seq")
                .bind(turn.sink.clone())
                .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        rows.iter().map(delivery).collect()
    }

    /// What a person has had sent again and nobody has tried since, oldest entry first, at most `limit`: there may be very many. A queue that has
    /// some of it passes them over.
    pub fn revived(&mut self, turn: &Turn, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let asked = query(
            "SELECT * FROM publish_delivery WHERE sink = $1 AND dead < 0 ORDER BY seq LIMIT $2",
        )
        .bind(turn.sink.clone())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        rows.iter().map(delivery).collect()
    }

    /// The entries after one of which something is kept, whether tried or given up.
    pub fn kept_after(&mut self, turn: &Turn, seq: u64) -> Result<Vec<u64>, StoreError> {
        let asked = query("SELECT seq FROM publish_delivery WHERE sink = $1 AND seq > $2")
            .bind(turn.sink.clone())
            .bind(signed(seq)?)
            .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        rows.iter().map(|row| number(row, "seq")).collect()
    }

    /// What was given up, of one receiver or of all, oldest entry first, at most `limit`.
    pub fn dead(&mut self, sink: Option<&str>, limit: u32) -> Result<Vec<Dead>, StoreError> {
        let asked = query(
            "SELECT * FROM publish_delivery WHERE dead > 0 AND ($1 = '' OR sink = $1) ORDER BY sink, seq LIMIT $2",
        )
        .bind(sink.unwrap_or_default().to_owned())
        .bind(i64::from(limit))
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let dead = rows.iter().map(|row| {
            Ok(Dead {
                sink: row.text("sink")?.to_owned(),
                delivery: delivery(row)?,
            })
        });
        dead.collect()
    }

    /// Has what was given up tried again as if it were new: one entry, or all of a receiver. How many there were.
    pub fn replay(&mut self, sink: &str, seq: Option<u64>) -> Result<u64, StoreError> {
        let asked = query(
            "UPDATE publish_delivery SET dead = -1, tries = 0, first = 0, next = 0 \
             WHERE sink = $1 AND dead > 0 AND ($2 = 0 OR seq = $2)",
        )
        .bind(sink.to_owned())
        .bind(signed(seq.unwrap_or(0))?)
        .execute(&mut self.connection);
        self.runtime.block_on(asked)
    }
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    // Less than 0 while it waits to be sent again.
    let dead = u64::try_from(row.integer("dead")?);
    Ok(Delivery {
        seq: number(row, "seq")?,
        tries: u32::try_from(number(row, "tries")?).unwrap_or(u32::MAX),
        first: number(row, "first")?,
        next: number(row, "next")?,
        why: row.text("why")?.to_owned(),
        dead: dead.ok().filter(|at| *at > 0),
    })
}
