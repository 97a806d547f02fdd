//! An exchange of RabbitMQ that is told what the log says: each event at least once, those of each payment in their order. An event is
//! taken once the broker has confirmed it; one that no queue takes comes back, and is told again.

#[cfg(feature = "rabbitmq")]
mod sender;

use std::{fmt, path::PathBuf, time::Duration};

use url::Url;

use crate::{queue::Waits, secret::SecretPlace};

#[cfg(feature = "rabbitmq")]
pub use sender::Sender;

/// An exchange.
#[derive(Clone, PartialEq, Eq)]
pub struct RabbitMq {
    /// What it is called here; its cursor is kept under this name.
    pub name: String,
    /// Where, as whom, and in which virtual host: `amqps://` or `amqp://`, without a password.
    pub url: Url,
    /// Where the password is.
    pub password: SecretPlace,
    /// Certificates of who may vouch for the broker, as PEM, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The exchange.
    pub exchange: String,
    /// What the types of events begin with that it is told.
    pub types: Vec<String>,
    /// How long one try may take.
    pub timeout: Duration,
    /// Tries at a time, of different payments.
    pub at_once: usize,
    /// How long what was not taken waits.
    pub waits: Waits,
}

impl fmt::Debug for RabbitMq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RabbitMq({} at {})", self.name, self.place())
    }
}

impl RabbitMq {
    /// Where it is.
    pub fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{} at {}://{host}:{port}", self.exchange, self.url.scheme()),
            None => format!("{} at {}://{host}", self.exchange, self.url.scheme()),
        }
    }
}
