//! Tells others what the keeper's log says, those about one payment in their order: webhooks by Standard Webhooks 1.0 and exchanges of
//! RabbitMQ at least once, topics of Kafka exactly once.
//!
//! It reads the store and writes nothing there but how far each receiver has come. No key that signs transactions is here, and no
//! node is asked: whoever has all of this process can read, and tell receivers what is not so; they hear the rest from the chain.

mod address;
mod asked;
mod asyncapi;
mod clock;
mod figures;
mod kafka;
mod log;
mod queue;
mod rabbitmq;
mod secret;
mod sink;
mod webhook;
mod worker;

use std::time::Duration;

use reqwest::ClientBuilder;
use tidelock_store::{Location, Outbox, StoreError};
use tokio::{sync::watch, task::JoinSet};

pub use address::PrivateHosts;
pub use asyncapi::document;
pub use figures::{Board, Figures};
#[cfg(feature = "kafka")]
pub use kafka::ping as ping_topic;
pub use kafka::{Kafka, Login, MECHANISMS, NEVER_GIVEN_UP, Tls};
pub use queue::Waits;
pub use rabbitmq::RabbitMq;
#[cfg(feature = "rabbitmq")]
pub use rabbitmq::Sender as ExchangeSender;
pub use secret::{Secret, SecretError, SecretPlace};
pub use webhook::{Beginning, Ping, Sender, Sent, Webhook};

use asked::Asked;
use log::Log;
use sink::Teller;
use worker::Shared;

/// What is to be told to whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store.
    pub store: Location,
    /// The vault, as events have it as their source.
    pub source: String,
    /// This process, to be shown to others.
    pub holder: String,
    /// How long a receiver is this process's without renewing, on PostgreSQL.
    pub lease: Duration,
    /// Hosts that may be at private addresses.
    pub private_hosts: PrivateHosts,
    /// Webhooks.
    pub webhooks: Vec<Webhook>,
    /// Exchanges of RabbitMQ; none unless this was built with the feature `rabbitmq`.
    pub exchanges: Vec<RabbitMq>,
    /// Topics of Kafka; none unless this was built with the feature `kafka`.
    pub topics: Vec<Kafka>,
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
    /// A topic forgot what was written to it: telling it from an older cursor would tell twice.
    #[error(
        "{sink}: entry {seq} was written to the topic, but its cursor there says {found}: the topic, or the one of cursors, was lost or made \
         anew. Give the receiver another name, and it is told all again"
    )]
    Forgotten {
        /// For whom.
        sink: String,
        /// What this side knows to be written.
        seq: u64,
        /// What the topic says.
        found: u64,
    },
    /// Two work for one topic, which only ever takes what the later one writes.
    #[error(
        "{sink}: another publisher has written up to entry {seq}, and not by this store's turns: it works from a copy of this log. Only one \
         of the two may go on"
    )]
    Elsewhere {
        /// For whom.
        sink: String,
        /// The last entry that is told.
        seq: u64,
    },
    /// A file or a variable.
    #[error("{sink}: {why}")]
    Setting {
        /// For whom.
        sink: String,
        /// Why.
        why: String,
    },
}

impl Settings {
    /// Whether there is anybody to tell.
    pub fn is_empty(&self) -> bool {
        self.webhooks.is_empty() && self.exchanges.is_empty() && self.topics.is_empty()
    }

    /// What tells each receiver that is told event by event.
    fn tellers(&self) -> Result<Vec<Teller>, PublishError> {
        let webhooks = self.senders()?.into_iter().map(Box::new);
        #[cfg_attr(
            not(feature = "rabbitmq"),
            expect(unused_mut, reason = "exchanges are added")
        )]
        let mut tellers: Vec<Teller> = webhooks.map(Teller::Webhook).collect();
        #[cfg(feature = "rabbitmq")]
        for exchange in &self.exchanges {
            let sender = rabbitmq::Sender::new(exchange.clone());
            let sender = sender.map_err(|why| PublishError::Setting {
                sink: exchange.name.clone(),
                why,
            })?;
            tellers.push(Teller::RabbitMq(sender));
        }
        Ok(tellers)
    }

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
            sender.map_err(|why| PublishError::Setting { sink: sink(), why })
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
    let tellers = settings.tellers()?;
    #[cfg(feature = "kafka")]
    for topic in &settings.topics {
        topic.check()?;
    }
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
    for teller in tellers {
        work.spawn(worker::run(teller, shared.clone()));
    }
    #[cfg(feature = "kafka")]
    for topic in &settings.topics {
        work.spawn(kafka::run(
            topic.clone(),
            settings.source.clone(),
            shared.clone(),
        ));
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
