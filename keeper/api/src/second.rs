//! The second person: lets be done what another asked for, or says no.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use tidelock_store::Desk;

use crate::{
    App,
    access::{Caller, MayAct, clock},
    acts::{self, Why, add, why},
    deed::{ActEntry, Deed, Kind, Step},
    keys::KeysError,
    problem::Problem,
    query::sequence,
    stands::stands,
};

/// Lets be done what another person asked for
///
/// By a key of the same scope, another than the one that asked, and of another name; and neither key was seen by a person who may have the
/// other. A new key is put in force at a server that reads the same file of keys as the one that it was asked of.
#[utoipa::path(post, path = "/v1/acts/{id}/confirmation", operation_id = "confirmAct", tag = "acts",
    params(("id" = u64, Path, description = "The act that asks")),
    request_body(content = Why, content_type = "application/json"),
    responses(
        (status = 201, description = "Done", body = ActEntry),
        (status = 404, description = "There is no such act", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was answered, is too old, was asked for by the same person, or of something that stands so no more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["operate"]), ("key" = ["administer"])))]
pub(crate) async fn confirm(
    MayAct(caller): MayAct,
    State(app): State<App>,
    Path(text): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<ActEntry>), Problem> {
    let (seq, asked, reason) = answered(&app, &caller, &text, request).await?;
    let now = clock();
    if asked.until.is_none_or(|until| now >= until) {
        let words = "it was to be confirmed within an hour; ask again";
        return Err(Problem::conflict("too-late", words));
    }
    let asker = app.holder(&asked.by).await?;
    let asker = asker.ok_or_else(|| {
        Problem::conflict(
            "asker-gone",
            "the key that asked has ended; ask again with another",
        )
    })?;
    if asker.key == caller.key || !asker.people.is_disjoint(&caller.people) {
        let words = "two people are needed: this key is of whoever asked, or was seen by them when it was made";
        return Err(Problem::conflict("same-person", words));
    }
    asker.must_have(asked.act.scope())?;
    must_stand(&app, &asked).await?;
    let deed = answer(&caller, &asked, Step::Confirmed, reason);
    let file = app.keys.file().clone();
    let also = move |_: &mut Desk| {
        if let (Kind::AddKey, Some(id)) = (asked.act, &asked.key) {
            file.confirm(id)?;
        }
        Ok(())
    };
    let entry = add(&app, Some(seq), deed, also).await?;
    Ok((StatusCode::CREATED, Json(entry)))
}

/// Says no to what is asked for
#[utoipa::path(post, path = "/v1/acts/{id}/refusal", operation_id = "refuseAct", tag = "acts",
    params(("id" = u64, Path, description = "The act that asks")),
    request_body(content = Why, content_type = "application/json"),
    responses(
        (status = 201, description = "It is not done, and can be confirmed no more", body = ActEntry),
        (status = 404, description = "There is no such act", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was answered", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["operate"]), ("key" = ["administer"])))]
pub(crate) async fn refuse(
    MayAct(caller): MayAct,
    State(app): State<App>,
    Path(text): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<ActEntry>), Problem> {
    let (seq, asked, reason) = answered(&app, &caller, &text, request).await?;
    let deed = answer(&caller, &asked, Step::Refused, reason);
    let file = app.keys.file().clone();
    let also = move |_: &mut Desk| {
        if let (Kind::AddKey, Some(id)) = (asked.act, &asked.key) {
            match file.end(id, clock()) {
                // Another server's file has it: there it is refused once its hour is over.
                Ok(_) | Err(KeysError::Unknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    };
    let entry = add(&app, Some(seq), deed, also).await?;
    Ok((StatusCode::CREATED, Json(entry)))
}

/// A second person lets be done what they saw; what came since, nobody asked about.
async fn must_stand(app: &App, asked: &Deed) -> Result<(), Problem> {
    if asked.key.is_some() {
        return Ok(());
    }
    let reference = asked
        .reference
        .as_deref()
        .and_then(|text| text.parse().ok());
    let now = app
        .readers
        .ask(move |reader| stands(reader, reference))
        .await?;
    if now.as_ref() == Some(&asked.before) {
        return Ok(());
    }
    let now = now.map_or_else(String::new, |now| now.to_string());
    let before = &asked.before;
    Err(Problem::conflict(
        "changed",
        format!(
            "what stood when it was asked for ({before}) stands no more (now {now}); ask again"
        ),
    ))
}

fn answer(caller: &Caller, asked: &Deed, step: Step, reason: String) -> Deed {
    let after = if step == Step::Refused {
        asked.before.clone()
    } else {
        asked.after.clone()
    };
    Deed {
        step,
        at: clock(),
        by: caller.key.clone(),
        reason,
        after,
        until: None,
        ..asked.clone()
    }
}

/// What is asked for, if it still waits for an answer that this caller may give.
async fn answered(
    app: &App,
    caller: &Caller,
    text: &str,
    request: Request,
) -> Result<(u64, Deed, String), Problem> {
    let seq = sequence(text).map_err(|rule| Problem::broken("id", text, rule))?;
    let reason = why(request).await?;
    let found = app.readers.ask(move |reader| reader.act(seq)).await?;
    let found = found.ok_or_else(|| Problem::missing(format!("act {seq}: there is none")))?;
    let deed = serde_json::from_str::<Deed>(&found.body).ok();
    let deed = deed.filter(|deed| deed.step == Step::Asked);
    let deed = deed.ok_or_else(|| {
        Problem::conflict("nothing-asked", format!("act {seq}: it asks for nobody"))
    })?;
    caller.must_have(deed.act.scope())?;
    if found.answered_by.is_some() {
        return Err(acts::answered());
    }
    Ok((seq, deed, reason))
}
