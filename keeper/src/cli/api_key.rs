//! `keeper api-key`: keys of the API. A key is shown once, when it is made; the file holds a hash of it.

use serde_json::json;
use tidelock_api::{
    PERSON,
    keys::{ApiKey, KeyFile, KeysError, Limits, MOST_DAYS, Network, Scope, Wanted},
};
use tidelock_core::{domain::Address, submit::DAY};

use super::{Context, offline, print, shown::now};
use crate::{
    calendar::utc,
    exit::{ExitStatus, Failure, Outcome},
};

/// What can be done with keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a key, and show it: it is never shown again
    Add {
        /// Whose it is
        #[arg(long)]
        name: String,
        /// What it may do: request, read, operate, audit, administer; several, separated by commas
        #[arg(long, required = true, value_delimiter = ',')]
        scope: Vec<Scope>,
        /// After how many days it ends
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_DAYS))]
        days: u64,
        /// A network that it may be used from, in CIDR, or an address; can be given several times. Any if none is named
        #[arg(long)]
        network: Vec<Network>,
        /// A vault that it may be used for; can be given several times. Any if none is named
        #[arg(long)]
        vault: Vec<Address>,
        /// Whose it is by the provider that people sign in with, as ISSUER|SUBJECT: with this key and signed in they are one person
        #[arg(long, value_parser = person)]
        person: Option<String>,
    },
    /// Show every key, without what is secret
    List,
    /// End a key now, or every session of a person who signed in
    End {
        /// Its id, or what acts of theirs are kept under: person_…
        id: String,
    },
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let status = match error {
            KeysError::Value { .. } => ExitStatus::Usage,
            KeysError::Unknown { .. } => ExitStatus::Refused,
            _ => ExitStatus::Failed,
        };
        Self::of(status, error)
    }
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    let config = context.load()?;
    let file = KeyFile::new(&config.serve.keys_file);
    match command {
        Command::Add {
            name,
            scope,
            days,
            network,
            vault,
            person,
        } => {
            let (key, secret) = file.add(Wanted {
                name: name.clone(),
                scopes: scope.iter().copied().collect(),
                made_at: now(),
                ends_at: now().saturating_add(days.saturating_mul(DAY)),
                limits: Limits {
                    vaults: vault.iter().copied().collect(),
                    networks: network.iter().copied().collect(),
                },
                person: person.clone(),
                seen_by: None,
            })?;
            print(if context.json {
                let mut shown = as_json(&key, None);
                if let Some(fields) = shown.as_object_mut() {
                    fields.insert("key".to_owned(), json!(secret.expose()));
                }
                shown.to_string()
            } else {
                secret.expose().to_owned()
            })?;
        }
        Command::List => {
            let keys = file.read()?;
            let uses = file.uses().read();
            let last = |key: &ApiKey| uses.get(&key.id).copied();
            print(if context.json {
                let shown = keys.iter().map(|key| as_json(key, last(key)));
                serde_json::Value::from_iter(shown).to_string()
            } else {
                let lines: Vec<String> = keys.iter().map(|key| line(key, last(key))).collect();
                lines.join("\n")
            })?;
        }
        Command::End { id } if id.starts_with(PERSON) => {
            let mut desk = offline::desk(&config)?;
            let ended = desk.end_sessions(id)?;
            desk.close()?;
            print(if context.json {
                json!({"id": id, "ended": ended}).to_string()
            } else {
                format!("{id}: {ended} sessions ended; whoever may still sign in can do so again")
            })?;
        }
        Command::End { id } => {
            let key = file.end(id, now())?;
            print(if context.json {
                as_json(&key, None).to_string()
            } else {
                format!("key {id} ({}): ended", key.name)
            })?;
        }
    }
    Ok(ExitStatus::Done)
}

/// Both parts are the provider's, so what they are is not known here.
fn person(text: &str) -> Result<String, String> {
    match text.split_once('|') {
        Some((issuer, subject)) if issuer.contains("://") && !subject.is_empty() => {
            Ok(text.to_owned())
        }
        _ => Err("must be ISSUER|SUBJECT, such as https://id.example|248289761001".to_owned()),
    }
}

fn as_json(key: &ApiKey, last_used_at: Option<u64>) -> serde_json::Value {
    json!({
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "made_at": key.made_at,
        "ends_at": key.ends_at,
        "ended": key.has_ended(now()),
        "pending": key.is_pending(now()),
        "vaults": key.limits.vaults,
        "networks": key.limits.networks,
        "person": key.person,
        "last_used_at": last_used_at,
    })
}

fn line(key: &ApiKey, last_used_at: Option<u64>) -> String {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
    let end = match (key.has_ended(now()), key.is_pending(now())) {
        (true, _) => "ended",
        (false, true) => "waits for a second person, ends",
        (false, false) => "ends",
    };
    let last = last_used_at.map_or_else(String::new, |at| format!(", last used {}", utc(at)));
    format!(
        "{}  {}  {}  {end} {}{}{last}",
        key.id,
        key.name,
        scopes.join(","),
        utc(key.ends_at),
        key.limits
    )
}
