//! A store in a SQLite file: every commit that matters is forced to disk, and what the file's rights are.

use std::{io::ErrorKind, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use sqlx::{
    ConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{StoreError, location::Role, sql::Connection};

/// How long a statement of a reader waits for another process's transaction. Who writes waits by itself.
const BUSY: Duration = Duration::from_secs(10);

/// Pages of 4 KiB that are written ahead before somebody carries them over into the database. Requests are stored by their
/// refs, at random, so most pages are written again and again: the more at once, the less is carried over. Whoever files
/// many does it before the writer of the log would have to.
const WRITER_PAGES: &str = "5000";
const FILER_PAGES: &str = "4000";

/// Rows that are read ahead; a row of the log is at most some 50 KiB.
const ROWS_AHEAD: usize = 512;

/// SQLite's way of refusing changes to what is append-only.
pub(super) const TRIGGERS: &str = include_str!("sqlite.sql");

/// Connects to a file that is there.
pub(super) async fn connect(path: &Path, role: Role) -> Result<Connection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::Missing {
            path: path.to_owned(),
        });
    }
    let options = match role {
        Role::Writer => writer(path),
        Role::Filer => filer(path),
        Role::Reader => options(path).read_only(true).row_buffer_size(ROWS_AHEAD),
        // Without locks, and without the files that others would be told by.
        Role::Copy => SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .immutable(true)
            .row_buffer_size(ROWS_AHEAD),
    };
    Ok(Connection::Sqlite(options.connect().await?))
}

/// Makes a file, and connects to write its log.
pub(super) async fn create(path: &Path) -> Result<Connection, StoreError> {
    private_file(path)?;
    let connection = writer(path).create_if_missing(true).connect().await?;
    Ok(Connection::Sqlite(connection))
}

/// Connects to a small file of somebody who is not the writer of the log, and makes it if it is not there.
pub(super) async fn connect_or_create(path: &Path) -> Result<Connection, StoreError> {
    match private_file(path) {
        Err(StoreError::File { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    Ok(Connection::Sqlite(options(path).connect().await?))
}

/// Connects to such a file as it is: whoever made it may be giving it its mode just now.
pub(super) async fn connect_as_it_is(path: &Path) -> Result<Connection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY);
    Ok(Connection::Sqlite(options.connect().await?))
}

/// Connects to an empty file that nobody else knows yet. Whoever fills it forces it to disk.
pub(super) async fn fill(path: &Path) -> Result<Connection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(true);
    Ok(Connection::Sqlite(options.connect().await?))
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

/// Whoever writes the log tries again by itself.
fn writer(path: &Path) -> SqliteConnectOptions {
    options(path)
        .busy_timeout(Duration::ZERO)
        .pragma("wal_autocheckpoint", WRITER_PAGES)
}

/// The same for whoever files requests.
fn filer(path: &Path) -> SqliteConnectOptions {
    options(path)
        .busy_timeout(Duration::ZERO)
        .pragma("wal_autocheckpoint", FILER_PAGES)
        // What a statement of many rows would have to undo is written to a file otherwise.
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-24000") // [KiB]
}

/// What every connection has in common.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
}
