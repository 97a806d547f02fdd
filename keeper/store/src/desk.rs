//! Where requests and commands are handed in, by any number of processes, while the engine works. Only inserts.

use std::{
    collections::BTreeMap,
    sync::LazyLock,
    time::{Duration, Instant},
};

use tidelock_core::{
    domain::{Payment, PaymentRef},
    event::{Command, Request},
};
use tokio::runtime::Runtime;

use super::{
    Identity, Location, StoreError, columns,
    insert::Insert,
    load,
    location::{Role, runtime},
    metadata,
    metadata::Noted,
    schema,
    sql::{Access, Connection, Dialect, Query, query},
    wait::{GoOn, Patience},
};

static REQUESTS: LazyLock<Insert> = LazyLock::new(|| {
    let columns = ["ref", "arrival", "body_hash", "recipient", "amount"];
    Insert::new("request", &columns, "")
});

/// Takes requests and commands in. Its calls block; they must not be made on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct Desk {
    pub(super) runtime: Runtime,
    pub(super) connection: Connection,
    identity: Identity,
    pub(super) patience: Patience,
    held: Duration,
    is_forced: bool,
}

/// What became of requests that were handed in together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filing {
    /// All of them are durable, one answer for each, in order.
    Filed(Vec<Filed>),
    /// None of them was taken, because these refs were used for something else.
    Refused(Vec<Taken>),
}

/// What is known of requests before they are filed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Those that nobody filed before, in order.
    pub fresh: Vec<Payment>,
    /// Refs that were used for something else.
    pub taken: Vec<Taken>,
}

/// A request that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filed {
    /// Its ref.
    pub reference: PaymentRef,
    /// Its place in the queue; 0 if a foreign proposal brought it.
    pub arrival: u64,
    /// The same request was there before, and was not filed again.
    pub known: bool,
}

/// A ref that was used for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The place of the request among those handed in, from 0.
    pub index: usize,
    /// What the ref was used for.
    pub stored: Payment,
    /// What was asked for now.
    pub given: Payment,
}

impl Taken {
    /// In words, amounts as decimals of the token.
    pub fn describe(&self, decimals: u8) -> String {
        let body = |payment: &Payment| {
            let amount = payment.amount().display(decimals);
            format!("{amount} to {}", payment.recipient())
        };
        format!(
            "ref {}: it was used already for {}, and cannot be used again for {}: a ref is for one payment, ever",
            self.stored.reference(),
            body(&self.stored),
            body(&self.given)
        )
    }
}

impl Desk {
    /// Opens a database to hand things in. Whenever another process holds it, `go_on` is asked whether to wait.
    pub fn open_with(location: impl Into<Location>, go_on: GoOn) -> Result<Self, StoreError> {
        let location = location.into();
        let patience = Patience::with(&location.path, go_on);
        Self::open_patiently(&location, patience)
    }

    /// The same with some seconds of patience.
    pub fn open(location: impl Into<Location>) -> Result<Self, StoreError> {
        let location = location.into();
        let patience = Patience::new(&location.path);
        Self::open_patiently(&location, patience)
    }

    fn open_patiently(location: &Location, mut patience: Patience) -> Result<Self, StoreError> {
        let runtime = runtime()?;
        let open = async || {
            let mut connection = location.connect(Role::Filer).await?;
            schema::must_be_present(&mut connection).await?;
            let identity = load::identity(&mut connection).await?;
            Ok::<_, StoreError>((connection, identity))
        };
        let (connection, identity) = patience.until_free(|| runtime.block_on(open()))?;
        Ok(Self {
            runtime,
            connection,
            identity,
            patience,
            held: Duration::ZERO,
            is_forced: true,
        })
    }

    /// What the database was made for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Files requests, all or none, durable when it returns. One whose ref was filed before with the same body is
    /// answered as it was then.
    ///
    /// Nobody else writes meanwhile, so many requests are filed in several pieces.
    pub fn file(&mut self, payments: &[Payment]) -> Result<Filing, StoreError> {
        self.file_noted(&noted(payments))
    }

    /// The same, with what is to be noted beside each. What was noted before stays.
    pub fn file_noted(&mut self, noted: &[Noted]) -> Result<Filing, StoreError> {
        self.forced(true)?;
        self.file_piece(noted)
    }

    /// The same, durable with the next call of [`Desk::file`] or the next commit of the log: whoever has taken a request in
    /// has forced it to disk.
    pub fn file_ahead(&mut self, payments: &[Payment]) -> Result<Filing, StoreError> {
        self.forced(false)?;
        self.file_piece(&noted(payments))
    }

    /// Whether each commit waits for the disk.
    fn forced(&mut self, is_forced: bool) -> Result<(), StoreError> {
        if self.is_forced != is_forced {
            let level = match (self.connection.dialect(), is_forced) {
                (Dialect::Sqlite, true) => "PRAGMA synchronous = FULL",
                (Dialect::Sqlite, false) => "PRAGMA synchronous = NORMAL",
                (Dialect::Postgres, true) => "SET synchronous_commit = on",
                (Dialect::Postgres, false) => "SET synchronous_commit = off",
            };
            self.runtime.block_on(self.connection.run(level))?;
            self.is_forced = is_forced;
        }
        Ok(())
    }

    fn file_piece(&mut self, noted: &[Noted]) -> Result<Filing, StoreError> {
        let payments: Vec<Payment> = noted.iter().map(|noted| noted.payment).collect();
        self.patience.until_free(|| {
            self.runtime.block_on(async {
                let mut start = Instant::now();
                let work = async |connection: &mut Connection| {
                    keep_others_out(connection).await?;
                    start = Instant::now();
                    let filing = file(connection, &payments).await?;
                    if let Filing::Filed(filed) = &filing {
                        metadata::keep(connection, noted, filed).await?;
                    }
                    Ok(filing)
                };
                let filing = self.connection.transaction(Access::Write, work).await?;
                self.held = start.elapsed();
                Ok(filing)
            })
        })
    }

    /// For how long the last filing kept others from writing.
    pub fn held(&self) -> Duration {
        self.held
    }

    /// What would become of requests if they were filed now. Holds nobody up.
    pub fn look_up(&mut self, payments: &[Payment]) -> Result<Found, StoreError> {
        self.patience.until_free(|| {
            let known = load::filed(&mut self.connection, payments);
            Ok(Found::of(payments, &self.runtime.block_on(known)?))
        })
    }

    /// Hands a command in, durable when it returns. Its arrival is what the log answers to.
    pub fn command(&mut self, command: &Command) -> Result<u64, StoreError> {
        self.write(async |connection| hand_in(connection, command).await)
    }

    /// One transaction, as often as it takes until nobody else writes.
    pub(super) fn write<T>(
        &mut self,
        work: impl AsyncFn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (runtime, connection) = (&self.runtime, &mut self.connection);
        self.patience
            .until_free(|| runtime.block_on(connection.transaction(Access::Write, &work)))
    }

    /// Closes the database.
    pub fn close(self) -> Result<(), StoreError> {
        self.runtime.block_on(self.connection.close())
    }
}

/// Beside which nothing is noted.
fn noted(payments: &[Payment]) -> Vec<Noted> {
    payments.iter().copied().map(Noted::from).collect()
}

/// One files at a time, so that a ref is not looked up by two who then both file it. SQLite lets only one write anyway.
async fn keep_others_out(connection: &mut Connection) -> Result<(), StoreError> {
    if connection.dialect() == Dialect::Postgres {
        let row = query("SELECT last FROM arrivals WHERE kind = $1 FOR UPDATE").bind("request");
        row.fetch_one(connection).await?;
    }
    Ok(())
}

async fn file(connection: &mut Connection, payments: &[Payment]) -> Result<Filing, StoreError> {
    let mut known = load::filed(connection, payments).await?;
    let found = Found::of(payments, &known);
    if !found.taken.is_empty() {
        return Ok(Filing::Refused(found.taken));
    }
    let arrivals = insert(connection, &found.fresh).await?;
    let mut new: BTreeMap<PaymentRef, u64> = BTreeMap::new();
    new.extend(found.fresh.iter().map(Payment::reference).zip(arrivals));
    let answers = payments.iter().filter_map(|payment| {
        let reference = payment.reference();
        let is_known = known.contains_key(&reference);
        let arrival = match known.get(&reference) {
            Some((arrival, _)) => *arrival,
            None => *new.get(&reference)?,
        };
        // What comes twice is known the second time.
        known.entry(reference).or_insert((arrival, *payment));
        Some(Filed {
            reference,
            arrival,
            known: is_known,
        })
    });
    Ok(Filing::Filed(answers.collect()))
}

impl Found {
    /// Holds requests to what was filed before, and to each other.
    pub(super) fn of(payments: &[Payment], filed: &BTreeMap<PaymentRef, (u64, Payment)>) -> Self {
        let mut found = Self::default();
        let mut seen: BTreeMap<PaymentRef, Payment> = BTreeMap::new();
        for (index, given) in payments.iter().enumerate() {
            let reference = given.reference();
            let before = filed.get(&reference).map(|(_, payment)| payment);
            match before.or_else(|| seen.get(&reference)) {
                None => {
                    seen.insert(reference, *given);
                    found.fresh.push(*given);
                }
                Some(stored) if stored == given => {}
                Some(stored) => found.taken.push(Taken {
                    index,
                    stored: *stored,
                    given: *given,
                }),
            }
        }
        found
    }
}

/// Gives new requests their arrivals, in order, and stores them.
async fn insert(connection: &mut Connection, fresh: &[Payment]) -> Result<Vec<u64>, StoreError> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let count = u64::try_from(fresh.len()).unwrap_or(u64::MAX);
    let last = take_arrivals(&mut *connection, "request", count).await?;
    let first = last.saturating_sub(count).saturating_add(1);
    let requests: Vec<Request> = (first..)
        .zip(fresh)
        .map(|(arrival, payment)| Request {
            arrival,
            payment: *payment,
        })
        .collect();
    let bind = |query: Query, request: &Request| {
        let payment = &request.payment;
        Ok(query
            .bind(payment.reference().0.to_vec())
            .bind(columns::integer("arrival", request.arrival)?)
            .bind(columns::body_hash(payment).to_vec())
            .bind(payment.recipient().to_vec())
            .bind(payment.amount().to_string()))
    };
    REQUESTS.all(connection, &requests, bind).await?;
    Ok(requests.iter().map(|request| request.arrival).collect())
}

/// Hands a command in, and answers its arrival.
pub(super) async fn hand_in(
    connection: &mut Connection,
    command: &Command,
) -> Result<u64, StoreError> {
    let last = take_arrivals(connection, "command", 1).await?;
    query("INSERT INTO command (arrival, body) VALUES ($1, $2)")
        .bind(columns::integer("arrival", last)?)
        .bind(columns::json("command", command)?)
        .execute(connection)
        .await?;
    Ok(last)
}

/// Takes the next arrivals, and answers the last of them. The row stays locked until the transaction ends.
async fn take_arrivals(
    connection: &mut Connection,
    kind: &'static str,
    count: u64,
) -> Result<u64, StoreError> {
    let row = query("UPDATE arrivals SET last = last + $1 WHERE kind = $2 RETURNING last")
        .bind(columns::integer("arrivals", count)?)
        .bind(kind)
        .fetch_one(connection)
        .await?;
    let last = row.integer("last")?;
    u64::try_from(last).map_err(|_| StoreError::damaged("arrivals", format!("{last} is negative")))
}
