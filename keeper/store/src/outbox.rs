//! What a publisher keeps: how far each receiver has come, what it did not take, and who works for it. In a file of its own beside a
//! SQLite store, so that the log's only writer waits for nobody; on PostgreSQL in tables of their own. The log is never written here.

mod deliveries;

use std::{path::PathBuf, time::Duration};

use alloy_primitives::B256;
use tokio::runtime::Runtime;

use super::{
    Location, StoreError,
    guard::{WriterLock, beside},
    location::{Role, runtime},
    postgres,
    sql::{Access, Connection, Dialect, Row, query},
    sqlite,
};

pub use deliveries::{Dead, Delivery};

const TABLES: &str = include_str!("outbox/tables.sql");
const VERSION: &str = "1";
/// Keeps two publishers from making the tables at once, on PostgreSQL.
const MAKES_TABLES: i64 = 0x7469_6465_6c6f;

/// What publishers keep. Its calls block; they must not be made on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct Outbox {
    runtime: Runtime,
    connection: Connection,
    /// A SQLite file has one publisher, whatever it publishes to.
    _lock: Option<WriterLock>,
}

/// A place in the log, and what proves that it is the same log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The entry; 0 before the first.
    pub seq: u64,
    /// Its hash; of zeros before the first.
    pub hash: B256,
}

impl Cursor {
    /// Before the first entry.
    pub const START: Self = Self {
        seq: 0,
        hash: B256::ZERO,
    };
}

/// The right to publish to one receiver, until another takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The receiver's name.
    pub sink: String,
    /// How many publishers have worked for it, this one included.
    pub epoch: u64,
    /// How far it has come.
    pub cursor: Cursor,
}

/// What came of asking for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnTaking {
    /// It is ours.
    Taken(Turn),
    /// Another publisher has it.
    Held {
        /// Host and process.
        by: String,
    },
}

/// A receiver, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkView {
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub seq: u64,
    /// Who works for it, or did last.
    pub holder: String,
    /// What is tried again, and what waits behind it.
    pub waiting: u64,
    /// What was given up.
    pub dead: u64,
}

/// What changes at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advance {
    /// How far it has come, if that is farther.
    pub cursor: Option<Cursor>,
    /// What was not taken.
    pub kept: Vec<Delivery>,
    /// What was taken that had not been.
    pub taken: Vec<u64>,
}

impl Outbox {
    /// Opens what a publisher keeps, and makes it if it is not there. On SQLite no other publisher can meanwhile.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let lock = match &location.server {
            None => Some(WriterLock::take(&file(location))?),
            Some(_) => None,
        };
        let runtime = runtime()?;
        let connection = runtime.block_on(async {
            let mut connection = connect(location).await?;
            make(&mut connection).await?;
            must_be_known(&mut connection).await?;
            Ok::<_, StoreError>(connection)
        })?;
        Ok(Self {
            runtime,
            connection,
            _lock: lock,
        })
    }

    /// The same beside a publisher that may be at work, for people's commands; none if there never was one. Makes nothing: what a
    /// person makes may not be the publisher's to write.
    pub fn beside(location: &Location) -> Result<Option<Self>, StoreError> {
        if location.server.is_none() && !file(location).is_file() {
            return Ok(None);
        }
        let runtime = runtime()?;
        let connection = runtime.block_on(async {
            let mut connection = match &location.server {
                None => sqlite::connect_as_it_is(&file(location)).await?,
                Some(_) => connect(location).await?,
            };
            if !is_made(&mut connection).await? {
                return Ok(None);
            }
            must_be_known(&mut connection).await?;
            Ok::<_, StoreError>(Some(connection))
        })?;
        Ok(connection.map(|connection| Self {
            runtime,
            connection,
            _lock: None,
        }))
    }

    /// Takes a receiver if no publisher has it, for that long without renewing. A receiver that is new begins after `from`.
    pub fn take(
        &mut self,
        sink: &str,
        from: Cursor,
        holder: &str,
        lease: Duration,
    ) -> Result<TurnTaking, StoreError> {
        let now = now(self.connection.dialect());
        let is_alone = self.connection.dialect() == Dialect::Sqlite;
        let work = async |connection: &mut Connection| {
            query(
                "INSERT INTO publish_sink (name, seq, hash, epoch, holder, expires) VALUES ($1, $2, $3, 0, '', 0) \
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(sink.to_owned())
            .bind(signed(from.seq)?)
            .bind(from.hash.to_vec())
            .execute(connection)
            .await?;
            let lock = if is_alone { "" } else { " FOR UPDATE" };
            let row = query(format!(
                "SELECT seq, hash, epoch, holder, expires - {now} AS held FROM publish_sink WHERE name = $1{lock}"
            ))
            .bind(sink.to_owned())
            .fetch_one(connection)
            .await?;
            if row.integer("held")? > 0 && !is_alone {
                let by = row.text("holder")?.to_owned();
                return Ok(TurnTaking::Held { by });
            }
            let epoch = number(&row, "epoch")?.saturating_add(1);
            query(format!(
                "UPDATE publish_sink SET epoch = $1, holder = $2, expires = {now} + $3 WHERE name = $4"
            ))
            .bind(signed(epoch)?)
            .bind(holder.to_owned())
            .bind(millis(lease)?)
            .bind(sink.to_owned())
            .execute(connection)
            .await?;
            Ok(TurnTaking::Taken(Turn {
                sink: sink.to_owned(),
                epoch,
                cursor: Cursor {
                    seq: number(&row, "seq")?,
                    hash: hash(&row)?,
                },
            }))
        };
        self.runtime
            .block_on(self.connection.transaction(Access::Write, work))
    }

    /// Keeps the turn for that long from now; false if another has taken it.
    pub fn renew(&mut self, turn: &Turn, lease: Duration) -> Result<bool, StoreError> {
        // A SQLite file has one publisher, and nobody reads when its turn ends: nothing is to be forced to disk.
        if self.connection.dialect() == Dialect::Sqlite {
            let ours = query("SELECT 1 FROM publish_sink WHERE name = $1 AND epoch = $2")
                .bind(turn.sink.clone())
                .bind(signed(turn.epoch)?)
                .fetch_optional(&mut self.connection);
            return Ok(self.runtime.block_on(ours)?.is_some());
        }
        let now = now(self.connection.dialect());
        let renewed = query(format!(
            "UPDATE publish_sink SET expires = {now} + $1 WHERE name = $2 AND epoch = $3"
        ))
        .bind(millis(lease)?)
        .bind(turn.sink.clone())
        .bind(signed(turn.epoch)?)
        .execute(&mut self.connection);
        Ok(self.runtime.block_on(renewed)? == 1)
    }

    /// Gives the turn back, so that the next need not wait for its end.
    pub fn give_back(&mut self, turn: &Turn) -> Result<(), StoreError> {
        self.renew(turn, Duration::ZERO).map(drop)
    }

    /// Keeps what happened, durable when it returns. Refused if another publisher has taken the turn.
    pub fn commit(&mut self, turn: &Turn, progress: &Advance) -> Result<(), StoreError> {
        let work = async |connection: &mut Connection| {
            let cursor = progress.cursor.unwrap_or(turn.cursor);
            // An older cursor would tell again what was told; the row is written in any case, for its epoch.
            let moved = query(
                "UPDATE publish_sink SET hash = CASE WHEN $1 > seq THEN $2 ELSE hash END, \
                 seq = CASE WHEN $1 > seq THEN $1 ELSE seq END WHERE name = $3 AND epoch = $4",
            )
            .bind(signed(cursor.seq)?)
            .bind(cursor.hash.to_vec())
            .bind(turn.sink.clone())
            .bind(signed(turn.epoch)?)
            .execute(connection)
            .await?;
            if moved == 0 {
                return Err(StoreError::TurnLost {
                    sink: turn.sink.clone(),
                });
            }
            for delivery in &progress.kept {
                deliveries::keep(connection, &turn.sink, delivery).await?;
            }
            for seq in &progress.taken {
                deliveries::forget(connection, &turn.sink, *seq).await?;
            }
            Ok(())
        };
        self.runtime
            .block_on(self.connection.transaction(Access::Write, work))
    }

    /// Every receiver there ever was, by name.
    pub fn sinks(&mut self) -> Result<Vec<SinkView>, StoreError> {
        self.views(None)
    }

    /// One of them.
    pub fn sink(&mut self, name: &str) -> Result<Option<SinkView>, StoreError> {
        Ok(self.views(Some(name))?.pop())
    }

    fn views(&mut self, name: Option<&str>) -> Result<Vec<SinkView>, StoreError> {
        let asked = query(
            "SELECT s.name, s.seq, s.holder, \
             (SELECT COUNT(*) FROM publish_delivery d WHERE d.sink = s.name AND d.dead <= 0) AS waiting, \
             (SELECT COUNT(*) FROM publish_delivery d WHERE d.sink = s.name AND d.dead > 0) AS dead \
             FROM publish_sink s WHERE ($1 = '' OR s.name = $1) ORDER BY s.name",
        )
        .bind(name.unwrap_or_default().to_owned())
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let views = rows.iter().map(|row| {
            Ok(SinkView {
                name: row.text("name")?.to_owned(),
                seq: number(row, "seq")?,
                holder: row.text("holder")?.to_owned(),
                waiting: number(row, "waiting")?,
                dead: number(row, "dead")?,
            })
        });
        views.collect()
    }
}

async fn connect(location: &Location) -> Result<Connection, StoreError> {
    match &location.server {
        None => sqlite::connect_or_create(&file(location)).await,
        Some(server) => postgres::connect(server, Role::Filer).await,
    }
}

/// The file beside a SQLite store.
fn file(location: &Location) -> PathBuf {
    beside(&location.path, ".publish")
}

async fn is_made(connection: &mut Connection) -> Result<bool, StoreError> {
    let asked = match connection.dialect() {
        Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = 'publish_meta'",
        Dialect::Postgres => "SELECT 1 WHERE to_regclass('publish_meta') IS NOT NULL",
    };
    Ok(query(asked).fetch_optional(connection).await?.is_some())
}

async fn make(connection: &mut Connection) -> Result<(), StoreError> {
    if is_made(connection).await? {
        return Ok(());
    }
    let work = async |connection: &mut Connection| {
        if connection.dialect() == Dialect::Postgres {
            let alone = query("SELECT 1 FROM pg_advisory_xact_lock($1)").bind(MAKES_TABLES);
            alone.fetch_all(connection).await?;
        }
        if !is_made(connection).await? {
            connection.run(TABLES).await?;
        }
        Ok(())
    };
    connection.transaction(Access::Write, work).await
}

async fn must_be_known(connection: &mut Connection) -> Result<(), StoreError> {
    let found = query("SELECT value FROM publish_meta WHERE name = 'version'");
    let found = found.fetch_one(connection).await?;
    match found.text("value")? {
        VERSION => Ok(()),
        other => Err(StoreError::Value {
            field: "publisher's tables, version",
            value: other.to_owned(),
            rule: "must be 1, the one that this keeper knows",
        }),
    }
}

/// The database's clock. [milliseconds since 1970]
fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
        Dialect::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    }
}

fn signed(value: u64) -> Result<i64, StoreError> {
    super::columns::integer("publisher's number", value)
}

fn millis(time: Duration) -> Result<i64, StoreError> {
    signed(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn number(row: &Row, column: &str) -> Result<u64, StoreError> {
    let value = row.integer(column)?;
    u64::try_from(value)
        .map_err(|_| StoreError::damaged("a publisher's row", format!("{column} is negative")))
}

fn hash(row: &Row) -> Result<B256, StoreError> {
    B256::try_from(row.bytes("hash")?)
        .map_err(|_| StoreError::damaged("a publisher's row", "hash has the wrong length"))
}
