//! `/v1/acts`: what operators do, and what administrators do with keys. Each act says who and why, and is an entry of a chain that nobody
//! rewrites unseen. What lets money flow, and what gives somebody a key, takes a second person within an hour.

use axum::{
    Json,
    extract::{Path, Query, Request, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidelock_core::domain::PaymentRef;
use tidelock_lists::REF_RULE;
use tidelock_store::{Acting, Desk};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    access::{Caller, MayAct, MayLook, clock},
    admin,
    body::{self, must_be_json},
    deed::{ActEntry, Deed, Kind, Situation, Step},
    fields,
    keys::{CONFIRM_WITHIN, Scope},
    problem::{Broken, Problem},
    query::{self, sequence},
    stands::{must_be_possible, stands},
};

/// Bytes of an act.
const LONGEST: usize = 8_192;
/// Characters of a reason.
const LONGEST_REASON: usize = 500;

/// A part of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActPage {
    /// In order, without gaps.
    items: Vec<ActEntry>,
    /// What to give as `after` next.
    next: u64,
}

/// What is to be done. Nothing else may be in it.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(
    dead_code,
    reason = "for the document; what is sent is read field by field"
)]
pub struct ActRequest {
    /// `hold`, `release`, `cancel`, `halt`, `resume` or `forget_metadata`.
    #[schema(pattern = "^(hold|release|cancel|halt|resume|forget_metadata)$")]
    act: String,
    /// The withdrawal; of `halt` and `resume` none.
    #[serde(rename = "ref")]
    #[schema(nullable = false)]
    reference: Option<String>,
    /// Why. It is kept for good: no personal data.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(
    dead_code,
    reason = "for the document; what is sent is read field by field"
)]
pub struct Why {
    /// Why. It is kept for good: no personal data.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A reason: one line, which must say something.
pub(crate) fn reason(text: &str) -> Result<String, Broken> {
    let text = text.trim();
    let rule = match text.chars().count() {
        0 => "must say why",
        count if count > LONGEST_REASON => "must have at most 500 characters",
        _ if text.chars().any(char::is_control) => "must be one line of text",
        _ => return Ok(text.to_owned()),
    };
    Err(Broken::new("reason", text, rule))
}

/// The fields of a JSON body.
pub(crate) async fn fields(request: Request) -> Result<fields::Fields, Problem> {
    must_be_json(request.headers())?;
    fields::fields(&body::read(request, LONGEST).await?)
}

/// The reason, which is all that a body has.
pub(crate) async fn why(request: Request) -> Result<String, Problem> {
    let fields = fields(request).await?;
    let [why] = fields.texts(["reason"]).map_err(Problem::invalid)?;
    reason(why.unwrap_or_default()).map_err(|one| Problem::invalid(vec![one]))
}

/// Says how a deed ends, and adds it to the chain with the command that it stands for. What it does beside the log is done by `also`
/// once the entry is durable, whether or not anybody still waits for the answer.
pub(crate) async fn add(
    app: &App,
    answers: Option<u64>,
    deed: Deed,
    also: impl FnOnce(&mut Desk) -> Result<(), Problem> + Send + 'static,
) -> Result<ActEntry, Problem> {
    app.must_still(&deed.by, deed.act.scope()).await?;
    let reference = deed.reference.as_deref().and_then(|text| text.parse().ok());
    let hands_in = matches!(deed.step, Step::Done | Step::Confirmed);
    let command = {
        let deed = deed.clone();
        move |seq: u64| {
            let by = &deed.by;
            let asked = answers.map(|asked| format!(", asked for in act {asked}"));
            let asked = asked.unwrap_or_default();
            let note = format!("{} (act {seq} of key {by}{asked})", deed.reason);
            hands_in
                .then(|| deed.act.command(reference, note))
                .flatten()
        }
    };
    let body = move |command| {
        let deed = Deed {
            command,
            ..deed.clone()
        };
        serde_json::to_string(&deed).unwrap_or_default()
    };
    let done = app
        .write(move |desk| {
            Ok(match desk.act(answers, command, body)? {
                Acting::Done { seq } => also(desk).map(|()| seq),
                Acting::Answered => Err(answered()),
            })
        })
        .await?;
    let seq = done?;
    let entry = app.readers.ask(move |reader| reader.act(seq)).await?;
    entry.map(ActEntry::from).ok_or_else(Problem::internal)
}

/// There is one answer.
pub(crate) fn answered() -> Problem {
    Problem::conflict("answered", "somebody answered it already")
}

/// Nothing is done beside the log.
pub(crate) fn nothing(_: &mut Desk) -> Result<(), Problem> {
    Ok(())
}

/// Does something, or asks for it
///
/// What lets money flow (`release`, `resume`) is asked for: another person, with a key of another name, confirms it within an hour. The rest
/// is done at once. The keeper takes a command in when it next looks; the event `tidelock.operator.command` says so.
#[utoipa::path(post, path = "/v1/acts", operation_id = "act", tag = "acts",
    request_body(content = ActRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "Done, or asked for: `deed.step` says which", body = ActEntry),
        (status = 404, description = "Nobody asked for that withdrawal", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not held, or the keeper is not halted", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["operate"]), ("key" = ["administer"])))]
pub(crate) async fn act(
    MayAct(caller): MayAct,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<ActEntry>), Problem> {
    let fields = fields(request).await?;
    let (kind, reference, reason) = asked(&fields).map_err(Problem::invalid)?;
    caller.must_have(kind.scope())?;
    let before = app
        .readers
        .ask(move |reader| stands(reader, reference))
        .await?;
    let before = before.ok_or_else(|| {
        let reference = reference.map(|reference| reference.to_string());
        Problem::missing(format!(
            "ref {}: nobody asked for it",
            reference.unwrap_or_default()
        ))
    })?;
    must_be_possible(kind, &before)?;
    let deed = begun(&caller, kind, reason, before);
    let deed = Deed {
        reference: reference.map(|reference| reference.to_string()),
        ..deed
    };
    let also = move |desk: &mut Desk| {
        if let (Kind::ForgetMetadata, Some(reference)) = (kind, reference) {
            desk.forget_metadata(reference)?;
        }
        Ok(())
    };
    let entry = add(&app, None, deed, also).await?;
    Ok((StatusCode::CREATED, Json(entry)))
}

/// The first entry of an act.
pub(crate) fn begun(caller: &Caller, act: Kind, reason: String, before: Situation) -> Deed {
    let at = clock();
    let takes_two = act.takes_two();
    Deed {
        act,
        step: if takes_two { Step::Asked } else { Step::Done },
        at,
        by: caller.key.clone(),
        reference: None,
        key: None,
        reason,
        before,
        after: Situation::wanted(act),
        until: takes_two.then(|| at.saturating_add(CONFIRM_WITHIN)),
        command: None,
    }
}

type Asked = (Kind, Option<PaymentRef>, String);

fn asked(fields: &fields::Fields) -> Result<Asked, Vec<Broken>> {
    let [act, reference, why] = fields.texts(["act", "ref", "reason"])?;
    let mut broken = Vec::new();
    let word = act.unwrap_or_default();
    let kind = serde_json::from_value::<Kind>(Value::from(word)).ok();
    let kind = kind.filter(|kind| !matches!(kind, Kind::AddKey | Kind::EndKey));
    if kind.is_none() {
        let rule = "must be hold, release, cancel, halt, resume or forget_metadata";
        broken.push(Broken::new("act", word, rule));
    }
    let about = kind.is_some_and(Kind::is_about_a_payment);
    let parsed = match reference {
        Some(text) if about => text
            .parse::<PaymentRef>()
            .map(Some)
            .map_err(|_| Broken::new("ref", text, REF_RULE)),
        None if about => Err(Broken::new("ref", "", "must be given")),
        Some(text) if kind.is_some() => Err(Broken::new("ref", text, "is not about a withdrawal")),
        _ => Ok(None),
    };
    let why = reason(why.unwrap_or_default());
    match (kind, parsed, why) {
        (Some(kind), Ok(reference), Ok(reason)) => Ok((kind, reference, reason)),
        (_, parsed, why) => {
            broken.extend(parsed.err());
            broken.extend(why.err());
            Err(broken)
        }
    }
}

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by name, so that each bad one is told")]
pub struct ActParameters {
    /// Entries after this one; 0, or nothing, for all of them
    after: Option<u64>,
    /// At most so many, 1 to 1,000; 100 otherwise
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

/// Lists what was done and asked for, in order and without gaps
#[utoipa::path(get, path = "/v1/acts", operation_id = "listActs", tag = "acts",
    params(ActParameters),
    responses(
        (status = 200, description = "Acts after one", body = ActPage),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["audit"]), ("key" = ["operate"]), ("key" = ["administer"])))]
pub(crate) async fn list(
    _: MayLook,
    State(app): State<App>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Json<ActPage>, Problem> {
    let (after, limit) = query::page(&given)?;
    let acts = app
        .readers
        .ask(move |reader| reader.acts(after, limit))
        .await?;
    let next = acts.last().map_or(after, |last| last.seq);
    let items = acts.into_iter().map(ActEntry::from).collect();
    Ok(Json(ActPage { items, next }))
}

/// Shows one act
#[utoipa::path(get, path = "/v1/acts/{id}", operation_id = "getAct", tag = "acts",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, description = "The act", body = ActEntry),
        (status = 404, description = "There is no such act", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["audit"]), ("key" = ["operate"]), ("key" = ["administer"])))]
pub(crate) async fn show(
    MayLook(caller): MayLook,
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<ActEntry>, Problem> {
    let seq = sequence(&text).map_err(|rule| Problem::broken("id", &text, rule))?;
    let found = app.readers.ask(move |reader| reader.act(seq)).await?;
    let found = found.ok_or_else(|| Problem::missing(format!("act {seq}: there is none")))?;
    let entry = ActEntry::from(found);
    Ok(Json(if caller.scopes.contains(&Scope::Administer) {
        entry.named(&admin::on_file(&app, |file| file.read()).await?)
    } else {
        entry
    }))
}
