//! Who asks, and what they may: a key in the header Authorization, held to the file of keys, which is read again when it changes.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use tracing::{error, info};

use crate::{
    App,
    keys::{ApiKey, KeyFile, Scope, known},
    problem::Problem,
};

/// How old what is known of the file may be: an ended key is refused after so long at most.
const FRESH: Duration = Duration::from_millis(500);

/// The keys, as the file has them now.
pub(crate) struct Keys {
    file: KeyFile,
    seen: Mutex<Seen>,
}

struct Seen {
    looked: Option<Instant>,
    stamp: Option<Stamp>,
    keys: Arc<[ApiKey]>,
}

/// What tells one state of a file from another: a change is a rename, so another file.
type Stamp = (u64, u64, i64, i64, u32);

impl Keys {
    pub fn new(file: KeyFile) -> Self {
        let seen = Seen {
            looked: None,
            stamp: None,
            keys: Arc::new([]),
        };
        Self {
            file,
            seen: Mutex::new(seen),
        }
    }

    /// The key with that id, if it is known now and has not ended.
    pub fn holder(&self, id: &str) -> Option<Caller> {
        let keys = self.now();
        let now = clock();
        let key = keys.iter().find(|key| key.id == id && key.is_in_force(now));
        key.map(Caller::from)
    }

    /// Whether the key with that id is known now, has not ended, and has that scope.
    pub fn may(&self, id: &str, scope: Scope) -> bool {
        let (keys, now) = (self.now(), clock());
        let mut known = keys.iter().filter(|key| key.id == id);
        known.any(|key| key.is_in_force(now) && key.scopes.contains(&scope))
    }

    /// Where they are kept.
    pub fn file(&self) -> &KeyFile {
        &self.file
    }

    /// The keys; none while the file cannot be read, or could be changed by others.
    fn now(&self) -> Arc<[ApiKey]> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.is_some_and(|at| at.elapsed() < FRESH) {
            return Arc::clone(&seen.keys);
        }
        let stamp = fs::metadata(self.file.path()).ok().map(|found| {
            let modified = (found.mtime(), found.mtime_nsec());
            (
                found.ino(),
                found.size(),
                modified.0,
                modified.1,
                found.mode(),
            )
        });
        if seen.looked.is_none() || stamp != seen.stamp {
            seen.keys = match self.file.read() {
                Ok(keys) => {
                    info!(keys = keys.len(), "API keys read");
                    keys.into()
                }
                Err(cause) => {
                    error!(%cause, "no API key is known");
                    Arc::new([])
                }
            };
            seen.stamp = stamp;
        }
        seen.looked = Some(Instant::now());
        Arc::clone(&seen.keys)
    }
}

/// By this machine's clock. [seconds since 1970]
pub(crate) fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Whose key was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The key's id.
    pub key: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// Everybody who may be the one that uses it.
    pub people: BTreeSet<String>,
}

impl From<&ApiKey> for Caller {
    fn from(key: &ApiKey) -> Self {
        Self {
            key: key.id.clone(),
            scopes: key.scopes.clone(),
            people: key.people(),
        }
    }
}

impl Caller {
    /// Refuses a key without a scope.
    pub fn must_have(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(Problem::not_allowed(scope.word()))
        }
    }
}

/// A key that may do one of these was given. Its budget is charged.
fn permit(app: &App, headers: &HeaderMap, scopes: &[Scope]) -> Result<Caller, Problem> {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    let keys = app.keys.now();
    let key = given.and_then(|given| known(&keys, given.trim(), clock()));
    let id = key.map(|key| key.id.as_str());
    if !app.rates.take(id, Instant::now()) {
        return Err(Problem::too_often());
    }
    let key = key.ok_or_else(Problem::unknown_key)?;
    if scopes.iter().any(|scope| key.scopes.contains(scope)) {
        Ok(key.into())
    } else {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        Err(Problem::not_allowed(&words.join(" or ")))
    }
}

macro_rules! permits {
    ($($(#[$doc:meta])* $name:ident: $scopes:expr,)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name(
            #[allow(dead_code, reason = "not every route asks who it is")] pub Caller,
        );

        impl FromRequestParts<App> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
                permit(app, &parts.headers, &$scopes).map(Self)
            }
        }
    )*};
}

permits! {
    /// Whoever asks may file requests.
    MayRequest: [Scope::Request],
    /// Whoever asks may read.
    MayRead: [Scope::Read],
    /// Whoever asks may make and end keys.
    MayAdminister: [Scope::Administer],
    /// Whoever asks may do one of these, and may answer what others ask for there.
    MayAct: [Scope::Operate, Scope::Administer],
    /// Whoever asks may look at what was done.
    MayLook: [Scope::Audit, Scope::Operate, Scope::Administer],
    /// Whoever asks may read the log as it is.
    MayAudit: [Scope::Audit],
}
