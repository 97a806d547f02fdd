//! The engine's store: one connection, one writer, every commit durable.

use std::path::Path;

use tidelock_core::{
    domain::{PaymentNumber, PaymentRef},
    event::{Command, Event, Request},
    log::{Entry, LogHead, Regress},
    state::{PaymentRow, Rows},
    store::{Snapshot, Store, Unread},
};
use tokio::runtime::Runtime;
use tracing::error;

use super::{
    Candidate, Identity, Leadership, Lease, Location, StoreError, Taking,
    columns::{self, LogMeta},
    commit,
    guard::{HighWater, WriterLock},
    load,
    location::{Role, runtime},
    postgres, schema,
    sql::{self, Access, Connection, Row},
    sqlite,
    wait::{GoOn, Patience},
};

/// The store of the one engine that writes a log.
///
/// Its calls block; they must not be made on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct LogStore {
    runtime: Runtime,
    connection: Connection,
    identity: Identity,
    head: LogHead,
    high_water: HighWater,
    failed: bool,
    /// The last command that could not be read.
    left_out: u64,
    patience: Patience,
    right: Right,
}

/// The right to write a log: on this host, and where other hosts can write it too, among all of them.
#[derive(Debug)]
pub struct Right {
    _lock: WriterLock,
    lease: Option<Lease>,
}

impl Right {
    /// With the lease of a PostgreSQL store; without one of a SQLite file.
    pub fn new(lock: WriterLock, lease: Option<Lease>) -> Self {
        Self { _lock: lock, lease }
    }

    /// Takes it, or says who has it.
    pub fn take(location: &Location) -> Result<Self, StoreError> {
        let lock = WriterLock::take(&location.path)?;
        if location.server.is_none() {
            return Ok(Self::new(lock, None));
        }
        match Lease::take(location, &Candidate::this_process())? {
            Taking::Taken(lease) => Ok(Self::new(lock, Some(lease))),
            Taking::Led(leader) => Err(StoreError::Led {
                by: leader.holder,
                epoch: leader.epoch,
            }),
        }
    }

    /// For whoever must know whether to go on.
    pub fn leadership(&self) -> Leadership {
        let lease = self.lease.as_ref();
        lease.map_or_else(Leadership::for_good, Lease::leadership)
    }
}

/// Makes the tables in an empty PostgreSQL database; leaves those that are there as they are.
pub fn prepare(location: &Location, identity: Identity) -> Result<(), StoreError> {
    let Some(server) = &location.server else {
        return Ok(());
    };
    runtime()?.block_on(async {
        let mut connection = postgres::connect(server, Role::Writer).await?;
        tables(&mut connection, identity).await?;
        connection.close().await
    })
}

impl LogStore {
    /// Makes a new store without entries. Refuses to touch one that is there.
    pub fn create(location: impl Into<Location>, identity: Identity) -> Result<Self, StoreError> {
        let location = location.into();
        if location.is_made()? {
            return Err(StoreError::Exists {
                place: location.to_string(),
            });
        }
        if location.server.is_some() {
            prepare(&location, identity)?;
            return Self::open(&location);
        }
        let path = &location.path;
        let right = Right::take(&location)?;
        let runtime = runtime()?;
        let high_water = HighWater::create(path)?;
        let make = async {
            let mut connection = sqlite::create(path).await?;
            tables(&mut connection, identity).await?;
            Ok(connection)
        };
        let connection = runtime.block_on(make).inspect_err(|_: &StoreError| {
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
            right,
        })
    }

    /// Opens a store to write its log. Refuses one that another process writes, and one that is older than what was committed
    /// to it.
    pub fn open(location: impl Into<Location>) -> Result<Self, StoreError> {
        let location = location.into();
        location.must_exist()?;
        let patience = Patience::new(&location.path);
        Self::open_by(&location, Right::take(&location)?, patience)
    }

    /// The same for whoever has the right to it already. Whenever another process holds the database, `go_on` is asked whether
    /// to wait.
    pub fn open_with(location: &Location, right: Right, go_on: GoOn) -> Result<Self, StoreError> {
        location.must_exist()?;
        let patience = Patience::with(&location.path, go_on);
        Self::open_by(location, right, patience)
    }

    fn open_by(
        location: &Location,
        right: Right,
        mut patience: Patience,
    ) -> Result<Self, StoreError> {
        let runtime = runtime()?;
        let mut high_water = match location.server {
            None => HighWater::open(&location.path)?,
            Some(_) => HighWater::open_or_create(&location.path)?,
        };
        let expected = high_water.read()?;
        let open = async || {
            let mut connection = location.connect(Role::Writer).await?;
            schema::must_be_known(&mut connection).await?;
            let identity = load::identity(&mut connection).await?;
            let head = load::log_meta(&mut connection)
                .await?
                .map_or(LogHead::EMPTY, |meta| meta.log());
            not_behind(&mut connection, head, expected, high_water.path()).await?;
            schema::upgrade(&mut connection, right.lease.as_ref()).await?;
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
            right,
        })
    }

    /// What the store was made for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// For whoever must know whether to go on.
    pub fn leadership(&self) -> Leadership {
        self.right.leadership()
    }

    /// Closes the store. Dropping it is as safe, and leaves more to do at the next start.
    pub fn close(self) -> Result<(), StoreError> {
        self.runtime.block_on(self.connection.close())
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Failed);
        }
        Ok(())
    }

    /// Whether the statement finds a row for any of the keys.
    fn has(
        &mut self,
        statement: &'static str,
        mut keys: impl Iterator<Item = Vec<u8>>,
    ) -> Result<bool, StoreError> {
        self.usable()?;
        keys.try_fold(false, |found, key| {
            Ok(found
                || self.patience.until_free(|| {
                    let asked = sql::query(statement).bind(key.clone());
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
        let lease = self.right.lease.as_ref();
        self.patience.until_free(|| {
            let write = async |connection: &mut Connection| {
                if let Some(lease) = lease {
                    lease.must_hold(connection).await?;
                }
                commit::events(connection, entries).await?;
                commit::key(connection, entries).await?;
                commit::rows(connection, rows).await?;
                commit::checkpoint(connection, vault, rows.head.finalised).await?;
                commit::meta(connection, "log", &meta).await
            };
            let written = self.connection.transaction(Access::Write, write);
            self.runtime.block_on(written)
        })?;
        self.head = head;
        self.high_water.write(head)
    }
}

impl LogStore {
    fn commands_after(&mut self, arrival: u64, limit: u32) -> Result<Vec<Row>, StoreError> {
        const COMMANDS: &str = "SELECT arrival, body FROM command WHERE arrival > $1 AND arrival < $2 \
            AND arrival = CAST(arrival AS BIGINT) ORDER BY arrival LIMIT $3";
        self.rows_after(COMMANDS, arrival, limit)
    }

    /// At most `limit` rows that arrived after one.
    fn rows_after(
        &mut self,
        statement: &'static str,
        arrival: u64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let after = columns::integer("arrival", arrival)?;
        self.patience.until_free(|| {
            let asked = sql::query(statement)
                .bind(after)
                .bind(i64::MAX)
                .bind(i64::from(limit))
                .fetch_all(&mut self.connection);
            self.runtime.block_on(asked)
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

impl Store for LogStore {
    type Error = StoreError;

    fn load(&mut self) -> Result<Option<Snapshot>, StoreError> {
        self.usable()?;
        self.patience.until_free(|| {
            let seen = self.connection.transaction(Access::Read, load::snapshot);
            self.runtime.block_on(seen)
        })
    }

    fn unread_requests(&mut self, arrival: u64, limit: u32) -> Result<Unread<Request>, StoreError> {
        self.usable()?;
        // SQLite takes fractions for arrivals, which are none, and which would fill every answer.
        const REQUESTS: &str = "SELECT r.ref, r.arrival, r.body_hash, r.recipient, r.amount, \
               CAST(CASE WHEN p.ref IS NULL THEN 0 ELSE 1 END AS BIGINT) AS known \
             FROM request r LEFT JOIN payment p ON p.ref = r.ref \
             WHERE r.arrival > $1 AND r.arrival < $2 AND r.arrival = CAST(r.arrival AS BIGINT) \
             ORDER BY r.arrival LIMIT $3";
        let mut unread = Unread::after(arrival);
        for row in &self.rows_after(REQUESTS, arrival, limit)? {
            let Ok(arrival) = columns::arrival(row) else {
                continue;
            };
            let is_known = row.integer("known")? != 0;
            let read = match is_known {
                true => Ok(None),
                false => columns::request(row).map(Some),
            };
            if let Err(error) = unread.take(arrival, read) {
                error!(arrival, %error, "request left out");
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
        let mut unread = Unread::after(arrival);
        loop {
            let before = unread.through;
            let rows = self.commands_after(before, limit)?;
            for row in &rows {
                let Ok(arrival) = columns::arrival(row) else {
                    continue;
                };
                if let Err(error) = unread.take(arrival, columns::command(row).map(Some)) {
                    self.leave_out(arrival, &error);
                }
            }
            let is_all = rows.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            if is_all || !unread.items.is_empty() || unread.through == before {
                return Ok(unread);
            }
        }
    }

    fn costs_before(&mut self, seq: u64, limit: u32) -> Result<Vec<(u64, Event)>, StoreError> {
        self.usable()?;
        self.patience.until_free(|| {
            let asked = load::costs_before(&mut self.connection, seq, limit);
            self.runtime.block_on(asked)
        })
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

/// Makes the tables, unless they are there.
async fn tables(connection: &mut Connection, identity: Identity) -> Result<(), StoreError> {
    let make = async |connection: &mut Connection| {
        let own = match connection.dialect() {
            sql::Dialect::Sqlite => sqlite::TRIGGERS,
            sql::Dialect::Postgres => {
                // Two hosts that start at once make them once.
                connection.run(ONE_AT_A_TIME).await?;
                if load::has_tables(connection).await? {
                    return Ok(());
                }
                postgres::TABLES
            }
        };
        connection.run(schema::TABLES).await?;
        connection.run(own).await?;
        commit::meta(connection, "schema", &schema::VERSION).await?;
        commit::meta(connection, "identity", &identity).await
    };
    connection.transaction(Access::Write, make).await
}

/// Any number, the same for all keepers.
const ONE_AT_A_TIME: &str = "SELECT pg_advisory_xact_lock(7238273529)";

/// Notes how far the log has come that another keeper writes, so that this host too knows an old copy.
pub(super) async fn follow(
    connection: &mut Connection,
    location: &Location,
) -> Result<(), StoreError> {
    let mut high_water = HighWater::open_or_create(&location.path)?;
    let Some(meta) = load::log_meta(connection).await? else {
        return Ok(());
    };
    let head = meta.log();
    not_behind(connection, head, high_water.read()?, high_water.path()).await?;
    high_water.write(head)
}

async fn not_behind(
    connection: &mut Connection,
    head: LogHead,
    expected: LogHead,
    file: &Path,
) -> Result<(), StoreError> {
    let is_seen = (1..=head.seq).contains(&expected.seq);
    let found = if is_seen {
        Some(load::entry_hash(connection, expected.seq).await?)
    } else {
        None
    };
    let file = file.to_owned();
    let follows = head.must_follow(expected, found);
    follows.map_err(|regress| match regress {
        Regress::Behind { found, noted } => StoreError::Behind {
            found,
            expected: noted,
            file,
        },
        Regress::Forked { seq, found, noted } => StoreError::Forked {
            seq,
            found,
            expected: noted,
            file,
        },
    })
}
