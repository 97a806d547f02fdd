//! Takes requests in from brokers: each message is one withdrawal, with the body of `POST /v1/withdrawals`, read and filed by the same code.
//!
//! A message is acknowledged once its request is durable, or once it lies among the dead letters because it is refused for good. What cannot be taken now is tried
//! again, and is never skipped. A broker may hand a message out as often as it likes, and this process may end anywhere: a ref is filed
//! once. No key that signs is here, and no node is asked; whoever can write to a queue can do no more than the bearer of an API key with the
//! scope `request`.

#![cfg_attr(
    not(any(feature = "kafka", feature = "rabbitmq")),
    allow(dead_code, reason = "nothing is taken in without a broker's client")
)]

mod document;
mod figures;
#[cfg(feature = "kafka")]
mod kafka;
mod letter;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod settings;
mod taker;
mod waits;

use std::time::Duration;

use tidelock_api::Requests;
use tidelock_publish::SecretError;
use tidelock_store::{Identity, Location, StoreError};
use tokio::{sync::watch, task::JoinSet, time::timeout};

pub use document::document;
pub use figures::{Board, Figures};
pub use letter::HEADERS;
pub use settings::{Kafka, RabbitMq, Source};

use taker::Taker;

/// How long what is under way may take once the process is asked to end.
const END: Duration = Duration::from_secs(10);

/// Where requests come from, and where they go.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store.
    pub store: Location,
    /// What it was made for.
    pub identity: Identity,
    /// Topics of Kafka.
    pub kafka: Vec<Kafka>,
    /// Queues of RabbitMQ.
    pub rabbitmq: Vec<RabbitMq>,
}

impl Settings {
    /// Whether there is nowhere to take requests from.
    pub fn is_empty(&self) -> bool {
        self.kafka.is_empty() && self.rabbitmq.is_empty()
    }
}

/// Why nothing is taken in.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The store, or a thread for it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password.
    #[error("{source_name}: {cause}")]
    Password {
        /// For which source.
        source_name: String,
        /// Why.
        cause: SecretError,
    },
    /// A file of certificates.
    #[error("{source_name}: file {}: {cause}", path.display())]
    Certificates {
        /// For which source.
        source_name: String,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// Takes requests in until `stop` says so. Must be called on a runtime.
pub async fn run(
    settings: &Settings,
    board: Board,
    stop: watch::Receiver<bool>,
) -> Result<(), ConsumeError> {
    let filing = Requests::start(settings.store.clone(), &settings.identity);
    let (requests, thread) = filing.map_err(StoreError::Runtime)?;
    let mut work = JoinSet::new();
    let taker = |source| Taker::new(source, requests.clone(), board.clone(), stop.clone());
    for topic in &settings.kafka {
        start_kafka(topic, taker(&topic.source), &mut work)?;
    }
    for queue in &settings.rabbitmq {
        start_rabbitmq(queue, taker(&queue.source), &mut work)?;
    }
    drop(requests);
    while let Some(done) = work.join_next().await {
        // Short of a defect, each ends only because it was asked to.
        if let Err(error) = done {
            work.shutdown().await;
            return Err(StoreError::Runtime(std::io::Error::other(error)).into());
        }
    }
    // It files what it was given, and then ends.
    let filed = tokio::task::spawn_blocking(move || thread.join());
    let _ = timeout(END, filed).await;
    Ok(())
}

#[cfg(feature = "kafka")]
fn start_kafka(topic: &Kafka, taker: Taker, work: &mut JoinSet<()>) -> Result<(), ConsumeError> {
    topic.check()?;
    work.spawn(kafka::run(topic.clone(), taker));
    Ok(())
}

/// Such a source is refused where settings are read.
#[cfg(not(feature = "kafka"))]
fn start_kafka(_: &Kafka, _: Taker, _: &mut JoinSet<()>) -> Result<(), ConsumeError> {
    Ok(())
}

#[cfg(feature = "rabbitmq")]
fn start_rabbitmq(
    queue: &RabbitMq,
    taker: Taker,
    work: &mut JoinSet<()>,
) -> Result<(), ConsumeError> {
    queue.check()?;
    work.spawn(rabbitmq::run(queue.clone(), taker));
    Ok(())
}

/// Such a source is refused where settings are read.
#[cfg(not(feature = "rabbitmq"))]
fn start_rabbitmq(_: &RabbitMq, _: Taker, _: &mut JoinSet<()>) -> Result<(), ConsumeError> {
    Ok(())
}
