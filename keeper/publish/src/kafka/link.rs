//! One producer: it alone may write for its sink from the moment it is open, until the next one is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, ClientContext,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer, ProducerContext},
};
use tidelock_api::KeyedEvent;
use tidelock_store::Cursor;
use tokio::runtime::Handle;
use tracing::debug;

use super::{Kafka, place};
use crate::asyncapi::CONTENT_TYPE;

/// How long a transaction may stand before the brokers end it. [milliseconds]
const LONGEST_TRANSACTION: &str = "60000";
/// How long the end of a transaction that failed may take: the next producer ends it anyway.
const ABORT: Duration = Duration::from_secs(1);

/// Why nothing was written, in words without anything secret.
pub(super) type Why = String;

/// What the library says beside its answers: an answer may be no more than that time has run out.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Of connections.
    said: Arc<Mutex<Option<String>>>,
    /// Of a record.
    undelivered: Arc<Mutex<Option<String>>>,
}

impl Words {
    /// An error, with what was said of it.
    pub fn explain(&self, doing: &str, error: &KafkaError) -> Why {
        let said = take(&self.undelivered).or(take(&self.said));
        match said {
            Some(said) => format!("{doing}: {error}: {said}"),
            None => format!("{doing}: {error}"),
        }
    }
}

fn keep(slot: &Mutex<Option<String>>, words: String) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
}

fn take(slot: &Mutex<Option<String>>) -> Option<String> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl ClientContext for Words {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!(target: "kafka", facility, message);
        // A client that nothing is asked of, such as one for topics, says here why it has no connection.
        if is_trouble(level) {
            keep(&self.said, message.to_owned());
        }
    }

    fn error(&self, _: KafkaError, reason: &str) {
        keep(&self.said, reason.to_owned());
    }
}

fn is_trouble(level: RDKafkaLogLevel) -> bool {
    use RDKafkaLogLevel::{Alert, Critical, Emerg, Error, Warning};
    matches!(level, Emerg | Alert | Critical | Error | Warning)
}

impl ConsumerContext for Words {}

impl ProducerContext for Words {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result
            && error.rdkafka_error_code() != Some(RDKafkaErrorCode::PurgeQueue)
        {
            keep(&self.undelivered, error.to_string());
        }
    }
}

/// Writes to one topic. Its calls block.
pub(super) struct Link {
    producer: BaseProducer<Words>,
    words: Words,
    topic: String,
    cursors: String,
    /// Of the cursor's records.
    key: String,
    timeout: Duration,
}

impl Link {
    /// Takes the sink over from whoever wrote for it before, and finds the cursor as it is then. Must be called on a thread of a
    /// runtime that may wait.
    pub fn open(sink: &Kafka, source: &str) -> Result<(Self, Option<Cursor>), Why> {
        let words = Words::default();
        let config = config(sink)?;
        must_be_compacted(&config, &words, sink)?;
        let key = format!("{source}/{}", sink.name);
        let mut producer = producer(&config);
        producer.set("transactional.id", format!("tidelock-publish/{key}"));
        producer.set("transaction.timeout.ms", LONGEST_TRANSACTION);
        let producer: BaseProducer<Words> = create(&producer, &words)?;
        must_be_there(&producer, &words, &sink.topic, sink.timeout)?;
        let opened = producer.init_transactions(sink.timeout);
        if let Err(error) = opened {
            producer.poll(Duration::ZERO);
            return Err(words.explain("the sink cannot be taken over", &error));
        }
        // Whoever wrote before can no more, and what it left open is ended: what is read now is the last there is.
        let cursor = place::last(&config, &words, &sink.cursors, &key, sink.timeout)?;
        let link = Self {
            producer,
            words,
            topic: sink.topic.clone(),
            cursors: sink.cursors.clone(),
            key,
            timeout: sink.timeout,
        };
        Ok((link, cursor))
    }

    /// Writes all of it, and that it is told up to there; or nothing. After an error the link is of no more use.
    pub fn write(&self, events: &[KeyedEvent], cursor: Cursor) -> Result<(), Why> {
        let written = self.transaction(events, cursor);
        if written.is_err() {
            // Readers wait for it otherwise, until the next producer or the brokers end it.
            let _ = self.producer.abort_transaction(ABORT);
        }
        written
    }

    fn transaction(&self, events: &[KeyedEvent], cursor: Cursor) -> Result<(), Why> {
        let begun = self.producer.begin_transaction();
        begun.map_err(|error| self.words.explain("no transaction begins", &error))?;
        let end = Instant::now().checked_add(self.timeout);
        for event in events {
            let body = serde_json::to_vec(event);
            let body = body.map_err(|error| format!("an event cannot be written: {error}"))?;
            let record = || event_record(&self.topic, event, &body);
            self.send(&record, end)?;
        }
        let body = place::written(cursor);
        let record = || {
            BaseRecord::to(&self.cursors)
                .partition(place::PARTITION)
                .key(self.key.as_str())
                .payload(body.as_bytes())
        };
        self.send(&record, end)?;
        let committed = self.producer.commit_transaction(self.timeout);
        committed.map_err(|error| self.words.explain("not written", &error))
    }

    /// Puts a record among those that are sent; waits while there is no room.
    fn send<'a>(
        &self,
        record: &dyn Fn() -> BaseRecord<'a, str, [u8]>,
        end: Option<Instant>,
    ) -> Result<(), Why> {
        loop {
            let Err((error, _)) = self.producer.send(record()) else {
                return Ok(());
            };
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || end.is_none_or(|end| Instant::now() > end) {
                return Err(self.words.explain("a record is not taken", &error));
            }
            self.producer.poll(Duration::from_millis(50));
        }
    }
}

fn event_record<'a>(
    topic: &'a str,
    event: &'a KeyedEvent,
    body: &'a [u8],
) -> BaseRecord<'a, str, [u8]> {
    let headers = OwnedHeaders::new().insert(Header {
        key: "content-type",
        value: Some(CONTENT_TYPE),
    });
    BaseRecord::to(topic)
        .key(event.key())
        .payload(body)
        .headers(headers)
}

/// Writes an event that is in no log, outside of any transaction: the publisher that is at work goes on.
pub fn ping(sink: &Kafka, event: &str) -> Result<(), String> {
    let words = Words::default();
    let mut config = producer(&config(sink)?);
    config.set("message.timeout.ms", sink.timeout.as_millis().to_string());
    let producer: BaseProducer<Words> = create(&config, &words)?;
    must_be_there(&producer, &words, &sink.topic, sink.timeout)?;
    let headers = OwnedHeaders::new().insert(Header {
        key: "content-type",
        value: Some(CONTENT_TYPE),
    });
    let record = BaseRecord::<str, str>::to(&sink.topic)
        .payload(event)
        .headers(headers);
    let sent = producer.send(record).map_err(|(error, _)| error);
    let sent = sent.and_then(|()| producer.flush(sink.timeout));
    sent.map_err(|error| words.explain("not taken", &error))?;
    // What became of it is told apart.
    take(&words.undelivered).map_or(Ok(()), Err)
}

/// What every client of the sink has.
fn config(sink: &Kafka) -> Result<ClientConfig, Why> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &sink.brokers);
    config.set("client.id", "tidelock-keeper");
    // What is said of connections is kept, and told with what failed.
    config.set_log_level(RDKafkaLogLevel::Info);
    config.set("reconnect.backoff.max.ms", "2000");
    config.set("topic.metadata.propagation.max.ms", "2000");
    let protocol = match (&sink.tls, &sink.login) {
        (None, None) => "plaintext",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), None) => "ssl",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(tls) = &sink.tls {
        let authorities = tls.ca_file.as_ref().map(|path| path.display().to_string());
        config.set("ssl.ca.location", authorities.as_deref().unwrap_or("probe"));
    }
    if let Some(login) = &sink.login {
        let password = login.password.text().map_err(|error| error.to_string())?;
        config.set("sasl.mechanism", login.mechanism);
        config.set("sasl.username", &login.user);
        config.set("sasl.password", password);
    }
    Ok(config)
}

/// The same, to write with: records go where Kafka's own clients put them, so that topics can be joined by key.
fn producer(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.set("enable.idempotence", "true");
    config.set("partitioner", "murmur2_random");
    config
}

/// The password is in the configuration, so errors about it are not repeated.
pub(super) fn create<T: FromClientConfigAndContext<Words>>(
    config: &ClientConfig,
    words: &Words,
) -> Result<T, Why> {
    let created = T::from_config_and_context(config, words.clone());
    created.map_err(|error| match error {
        KafkaError::ClientConfig(_, what, key, _) => format!("{key}: {what}"),
        other => words.explain("no client can be made", &other),
    })
}

fn must_be_there(
    producer: &BaseProducer<Words>,
    words: &Words,
    topic: &str,
    timeout: Duration,
) -> Result<(), Why> {
    let asked = producer.client().fetch_metadata(Some(topic), timeout);
    if asked.is_err() {
        // What is wrong with the connection is told apart.
        producer.poll(Duration::ZERO);
    }
    let asked = asked.map_err(|error| words.explain("the brokers do not answer", &error))?;
    let found = asked.topics().iter().find(|found| found.name() == topic);
    match found {
        Some(found) if found.error().is_none() && !found.partitions().is_empty() => Ok(()),
        _ => Err(format!("topic {topic} is not there, or not for this user")),
    }
}

/// A topic that forgets would have everything told again.
fn must_be_compacted(config: &ClientConfig, words: &Words, sink: &Kafka) -> Result<(), Why> {
    let admin: AdminClient<Words> = create(config, words)?;
    let options = AdminOptions::new().request_timeout(Some(sink.timeout));
    let topic = [ResourceSpecifier::Topic(&sink.cursors)];
    let asked = Handle::current().block_on(admin.describe_configs(&topic, &options));
    let asked = asked.map_err(|error| words.explain("the brokers do not answer", &error))?;
    let found = asked.into_iter().find_map(Result::ok);
    let policy = found.as_ref().and_then(|found| found.get("cleanup.policy"));
    match policy.and_then(|entry| entry.value.as_deref()) {
        Some("compact") => Ok(()),
        Some(policy) => Err(format!(
            "topic {}: cleanup.policy is {policy}; must be compact, or cursors would be forgotten",
            sink.cursors
        )),
        // The library does not say why nothing is told: it may not be there, or not for this user.
        None => make(&admin, &options, words, &sink.cursors),
    }
}

fn make(
    admin: &AdminClient<Words>,
    options: &AdminOptions,
    words: &Words,
    topic: &str,
) -> Result<(), Why> {
    // As often as the brokers keep others.
    let wanted =
        NewTopic::new(topic, 1, TopicReplication::Fixed(-1)).set("cleanup.policy", "compact");
    let made = Handle::current().block_on(admin.create_topics([&wanted], options));
    let made = made.map_err(|error| words.explain("the brokers do not answer", &error))?;
    match made.into_iter().next() {
        Some(Ok(_)) => Ok(()),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Err(format!(
            "topic {topic}: its configuration is not told to this user; must be, so that it is known to be compacted"
        )),
        Some(Err((_, code))) => Err(format!(
            "topic {topic} is not there and cannot be made: {code}; make it, with one partition and cleanup.policy=compact"
        )),
        None => Err(format!("topic {topic}: nothing is told of it")),
    }
}
