//! `/v1/keys`: API keys, made by two people and ended by one.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use tidelock_core::submit::DAY;
use tidelock_store::Desk;
use utoipa::ToSchema;

use crate::{
    App,
    access::{MayAdminister, clock},
    acts,
    deed::{ActEntry, Deed, Kind, Situation},
    keys::{ApiKey, KeysError, Limits, MOST_DAYS, Scope, Wanted},
    problem::{Broken, Problem},
};

/// A key, without what is secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyEntry {
    /// What it is called by.
    id: String,
    /// Whose it is.
    name: String,
    /// What it may be used for.
    #[schema(value_type = Vec<String>)]
    scopes: BTreeSet<Scope>,
    /// When it was made, in seconds since 1970.
    made_at: u64,
    /// From when on it is refused.
    ends_at: u64,
    /// It waits for a second person, for an hour at most.
    pending: bool,
    /// It has ended, or was refused, or not confirmed in time.
    ended: bool,
    /// The vaults that it may be used for; any if none is named.
    vaults: Vec<String>,
    /// The networks that it may be used from; any if none is named.
    networks: Vec<String>,
    /// When it was last used, in seconds since 1970, as far as servers that share the file of keys have written it; they do every half minute.
    last_used_at: Option<u64>,
}

impl KeyEntry {
    fn of(key: ApiKey, last_used_at: Option<u64>) -> Self {
        let now = clock();
        Self {
            pending: key.is_pending(now),
            ended: key.has_ended(now),
            id: key.id,
            name: key.name,
            scopes: key.scopes,
            made_at: key.made_at,
            ends_at: key.ends_at,
            vaults: key.limits.vaults.iter().map(ToString::to_string).collect(),
            networks: key
                .limits
                .networks
                .iter()
                .map(ToString::to_string)
                .collect(),
            last_used_at,
        }
    }
}

/// Every key.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// In the order that they were made.
    items: Vec<KeyEntry>,
}

/// What key is wanted. Nothing else may be in it.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(
    dead_code,
    reason = "for the document; what is sent is read field by field"
)]
pub struct KeyRequest {
    /// Whose it is. Two keys of one name are one person's.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// What it may be used for: request, read, operate, audit, administer; several, separated by commas.
    #[schema(example = "request,read")]
    scopes: String,
    /// After how many days it ends, 1 to 3650.
    #[schema(example = "90", pattern = "^[0-9]+$")]
    days: String,
    /// The networks that it may be used from, in CIDR; several, separated by commas. Any if none is named.
    #[schema(nullable = false, example = "192.0.2.0/24")]
    networks: Option<String>,
    /// The vaults that it may be used for; several, separated by commas. Any if none is named.
    #[schema(nullable = false)]
    vaults: Option<String>,
    /// Why. It is kept for good: no personal data.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A key that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedKey {
    /// The act that a second person has to confirm.
    act: ActEntry,
    /// The key without what is secret.
    entry: KeyEntry,
    /// The key. It is shown this once, and works once a second person has confirmed it.
    key: String,
}

/// Does work on the file of keys where it may block.
pub(crate) async fn on_file<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&crate::keys::KeyFile) -> Result<T, KeysError> + Send + 'static,
) -> Result<T, Problem> {
    let file = app.keys.file().clone();
    let done = tokio::task::spawn_blocking(move || work(&file)).await;
    Ok(done.map_err(|_| Problem::internal())??)
}

/// How a key stands, with what it may be used for.
fn situation(status: &str, key: &ApiKey) -> Situation {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
    let words = format!("{} until {}{}", scopes.join(","), key.ends_at, key.limits);
    Situation {
        detail: Some(words),
        ..Situation::word(status)
    }
}

/// Lists keys, without what is secret
#[utoipa::path(get, path = "/v1/keys", operation_id = "listKeys", tag = "acts",
    responses(
        (status = 200, description = "Every key", body = KeyList),
        (status = "default", description = "Any refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["administer"])))]
pub(crate) async fn list(
    _: MayAdminister,
    State(app): State<App>,
) -> Result<Json<KeyList>, Problem> {
    let keys = on_file(&app, |file| file.read()).await?;
    let server = Arc::clone(&app);
    let uses = tokio::task::spawn_blocking(move || server.keys.uses().read()).await;
    let uses = uses.map_err(|_| Problem::internal())?;
    let items = keys.into_iter().map(|key| {
        let last = uses.get(&key.id).copied();
        KeyEntry::of(key, last)
    });
    let items = items.collect();
    Ok(Json(KeyList { items }))
}

/// Asks for a key
///
/// The answer shows it, once. It is refused everywhere until a second person confirms the act.
#[utoipa::path(post, path = "/v1/keys", operation_id = "askForKey", tag = "acts",
    request_body(content = KeyRequest, content_type = "application/json"),
    responses(
        (status = 201, description = "Asked for", body = AskedKey),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["administer"])))]
pub(crate) async fn add(
    MayAdminister(caller): MayAdminister,
    State(app): State<App>,
    request: Request,
) -> Result<(StatusCode, Json<AskedKey>), Problem> {
    let fields = acts::fields(request).await?;
    let [name, scopes, days, networks, vaults, why] = fields
        .texts(["name", "scopes", "days", "networks", "vaults", "reason"])
        .map_err(Problem::invalid)?;
    let limits = Limits::read(vaults.unwrap_or_default(), networks.unwrap_or_default());
    let limits = limits.map_err(|(field, value, rule)| Broken::new(field, &value, rule));
    let scopes_text = scopes.unwrap_or_default();
    let scopes: Result<BTreeSet<Scope>, String> = scopes_text
        .split(',')
        .map(|word| word.trim().parse())
        .collect();
    let scopes = scopes.map_err(|rule| Broken::new("scopes", scopes_text, rule));
    let days_text = days.unwrap_or_default();
    let days = days_text.parse().ok();
    let days = days.filter(|days| (1..=MOST_DAYS).contains(days));
    let days = days.ok_or_else(|| Broken::new("days", days_text, "must be 1 to 3650"));
    let reason = acts::reason(why.unwrap_or_default());
    let (scopes, days, limits, reason) = match (scopes, days, limits, reason) {
        (Ok(scopes), Ok(days), Ok(limits), Ok(reason)) => (scopes, days, limits, reason),
        (scopes, days, limits, reason) => {
            let broken = scopes
                .err()
                .into_iter()
                .chain(days.err())
                .chain(limits.err())
                .chain(reason.err());
            return Err(Problem::invalid(broken.collect()));
        }
    };
    let now = clock();
    let wanted = Wanted {
        name: name.unwrap_or_default().to_owned(),
        scopes,
        made_at: now,
        ends_at: now.saturating_add(days.saturating_mul(DAY)),
        limits,
        person: None,
        seen_by: Some(caller.people.clone()),
    };
    let (key, secret) = on_file(&app, move |file| file.add(wanted)).await?;
    let deed = acts::begun(&caller, Kind::AddKey, reason, Situation::word("none"));
    let deed = Deed {
        key: Some(key.id.clone()),
        after: situation("in_force", &key),
        ..deed
    };
    let act = acts::add(&app, None, deed, acts::nothing).await?;
    let asked = AskedKey {
        act,
        entry: KeyEntry::of(key, None),
        key: secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(asked)))
}

/// Ends a key
#[utoipa::path(post, path = "/v1/keys/{id}/end", operation_id = "endKey", tag = "acts",
    params(("id" = String, Path, description = "The key's id")),
    request_body(content = acts::Why, content_type = "application/json"),
    responses(
        (status = 201, description = "Ended; within a second it is refused by every server that reads the same file of keys", body = ActEntry),
        (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["administer"])))]
pub(crate) async fn end(
    MayAdminister(caller): MayAdminister,
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<ActEntry>), Problem> {
    let reason = acts::why(request).await?;
    let keys = on_file(&app, |file| file.read()).await?;
    let key = keys.into_iter().find(|key| key.id == id);
    let key = key.ok_or_else(|| KeysError::Unknown { id: id.clone() })?;
    let before = situation("in_force", &key);
    let deed = acts::begun(&caller, Kind::EndKey, reason, before);
    let deed = Deed {
        key: Some(id.clone()),
        ..deed
    };
    // First: a key is never ended without an entry that says so.
    let file = app.keys.file().clone();
    let also = move |_: &mut Desk| {
        file.end(&id, clock())?;
        Ok(())
    };
    let entry = acts::add(&app, None, deed, also).await?;
    Ok((StatusCode::CREATED, Json(entry)))
}
