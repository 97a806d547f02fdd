//! `/v1/events`: what happened, as a page and as a stream that goes on.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{self, error::RecvError},
        watch,
    },
    time::sleep,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    access::{Caller, MayRead},
    figures::{Kind, Open},
    keys::Scope,
    line::{ALIVE, Line},
    problem::Problem,
    query::{self, put, sequence},
    told::{CloudEvent, Told},
};

/// Between two signs of life of a stream on which nothing happens.
const QUIET: Duration = Duration::from_secs(15);

/// How often a stream on which nothing happens looks whether its key has ended.
const LOOK: Duration = Duration::from_millis(500);

/// What a reader that has not caught up holds at a time, and one event more: it may read slowly, and many may. [bytes]
const HELD: usize = 65_536;

/// Events that a reader that has not caught up asks for at first, and then twice as many as long as it can hold them: an event may be long, and
/// what is read and not held was read for nothing.
const FEW: u32 = 8;

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by name, so that each bad one is told")]
pub struct EventParameters {
    /// Events after this sequence; 0, or nothing, for all of them
    after: Option<u64>,
    /// At most so many, 1 to 1,000; 100 otherwise
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by name, so that each bad one is told")]
pub struct StreamParameters {
    /// Events after this sequence; the header Last-Event-ID goes before it; with neither, events from now on
    after: Option<u64>,
}

/// A part of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// In order, without gaps.
    events: Vec<CloudEvent>,
    /// What to give as `after` next: the sequence of the last of them.
    next: u64,
}

/// The sequence after which to read, if one is given.
fn asked(given: &[(String, String)]) -> Result<Option<u64>, Problem> {
    let mut after = None;
    query::read(given, "after", |name, text| match name {
        "after" => put(&mut after, sequence(text).map(Some)),
        _ => None,
    })?;
    Ok(after)
}

/// Shows what happened, in order and without gaps
#[utoipa::path(get, path = "/v1/events", operation_id = "listEvents", tag = "events",
    params(EventParameters),
    responses(
        (status = 200, description = "Events after one", body = EventPage),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn page(
    _: MayRead,
    State(app): State<App>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Json<EventPage>, Problem> {
    let (after, limit) = query::page(&given)?;
    let read = app
        .readers
        .ask(move |reader| Told::after(reader, after, limit));
    let told = read.await?;
    let next = told.last().map_or(after, |last| last.sequence);
    let events = told.into_iter().map(|told| told.event).collect();
    Ok(Json(EventPage { events, next }))
}

/// Streams what happens
///
/// Server-Sent Events: `id` is the sequence, `event` the type, `data` the event as in a page. A reader that falls too far behind, or takes nothing for
/// too long, is cut off; it goes on with the header Last-Event-ID. The stream ends when the server or the key does.
#[utoipa::path(get, path = "/v1/events/stream", operation_id = "streamEvents", tag = "events",
    params(StreamParameters, ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was read")),
    responses(
        (status = 200, description = "Events, until either side ends", body = String, content_type = "text/event-stream"),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn stream(
    MayRead(caller): MayRead,
    State(app): State<App>,
    headers: HeaderMap,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let following = Following::open(app, Kind::Stream, caller, &headers, &given).await?;
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    Ok((kind, Body::from_stream(following.stream())).into_response())
}

/// One reader of the log: at first through the store, until it has caught up with the ring.
pub(crate) struct Following {
    app: App,
    live: broadcast::Receiver<Line>,
    stop: watch::Receiver<bool>,
    /// The last event that was sent, or is about to be.
    cursor: u64,
    /// The key that it was opened with: the stream ends with it.
    key: String,
    ready: VecDeque<Line>,
    is_behind: bool,
    /// Events that are read at once: as many as it could hold the last time, or more.
    page: u32,
    _permit: OwnedSemaphorePermit,
    _open: Open,
}

impl Following {
    /// Where Last-Event-ID, the query, or the log's end says.
    pub async fn open(
        app: App,
        kind: Kind,
        caller: Caller,
        headers: &HeaderMap,
        given: &[(String, String)],
    ) -> Result<Self, Problem> {
        let after = asked(given)?;
        const LAST: &str = "Last-Event-ID";
        let last = query::header(headers, LAST, "must be the `id` of an event")?;
        let last =
            last.map(|text| sequence(text).map_err(|rule| Problem::broken(LAST, text, rule)));
        let after = last.transpose()?.or(after);
        let permit = Arc::clone(&app.streams).try_acquire_owned();
        let permit = permit.map_err(|_| Problem::unavailable("too many streams are open"))?;
        let cursor = match after {
            Some(after) => after,
            None => app.readers.ask(|reader| reader.end()).await?,
        };
        Ok(Self {
            _open: app.board.open(kind),
            stop: app.stop.clone(),
            live: app.tail.subscribe(),
            app,
            cursor,
            key: caller.key,
            ready: VecDeque::new(),
            is_behind: true,
            page: FEW,
            _permit: permit,
        })
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        unfold(self, |mut following| async move {
            let bytes = tokio::select! {
                line = following.next() => line?.event,
                () = sleep(QUIET) => ALIVE,
            };
            Some((Ok(bytes), following))
        })
    }

    /// None ends the stream: the server stops, the key ends, the store fails, or the reader is too slow. It may come again. What is given up
    /// while it is waited for is not lost.
    pub async fn next(&mut self) -> Option<Line> {
        loop {
            if *self.stop.borrow() || !self.may_read().await {
                return None;
            }
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.is_behind {
                self.catch_up().await?;
                continue;
            }
            let line = tokio::select! {
                line = self.live.recv() => match line {
                    Ok(line) => line,
                    Err(RecvError::Lagged(_)) => return self.is_too_slow(),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.stop.changed() => return None,
                () = sleep(LOOK) => continue,
            };
            match line.sequence.checked_sub(self.cursor) {
                // It was read from the store.
                None | Some(0) => {}
                Some(1) => {
                    self.cursor = line.sequence;
                    return Some(line);
                }
                Some(_) => return self.is_too_slow(),
            }
        }
    }

    /// It goes on where it was, if it comes again.
    fn is_too_slow(&self) -> Option<Line> {
        self.app.board.behind();
        None
    }

    /// Whether the key is still one that reads.
    async fn may_read(&self) -> bool {
        let holder = self.app.holder(&self.key).await;
        holder
            .ok()
            .flatten()
            .is_some_and(|holder| holder.scopes.contains(&Scope::Read))
    }

    async fn catch_up(&mut self) -> Option<()> {
        // Before it is read: from here on nothing is missed, and what it takes to read does not count as being slow.
        self.live = self.app.tail.subscribe();
        let (after, page) = (self.cursor, self.page);
        let read = self
            .app
            .readers
            .ask(move |reader| Told::after(reader, after, page));
        let told = read.await.ok()?;
        self.is_behind = !told.is_empty();
        self.page = page.saturating_mul(2).min(query::PAGE);
        let mut held = 0_usize;
        for (taken, line) in (0..).zip(told.iter().map(Line::of)) {
            if held > HELD {
                self.page = taken; // the others are read again
                break;
            }
            held = held.saturating_add(line.event.len());
            self.cursor = line.sequence;
            self.ready.push_back(line);
        }
        Some(())
    }
}
