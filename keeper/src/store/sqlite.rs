//! The engine's store on SQLite: one connection, one writer, every commit forced to disk.

use std::{os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tidelock_core::{
    domain::{PaymentNumber, PaymentRef},
    event::{Command, Request},
    log::{Entry, LogHead},
    state::{PaymentRow, Rows},
    store::{Snapshot, Store, Unread},
};
use tokio::runtime::Runtime;
use tracing::error;

use super::{
    Identity, StoreError,
    columns::{self, LogMeta},
    commit,
    guard::{HighWater, WriterLock},
    load,
    wait::{GoOn, Patience},
};

/// How long a statement of a reader waits for another process's transaction. Who writes waits by [`Patience`].
const BUSY: Duration = Duration::from_secs(10);

/// Pages of 4 KiB that are written ahead before somebody carries them over into the database. Requests are stored by their
/// refs, at random, so most pages are written again and again: the more at once, the less is carried over. Whoever files
/// many does it before the writer of the log would have to.
const WRITER_PAGES: &str = "5000";
const FILER_PAGES: &str = "4000";

/// The store of the one engine that writes a log.
///
/// Its calls block; they must not be made on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct SqliteStore {
    runtime: Runtime,
    connection: SqliteConnection,
    identity: Identity,
    head: LogHead,
    high_water: HighWater,
    failed: bool,
    /// The last command that could not be read.
    left_out: u64,
    patience: Patience,
    _lock: WriterLock,
}

impl SqliteStore {
    /// Makes a new database without entries. Refuses to touch a file that is there.
    pub fn create(path: &Path, identity: Identity) -> Result<Self, StoreError> {
        let lock = WriterLock::take(path)?;
        if path.exists() {
            return Err(StoreError::Exists {
                path: path.to_owned(),
            });
        }
        let runtime = runtime()?;
        let high_water = HighWater::create(path)?;
        let connection = runtime.block_on(tables(path, identity)).inspect_err(|_| {
            // Both were made just now. What cannot be removed is named by the next attempt.
            let _ = std::fs::remove_file(path);
            let _ = std::fs::remove_file(high_water.path());
        })?;
        Ok(Self {
            runtime,
            connection,
            identity,
            head: LogHead::EMPTY,
            high_water,
            failed: false,
            left_out: 0,
            patience: Patience::new(path),
            _lock: lock,
        })
    }

    /// Opens a database to write it. Refuses one that another process writes, and one that is older than what was
    /// committed to it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        must_exist(path)?;
        let patience = Patience::new(path);
        Self::open_with(path, WriterLock::take(path)?, patience)
    }

    /// The same for whoever has the lock of this database already. Whenever another process holds the database, `go_on` is
    /// asked whether to wait.
    pub fn open_locked(path: &Path, lock: WriterLock, go_on: GoOn) -> Result<Self, StoreError> {
        must_exist(path)?;
        Self::open_with(path, lock, Patience::with(path, go_on))
    }

    fn open_with(
        path: &Path,
        lock: WriterLock,
        mut patience: Patience,
    ) -> Result<Self, StoreError> {
        let runtime = runtime()?;
        let mut high_water = HighWater::open(path)?;
        let expected = high_water.read()?;
        let open = async || {
            let mut connection = writer(path).connect().await?;
            let identity = load::identity(&mut connection).await?;
            let head = load::log_meta(&mut connection)
                .await?
                .map_or(LogHead::EMPTY, |meta| meta.log());
            not_behind(&mut connection, head, expected, high_water.path()).await?;
            Ok::<_, StoreError>((connection, identity, head))
        };
        let (connection, identity, head) = patience.until_free(|| runtime.block_on(open()))?;
        Ok(Self {
            runtime,
            connection,
            identity,
            head,
            high_water,
            failed: false,
            left_out: 0,
            patience,
            _lock: lock,
        })
    }

    /// What the database was made for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Closes the database. Dropping it is as safe, and leaves more to do at the next start.
    pub fn close(self) -> Result<(), StoreError> {
        Ok(self.runtime.block_on(self.connection.close())?)
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Failed);
        }
        Ok(())
    }

    /// Whether the query finds a row for any of the keys.
    fn has(
        &mut self,
        query: &'static str,
        mut keys: impl Iterator<Item = Vec<u8>>,
    ) -> Result<bool, StoreError> {
        self.usable()?;
        keys.try_fold(false, |found, key| {
            Ok(found
                || self.patience.until_free(|| {
                    let asked = sqlx::query(query).bind(key.clone());
                    let asked = asked.fetch_optional(&mut self.connection);
                    Ok(self.runtime.block_on(asked)?.is_some())
                })?)
        })
    }

    fn append(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), StoreError> {
        let mut head = self.head;
        for entry in entries {
            if Some(entry.seq) != head.seq.checked_add(1) || entry.prev != head.hash {
                return Err(StoreError::NotNext {
                    seq: entry.seq,
                    last: head.seq,
                });
            }
            head = entry.head();
        }
        let meta = LogMeta::new(head, &rows.head);
        let vault = rows.head.opening.domain.vault;
        self.patience.until_free(|| {
            self.runtime.block_on(async {
                let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
                commit::events(&mut transaction, entries).await?;
                commit::key(&mut transaction, entries).await?;
                commit::rows(&mut transaction, rows).await?;
                commit::checkpoint(&mut transaction, vault, rows.head.finalised).await?;
                commit::meta(&mut transaction, "log", &meta).await?;
                transaction.commit().await?;
                Ok(())
            })
        })?;
        self.head = head;
        self.high_water.write(head)
    }
}

impl SqliteStore {
    fn commands_after(&mut self, arrival: u64, limit: u32) -> Result<Vec<SqliteRow>, StoreError> {
        const COMMANDS: &str = "SELECT arrival, body FROM command WHERE arrival > $1 AND arrival < $2 \
            AND arrival = CAST(arrival AS BIGINT) ORDER BY arrival LIMIT $3";
        self.rows_after(COMMANDS, arrival, limit)
    }

    /// At most `limit` rows that arrived after one.
    fn rows_after(
        &mut self,
        query: &'static str,
        arrival: u64,
        limit: u32,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let after = columns::integer("arrival", arrival)?;
        self.patience.until_free(|| {
            let asked = sqlx::query(query)
                .bind(after)
                .bind(i64::MAX)
                .bind(i64::from(limit))
                .fetch_all(&mut self.connection);
            Ok(self.runtime.block_on(asked)?)
        })
    }

    /// Says once of a command that it cannot be read. It stays unread until one after it is taken.
    fn leave_out(&mut self, arrival: u64, error: &StoreError) {
        if self.left_out < arrival {
            self.left_out = arrival;
            error!(arrival, %error, "command left out");
        }
    }
}

impl Store for SqliteStore {
    type Error = StoreError;

    fn load(&mut self) -> Result<Option<Snapshot>, StoreError> {
        self.usable()?;
        self.patience.until_free(|| {
            self.runtime.block_on(async {
                let mut transaction = self.connection.begin().await?;
                let snapshot = load::snapshot(&mut transaction).await?;
                transaction.commit().await?;
                Ok(snapshot)
            })
        })
    }

    fn unread_requests(&mut self, arrival: u64, limit: u32) -> Result<Unread<Request>, StoreError> {
        self.usable()?;
        // SQLite takes fractions for arrivals, which are none, and which would fill every answer.
        const REQUESTS: &str = "SELECT r.ref, r.arrival, r.body_hash, r.recipient, r.amount, \
               CASE WHEN p.ref IS NULL THEN 0 ELSE 1 END AS known \
             FROM request r LEFT JOIN payment p ON p.ref = r.ref \
             WHERE r.arrival > $1 AND r.arrival < $2 AND r.arrival = CAST(r.arrival AS BIGINT) \
             ORDER BY r.arrival LIMIT $3";
        let mut unread = Unread {
            items: Vec::new(),
            through: arrival,
        };
        for row in &self.rows_after(REQUESTS, arrival, limit)? {
            let Ok(arrival) = columns::arrival(row) else {
                continue;
            };
            unread.through = arrival;
            if row.try_get::<i64, _>("known")? != 0 {
                continue;
            }
            match columns::request(row) {
                Ok(request) => unread.items.push(request),
                // Nothing is paid by it, and it must not hold up the others. It stays where it is, for people to find.
                Err(error) => error!(arrival, %error, "request left out"),
            }
        }
        Ok(unread)
    }

    fn unread_commands(
        &mut self,
        arrival: u64,
        limit: u32,
    ) -> Result<Unread<(u64, Command)>, StoreError> {
        self.usable()?;
        let mut unread = Unread {
            items: Vec::new(),
            through: arrival,
        };
        loop {
            let before = unread.through;
            let rows = self.commands_after(before, limit)?;
            for row in &rows {
                let Ok(arrival) = columns::arrival(row) else {
                    continue;
                };
                unread.through = arrival;
                match columns::command(row) {
                    Ok(command) => unread.items.push(command),
                    Err(error) => self.leave_out(arrival, &error),
                }
            }
            let is_all = rows.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            if is_all || !unread.items.is_empty() || unread.through == before {
                return Ok(unread);
            }
        }
    }

    fn has_payment(
        &mut self,
        refs: &[PaymentRef],
        numbers: &[PaymentNumber],
    ) -> Result<bool, StoreError> {
        let refs = refs.iter().map(|reference| reference.0.to_vec());
        let numbers = numbers
            .iter()
            .map(|number| columns::number(*number).to_vec());
        Ok(self.has("SELECT 1 FROM payment WHERE ref = $1", refs)?
            || self.has("SELECT 1 FROM payment WHERE number = $1", numbers)?)
    }

    fn payments(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, StoreError> {
        self.usable()?;
        let rows = self.patience.until_free(|| {
            let asked = load::payments(&mut self.connection, refs);
            self.runtime.block_on(asked)
        })?;
        rows.into_values().collect()
    }

    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, StoreError> {
        let refs = refs.iter().map(|reference| reference.0.to_vec());
        self.has("SELECT 1 FROM request WHERE ref = $1", refs)
    }

    fn commit(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), StoreError> {
        self.usable()?;
        let done = self.append(entries, rows);
        self.failed = done.is_err();
        done
    }
}

async fn tables(path: &Path, identity: Identity) -> Result<SqliteConnection, StoreError> {
    private_file(path)?;
    let mut connection = writer(path).create_if_missing(true).connect().await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(include_str!("schema.sql"))
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql(include_str!("triggers.sql"))
        .execute(&mut *transaction)
        .await?;
    commit::meta(&mut transaction, "schema", &load::SCHEMA).await?;
    commit::meta(&mut transaction, "identity", &identity).await?;
    transaction.commit().await?;
    Ok(connection)
}

/// Who was paid what is nobody's business. What SQLite writes beside the database takes its mode from it.
fn private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.map(drop).map_err(|source| StoreError::File {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn runtime() -> Result<Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(StoreError::Runtime)
}

pub(super) fn must_exist(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    Err(StoreError::Missing {
        path: path.to_owned(),
    })
}

/// The same for the writer of the log, who tries again by itself.
fn writer(path: &Path) -> SqliteConnectOptions {
    options(path)
        .busy_timeout(Duration::ZERO)
        .pragma("wal_autocheckpoint", WRITER_PAGES)
}

/// The same for whoever files requests, and tries again by itself.
pub(super) fn filer(path: &Path) -> SqliteConnectOptions {
    options(path)
        .busy_timeout(Duration::ZERO)
        .pragma("wal_autocheckpoint", FILER_PAGES)
        // What a statement of many rows would have to undo is written to a file otherwise.
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-24000") // [KiB]
}

/// What every connection that writes has in common.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
}

async fn not_behind(
    connection: &mut SqliteConnection,
    head: LogHead,
    expected: LogHead,
    file: &Path,
) -> Result<(), StoreError> {
    if head.seq < expected.seq {
        return Err(StoreError::Behind {
            found: head.seq,
            expected: expected.seq,
            file: file.to_owned(),
        });
    }
    if expected.seq == 0 {
        return Ok(());
    }
    let found = load::entry_hash(connection, expected.seq).await?;
    if found != expected.hash {
        return Err(StoreError::Forked {
            seq: expected.seq,
            found,
            expected: expected.hash,
            file: file.to_owned(),
        });
    }
    Ok(())
}
