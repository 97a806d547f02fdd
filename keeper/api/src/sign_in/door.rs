//! What browsers show of those who signed in: cookies, from pages of this server alone.

use axum::http::{
    HeaderMap, HeaderValue, Method,
    header::{COOKIE, ORIGIN, UPGRADE},
    request::Parts,
};

use super::{
    SignIn,
    provider::Provider,
    session::{Session, Sessions},
};
use crate::{
    access::{Caller, clock},
    problem::Problem,
    readers::Readers,
};

/// Sign-ins at work.
pub(crate) struct Door {
    pub(super) settings: SignIn,
    pub(super) provider: Provider,
    pub(super) sessions: Sessions,
}

impl Door {
    pub fn new(settings: SignIn, readers: Readers) -> std::io::Result<Self> {
        Ok(Self {
            provider: Provider::new(settings.clone())?,
            sessions: Sessions::new(readers, settings.clone()),
            settings,
        })
    }

    fn is_secure(&self) -> bool {
        self.settings.public_url.starts_with("https://")
    }

    /// A browser keeps the first name to this very host and to TLS.
    pub(super) fn cookie(&self) -> &'static str {
        if self.is_secure() {
            "__Host-tidelock"
        } else {
            "tidelock"
        }
    }

    /// The same of the one that binds a sign-in to the browser in which it was begun: no other host of a site may plant it.
    pub(super) fn begun(&self) -> &'static str {
        if self.is_secure() {
            "__Host-tidelock_sign_in"
        } else {
            "tidelock_sign_in"
        }
    }

    pub(super) fn set(&self, name: &str, value: &str, rest: &str) -> Result<HeaderValue, Problem> {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly{secure}; {rest}");
        HeaderValue::try_from(cookie).map_err(|_| Problem::internal())
    }

    /// Whether a request shows what may be a session.
    pub fn is_shown(&self, parts: &Parts) -> bool {
        cookie(&parts.headers, self.cookie()).is_some()
    }

    /// The session that a request shows; none if it shows none. A request that another site's page may have sent is refused.
    pub async fn session(&self, parts: &Parts) -> Result<Option<Session>, Problem> {
        let Some(session) = self.shown(&parts.headers).await? else {
            return Ok(None);
        };
        if self.is_own(parts) {
            Ok(Some(session))
        } else {
            Err(Problem::cross_site())
        }
    }

    pub(super) async fn shown(&self, headers: &HeaderMap) -> Result<Option<Session>, Problem> {
        match cookie(headers, self.cookie()) {
            Some(shown) => self.sessions.shown(&shown, clock()).await,
            None => Ok(None),
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
    pub async fn holder(&self, id: &str) -> Result<Option<Caller>, Problem> {
        self.sessions.holder(id, clock()).await
    }
}

/// A cookie's value.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).map(str::trim);
    let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.to_owned())
}
