//! `/v1/withdrawals/bulk`: a list, checked as a whole before anything of it is filed, then filed in pieces. Sending it again files
//! nothing twice.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, Request, State},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidelock_core::domain::{Payment, PaymentRef};
use tidelock_lists::{CsvError, Rows, twice};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    access::{Caller, MayRequest},
    body::{Asked, Rules, media_type, read},
    intake::{Outcome, PIECE},
    keys::Scope,
    problem::{Broken, Problem},
    query::{self, put},
    withdrawals::WithdrawalRequest,
    xlsx,
};

/// Bytes of a list.
const LONGEST: usize = 4_194_304;
/// Rows of a list.
const ROWS: usize = 10_000;

/// Whether to file it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by name, so that each bad one is told")]
pub struct BulkParameters {
    /// Say what would become of each row, and file nothing
    dry_run: Option<bool>,
}

/// What became of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAnswer {
    /// Nothing was filed; it was only asked.
    dry_run: bool,
    /// Rows that were filed, or would be.
    filed: usize,
    /// Rows that had been filed before.
    known: usize,
    /// Rows whose ref was used meanwhile for something else.
    taken: usize,
    /// Each row, in order.
    rows: Vec<RowAnswer>,
}

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowAnswer {
    /// Its line, from 1; of an array its place.
    line: u64,
    /// Its ref.
    #[serde(rename = "ref")]
    reference: String,
    /// What became of it.
    outcome: RowOutcome,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// It is durable; of a dry run, it would be filed.
    Filed,
    /// The same was filed before.
    Known,
    /// Somebody used its ref for something else while the list was filed; it was not filed.
    Taken,
}

type Row = (u64, Asked);
type ReadRows = fn(Rules, &[u8]) -> Result<Vec<Row>, Vec<Broken>>;

/// Files many withdrawals
///
/// A JSON array of requests, JSON lines, each as one request, or CSV or the first sheet of a XLSX with the columns ref, recipient and amount; at most 10,000 rows. If one row is bad, or its
/// ref was used for something else, every such row is named and nothing is filed. If the answer is lost, send it again: nothing is
/// filed twice.
#[utoipa::path(post, path = "/v1/withdrawals/bulk", operation_id = "fileWithdrawals", tag = "withdrawals",
    request_body(content((Vec<WithdrawalRequest> = "application/json"), (String = "application/jsonl"), (String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    params(BulkParameters),
    responses(
        (status = 200, description = "What became of each row", body = BulkAnswer),
        (status = 409, description = "Refs were used for something else; nothing was filed", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The list is too long", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Another media type", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Rows break rules; nothing was filed", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["request"])))]
pub(crate) async fn file(
    MayRequest(caller): MayRequest,
    State(app): State<App>,
    Query(given): Query<Vec<(String, String)>>,
    request: Request,
) -> Result<Json<BulkAnswer>, Problem> {
    let dry_run = dry_run(&given)?;
    let media = media_type(request.headers());
    let rules = app.rules;
    let read_rows: ReadRows = match media.as_str() {
        "application/jsonl" | "application/x-ndjson" => lines,
        "application/json" => array,
        "text/csv" => csv,
        xlsx::MEDIA_TYPE => sheet,
        _ => {
            let known = "application/json, application/jsonl, text/csv or \
                application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            return Err(Problem::media_type(known));
        }
    };
    let bytes = read(request, LONGEST).await?;
    let turn = if media == xlsx::MEDIA_TYPE {
        let turn = Arc::clone(&app.sheets).acquire_owned().await;
        Some(turn.map_err(|_| Problem::internal())?)
    } else {
        None
    };
    // Long enough to be in others' way on a thread of the runtime, which goes on when whoever asked does not wait: so does its turn.
    let rows = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        read_rows(rules, &bytes)
    });
    let rows = rows.await;
    let rows = rows.map_err(|_| Problem::internal())?;
    let rows = rows.and_then(once).map_err(Problem::invalid)?;
    let payments: Vec<Payment> = rows.iter().map(|(_, asked)| asked.payment).collect();
    let asked = payments.clone();
    let found = app
        .readers
        .ask(move |reader| reader.look_up(&asked))
        .await?;
    if !found.taken.is_empty() {
        let broken = found.taken.iter().map(|taken| {
            let line = rows.get(taken.index).map_or(0, |(line, _)| *line);
            let rule = "was used already for another recipient or amount";
            Broken::new("ref", &taken.given.reference().to_string(), rule).on_line(line)
        });
        return Err(Problem::taken(broken.collect()));
    }
    let outcomes = if dry_run {
        let mut fresh: Vec<PaymentRef> = found.fresh.iter().map(Payment::reference).collect();
        fresh.sort_unstable();
        let is_fresh = |payment: &Payment| fresh.binary_search(&payment.reference()).is_ok();
        let outcome = |payment: &Payment| {
            if is_fresh(payment) {
                RowOutcome::Filed
            } else {
                RowOutcome::Known
            }
        };
        payments.iter().map(outcome).collect()
    } else {
        file_pieces(&app, &caller, &rows).await?
    };
    Ok(Json(BulkAnswer::new(dry_run, &rows, outcomes)))
}

fn dry_run(given: &[(String, String)]) -> Result<bool, Problem> {
    let mut dry_run = false;
    query::read(given, "dry_run", |name, text| match name {
        "dry_run" => put(
            &mut dry_run,
            text.parse().map_err(|_| "must be true or false"),
        ),
        _ => None,
    })?;
    Ok(dry_run)
}

/// A key that ends meanwhile files no further piece; what is filed stays, and the same list by another key files the rest.
async fn file_pieces(app: &App, caller: &Caller, rows: &[Row]) -> Result<Vec<RowOutcome>, Problem> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for piece in rows.chunks(PIECE) {
        app.must_still(&caller.key, Scope::Request).await?;
        let piece = piece.iter().map(|(_, asked)| asked.clone()).collect();
        let filed = app.intake.file(piece).await?;
        outcomes.extend(filed.iter().map(|outcome| match outcome {
            Outcome::Filed(filed) if filed.known => RowOutcome::Known,
            Outcome::Filed(_) => RowOutcome::Filed,
            Outcome::Taken => RowOutcome::Taken,
        }));
    }
    Ok(outcomes)
}

impl BulkAnswer {
    fn new(dry_run: bool, rows: &[Row], outcomes: Vec<RowOutcome>) -> Self {
        let count = |which| outcomes.iter().filter(|outcome| **outcome == which).count();
        Self {
            dry_run,
            filed: count(RowOutcome::Filed),
            known: count(RowOutcome::Known),
            taken: count(RowOutcome::Taken),
            rows: (rows.iter().zip(&outcomes))
                .map(|((line, asked), outcome)| RowAnswer {
                    line: *line,
                    reference: asked.payment.reference().to_string(),
                    outcome: *outcome,
                })
                .collect(),
        }
    }
}

/// Keeps what is good as long as nothing is bad.
#[derive(Default)]
struct List {
    rows: Vec<Row>,
    broken: Vec<Broken>,
}

impl List {
    /// What was read of a line.
    fn put(&mut self, line: u64, row: Result<Asked, Vec<Broken>>) -> Result<(), Vec<Broken>> {
        let on_line =
            |broken: Vec<Broken>| broken.into_iter().map(|one| one.on_line(line)).collect();
        self.add(row.map(|asked| (line, asked)).map_err(on_line))
    }

    fn add(&mut self, row: Result<Row, Vec<Broken>>) -> Result<(), Vec<Broken>> {
        match row {
            Ok(row) => self.rows.push(row),
            Err(broken) => self.broken.extend(broken),
        }
        if self.rows.len().saturating_add(self.broken.len()) > ROWS {
            let rule = format!("must have at most {ROWS} rows");
            return Err(vec![Broken::new("body", "", rule)]);
        }
        Ok(())
    }

    fn done(self) -> Result<Vec<Row>, Vec<Broken>> {
        if !self.broken.is_empty() {
            return Err(self.broken);
        }
        if self.rows.is_empty() {
            return Err(vec![Broken::new("body", "", "must have at least one row")]);
        }
        Ok(self.rows)
    }
}

fn lines(rules: Rules, bytes: &[u8]) -> Result<Vec<Row>, Vec<Broken>> {
    let mut list = List::default();
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let text = std::str::from_utf8(bytes).map(str::trim);
        let row = match text {
            Ok("") => continue,
            Ok(text) => rules.read_line(text),
            Err(_) => Err(vec![Broken::new("line", "", "must be UTF-8 text")]),
        };
        list.put(line, row)?;
    }
    list.done()
}

/// The place of each in the array stands for its line. Each stays text until it is its turn.
fn array(rules: Rules, bytes: &[u8]) -> Result<Vec<Row>, Vec<Broken>> {
    let each = serde_json::from_slice::<Vec<&RawValue>>(bytes).map_err(|error| {
        let rule = format!("must be a JSON array of objects: {error}");
        vec![Broken::new("body", "", rule)]
    })?;
    let mut list = List::default();
    for (line, text) in (1..).zip(each) {
        list.put(line, rules.read_line(text.get()))?;
    }
    list.done()
}

fn csv(rules: Rules, bytes: &[u8]) -> Result<Vec<Row>, Vec<Broken>> {
    let of_error = |error: &CsvError| vec![of_csv(error)];
    let mut list = List::default();
    for row in Rows::new(bytes, rules.decimals).map_err(|error| of_error(&error))? {
        let row = row.map_err(|error| of_error(&error));
        let row = row.and_then(|(line, payment)| match rules.refusal(&payment) {
            None => {
                let metadata = None;
                Ok((line, Asked { payment, metadata }))
            }
            Some(rule) => {
                let to = payment.recipient().to_string();
                Err(vec![Broken::new("recipient", &to, rule).on_line(line)])
            }
        });
        list.add(row)?;
    }
    list.done()
}

fn sheet(rules: Rules, bytes: &[u8]) -> Result<Vec<Row>, Vec<Broken>> {
    let mut list = List::default();
    xlsx::rows(bytes, |row| match row {
        Ok((line, texts)) => list.put(line, rules.read_row(&texts)),
        Err(broken) => list.add(Err(broken)),
    })?;
    list.done()
}

fn of_csv(error: &CsvError) -> Broken {
    let broken = match error {
        CsvError::Field { source, .. } => {
            let (field, value, rule) = source.parts();
            Broken::new(field, &value, rule)
        }
        CsvError::Twice {
            first, reference, ..
        } => {
            let rule = format!("is that of line {first} too; each payment needs its own");
            Broken::new("ref", &reference.to_string(), rule)
        }
        other => {
            // It names the line itself, for people.
            let words = other.to_string();
            let bare = other.line().map(|line| format!("line {line}"));
            let bare = bare.and_then(|start| words.strip_prefix(&start));
            let rule = bare.unwrap_or(&words).trim_start_matches(':').trim();
            Broken::new("line", "", rule)
        }
    };
    match error.line() {
        Some(line) => broken.on_line(line),
        None => broken,
    }
}

/// A ref that comes twice would be filed once: one of the two payments would not be made.
fn once(rows: Vec<Row>) -> Result<Vec<Row>, Vec<Broken>> {
    let refs = rows
        .iter()
        .map(|(line, asked)| (asked.payment.reference(), *line));
    let broken: Vec<Broken> = twice(refs.collect()).map(|error| of_csv(&error)).collect();
    if broken.is_empty() {
        Ok(rows)
    } else {
        Err(broken)
    }
}
