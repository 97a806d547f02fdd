//! Looking on while the engine works, without ever writing.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use tidelock_core::{
    domain::{Batch, BatchId, PaymentRef, TierIndex},
    event::{Command, Event, Request, Route},
    lifecycle::PaymentStatus,
    log::LogHead,
    state::{HeadRow, PaymentRow},
};
use tokio::runtime::Runtime;

use super::{
    Identity, Location, StoreError, columns, load,
    location::{Role, runtime},
    schema,
    sql::{Access, Connection, Row, query},
};

/// Reads a database. Its calls block; they must not be made on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct Reader {
    pub(super) runtime: Runtime,
    pub(super) connection: Connection,
    pub(super) location: Location,
    pub(super) role: Role,
    identity: Identity,
}

/// The whole at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Where the log ends and what it says as a whole; none if it was never opened.
    pub log: Option<(LogHead, HeadRow)>,
    /// Requests that the engine has not taken in yet.
    pub waiting: u64,
    /// Payments, by status.
    pub counts: BTreeMap<PaymentStatus, u64>,
}

/// A payment, with what its last batch says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentView {
    /// The payment.
    pub row: PaymentRow,
    /// The tier of the last batch it was in.
    pub tier: Option<TierIndex>,
    /// How that batch is paid.
    pub route: Option<Route>,
}

/// Where a ref stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody ever asked for it.
    Unknown,
    /// Filed, and not taken in yet.
    Waiting(Request),
    /// Filed, and left out: it could not be read, or not by the keeper that came to it.
    LeftOut(Request),
    /// Taken in.
    Taken(Box<PaymentView>),
}

/// Requests that the engine has not taken in yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Those that can be read, in order.
    pub requests: Vec<Request>,
    /// What is wrong with each of the others.
    pub damaged: Vec<String>,
}

/// An entry of the log, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its number.
    pub seq: u64,
    /// What happened.
    pub event: Event,
}

/// What the engine said to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The entry that says so.
    pub seq: u64,
    /// Why it was not done; none if it was.
    pub refused: Option<String>,
}

/// Requests that were left out, told at once.
const LEFT_OUT: i64 = 100;

pub(super) const VIEW: &str = "SELECT p.*, b.header AS batch_header, b.route AS batch_route \
    FROM payment p LEFT JOIN batch b ON b.id = p.batch ";

impl Reader {
    /// Opens a database to read it.
    pub fn open(location: impl Into<Location>) -> Result<Self, StoreError> {
        Self::open_as(location.into(), Role::Reader)
    }

    /// The same, if it is of the version that this keeper writes: older ones lack acts, votes and metadata.
    pub fn open_present(location: impl Into<Location>) -> Result<Self, StoreError> {
        let mut reader = Self::open(location)?;
        let present = schema::must_be_present(&mut reader.connection);
        reader.runtime.block_on(present)?;
        Ok(reader)
    }

    pub(super) fn open_as(location: Location, role: Role) -> Result<Self, StoreError> {
        let runtime = runtime()?;
        let (connection, identity) = runtime.block_on(async {
            let mut connection = location.connect(role).await?;
            schema::must_be_readable(&mut connection).await?;
            let identity = load::identity(&mut connection).await?;
            Ok::<_, StoreError>((connection, identity))
        })?;
        Ok(Self {
            runtime,
            connection,
            location,
            role,
            identity,
        })
    }

    /// Whether a process writes this store now; no, if nobody can tell.
    pub fn is_written(location: impl Into<Location>) -> bool {
        location.into().is_written()
    }

    /// What the database was made for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The whole at one moment.
    pub fn overview(&mut self) -> Result<Overview, StoreError> {
        self.runtime.block_on(async {
            let look = async |connection: &mut Connection| {
                let log = load::log_head(connection).await?;
                let arrivals = log.as_ref().map_or(0, |(_, head)| head.arrivals);
                let waiting = query("SELECT COUNT(*) AS count FROM request WHERE arrival > $1")
                    .bind(columns::integer("arrival", arrivals)?)
                    .fetch_one(connection)
                    .await?;
                Ok(Overview {
                    log,
                    waiting: columns::count_of(&waiting)?,
                    counts: load::counts(connection).await?,
                })
            };
            self.connection.transaction(Access::Read, look).await
        })
    }

    /// Payments, oldest request first: all of them, or those that are not final. One at a time, so that no history is too
    /// long; ends early if `each` says false.
    pub fn payments<E: From<StoreError>>(
        &mut self,
        all: bool,
        mut each: impl FnMut(PaymentView) -> Result<bool, E>,
    ) -> Result<(), E> {
        let condition = if all { "" } else { load::IS_OPEN };
        let statement = format!("{VIEW} {condition} ORDER BY p.arrival, p.ref");
        self.runtime.block_on(async {
            let mut rows = query(statement).fetch(&mut self.connection);
            while let Some(row) = rows.try_next().await? {
                if !each(view(&row)?)? {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Requests that the engine has not taken in yet, at most `limit`, in order.
    pub fn waiting(&mut self, limit: u32) -> Result<Waiting, StoreError> {
        self.runtime.block_on(async {
            let log = load::log_head(&mut self.connection).await?;
            let arrivals = log.map_or(0, |(_, head)| head.arrivals);
            let rows = query("SELECT * FROM request WHERE arrival > $1 ORDER BY arrival LIMIT $2")
                .bind(columns::integer("arrival", arrivals)?)
                .bind(i64::from(limit))
                .fetch_all(&mut self.connection)
                .await?;
            let mut waiting = Waiting {
                requests: Vec::new(),
                damaged: Vec::new(),
            };
            for row in &rows {
                match columns::request(row) {
                    Ok(request) => waiting.requests.push(request),
                    Err(error) => waiting.damaged.push(error.to_string()),
                }
            }
            Ok(waiting)
        })
    }

    /// What was handed in and will never be taken in, each with its name and what is wrong with it: rows that could not be
    /// read when the engine came to them, and rows that nobody ever comes to. Looks at all that was ever handed in.
    pub fn left_out(&mut self) -> Result<Vec<String>, StoreError> {
        self.runtime.block_on(async {
            let look = async |connection: &mut Connection| {
                let log = load::log_head(connection).await?;
                let arrivals = log.map_or(0, |(_, head)| head.arrivals);
                let requests = query(
                    "SELECT r.* FROM request r LEFT JOIN payment p ON p.ref = r.ref \
                     WHERE p.ref IS NULL AND NOT (r.arrival > $1 AND r.arrival < $2) ORDER BY r.arrival LIMIT $3",
                )
                .bind(columns::integer("arrival", arrivals)?)
                .bind(i64::MAX)
                .bind(LEFT_OUT)
                .fetch_all(connection)
                .await?;
                let mut left_out: Vec<String> = requests.iter().map(why_left_out).collect();
                let mut commands =
                    query("SELECT arrival, body FROM command ORDER BY arrival").fetch(connection);
                while let Some(row) = commands.try_next().await? {
                    if let Err(error) = columns::command::<Command>(&row) {
                        left_out.push(error.to_string());
                    }
                }
                Ok(left_out)
            };
            self.connection.transaction(Access::Read, look).await
        })
    }

    /// Where a ref stands.
    pub fn standing(&mut self, reference: &PaymentRef) -> Result<Standing, StoreError> {
        self.runtime.block_on(async {
            // First: of every arrival that it counts, the payment is there by now.
            let log = load::log_head(&mut self.connection).await?;
            let payment = query(format!("{VIEW} WHERE p.ref = $1"))
                .bind(reference.0.to_vec())
                .fetch_optional(&mut self.connection)
                .await?;
            if let Some(row) = payment {
                return Ok(Standing::Taken(Box::new(view(&row)?)));
            }
            let request = query("SELECT * FROM request WHERE ref = $1")
                .bind(reference.0.to_vec())
                .fetch_optional(&mut self.connection)
                .await?;
            let Some(row) = request else {
                return Ok(Standing::Unknown);
            };
            let request = columns::request(&row)?;
            let is_past = log.is_some_and(|(_, head)| request.arrival <= head.arrivals);
            Ok(if is_past {
                Standing::LeftOut(request)
            } else {
                Standing::Waiting(request)
            })
        })
    }

    /// The entries about a payment: those that name its ref, and those about the batches it was in. Reads the whole log.
    pub fn events_about(&mut self, reference: &PaymentRef) -> Result<Vec<LoggedEvent>, StoreError> {
        self.runtime.block_on(async {
            let mut events = BTreeMap::new();
            naming(&mut self.connection, &reference.to_string(), &mut events).await?;
            let batches: Vec<BatchId> = match load::log_head(&mut self.connection).await? {
                Some((_, head)) => events
                    .values()
                    .filter_map(batch_of)
                    .map(|batch| batch.id(&head.opening.domain))
                    .collect(),
                None => Vec::new(),
            };
            for batch in batches {
                naming(&mut self.connection, &batch.to_string(), &mut events).await?;
            }
            let events = events.into_iter();
            Ok(events
                .map(|(seq, event)| LoggedEvent { seq, event })
                .collect())
        })
    }

    /// What the engine said to a command, among the entries after `seq`.
    pub fn answer(&mut self, seq: u64, command: u64) -> Result<Option<Answer>, StoreError> {
        Ok(self.answers(seq)?.remove(&command))
    }

    /// What it said to each, by arrival.
    pub fn answers(&mut self, seq: u64) -> Result<BTreeMap<u64, Answer>, StoreError> {
        self.runtime.block_on(async {
            let rows = query(
                "SELECT seq, body FROM event WHERE seq > $1 AND kind = 'command_taken' ORDER BY seq",
            )
            .bind(columns::integer("entry", seq)?)
            .fetch_all(&mut self.connection)
            .await?;
            let mut answers = BTreeMap::new();
            for row in &rows {
                let (seq, event) = columns::event(row)?;
                if let Event::CommandTaken {
                    arrival, refused, ..
                } = event
                {
                    answers.insert(arrival, Answer { seq, refused });
                }
            }
            Ok(answers)
        })
    }

    /// Closes the database.
    pub fn close(self) -> Result<(), StoreError> {
        self.runtime.block_on(self.connection.close())
    }
}

fn why_left_out(row: &Row) -> String {
    match columns::request(row) {
        Ok(request) => format!(
            "request {}: arrival {} is past, and it was not taken in",
            request.payment.reference(),
            request.arrival
        ),
        Err(error) => error.to_string(),
    }
}

pub(super) fn view(row: &Row) -> Result<PaymentView, StoreError> {
    let batch = columns::batch_of_payment(row)?;
    Ok(PaymentView {
        row: columns::payment(row)?,
        tier: batch.map(|(header, _)| header.tier),
        route: batch.map(|(_, route)| route),
    })
}

fn batch_of(event: &Event) -> Option<&Batch> {
    match event {
        Event::BatchSealed { batch, .. } | Event::Adopted { batch, .. } => Some(batch),
        _ => None,
    }
}

/// Entries whose body has this hexadecimal text as a value of its own.
async fn naming(
    connection: &mut Connection,
    text: &str,
    events: &mut BTreeMap<u64, Event>,
) -> Result<(), StoreError> {
    let mut rows = query("SELECT seq, body FROM event WHERE body LIKE $1 ORDER BY seq")
        .bind(format!("%\"{text}\"%"))
        .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let (seq, event) = columns::event(&row)?;
        events.insert(seq, event);
    }
    Ok(())
}
