//! What operators and administrators do, as the chain of acts keeps it.

use std::fmt;

use serde::{Deserialize, Serialize};
use tidelock_core::{domain::PaymentRef, event::Command};
use tidelock_store::Act;
use utoipa::ToSchema;

use crate::keys::{ApiKey, Scope};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Hold a withdrawal that is in no batch.
    Hold,
    /// Let a held withdrawal go on; takes a second person.
    Release,
    /// Withdraw one that is in no batch, for good.
    Cancel,
    /// Send nothing from now on.
    Halt,
    /// Send again; takes a second person.
    Resume,
    /// Make an API key; takes a second person.
    AddKey,
    /// End an API key.
    EndKey,
    /// Forget what was noted beside a withdrawal.
    ForgetMetadata,
}

impl Kind {
    /// Whether one person alone may not.
    pub(crate) fn takes_two(self) -> bool {
        matches!(self, Self::Release | Self::Resume | Self::AddKey)
    }

    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::AddKey | Self::EndKey | Self::ForgetMetadata => Scope::Administer,
            _ => Scope::Operate,
        }
    }

    pub(crate) fn is_about_a_payment(self) -> bool {
        matches!(
            self,
            Self::Hold | Self::Release | Self::Cancel | Self::ForgetMetadata
        )
    }

    /// The operator's command that it stands for.
    pub(crate) fn command(self, reference: Option<PaymentRef>, note: String) -> Option<Command> {
        Some(match (self, reference) {
            (Self::Hold, Some(reference)) => Command::Hold { reference, note },
            (Self::Release, Some(reference)) => Command::Release { reference, note },
            (Self::Cancel, Some(reference)) => Command::Cancel { reference, note },
            (Self::Halt, _) => Command::Halt { note },
            (Self::Resume, _) => Command::Resume { note },
            _ => return None,
        })
    }
}

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It was done, by one person.
    Done,
    /// It waits for a second person.
    Asked,
    /// A second person let it be done.
    Confirmed,
    /// Somebody said no.
    Refused,
}

/// How something stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "Written")]
pub struct Situation {
    /// Of a withdrawal its status, of the keeper its mode, of a key `none`, `in_force` or `ended`.
    pub status: String,
    /// Why it is held or halted, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What there is to say beside; of a key its scopes, end and limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What was done, as the chain keeps it: no names, for a chain cannot forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deed {
    /// What.
    pub act: Kind,
    /// Whether it was done, or asked for.
    pub step: Step,
    /// When, by the server's clock, in seconds since 1970.
    pub at: u64,
    /// The key of whoever did it.
    pub by: String,
    /// The withdrawal.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The API key that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why.
    pub reason: String,
    /// What stood before: of a withdrawal its status and why it is held, of the keeper its mode and why it is halted, of a key what it may be used for.
    pub before: Situation,
    /// What is to stand after.
    pub after: Situation,
    /// Until when a second person may confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The operator's command that was handed in with it, by its arrival; the event `tidelock.operator.command` tells that the keeper took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<u64>,
}

/// An entry of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActEntry {
    /// Its number, from 1.
    id: u64,
    /// The entry that it confirms or refuses.
    answers: Option<u64>,
    /// The entry that confirmed or refused it.
    answered_by: Option<u64>,
    /// What was done; none if this server cannot read it.
    deed: Option<Deed>,
    /// Whose the API key is that it is about, by the file of keys as it is now; of one act only, for administrators.
    key_name: Option<String>,
    /// The same as it is hashed.
    body: String,
    /// The hash of the entry before.
    prev: String,
    /// keccak256 of `prev`, the number and `answers` (8 bytes each, big-endian; 0 for none), and `body`.
    hash: String,
}

impl From<Act> for ActEntry {
    fn from(act: Act) -> Self {
        Self {
            id: act.seq,
            answers: act.answers,
            answered_by: act.answered_by,
            deed: serde_json::from_str(&act.body).ok(),
            key_name: None,
            prev: act.prev.to_string(),
            hash: act.hash.to_string(),
            body: act.body,
        }
    }
}

impl ActEntry {
    /// The same with the name of the key that it is about.
    pub(crate) fn named(self, keys: &[ApiKey]) -> Self {
        let id = self.deed.as_ref().and_then(|deed| deed.key.as_deref());
        let key = keys.iter().find(|key| Some(key.id.as_str()) == id);
        Self {
            key_name: key.map(|key| key.name.clone()),
            ..self
        }
    }
}

impl Situation {
    /// One that a word says all of.
    pub(crate) fn word(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            reason: None,
            detail: None,
        }
    }

    /// What is to stand after an act.
    pub(crate) fn wanted(kind: Kind) -> Self {
        Self::word(match kind {
            Kind::Hold => "held",
            Kind::Release => "open",
            Kind::Cancel => "cancelled",
            Kind::Halt => "halted",
            Kind::Resume => "armed",
            Kind::AddKey => "in_force",
            Kind::EndKey => "ended",
            Kind::ForgetMetadata => "no_metadata",
        })
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status)?;
        for more in self.reason.iter().chain(&self.detail) {
            write!(f, ": {more}")?;
        }
        Ok(())
    }
}

/// As entries have it, now and from before it had fields.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Words(String),
    Fields {
        status: String,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        detail: Option<String>,
    },
}

impl From<Written> for Situation {
    fn from(written: Written) -> Self {
        match written {
            Written::Words(words) => Self::word(&words),
            Written::Fields {
                status,
                reason,
                detail,
            } => Self {
                status,
                reason,
                detail,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_is_read_as_it_was_written_and_as_words() {
        let held = Situation {
            reason: Some("above_limit".to_owned()),
            ..Situation::word("held")
        };
        let text = serde_json::to_string(&held).unwrap();
        assert_eq!(text, r#"{"status":"held","reason":"above_limit"}"#);
        assert_eq!(serde_json::from_str::<Situation>(&text).unwrap(), held);
        let old: Situation = serde_json::from_str(r#""held: above_limit""#).unwrap();
        assert_eq!(old, Situation::word("held: above_limit"));
        assert_eq!(held.to_string(), "held: above_limit");
    }
}
