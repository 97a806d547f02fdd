//! One producer: it alone may write for its sink from the moment it is open, until the next one is.

use std::time::{Duration, Instant};

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use tidelock_api::KeyedEvent;
use tidelock_store::Cursor;

use super::{
    Kafka,
    client::{Why, Words, config, create, must_be_compacted, must_be_there, producer},
    place,
};
use crate::asyncapi::CONTENT_TYPE;

/// How long a transaction may stand before the brokers end it. [milliseconds]
const LONGEST_TRANSACTION: &str = "60000";
/// How long the end of a transaction that failed may take: the next producer ends it anyway.
const ABORT: Duration = Duration::from_secs(1);

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unwritten {
    /// A record, or some that were sent together, are larger than a broker takes.
    #[error(
        "a record of {bytes} bytes is not taken: it must be at most max.message.bytes of topic {topic}"
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Of the largest that was to be written, without what the protocol adds. [bytes]
        bytes: usize,
    },
    /// Anything else, in words without anything secret.
    #[error("{0}")]
    Failed(Why),
}

impl From<Why> for Unwritten {
    fn from(why: Why) -> Self {
        Self::Failed(why)
    }
}

/// What is written in one transaction.
#[derive(Debug, Clone)]
pub(super) struct Writing<'a> {
    pub events: &'a [KeyedEvent],
    /// What the cursor says afterwards.
    pub cursor: Cursor,
    /// Of an entry that had been left out: it has a cursor of its own.
    pub is_again: bool,
}

/// Writes to one topic. Its calls block.
pub(super) struct Link {
    producer: BaseProducer<Words>,
    words: Words,
    topic: String,
    cursors: place::Cursors,
    /// Of the cursor's records.
    key: String,
    timeout: Duration,
}

impl Link {
    /// Takes the sink over from whoever wrote for it before, and finds the cursor as it is then. `known` is the last one of which
    /// Kafka said that it is committed. With `alone` each record goes by itself. Must be called on a thread of a runtime that may wait.
    pub fn open(
        sink: &Kafka,
        source: &str,
        known: Cursor,
        alone: bool,
    ) -> Result<(Self, Option<Cursor>), Why> {
        let words = Words::default();
        let config = config(sink)?;
        let key = format!("{source}/{}", sink.name);
        let mut producer = producer(&config);
        producer.set("transactional.id", format!("tidelock-publish/{key}"));
        producer.set("transaction.timeout.ms", LONGEST_TRANSACTION);
        if alone {
            producer.set("batch.num.messages", "1");
        }
        let producer: BaseProducer<Words> = create(&producer, &words)?;
        // The first that is asked: why there is no connection is told here.
        must_be_there(&producer, &words, &sink.topic, sink.timeout)?;
        must_be_compacted(&config, &words, sink)?;
        let opened = producer.init_transactions(sink.timeout);
        if let Err(error) = opened {
            producer.poll(Duration::ZERO);
            return Err(words.explain("the sink cannot be taken over", &error));
        }
        // Whoever wrote before can no more, and what it left open is ended: what is read now is the last there is.
        let cursors = place::Cursors {
            config,
            topic: sink.cursors.clone(),
            timeout: sink.timeout,
        };
        let cursor = cursors.last(&words, &key, known)?;
        let link = Self {
            producer,
            words,
            topic: sink.topic.clone(),
            cursors,
            key,
            timeout: sink.timeout,
        };
        Ok((link, cursor))
    }

    /// Writes all of it, and that it is told up to there; or nothing. After an error the link is of no more use.
    pub fn write(&self, writing: &Writing<'_>) -> Result<(), Unwritten> {
        let written = self.transaction(writing);
        if written.is_err() {
            // Readers wait for it otherwise, until the next producer or the brokers end it.
            let _ = self.producer.abort_transaction(ABORT);
        }
        written
    }

    /// Whether an entry that had been left out was written since, though nobody noted it.
    pub fn was_written(&self, seq: u64) -> Result<bool, Why> {
        let key = self.key_of(seq);
        let found = self.cursors.last(&self.words, &key, Cursor::START)?;
        Ok(found.is_some())
    }

    /// Of the record that says that an entry was written after it had been left out.
    fn key_of(&self, seq: u64) -> String {
        format!("{}/{seq}", self.key)
    }

    fn transaction(&self, writing: &Writing<'_>) -> Result<(), Unwritten> {
        // Of a transaction before, nothing is to be told with this one.
        self.words.undelivered();
        let begun = self.producer.begin_transaction();
        begun.map_err(|error| self.words.explain("no transaction begins", &error))?;
        let end = Instant::now().checked_add(self.timeout);
        let mut largest = 0;
        for event in writing.events {
            let body = serde_json::to_vec(event);
            let body = body.map_err(|error| format!("an event cannot be written: {error}"))?;
            largest = largest.max(body.len());
            let record = || event_record(&self.topic, event, &body);
            let sent = self.send(&record, end);
            sent.map_err(|error| self.unwritten("a record is not taken", &error, largest))?;
        }
        let body = place::written(writing.cursor);
        let again = writing.is_again.then(|| self.key_of(writing.cursor.seq));
        let record = || {
            BaseRecord::to(&self.cursors.topic)
                .partition(place::PARTITION)
                .key(again.as_deref().unwrap_or(&self.key))
                .payload(body.as_bytes())
        };
        let sent = self.send(&record, end);
        sent.map_err(|error| self.words.explain("the cursor is not taken", &error))?;
        let committed = self.producer.commit_transaction(self.timeout);
        committed.map_err(|error| self.unwritten("not written", &error, largest))
    }

    /// What an error comes to; the reason may be that of a record.
    fn unwritten(&self, doing: &str, error: &KafkaError, largest: usize) -> Unwritten {
        let is_too_large = |error: &KafkaError| {
            error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
        };
        // What became of each record is told apart.
        self.producer.poll(Duration::ZERO);
        let of_record = self.words.undelivered();
        if is_too_large(error) || of_record.as_ref().is_some_and(is_too_large) {
            return Unwritten::TooLarge {
                topic: self.topic.clone(),
                bytes: largest,
            };
        }
        match of_record {
            Some(cause) => Unwritten::Failed(format!("{doing}: {error}: {cause}")),
            None => Unwritten::Failed(self.words.explain(doing, error)),
        }
    }

    /// Puts a record among those that are sent; waits while there is no room.
    fn send<'a>(
        &self,
        record: &dyn Fn() -> BaseRecord<'a, str, [u8]>,
        end: Option<Instant>,
    ) -> Result<(), KafkaError> {
        loop {
            let Err((error, _)) = self.producer.send(record()) else {
                return Ok(());
            };
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || end.is_none_or(|end| Instant::now() > end) {
                return Err(error);
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
    match words.undelivered() {
        None => Ok(()),
        Some(error) => Err(error.to_string()),
    }
}
