//! People sign in by a provider that the operator names (OpenID Connect), and then have a session: a cookie that only their browser has, for pages
//! of this server alone. What they may do is what their groups are granted by the settings. Programs have keys.

#[cfg(feature = "oidc")]
mod provider;
#[cfg(not(feature = "oidc"))]
#[path = "sign_in/without.rs"]
mod provider;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Instant,
};

use axum::{
    Json,
    extract::{Query, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE, UPGRADE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;

use crate::{
    App,
    access::{MayAnything, clock},
    keys::Scope,
    problem::Problem,
    query::{self, put},
};
use provider::Provider;
use session::{Session, Sessions};

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The provider, as it names itself.
    pub issuer: String,
    /// What this server is called by the provider.
    pub client_id: String,
    /// What it shows that it is that by; a public client has none.
    pub client_secret: Option<ClientSecret>,
    /// Where browsers reach this server, without a path; the cookie is for TLS alone if it begins with https.
    pub public_url: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that says which groups somebody is in.
    pub claim: String,
    /// What each group may do.
    pub grants: BTreeMap<String, BTreeSet<Scope>>,
    /// How long a session lasts. [seconds]
    pub session_s: u64,
}

/// A secret that nothing prints by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// One that was read.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    #[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "shown to nobody"))]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

/// Who signed in, by the provider's word.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub issuer: String,
    pub subject: String,
    /// What they are called, the best first.
    pub names: Vec<String>,
    pub groups: Vec<String>,
}

/// Why nobody is signed in. What a provider says goes to whoever runs this server.
#[derive(Debug)]
#[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "nothing fails"))]
pub(crate) enum Failed {
    /// The provider does not answer.
    Silent(String),
    /// The provider says no, or says what does not hold.
    Refused(String),
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Silent(why) => {
                warn!(why, "the provider of sign-ins");
                Self::unavailable("the provider of sign-ins cannot be asked just now; try again")
            }
            Failed::Refused(why) => {
                warn!(why, "a sign-in was refused");
                Self::not_signed_in("the provider's answer does not hold; begin again at /sign-in")
            }
        }
    }
}

/// Sign-ins at work.
pub(crate) struct Door {
    settings: SignIn,
    provider: Provider,
    sessions: Sessions,
}

impl Door {
    pub fn new(settings: SignIn) -> std::io::Result<Self> {
        Ok(Self {
            provider: Provider::new(settings.clone())?,
            sessions: Sessions::default(),
            settings,
        })
    }

    fn is_secure(&self) -> bool {
        self.settings.public_url.starts_with("https://")
    }

    /// A browser keeps the first name to this very host and to TLS.
    fn cookie(&self) -> &'static str {
        if self.is_secure() {
            "__Host-tidelock"
        } else {
            "tidelock"
        }
    }

    /// The same of the one that binds a sign-in to the browser in which it was begun: no other host of a site may plant it.
    fn begun(&self) -> &'static str {
        if self.is_secure() {
            "__Host-tidelock_sign_in"
        } else {
            "tidelock_sign_in"
        }
    }

    fn set(&self, name: &str, value: &str, rest: &str) -> Result<HeaderValue, Problem> {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly{secure}; {rest}");
        HeaderValue::try_from(cookie).map_err(|_| Problem::internal())
    }

    /// The session that a request shows; none if it shows none. A request that another site's page may have sent is refused.
    pub fn session(&self, parts: &Parts) -> Result<Option<Session>, Problem> {
        let Some(shown) = cookie(&parts.headers, self.cookie()) else {
            return Ok(None);
        };
        let Some(session) = self.sessions.shown(&shown, clock()) else {
            return Ok(None);
        };
        if self.is_own(parts) {
            Ok(Some(session))
        } else {
            Err(Problem::cross_site())
        }
    }

    /// Whether a request comes from a page of this server. A browser says so of whatever changes something or opens a socket, and nobody's page can
    /// make it say another's.
    fn is_own(&self, parts: &Parts) -> bool {
        let text = |name: &str| parts.headers.get(name).map(HeaderValue::as_bytes);
        let origin = text(ORIGIN.as_str());
        let changes = ![Method::GET, Method::HEAD].contains(&parts.method)
            || parts.headers.contains_key(UPGRADE);
        let is_from_here = match origin {
            Some(origin) => origin == self.settings.public_url.as_bytes(),
            None => !changes,
        };
        let site = text("sec-fetch-site");
        let is_same_site =
            site.is_none_or(|site| site == b"same-origin" || (site == b"none" && !changes));
        is_from_here && is_same_site
    }

    /// Somebody who is signed in.
    pub fn holder(&self, id: &str) -> Option<crate::access::Caller> {
        self.sessions.holder(id, clock())
    }
}

/// A cookie's value.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).map(str::trim);
    let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.to_owned())
}

fn there(app: &App) -> Result<Arc<Door>, Problem> {
    app.sign_in.clone().ok_or_else(|| {
        Problem::missing("nobody signs in here: whoever runs this server sets serve.sign_in")
    })
}

fn go(to: &str) -> Result<Response, Problem> {
    let to = HeaderValue::try_from(to).map_err(|_| Problem::internal())?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
}

/// Begins to sign a person in
///
/// For browsers: leads to the provider, which leads back.
#[utoipa::path(get, path = "/sign-in", operation_id = "signIn", tag = "session",
    responses(
        (status = 303, description = "Goes on at the provider"),
        (status = 404, description = "Nobody signs in here", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn begin(State(app): State<App>) -> Result<Response, Problem> {
    let door = there(&app)?;
    if !app.rates.take(None, Instant::now()) {
        return Err(Problem::too_often());
    }
    let (url, state, pending) = door.provider.begin().await?;
    let shown = door.sessions.begin(state, pending);
    let mut response = go(&url)?;
    // Lax: the provider's page leads back here.
    let cookie = door.set(door.begun(), &shown, "SameSite=Lax; Max-Age=600")?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

#[derive(Default)]
struct Back {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
}

/// Ends a sign-in
///
/// For browsers, which the provider leads here. A session begins, and the page of this server is shown.
#[utoipa::path(get, path = "/sign-in/callback", operation_id = "signedIn", tag = "session",
    params(
        ("code" = Option<String>, Query, description = "What the provider gave"),
        ("state" = Option<String>, Query, description = "What the sign-in was begun with"),
        ("error" = Option<String>, Query, description = "Why there is no code"),
        ("iss" = Option<String>, Query, description = "The provider"),
    ),
    responses(
        (status = 303, description = "Signed in; goes on at the page of this server"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "No group of this person may do anything here", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody signs in here", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn end(
    State(app): State<App>,
    headers: HeaderMap,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let door = there(&app)?;
    if !app.rates.take(None, Instant::now()) {
        return Err(Problem::too_often());
    }
    let mut back = Back::default();
    // Providers add parameters of their own.
    let known = given
        .into_iter()
        .filter(|(name, _)| ["code", "state", "error", "iss"].contains(&name.as_str()));
    query::read(
        &known.collect::<Vec<_>>(),
        "code, state, error, iss",
        |name, text| {
            let text = Ok(Some(text.to_owned()));
            match name {
                "code" => put(&mut back.code, text),
                "state" => put(&mut back.state, text),
                "error" => put(&mut back.error, text),
                _ => put(&mut back.issuer, text),
            }
        },
    )?;
    let again = "this browser did not begin that sign-in, or too long ago; begin again at /sign-in";
    let shown = cookie(&headers, door.begun()).unwrap_or_default();
    let pending = door
        .sessions
        .finish(&back.state.unwrap_or_default(), &shown);
    let pending = pending.ok_or_else(|| Problem::not_signed_in(again))?;
    if back
        .issuer
        .is_some_and(|issuer| issuer != door.settings.issuer)
    {
        return Err(Failed::Refused("another provider answered".to_owned()).into());
    }
    let code = back
        .code
        .ok_or_else(|| Failed::Refused(format!("no code: {}", back.error.unwrap_or_default())))?;
    let identity = door.provider.end(code, pending).await?;
    let scopes: BTreeSet<Scope> = (identity.groups.iter())
        .filter_map(|group| door.settings.grants.get(group))
        .flatten()
        .copied()
        .collect();
    let now = clock();
    let session = Session::of(
        &identity,
        scopes,
        now.saturating_add(door.settings.session_s),
    );
    let id = session.caller.key.clone();
    if session.caller.scopes.is_empty() {
        info!(person = id, "signed in, and is granted nothing");
        return Err(Problem::granted_nothing());
    }
    let shown = door.sessions.open(session, now);
    info!(person = id, "signed in");
    let mut response = go("/")?;
    let lasts = format!("SameSite=Strict; Max-Age={}", door.settings.session_s);
    let headers = response.headers_mut();
    headers.append(SET_COOKIE, door.set(door.cookie(), &shown, &lasts)?);
    headers.append(
        SET_COOKIE,
        door.set(door.begun(), "", "SameSite=Lax; Max-Age=0")?,
    );
    Ok(response)
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
) -> Json<Who> {
    let door = app.sign_in.as_ref();
    let session = door.and_then(|door| {
        let shown = cookie(&headers, door.cookie())?;
        door.sessions.shown(&shown, clock())
    });
    let session = session.filter(|session| session.caller.key == caller.key);
    Json(Who {
        id: caller.key,
        scopes: caller.scopes,
        ends_at: session.as_ref().map(|session| session.ends_at),
        name: session.map(|session| session.name),
    })
}

/// Signs out
///
/// Ends every session of whoever asks, at this server. A key ends otherwise.
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
    door.holder(&caller.key).ok_or_else(none)?;
    door.sessions.end(&caller.key);
    let cookie = door.set(door.cookie(), "", "SameSite=Strict; Max-Age=0")?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
