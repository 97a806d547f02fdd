//! librdkafka's clients: how they are set up, and what they say of themselves.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    ClientConfig, ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance, StreamConsumer},
    error::KafkaError,
    producer::FutureProducer,
};
use tracing::{debug, info};

use super::{Held, Interrupted};
use crate::{Kafka, taker::Taker};

/// How long a dead letter may take until it is tried again.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

fn config(topic: &Kafka) -> Result<ClientConfig, Interrupted> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &topic.brokers)
        .set("client.id", "tidelock-keeper-consume")
        .set(
            "security.protocol",
            match (&topic.tls, &topic.login) {
                (Some(_), Some(_)) => "SASL_SSL",
                (Some(_), None) => "SSL",
                (None, Some(_)) => "SASL_PLAINTEXT",
                (None, None) => "PLAINTEXT",
            },
        )
        .set_log_level(RDKafkaLogLevel::Warning);
    if let Some(tls) = &topic.tls {
        let authorities = tls.ca_file.as_ref().map(|path| path.display().to_string());
        config.set("ssl.ca.location", authorities.as_deref().unwrap_or("probe"));
    }
    if let (Some(login), Some(password)) = (&topic.login, topic.secret()?) {
        config
            .set("sasl.mechanism", login.mechanism)
            .set("sasl.username", &login.user)
            .set("sasl.password", password);
    }
    Ok(config)
}

/// Reads the topic as a member of its group, from the beginning if the group is new. Only what is committed of transactions.
pub(super) fn consumer(topic: &Kafka, watch: Watch) -> Result<StreamConsumer<Watch>, Interrupted> {
    let consumer = config(topic)?
        .set("group.id", &topic.group)
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        // What is stored is committed by itself; what is stored is said after a message is settled, not when it is handed out.
        .set("enable.auto.commit", "true")
        .set("enable.auto.offset.store", "false")
        .set("auto.commit.interval.ms", "500")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "10000")
        // What waits in memory beside the messages that are held.
        .set("queued.max.messages.kbytes", "16384")
        // What is fetched of a partition that is then to rest is thrown away, and fetched again.
        .set("max.partition.fetch.bytes", "131072")
        .set("statistics.interval.ms", "2000")
        .create_with_context(watch)?;
    Ok(consumer)
}

/// Writes dead letters, each answered once all replicas in sync have it.
pub(super) fn producer(topic: &Kafka) -> Result<FutureProducer<Quiet>, Interrupted> {
    let producer = config(topic)?
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", "20000")
        .set("queue.buffering.max.kbytes", "65536")
        .create_with_context(Quiet)?;
    Ok(producer)
}

/// A library's words; never a setting's value, which may be a password.
pub(super) fn words(cause: &KafkaError) -> String {
    match cause {
        KafkaError::ClientConfig(_, words, field, _) => format!("{field}: {words}"),
        other => other.to_string(),
    }
}

/// Watches a consumer: whether it has brokers, and which partitions it gives up.
pub(super) struct Watch {
    held: Arc<Held>,
    taker: Taker,
}

impl Watch {
    pub fn new(held: Arc<Held>, taker: Taker) -> Self {
        Self { held, taker }
    }
}

impl ClientContext for Watch {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, words: &str) {
        info!(source = self.taker.source.name, facility, words, "Kafka");
    }

    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        let is_there = brokers.any(|broker| broker.nodeid >= 0 && broker.state == "UP");
        let is_member = statistics.cgrp.is_some_and(|group| group.state == "up");
        self.taker.connected(is_there && is_member);
    }

    fn error(&self, cause: KafkaError, words: &str) {
        info!(
            source = self.taker.source.name,
            cause = self::words(&cause),
            words,
            "Kafka"
        );
    }
}

impl ConsumerContext for Watch {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                debug!(
                    source = self.taker.source.name,
                    count = partitions.count(),
                    "partitions taken over"
                );
            }
            Rebalance::Revoke(partitions) => {
                debug!(
                    source = self.taker.source.name,
                    count = partitions.count(),
                    "partitions given up"
                );
                // The library keeps the rest of a partition for when it comes back, and nobody would end it then.
                if let Err(cause) = consumer.resume(partitions) {
                    debug!(cause = words(&cause), "a partition may rest on");
                }
                for partition in partitions.elements() {
                    self.held.forget(partition.partition());
                }
            }
            Rebalance::Error(cause) => debug!(cause = words(cause), "partitions stay"),
        }
    }
}

/// A producer whose words are told by what becomes of its dead letters.
#[derive(Clone)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, words: &str) {
        debug!(facility, words, "Kafka");
    }

    fn error(&self, cause: KafkaError, said: &str) {
        debug!(cause = words(&cause), said, "Kafka");
    }
}
