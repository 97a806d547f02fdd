//! Who asks, and what they may: a key in the header Authorization, held to the file of keys, which is read again when it changes; or the session
//! of a person who signed in.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use tracing::{error, info};

use crate::{
    App, Shared,
    keys::{ApiKey, KeyFile, Scope, Uses, known},
    problem::Problem,
    rate::Asker,
};

/// How old what is known of the file may be: an ended key is refused after so long at most.
const FRESH: Duration = Duration::from_millis(500);

/// The keys, as the file has them now.
pub(crate) struct Keys {
    file: KeyFile,
    uses: Uses,
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
            uses: file.uses(),
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

    /// When each was last used.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Writes that; it may block.
    pub fn keep_uses(&self) -> std::io::Result<()> {
        self.uses.keep()
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

impl Shared {
    /// Whoever acts are kept under that id, if their key is in force or they are signed in.
    pub(crate) async fn holder(&self, id: &str) -> Result<Option<Caller>, Problem> {
        match (self.keys.holder(id), &self.sign_in) {
            (None, Some(door)) => door.holder(id).await,
            (key, _) => Ok(key),
        }
    }

    /// Refuses whoever may do that no more: their key may have ended, or been taken back, while a body was on its way or a part was done.
    pub(crate) async fn must_still(&self, id: &str, scope: Scope) -> Result<(), Problem> {
        let holder = self.holder(id).await?;
        holder.ok_or_else(Problem::unknown_key)?.must_have(scope)
    }
}

/// By this machine's clock. [seconds since 1970]
pub(crate) fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The key's id, or that of a person who signed in.
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

/// A key that may do one of these was given, from where it may be used. Its budget is charged.
async fn permit(app: &App, parts: &Parts, scopes: &[Scope]) -> Result<Caller, Problem> {
    let caller = who(app, parts).await?;
    if scopes.iter().any(|scope| caller.scopes.contains(scope)) {
        Ok(caller)
    } else {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        Err(Problem::not_allowed(&words.join(" or ")))
    }
}

/// Whose key was given, or who is signed in. A key that was given counts alone.
async fn who(app: &App, parts: &Parts) -> Result<Caller, Problem> {
    let given = parts.headers.get(AUTHORIZATION);
    let origin = app.proxies.origin(parts);
    if let (None, Some(door)) = (given, &app.sign_in)
        && door.is_shown(parts)
    {
        if app.rates.is_spent(origin, Instant::now()) {
            return Err(Problem::too_often());
        }
        if let Some(session) = door.session(parts).await? {
            let asker = Asker::Known(&session.caller.key);
            return if app.rates.take(asker, Instant::now()) {
                Ok(session.caller)
            } else {
                Err(Problem::too_often())
            };
        }
    }
    let given = given.and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    let (keys, now) = (app.keys.now(), clock());
    let key = given.and_then(|given| known(&keys, given.trim(), now));
    let asker = key.map_or(Asker::Stranger(origin), |key| Asker::Known(&key.id));
    if !app.rates.take(asker, Instant::now()) {
        return Err(Problem::too_often());
    }
    let key = key.ok_or_else(Problem::unknown_key)?;
    if let Some(rule) = key.limits.forbid(app.rules.vault, origin) {
        info!(key = key.id, rule, "refused");
        return Err(Problem::not_from_there(rule));
    }
    app.keys.uses.saw(&key.id, now);
    Ok(key.into())
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
                permit(app, parts, &$scopes).await.map(Self)
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
    /// Whoever asks may do something.
    MayAnything: Scope::ALL,
    /// Whoever asks may read the log as it is.
    MayAudit: [Scope::Audit],
}
