//! People sign in by a provider that the operator names (OpenID Connect), and then have a session: a cookie that only their browser has, for pages
//! of this server and of others of its store. What they may do is what their groups are granted by the settings. Programs have keys.

mod begun;
mod door;
#[cfg(feature = "oidc")]
mod provider;
#[cfg(not(feature = "oidc"))]
#[path = "sign_in/without.rs"]
mod provider;
mod session;
pub(crate) mod who;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{Query, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use tracing::{info, warn};

use crate::{
    App,
    access::clock,
    keys::Scope,
    origin::Origin,
    problem::Problem,
    query::{self, put},
    rate::Asker,
};
use begun::Begun;
pub(crate) use door::Door;
use door::cookie;
pub use session::PERSON;
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

impl SignIn {
    /// What members of these groups may do; nothing, if another provider says that they are.
    fn granted(&self, issuer: &str, groups: &BTreeSet<String>) -> BTreeSet<Scope> {
        let granted = groups.iter().filter_map(|group| self.grants.get(group));
        let granted = granted.filter(|_| issuer == self.issuer);
        granted.flatten().copied().collect()
    }
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
pub(crate) async fn begin(
    State(app): State<App>,
    Origin(origin): Origin,
) -> Result<Response, Problem> {
    let door = there(&app)?;
    if !app.rates.take(Asker::Stranger(origin), Instant::now()) {
        return Err(Problem::too_often());
    }
    let begun = Begun::new();
    let mut response = go(&door.provider.begin(&begun).await?)?;
    // Lax: the provider's page leads back here.
    let cookie = door.set(door.begun(), begun.secret(), "SameSite=Lax; Max-Age=600")?;
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
    Origin(origin): Origin,
    headers: HeaderMap,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let door = there(&app)?;
    if !app.rates.take(Asker::Stranger(origin), Instant::now()) {
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
    let begun = cookie(&headers, door.begun()).and_then(|shown| Begun::shown(&shown));
    let begun = begun.filter(|begun| back.state == Some(begun.state()));
    let begun = begun.ok_or_else(|| Problem::not_signed_in(again))?;
    if back
        .issuer
        .is_some_and(|issuer| issuer != door.settings.issuer)
    {
        return Err(Failed::Refused("another provider answered".to_owned()).into());
    }
    let code = back
        .code
        .ok_or_else(|| Failed::Refused(format!("no code: {}", back.error.unwrap_or_default())))?;
    let identity = door.provider.end(code, &begun).await?;
    let now = clock();
    let ends_at = now.saturating_add(door.settings.session_s);
    let session = Session::of(&identity, &door.settings, ends_at);
    let id = session.caller.key.clone();
    if session.caller.scopes.is_empty() {
        info!(person = id, "signed in, and is granted nothing");
        return Err(Problem::granted_nothing());
    }
    let shown = Sessions::open(&app, &session, now).await?;
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
