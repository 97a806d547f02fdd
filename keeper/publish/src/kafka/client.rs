//! librdkafka's clients: how they are set up, what they say of themselves, and what is asked of the brokers before anything is written.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, Producer, ProducerContext},
};
use tokio::runtime::Handle;
use tracing::debug;

use super::Kafka;

/// Why nothing was written, in words without anything secret.
pub(super) type Why = String;

/// What the library says beside its answers: an answer may be no more than that time has run out.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Of connections.
    said: Arc<Mutex<Option<String>>>,
    /// Of a record.
    undelivered: Arc<Mutex<Option<KafkaError>>>,
}

impl Words {
    /// An error, with what was said of it.
    pub fn explain(&self, doing: &str, error: &KafkaError) -> Why {
        let said = self.undelivered().map(|error| error.to_string());
        match said.or(take(&self.said)) {
            Some(said) => format!("{doing}: {error}: {said}"),
            None => format!("{doing}: {error}"),
        }
    }

    /// Why a record was not taken, once.
    pub fn undelivered(&self) -> Option<KafkaError> {
        take(&self.undelivered)
    }
}

fn keep<T>(slot: &Mutex<Option<T>>, said: T) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
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
            keep(&self.undelivered, error.clone());
        }
    }
}

/// What every client of the sink has.
pub(super) fn config(sink: &Kafka) -> Result<ClientConfig, Why> {
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

/// The same, to write with: records go where Kafka's own clients put them, so that topics can be joined by key. What goes together in one
/// request is small against what topics take, so that it is a record of its own that is too large, or none.
pub(super) fn producer(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.set("enable.idempotence", "true");
    config.set("partitioner", "murmur2_random");
    config.set("batch.size", "65536");
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

pub(super) fn must_be_there(
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
pub(super) fn must_be_compacted(
    config: &ClientConfig,
    words: &Words,
    sink: &Kafka,
) -> Result<(), Why> {
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
