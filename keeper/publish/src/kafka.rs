//! A topic of Kafka that is told what the log says: each event once for each withdrawal that it is about, whatever ends publisher or
//! broker. Records and cursor are written in one transaction, and the cursor that counts is the one in Kafka.

#[cfg(feature = "kafka")]
mod client;
#[cfg(feature = "kafka")]
mod link;
#[cfg(feature = "kafka")]
mod place;
#[cfg(feature = "kafka")]
mod worker;

use std::{path::PathBuf, time::Duration};

use crate::{queue::Waits, secret::SecretPlace};

#[cfg(feature = "kafka")]
pub use link::ping;
#[cfg(feature = "kafka")]
pub(crate) use worker::run;

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// What it is called here; its cursor is kept under this name.
    pub name: String,
    /// Brokers to ask first, each a host and a port, with commas between them.
    pub brokers: String,
    /// The topic that is written.
    pub topic: String,
    /// The topic for cursors; it is compacted.
    pub cursors: String,
    /// How the connection is kept from others; none if it is not.
    pub tls: Option<Tls>,
    /// As whom; none if the brokers ask nobody.
    pub login: Option<Login>,
    /// What the types of events begin with that it is told.
    pub types: Vec<String>,
    /// How long one transaction may take, and any other answer.
    pub timeout: Duration,
    /// How long what failed waits; it is never given up.
    pub waits: Waits,
}

/// By whom brokers are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of who may vouch for them, as PEM, in place of the system's.
    pub ca_file: Option<PathBuf>,
}

/// Who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// How it is shown, in the words of SASL.
    pub mechanism: &'static str,
    /// Who.
    pub user: String,
    /// Where the password is.
    pub password: SecretPlace,
}

/// The ways of showing who connects.
pub const MECHANISMS: [&str; 3] = ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"];

/// What is told once more, for as long as it takes.
pub const NEVER_GIVEN_UP: u64 = u64::MAX;

impl Kafka {
    /// Whether what it needs of this host is there.
    #[cfg(feature = "kafka")]
    pub(crate) fn check(&self) -> Result<(), crate::PublishError> {
        let refused = |why: String| crate::PublishError::Setting {
            sink: self.name.clone(),
            why,
        };
        if let Some(login) = &self.login {
            login
                .password
                .text()
                .map_err(|error| refused(error.to_string()))?;
        }
        let Some(path) = self.tls.as_ref().and_then(|tls| tls.ca_file.as_ref()) else {
            return Ok(());
        };
        let read = std::fs::read(path).map(drop);
        read.map_err(|error| refused(format!("certificates {}: {error}", path.display())))
    }

    /// Where it is.
    pub fn place(&self) -> String {
        format!("{} at {}", self.topic, self.brokers)
    }
}
