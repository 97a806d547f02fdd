//! Which of several keepers writes the log: a row with an end and an epoch.
//!
//! The rules are those of [`tidelock_core::lease`]; the clock that decides when a lease may be taken is the database's. Every
//! commit of the log holds its epoch against the row in the same transaction.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tidelock_core::{
    lease::{self, LastServer, Term},
    port::Monotonic,
};
use tokio::runtime::Runtime;

use super::{
    Location, StoreError,
    location::{Role, runtime},
    log,
    postgres::{self, Server},
    sql::{Connection, Row, query},
};

/// Who leads, by the database's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Host and process.
    pub holder: String,
    /// How many keepers have led, this one included.
    pub epoch: u64,
    /// When it took over, by the server's clock. [seconds since 1970]
    pub since: u64,
    /// Its lease has not ended.
    pub holds: bool,
}

/// What came of trying to take the lease.
#[derive(Debug)]
pub enum Taking {
    /// It is ours.
    Taken(Lease),
    /// Another keeper leads.
    Led(Leader),
}

const NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Whether this keeper still leads. Copies of it say the same.
#[derive(Debug, Clone)]
pub struct Leadership {
    start: Instant,
    /// Milliseconds after `start`; 0 once it is over.
    until: Arc<AtomicU64>,
}

impl Leadership {
    /// Of a store that no other keeper can take.
    pub fn for_good() -> Self {
        Self {
            start: Instant::now(),
            until: Arc::new(AtomicU64::new(u64::MAX)),
        }
    }

    /// Whether it may send and sign now.
    pub fn holds(&self) -> bool {
        let now = Monotonic(millis(self.start.elapsed()));
        lease::may_act(now, Monotonic(self.until.load(Ordering::Acquire)))
    }

    /// It was taken or renewed by what was asked then.
    fn extend(&self, asked: Instant, lease: Duration) {
        let asked = asked.saturating_duration_since(self.start);
        let until = Term(millis(lease)).acts_until(Monotonic(millis(asked)));
        self.until.store(until.0, Ordering::Release);
    }

    /// Ends it at once: who leads gives the lease back.
    pub fn end(&self) {
        self.until.store(0, Ordering::Release);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The right to write the log of a PostgreSQL store, renewed until dropped.
#[derive(Debug)]
pub struct Lease {
    epoch: u64,
    leadership: Leadership,
    is_over: Arc<AtomicBool>,
    keeping: Option<JoinHandle<()>>,
}

/// Whom the lease is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Host and process, to be shown.
    pub name: String,
    /// The operator's word that a server which was promoted has every commit.
    pub trusts_promotion: bool,
}

impl Candidate {
    /// This process.
    pub fn this_process() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname");
        let host = host.or_else(|_| std::env::var("HOSTNAME"));
        let host = host.unwrap_or_else(|_| "unknown host".to_owned());
        Self {
            name: format!("{}, process {}", host.trim(), std::process::id()),
            trusts_promotion: false,
        }
    }
}

impl Lease {
    /// Takes the lease if nobody has it; who has it, otherwise.
    pub fn take(location: &Location, candidate: &Candidate) -> Result<Taking, StoreError> {
        let Some(server) = &location.server else {
            return Err(StoreError::Value {
                field: "store.database",
                value: "none".to_owned(),
                rule: "must be given: a SQLite file has no lease",
            });
        };
        let runtime = runtime()?;
        let answer = server.quarter();
        let took = async {
            let mut connection =
                postgres::connect_within(server, Role::Writer, answer.max(LEAST_ANSWER)).await?;
            let asked = Instant::now();
            let epoch = connection
                .transaction(super::sql::Access::Write, async |connection| {
                    take(connection, candidate, server.lease).await
                })
                .await?;
            match epoch {
                Some(epoch) => Ok(Ok((connection, epoch, asked))),
                None => {
                    let leader = leader_of(&mut connection).await?;
                    log::follow(&mut connection, location).await?;
                    connection.close().await?;
                    Ok(Err(leader))
                }
            }
        };
        let (connection, epoch, asked) = match runtime.block_on(took) {
            Ok(Ok(taken)) => taken,
            Ok(Err(leader)) => return Ok(Taking::Led(leader)),
            Err(error) => return Err(error),
        };
        let leadership = Leadership {
            start: asked,
            until: Arc::new(AtomicU64::new(0)),
        };
        leadership.extend(asked, server.lease);
        let is_over = Arc::new(AtomicBool::new(false));
        let keeper = Keeping {
            server: server.clone(),
            epoch,
            leadership: leadership.clone(),
            is_over: Arc::clone(&is_over),
        };
        let keeping = thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || keeper.keep(&runtime, connection))
            .map_err(StoreError::Runtime)?;
        Ok(Taking::Taken(Self {
            epoch,
            leadership,
            is_over,
            keeping: Some(keeping),
        }))
    }

    /// For whoever must know whether to go on.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// What every commit asks in its own transaction: whether it is still this lease's turn. Whoever takes the lease waits
    /// until the transaction is over, and it until the lease is taken; the lease is renewed meanwhile.
    pub(super) async fn must_hold(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let row = query("SELECT holder, epoch FROM lease WHERE name = 'engine' FOR KEY SHARE")
            .fetch_one(connection)
            .await?;
        let epoch = unsigned(row.integer("epoch")?);
        if lease::may_commit(epoch, self.epoch) {
            return Ok(());
        }
        self.leadership.end();
        Err(StoreError::Deposed {
            by: row.text("holder")?.to_owned(),
            epoch,
            own: self.epoch,
        })
    }
}

impl Drop for Lease {
    /// Gives the lease back, so that the next keeper need not wait for its end.
    fn drop(&mut self) {
        self.leadership.end();
        self.is_over.store(true, Ordering::Release);
        if let Some(keeping) = self.keeping.take() {
            keeping.thread().unpark();
            let _ = keeping.join(); // a panic there has ended the lease as well
        }
    }
}

/// Least time that an answer is given, however short the lease.
const LEAST_ANSWER: Duration = Duration::from_millis(250);

/// What renews a lease, in a thread of its own.
struct Keeping {
    server: Server,
    epoch: u64,
    leadership: Leadership,
    is_over: Arc<AtomicBool>,
}

impl Keeping {
    fn keep(self, runtime: &Runtime, connection: Connection) {
        let mut connection = Some(connection);
        let pause = self.server.quarter();
        loop {
            thread::park_timeout(pause);
            if self.is_over.load(Ordering::Acquire) {
                break;
            }
            let asked = Instant::now();
            match runtime.block_on(self.renew(&mut connection)) {
                Ok(true) => self.leadership.extend(asked, self.server.lease),
                Ok(false) => return self.leadership.end(),
                Err(error) => {
                    tracing::warn!(%error, "the lease is not renewed; it is tried again until it ends");
                    connection = None;
                }
            }
        }
        self.leadership.end(); // also if it was renewed just now
        if let Some(connection) = &mut connection {
            // If it cannot be given back, it ends by itself.
            let _ = runtime.block_on(release(connection, self.epoch));
        }
    }

    /// Whether it was renewed; another has taken it otherwise.
    async fn renew(&self, connection: &mut Option<Connection>) -> Result<bool, StoreError> {
        let connection = match connection {
            Some(connection) => connection,
            None => {
                let answer = self.server.quarter().max(LEAST_ANSWER);
                let fresh = postgres::connect_within(&self.server, Role::Writer, answer);
                connection.insert(fresh.await?)
            }
        };
        let renewed = query(format!(
            "UPDATE lease SET expires = {NOW} + $1 WHERE name = 'engine' AND epoch = $2"
        ))
        .bind(length(self.server.lease))
        .bind(signed(self.epoch))
        .execute(connection)
        .await?;
        Ok(renewed == 1)
    }
}

fn length(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// The epoch, if the lease was free.
async fn take(
    connection: &mut Connection,
    candidate: &Candidate,
    lease: Duration,
) -> Result<Option<u64>, StoreError> {
    let row = query(format!(
        "SELECT epoch, timeline, replicas, GREATEST(expires - {NOW}, 0) AS held, \
         substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS current, \
         current_setting('synchronous_standby_names') AS waited_for \
         FROM lease WHERE name = 'engine' FOR UPDATE"
    ))
    .fetch_one(connection)
    .await?;
    if !lease::is_free(unsigned(row.integer("held")?)) {
        return Ok(None);
    }
    let current = row.text("current")?;
    let last = LastServer {
        timeline: row.text("timeline")?,
        was_waited_for: !row.text("replicas")?.is_empty(),
    };
    if !(last.is_followed_by(current) || candidate.trusts_promotion) {
        return Err(StoreError::Promoted {
            before: last.timeline.to_owned(),
            now: current.to_owned(),
        });
    }
    let epoch = lease::next_epoch(unsigned(row.integer("epoch")?));
    query(format!(
        "UPDATE lease SET holder = $1, epoch = $2, taken = {NOW}, expires = {NOW} + $3, timeline = $4, replicas = $5 \
         WHERE name = 'engine'"
    ))
    .bind(candidate.name.clone())
    .bind(signed(epoch))
    .bind(length(lease))
    .bind(current.to_owned())
    .bind(row.text("waited_for")?.to_owned())
    .execute(connection)
    .await?;
    Ok(Some(epoch))
}

async fn release(connection: &mut Connection, epoch: u64) -> Result<(), StoreError> {
    query("UPDATE lease SET expires = 0 WHERE name = 'engine' AND epoch = $1")
        .bind(signed(epoch))
        .execute(connection)
        .await
        .map(drop)
}

async fn leader_of(connection: &mut Connection) -> Result<Leader, StoreError> {
    let row = query(format!(
        "SELECT holder, epoch, taken, GREATEST(expires - {NOW}, 0) AS held FROM lease WHERE name = 'engine'"
    ))
    .fetch_one(connection)
    .await?;
    read(&row)
}

fn read(row: &Row) -> Result<Leader, StoreError> {
    Ok(Leader {
        holder: row.text("holder")?.to_owned(),
        epoch: unsigned(row.integer("epoch")?),
        since: unsigned(row.integer("taken")?) / 1_000,
        holds: !lease::is_free(unsigned(row.integer("held")?)),
    })
}

/// Who leads, or led last; none where there is no lease, or nobody has ever had it.
pub fn leader(location: &Location) -> Result<Option<Leader>, StoreError> {
    if location.server.is_none() {
        return Ok(None);
    }
    runtime()?.block_on(async {
        let mut connection = location.connect(Role::Reader).await?;
        let leader = leader_of(&mut connection).await?;
        connection.close().await?;
        Ok(Some(leader).filter(|leader| leader.epoch > 0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_stops_before_its_lease_can_be_taken() {
        let lease = Duration::from_secs(1_000);
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let leadership = Leadership {
            start: ago(2_000),
            until: Arc::new(AtomicU64::new(0)),
        };
        assert!(!leadership.holds());
        // What counts is when it was asked for, not when the answer came.
        leadership.extend(ago(810), lease);
        assert!(!leadership.holds());
        leadership.extend(ago(700), lease);
        assert!(leadership.holds());
        leadership.end();
        assert!(!leadership.holds());
    }
}
