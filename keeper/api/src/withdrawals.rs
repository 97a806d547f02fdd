//! `/v1/withdrawals`: files requests, and shows where each stands.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tidelock_core::domain::{BatchId, PaymentRef, parse_address};
use tidelock_lists::REF_RULE;
use tidelock_store::{Filter, Page, Reader, Standing, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    access::{MayRead, MayRequest},
    body::{LONGEST, must_be_json, read},
    keys::Scope,
    metadata,
    problem::Problem,
    query::{self, put},
    shown::{Status, Withdrawal},
    told::{TimelineEntry, Told},
};

/// Withdrawals of one page, unless another number is asked for.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 500;

/// What is asked for. Nothing else may be in it.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(
    dead_code,
    reason = "for the document; what is sent is read field by field"
)]
pub struct WithdrawalRequest {
    /// Your own id of it: a UUID, a ULID, or 32 hexadecimal digits. A ref is for one payment, ever: sending it again pays nothing
    /// again. It may be given by the header Idempotency-Key instead.
    #[serde(rename = "ref")]
    #[schema(nullable = false, example = "01234567-89ab-cdef-0123-456789abcdef")]
    reference: Option<String>,
    /// Who is to be paid: an address; in mixed case its checksum (EIP-55) must be right.
    #[schema(example = "0x1111111111111111111111111111111111111111")]
    to: String,
    /// How much, in tokens, as a string of decimal digits with at most one point; never a number.
    #[schema(example = "12.5", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// Texts of your own, at most 16: an order's number, say. Kept beside the keeper's log and never in it, told by no event, and forgotten
    /// if an administrator says so. Nothing is decided by it; what was noted first of a ref stays.
    #[schema(nullable = false)]
    metadata: Option<BTreeMap<String, String>>,
}

/// Files a withdrawal
///
/// It is on the disk before the answer is sent. The same request again is answered with where it stands.
#[utoipa::path(post, path = "/v1/withdrawals", operation_id = "fileWithdrawal", tag = "withdrawals",
    request_body(content = WithdrawalRequest, content_type = "application/json"),
    params(("Idempotency-Key" = Option<String>, Header, description = "The ref, if the body has none; the same ref, if it has one")),
    responses(
        (status = 201, description = "Filed, and durable", body = Withdrawal),
        (status = 200, description = "The same was filed before", body = Withdrawal),
        (status = 409, description = "The ref was used for something else", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too long", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Another media type", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["request"])))]
pub(crate) async fn file(
    MayRequest(caller): MayRequest,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    must_be_json(request.headers())?;
    let key = query::header(request.headers(), "Idempotency-Key", REF_RULE)?;
    let key = key.map(str::to_owned);
    let body = read(request, LONGEST).await?;
    app.must_still(&caller.key, Scope::Request).await?;
    let asked = app.rules.read(&body, key.as_deref())?;
    let (payment, reference) = (asked.payment, asked.payment.reference());
    let noted = metadata::shown(asked.metadata.as_ref());
    let filed = app.intake.file_one(asked.into()).await?;
    if filed.known {
        return Ok(Json(find(&app, reference).await?).into_response());
    }
    let shown = Withdrawal::waiting(&payment, filed.arrival, app.rules.decimals);
    let shown = shown.noted(noted);
    let place = format!("/v1/withdrawals/{}", shown.reference);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(shown)).into_response())
}

async fn find(app: &App, reference: PaymentRef) -> Result<Withdrawal, Problem> {
    let found = app
        .readers
        .ask(move |reader| Withdrawal::find(reader, &reference))
        .await?;
    found.ok_or_else(|| Problem::missing(format!("ref {reference}: nobody asked for it")))
}

fn reference_of(text: &str) -> Result<PaymentRef, Problem> {
    text.parse()
        .map_err(|_| Problem::broken("ref", text, REF_RULE))
}

/// Shows where a withdrawal stands
#[utoipa::path(get, path = "/v1/withdrawals/{ref}", operation_id = "getWithdrawal", tag = "withdrawals",
    params(("ref" = String, Path, description = "The ref, in any of its forms")),
    responses(
        (status = 200, description = "Where it stands", body = Withdrawal),
        (status = 404, description = "Nobody asked for it", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn show(
    _: MayRead,
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Withdrawal>, Problem> {
    Ok(Json(find(&app, reference_of(&text)?).await?))
}

/// What happened to a withdrawal
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// In order.
    entries: Vec<TimelineEntry>,
}

/// Shows what happened to a withdrawal
///
/// Reads the whole log, so it takes as long as the log is: for people who look at one payment, not for programs that follow many.
#[utoipa::path(get, path = "/v1/withdrawals/{ref}/timeline", operation_id = "getTimeline", tag = "withdrawals",
    params(("ref" = String, Path, description = "The ref, in any of its forms")),
    responses(
        (status = 200, description = "What happened to it", body = Timeline),
        (status = 404, description = "Nobody asked for it", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn timeline(
    _: MayRead,
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Timeline>, Problem> {
    let reference = reference_of(&text)?;
    find(&app, reference).await?;
    let entries = app
        .readers
        .ask(move |reader| {
            let logged = reader.events_about(&reference)?;
            let each = logged.iter().map(|entry| {
                let time = reader.time_of(entry.seq)?;
                Ok(Told::entry(entry, time))
            });
            each.collect()
        })
        .await?;
    Ok(Json(Timeline { entries }))
}

/// What a list is narrowed to, and where it goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by name, so that each bad one is told")]
pub struct ListParameters {
    /// Standing so: waiting, requested, held, open, sealed, paid, rejected, cancelled or displaced
    status: Option<String>,
    /// To this address
    to: Option<String>,
    /// Taken in after this time, in seconds since 1970 of the chain's clock
    since: Option<u64>,
    /// Taken in up to this time
    until: Option<u64>,
    /// In this batch; alone, as a batch has at most 256
    batch: Option<String>,
    /// At most so many, 1 to 500; 100 otherwise
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// What `next` of the page before says
    cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct WithdrawalPage {
    /// The newest first. There may be few or none, and more to come all the same.
    items: Vec<Withdrawal>,
    /// The cursor of the next page; none after the last.
    next: Option<String>,
}

const KNOWN: &str = "status, to, since, until, batch, limit, cursor";

/// What was asked for in a query, each parameter once.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    filter: Filter,
    since: Option<u64>,
    until: Option<u64>,
    batch: Option<BatchId>,
    limit: usize,
    /// Only what arrived before it.
    pub before: Option<u64>,
}

impl Asked {
    /// Reads each parameter by `take`.
    pub fn read_with(
        given: &[(String, String)],
        known: &str,
        mut take: impl FnMut(&mut Self, &str, &str) -> Option<Result<(), &'static str>>,
    ) -> Result<Self, Problem> {
        let mut asked = Self {
            filter: Filter::default(),
            since: None,
            until: None,
            batch: None,
            limit: PAGE,
            before: None,
        };
        query::read(given, known, |name, text| take(&mut asked, name, text))?;
        Ok(asked)
    }

    fn read(given: &[(String, String)]) -> Result<Self, Problem> {
        let asked = Self::read_with(given, KNOWN, Self::take)?;
        if asked.batch.is_some() && given.len() > 1 {
            let rule = "goes with no other parameter";
            return Err(Problem::broken("batch", "", rule));
        }
        Ok(asked)
    }

    pub fn page(&self, reader: &mut Reader) -> Result<Page, StoreError> {
        if let Some(batch) = &self.batch {
            let items = reader.of_batch(batch)?;
            return Ok(Page { items, next: None });
        }
        let mut filter = self.filter;
        if let Some(since) = self.since {
            filter.after = reader.arrivals_until(since)?;
        }
        let mut before = self.before;
        if let Some(until) = self.until {
            let end = reader.arrivals_until(until)?.saturating_add(1);
            before = Some(before.map_or(end, |before| before.min(end)));
        }
        reader.page(&filter, before, self.limit)
    }

    pub fn take(&mut self, name: &str, text: &str) -> Option<Result<(), &'static str>> {
        match name {
            "status" => {
                let stands = Status::narrow(text).ok_or("must be a status");
                put(&mut self.filter.status, stands.map(Some))
            }
            "to" => {
                let to = parse_address(text).map_err(|_| "must be an address");
                put(&mut self.filter.to, to.map(Some))
            }
            "since" => put(&mut self.since, query::sequence(text).map(Some)),
            "until" => put(&mut self.until, query::sequence(text).map(Some)),
            "batch" => {
                let id = text.parse();
                let id = id.map_err(|_| "must be 0x and 64 hexadecimal digits");
                put(&mut self.batch, id.map(|id| Some(BatchId(id))))
            }
            "limit" => {
                let limit = text.parse().ok();
                let limit = limit.filter(|limit| (1..=LONGEST_PAGE).contains(limit));
                put(&mut self.limit, limit.ok_or("must be 1 to 500"))
            }
            "cursor" => {
                let cursor = query::sequence(text).map_err(|_| "must be what `next` said");
                put(&mut self.before, cursor.map(Some))
            }
            _ => None,
        }
    }
}

fn reference_in(standing: &Standing) -> Option<PaymentRef> {
    match standing {
        Standing::Unknown => None,
        Standing::Waiting(request) | Standing::LeftOut(request) => {
            Some(request.payment.reference())
        }
        Standing::Taken(view) => Some(view.row.payment.reference()),
    }
}

/// What is shown of a page.
pub(crate) fn items(
    reader: &mut Reader,
    page: &Page,
    decimals: u8,
) -> Result<Vec<Withdrawal>, StoreError> {
    let refs: Vec<PaymentRef> = page.items.iter().filter_map(reference_in).collect();
    let mut notes = reader.metadata(&refs)?;
    let items = page.items.iter().filter_map(|standing| {
        let note = reference_in(standing).and_then(|reference| notes.remove(&reference));
        let shown = Withdrawal::of(standing, decimals)?;
        Some(shown.noted(metadata::shown(note.as_ref())))
    });
    Ok(items.collect())
}

/// Lists withdrawals, the newest first
#[utoipa::path(get, path = "/v1/withdrawals", operation_id = "listWithdrawals", tag = "withdrawals",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of them", body = WithdrawalPage),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn list(
    _: MayRead,
    State(app): State<App>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Json<WithdrawalPage>, Problem> {
    let asked = Asked::read(&given)?;
    let decimals = app.rules.decimals;
    let page = app.readers.ask(move |reader| {
        let page = asked.page(reader)?;
        Ok(WithdrawalPage {
            items: items(reader, &page, decimals)?,
            next: page.next.map(|cursor| cursor.to_string()),
        })
    });
    Ok(Json(page.await?))
}
