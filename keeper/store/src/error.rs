//! Why a store fails. Classified once, here; after any of them whoever writes must begin anew.

use std::{path::PathBuf, time::Duration};

use alloy_primitives::B256;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgDatabaseError;

/// Why a store cannot be used, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no database.
    #[error("store {}: there is no such file; `keeper run` makes it when it first runs", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The database is there, and has no tables of a keeper.
    #[error("store {server}: holds no log; `keeper run` makes it when it first runs")]
    Empty {
        /// The database.
        server: String,
    },
    /// There is a store already.
    #[error("store {place}: exists already, and is left as it is")]
    Exists {
        /// Where.
        place: String,
    },
    /// The server cannot be reached, went away, or did not answer in time. Whether the last commit was made is unknown.
    #[error("store: the server cannot be reached: {source}")]
    Unreachable {
        /// What the connection says.
        source: sqlx::Error,
    },
    /// Another keeper leads.
    #[error("store: {by} leads, in epoch {epoch}; only one keeper may write the log")]
    Led {
        /// Host and process.
        by: String,
        /// Its epoch.
        epoch: u64,
    },
    /// Another keeper has taken over: nothing was committed, and nothing may be sent any more.
    #[error(
        "store: {by} has taken over in epoch {epoch}; this keeper led in epoch {own}, and sends nothing any more"
    )]
    Deposed {
        /// Host and process of the one that leads, or led last.
        by: String,
        /// Its epoch.
        epoch: u64,
        /// The epoch in which this keeper led.
        own: u64,
    },
    /// The lease was not renewed in time: nothing is sent or committed until it is taken again.
    #[error("store: the lease ended before it could be renewed; another keeper may lead")]
    Lapsed,
    /// The server is another one than the last leader wrote to, and may lack what that one committed.
    #[error(
        "store: the server is on timeline {now}, and the last keeper led on timeline {before} without waiting for a replica: \
         a server that was promoted or restored may lack what was committed last, and paying from it could pay twice; if it \
         is known to have everything, start with --accept-promotion; otherwise open a new log in a new database, after moving \
         the .high-water file of each host away"
    )]
    Promoted {
        /// The timeline of the last leader.
        before: String,
        /// That of the server.
        now: String,
    },
    /// Another process writes it.
    #[error("store {}: in use by another keeper; only one may write it (lock {})", path.display(), lock.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// The file that is locked.
        lock: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disk, or what the process may use of it, is full.
    #[error("store: no space left: {source}")]
    Full {
        /// What the database says.
        source: sqlx::Error,
    },
    /// The file or its folder may not be written.
    #[error("store: read-only: {source}")]
    ReadOnly {
        /// What the database says.
        source: sqlx::Error,
    },
    /// Another process holds the database just now. Nothing was done.
    #[error("store: busy, another process writes it: {source}")]
    Busy {
        /// What the database says.
        source: sqlx::Error,
    },
    /// Another process held the database for longer than was waited. Nothing was done.
    #[error("store: {by} has held it for {} s: {source}", waited.as_secs())]
    Held {
        /// Who, as far as the system tells.
        by: String,
        /// How long was waited.
        waited: Duration,
        /// What the database says.
        source: sqlx::Error,
    },
    /// The device failed: whether the last write is there is unknown.
    #[error("store: the device failed: {source}")]
    Device {
        /// What the database says.
        source: sqlx::Error,
    },
    /// The file is no database, or a broken one.
    #[error("store: damaged file: {source}")]
    Broken {
        /// What the database says.
        source: sqlx::Error,
    },
    /// Anything else the database says.
    #[error("store: {source}")]
    Database {
        /// What the database says.
        source: sqlx::Error,
    },
    /// A row that cannot be, or that contradicts another.
    #[error("store damaged: {what}: {why}")]
    Damaged {
        /// Which row.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A database of another version of the keeper.
    #[error(
        "store: its schema is {found}, and this keeper's is {known}: `keeper run` upgrades an older one, and a newer one needs a newer keeper"
    )]
    Schema {
        /// What the database says.
        found: String,
        /// What this keeper writes.
        known: u32,
    },
    /// The database is older than what was committed to it: a copy was put back. Sending from it could pay twice under
    /// other numbers.
    #[error(
        "store: the database ends at entry {found}, but entry {expected} was committed already ({}): an old copy was put \
         back",
        file.display()
    )]
    Behind {
        /// The database's last entry.
        found: u64,
        /// The last entry that was ever committed.
        expected: u64,
        /// Where that is noted.
        file: PathBuf,
    },
    /// The database holds another entry where one was committed: an old copy was put back, and written to.
    #[error(
        "store: entry {seq} has hash {found}, but {expected} was committed ({}): the database is another one",
        file.display()
    )]
    Forked {
        /// The entry.
        seq: u64,
        /// Its hash in the database.
        found: B256,
        /// The hash that was committed.
        expected: B256,
        /// Where that is noted.
        file: PathBuf,
    },
    /// The note of the last commit is gone.
    #[error(
        "store: {} is missing, so nobody can tell whether the database is an old copy; put it back from where the \
         database was",
        file.display()
    )]
    HighWaterMissing {
        /// Where it should be.
        file: PathBuf,
    },
    /// Entries that do not follow the last one.
    #[error("entry {seq}: does not follow entry {last} of the log")]
    NotNext {
        /// The entry's number.
        seq: u64,
        /// The log's last entry.
        last: u64,
    },
    /// Another publisher works for this receiver now.
    #[error("publisher: another one has taken over {sink}")]
    TurnLost {
        /// The receiver.
        sink: String,
    },
    /// An earlier call failed, so nobody knows what is stored.
    #[error("store: an earlier write failed; end this process, and read again what there is")]
    Failed,
    /// A value that has no place in the database.
    #[error("{field} {value}: {rule}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The runtime under the database cannot start.
    #[error("store: no runtime: {0}")]
    Runtime(std::io::Error),
}

// SQLite's primary result codes: the low byte of what it reports.
const BUSY: u32 = 5;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        use sqlx::Error::{ColumnDecode, Decode, Io, Protocol, Tls, WorkerCrashed};
        match &source {
            ColumnDecode { .. } | Decode(_) => Self::Damaged {
                what: "a row".to_owned(),
                why: source.to_string(),
            },
            Io(_) | Tls(_) | Protocol(_) => Self::Unreachable { source },
            WorkerCrashed => Self::Database { source },
            #[cfg_attr(not(feature = "postgres"), expect(unused_variables))]
            sqlx::Error::Database(said) => {
                #[cfg(feature = "postgres")]
                if let Some(said) = said.try_downcast_ref::<PgDatabaseError>() {
                    let code = said.code().to_owned();
                    return Self::of_postgres(&code, source);
                }
                Self::of_sqlite(primary_code(&source), source)
            }
            _ => Self::Database { source },
        }
    }
}

/// SQLite's.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

impl StoreError {
    fn of_sqlite(code: Option<u32>, source: sqlx::Error) -> Self {
        match code {
            Some(FULL) => Self::Full { source },
            Some(READONLY) => Self::ReadOnly { source },
            Some(BUSY) => Self::Busy { source },
            Some(IOERR | CANTOPEN) => Self::Device { source },
            Some(CORRUPT | NOTADB) => Self::Broken { source },
            _ => Self::Database { source },
        }
    }

    /// By the classes and codes of PostgreSQL's SQLSTATE.
    #[cfg(feature = "postgres")]
    fn of_postgres(code: &str, source: sqlx::Error) -> Self {
        match code {
            // Another transaction was in the way; nothing was done, and it may be done again.
            "40001" | "40P01" | "55P03" => Self::Busy { source },
            "25006" => Self::ReadOnly { source },
            "53100" => Self::Full { source },
            "58030" => Self::Device { source },
            // The server stops, starts, has ended the session, or has no room for it.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => {
                Self::Unreachable { source }
            }
            _ if code.starts_with("08") => Self::Unreachable { source },
            _ if code.starts_with("XX") => Self::Broken { source },
            _ => Self::Database { source },
        }
    }

    /// A server that did not answer in time.
    #[cfg(feature = "postgres")]
    pub(super) fn silent(limit: Duration) -> Self {
        let why = format!("no answer within {} ms", limit.as_millis());
        Self::Unreachable {
            source: sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why)),
        }
    }

    /// Whether it passes by itself: the server is away, is not the one to write to just now, or somebody is in the way.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::ReadOnly { .. } | Self::Busy { .. } | Self::Lapsed
        )
    }

    pub(super) fn damaged(what: impl ToString, why: impl ToString) -> Self {
        Self::Damaged {
            what: what.to_string(),
            why: why.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

    use super::*;

    /// What a statement on a connection comes to.
    fn refusal(options: SqliteConnectOptions, statement: &'static str) -> StoreError {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let done = runtime.block_on(async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(statement).execute(&mut connection).await
        });
        done.unwrap_err().into()
    }

    #[test]
    fn what_sqlite_says_is_classified() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let options = SqliteConnectOptions::new().filename(&path);
        let make = options.clone().create_if_missing(true);
        let error = refusal(
            make,
            "CREATE TABLE a (b BIGINT UNIQUE); INSERT INTO a VALUES (1), (1)",
        );
        assert!(matches!(error, StoreError::Database { .. }), "{error:?}");

        let error = refusal(options.clone().read_only(true), "INSERT INTO a VALUES (2)");
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");

        let error = refusal(
            options.clone(),
            "PRAGMA max_page_count = 3; CREATE TABLE c (d TEXT); INSERT INTO c VALUES (zeroblob(100000))",
        );
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");

        let error = refusal(options.clone().filename(folder.path()), "SELECT 1");
        assert!(matches!(error, StoreError::Device { .. }), "{error:?}");

        std::fs::write(&path, "no database".repeat(1_000)).unwrap();
        let error = refusal(options, "SELECT * FROM a");
        assert!(matches!(error, StoreError::Broken { .. }), "{error:?}");
    }
}
