//! Who asks, whether they could sign in, and how they sign out.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, access::MayAnything, keys::Scope, problem::Problem};

/// How people can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    /// Where a browser goes to sign in; none if nobody signs in here.
    sign_in: Option<&'static str>,
}

/// Says whether people can sign in
#[utoipa::path(get, path = "/sign-in/offer", operation_id = "getSignInOffer", tag = "session",
    responses((status = 200, description = "Where to, if they can", body = Offer)))]
pub(crate) async fn offer(State(app): State<App>) -> Json<Offer> {
    Json(Offer {
        sign_in: app.sign_in.is_some().then_some("/sign-in"),
    })
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Who {
    /// What acts of theirs are kept under: a key's id, or a person's.
    id: String,
    /// What a person is called by the provider; none of a key.
    name: Option<String>,
    /// What they may do.
    #[schema(value_type = Vec<String>)]
    scopes: BTreeSet<Scope>,
    /// When their session ends, in seconds since 1970; none of a key.
    ends_at: Option<u64>,
}

/// Says who asks, and what they may
#[utoipa::path(get, path = "/v1/session", operation_id = "getSession", tag = "session",
    responses(
        (status = 200, description = "Who asks", body = Who),
        (status = "default", description = "Any refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["request"]), ("key" = ["read"]), ("key" = ["operate"]), ("key" = ["audit"]), ("key" = ["administer"])))]
pub(crate) async fn show(
    MayAnything(caller): MayAnything,
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Json<Who>, Problem> {
    let session = match &app.sign_in {
        Some(door) => door.shown(&headers).await?,
        None => None,
    };
    let session = session.filter(|session| session.caller.key == caller.key);
    Ok(Json(Who {
        id: caller.key,
        scopes: caller.scopes,
        ends_at: session.as_ref().map(|session| session.ends_at),
        name: session.map(|session| session.name),
    }))
}

/// Signs out
///
/// Ends every session of whoever asks, at every server of the store. A key ends otherwise.
#[utoipa::path(post, path = "/v1/session/end", operation_id = "endSession", tag = "session",
    responses(
        (status = 204, description = "Signed out"),
        (status = 409, description = "A key was given, which has no session", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["request"]), ("key" = ["read"]), ("key" = ["operate"]), ("key" = ["audit"]), ("key" = ["administer"])))]
pub(crate) async fn sign_out(
    MayAnything(caller): MayAnything,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let none = || {
        Problem::conflict(
            "no-session",
            "a key has no session; an administrator ends it",
        )
    };
    let door = app.sign_in.as_ref().ok_or_else(none)?;
    door.holder(&caller.key).await?.ok_or_else(none)?;
    door.sessions.end(&app, &caller.key).await?;
    let cookie = door.set(door.cookie(), "", "SameSite=Strict; Max-Age=0")?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
