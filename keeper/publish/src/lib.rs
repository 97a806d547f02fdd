//! Tells others what the keeper's log says: webhooks by Standard Webhooks 1.0, each event at least once, those about one payment in
//! their order.
//!
//! It reads the store and writes nothing there but how far each receiver has come. No key that signs transactions is here, and no
//! node is asked: whoever has all of this process can read, and tell receivers what is not so; they hear the rest from the chain.

mod address;
mod asked;
mod clock;
mod figures;
mod log;
mod queue;
mod secret;
mod webhook;
mod worker;

use std::time::Duration;

use reqwest::ClientBuilder;
use tidelock_store::{Location, Outbox, StoreError};
use tokio::{sync::watch, task::JoinSet};

pub use address::PrivateHosts;
pub use figures::{Board, Figures};
pub use queue::Waits;
pub use secret::{Secret, SecretError, SecretPlace};
pub use webhook::{Sender, Sent, Webhook};

use asked::Asked;
use log::Log;
use worker::Shared;

/// What is to be told to whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store.
    pub store: Location,
    /// This process, to be shown to others.
    pub holder: String,
    /// How long a receiver is this process's without renewing, on PostgreSQL.
    pub lease: Duration,
    /// Hosts that may be at private addresses.
    pub private_hosts: PrivateHosts,
    /// Webhooks.
    pub webhooks: Vec<Webhook>,
    /// A client to be set up, with the cryptography of this process.
    pub client: fn() -> ClientBuilder,
}

/// Why nothing is published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A try ended without any answer, which is a defect of this program.
    #[error("a try broke off")]
    Broken,
    /// The client cannot be made.
    #[error("{sink}: {source}")]
    Client {
        /// For whom.
        sink: String,
        /// Why.
        source: reqwest::Error,
    },
    /// A secret.
    #[error("{sink}: {source}")]
    Secret {
        /// For whom.
        sink: String,
        /// Why.
        source: SecretError,
    },
    /// Sequences begin anew in another log, and receivers would drop its events as ones that they have.
    #[error(
        "{sink}: entry {seq} is not the one it was told last: this is another log. Its events have ids that the receiver may have seen: \
         give the receiver another name, and have it forget the ids"
    )]
    OtherLog {
        /// For whom.
        sink: String,
        /// The entry.
        seq: u64,
    },
}

impl Settings {
    /// What sends to each endpoint; its secrets can be read.
    fn senders(&self) -> Result<Vec<Sender>, PublishError> {
        let senders = self.webhooks.iter().map(|webhook| {
            let sink = || webhook.name.clone();
            webhook
                .read_secrets()
                .map_err(|source| PublishError::Secret {
                    sink: sink(),
                    source,
                })?;
            let sender = Sender::new(webhook.clone(), self.private_hosts.clone(), (self.client)());
            sender.map_err(|source| PublishError::Client {
                sink: sink(),
                source,
            })
        });
        senders.collect()
    }
}

/// Publishes until `stop` says so. Must be called on a runtime.
pub async fn run(
    settings: &Settings,
    board: Board,
    stop: watch::Receiver<bool>,
) -> Result<(), PublishError> {
    let senders = settings.senders()?;
    let location = settings.store.clone();
    let shared = Shared {
        log: Log::new(settings.store.clone()),
        outbox: Asked::new(move || Outbox::open(&location)),
        board,
        holder: settings.holder.clone(),
        lease: settings.lease,
        stop,
    };
    // Whether the store can be used is known before anything is said of it.
    shared.outbox.ask(|_| Ok(())).await?;
    let mut work = JoinSet::new();
    for sender in senders {
        work.spawn(worker::run(sender, shared.clone()));
    }
    let mut result = Ok(());
    while let Some(done) = work.join_next().await {
        result = match done {
            Ok(done) => done,
            Err(error) => Err(StoreError::Runtime(std::io::Error::other(error)).into()),
        };
        // One that cannot go on ends all: it is started anew, or a person looks.
        if result.is_err() {
            work.shutdown().await;
            break;
        }
    }
    shared.outbox.close().await;
    shared.log.close().await;
    result
}
