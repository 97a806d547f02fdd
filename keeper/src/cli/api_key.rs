//! `keeper api-key`: keys of the API. A key is shown once, when it is made; the file holds a hash of it.

use std::collections::BTreeSet;

use serde_json::json;
use tidelock_api::keys::{ApiKey, KeyFile, KeysError, MOST_DAYS, Scope};
use tidelock_core::submit::DAY;

use super::{Context, print, shown::now};
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
    },
    /// Show every key, without what is secret
    List,
    /// End a key now
    End {
        /// Its id
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
        Command::Add { name, scope, days } => {
            let scopes: BTreeSet<Scope> = scope.iter().copied().collect();
            let ends_at = now().saturating_add(days.saturating_mul(DAY));
            let (key, secret) = file.add(name, scopes, (now(), ends_at))?;
            print(if context.json {
                let mut shown = as_json(&key);
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
            print(if context.json {
                serde_json::Value::from_iter(keys.iter().map(as_json)).to_string()
            } else {
                let lines: Vec<String> = keys.iter().map(line).collect();
                lines.join("\n")
            })?;
        }
        Command::End { id } => {
            let key = file.end(id, now())?;
            print(if context.json {
                as_json(&key).to_string()
            } else {
                format!("key {id} ({}): ended", key.name)
            })?;
        }
    }
    Ok(ExitStatus::Done)
}

fn as_json(key: &ApiKey) -> serde_json::Value {
    json!({
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "made_at": key.made_at,
        "ends_at": key.ends_at,
        "ended": key.ends_at <= now(),
        "pending": key.pending,
    })
}

fn line(key: &ApiKey) -> String {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.word()).collect();
    let end = match (key.ends_at <= now(), key.pending) {
        (true, _) => "ended",
        (false, true) => "waits for a second person, ends",
        (false, false) => "ends",
    };
    format!(
        "{}  {}  {}  {end} {}",
        key.id,
        key.name,
        scopes.join(","),
        utc(key.ends_at)
    )
}
