//! What each source is set up with.

use std::path::{Path, PathBuf};

use tidelock_publish::{Login, SecretPlace, Tls};
use url::Url;

use crate::ConsumeError;

/// What sources of every kind have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is called in logs and figures.
    pub name: String,
    /// Who is noted as having filed what comes from it.
    pub filed_by: String,
    /// Messages that are held at a time without having been acknowledged.
    pub at_once: u16,
    /// Messages of one second.
    pub per_second: u32,
}

/// A queue of RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitMq {
    /// What all sources have.
    pub source: Source,
    /// Where, as whom, and in which virtual host: `amqps://` or `amqp://`, without a password.
    pub url: Url,
    /// Where the password is.
    pub password: SecretPlace,
    /// Certificates of who may vouch for the broker, as PEM, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The queue.
    pub queue: String,
    /// The queue for what is refused for good.
    pub dead_letters: String,
}

/// A topic of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// What all sources have.
    pub source: Source,
    /// Hosts and ports of brokers to begin with, with commas between them.
    pub brokers: String,
    /// How the connection is kept from others; none if it is not.
    pub tls: Option<Tls>,
    /// As whom; none if the brokers ask nobody.
    pub login: Option<Login>,
    /// The group whose members share the topic.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The topic for what is refused for good.
    pub dead_letters: String,
}

impl RabbitMq {
    /// Whether what it needs of this host is there.
    pub fn check(&self) -> Result<(), ConsumeError> {
        self.secret()?;
        self.certificates()?;
        Ok(())
    }

    /// The password. It is read anew for each connection, so that it may be changed.
    pub(crate) fn secret(&self) -> Result<String, ConsumeError> {
        secret(&self.password, &self.source)
    }

    /// The certificates, as PEM.
    pub(crate) fn certificates(&self) -> Result<Option<String>, ConsumeError> {
        certificates(self.ca_file.as_deref(), &self.source)
    }
}

impl Kafka {
    /// Whether what it needs of this host is there.
    pub fn check(&self) -> Result<(), ConsumeError> {
        self.secret()?;
        let tls = self.tls.as_ref();
        let ca_file = tls.and_then(|tls| tls.ca_file.as_deref());
        certificates(ca_file, &self.source)?;
        Ok(())
    }

    /// The password.
    pub(crate) fn secret(&self) -> Result<Option<String>, ConsumeError> {
        let login = self.login.as_ref();
        login
            .map(|login| secret(&login.password, &self.source))
            .transpose()
    }
}

fn secret(place: &SecretPlace, source: &Source) -> Result<String, ConsumeError> {
    place.text().map_err(|cause| ConsumeError::Password {
        source_name: source.name.clone(),
        cause,
    })
}

fn certificates(path: Option<&Path>, source: &Source) -> Result<Option<String>, ConsumeError> {
    let read = path.map(|path| {
        std::fs::read_to_string(path).map_err(|cause| ConsumeError::Certificates {
            source_name: source.name.clone(),
            path: path.to_owned(),
            cause,
        })
    });
    read.transpose()
}
