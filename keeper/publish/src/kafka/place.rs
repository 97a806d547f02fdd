//! How far a topic has come, as it is written beside its records: in a compacted topic, the last record of each sink counts.

use std::time::{Duration, Instant};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use serde_json::{Value, json};
use tidelock_store::Cursor;

use super::client::{Why, Words, create};

/// All cursors are in the first, one after the other.
pub(super) const PARTITION: i32 = 0;
/// As which group the topic is read, in the brokers' lists of rights.
const GROUP: &str = "tidelock-publish";
/// Records that are read first; the last one is nearly always among them.
const NEAR: i64 = 64;
/// Between two looks whether somebody else's transaction has ended.
const LOOK: Duration = Duration::from_millis(100);

/// A cursor as it is written.
pub(super) fn written(cursor: Cursor) -> String {
    json!({ "sequence": cursor.seq, "hash": cursor.hash.to_string() }).to_string()
}

fn read(body: &[u8]) -> Option<Cursor> {
    let value: Value = serde_json::from_slice(body).ok()?;
    Some(Cursor {
        seq: value.get("sequence")?.as_u64()?,
        hash: value.get("hash")?.as_str()?.parse().ok()?,
    })
}

/// The topic of cursors, for whoever reads.
pub(super) struct Cursors {
    pub config: ClientConfig,
    pub topic: String,
    pub timeout: Duration,
}

impl Cursors {
    /// The last cursor under a key, of those in committed transactions; none if there never was one.
    ///
    /// `known` is one of which Kafka said before that it is committed. Brokers that are killed may have said so and never tell the
    /// partition, whose readers then wait for ever. It is committed all the same, and with the next transaction they see it.
    pub fn last(&self, words: &Words, key: &str, known: Cursor) -> Result<Option<Cursor>, Why> {
        let failed = |error: &KafkaError| words.explain("the cursor cannot be read", error);
        let (bare, committed) = (
            self.reader("read_uncommitted", words)?,
            self.reader("read_committed", words)?,
        );
        let end = Instant::now().checked_add(self.timeout);
        let is_late = || end.is_none_or(|end| Instant::now() > end);
        let topic = self.topic.as_str();
        let (first, all) = bare
            .fetch_watermarks(topic, PARTITION, self.timeout)
            .map_err(|error| failed(&error))?;
        // Another sink's transaction that is open hides what was committed after its first record.
        loop {
            let watermarks = committed.fetch_watermarks(topic, PARTITION, self.timeout);
            let (_, shown) = watermarks.map_err(|error| failed(&error))?;
            if shown >= all {
                break;
            }
            let undecided = last_from(&bare, topic, key, shown, &is_late, &failed)?;
            if undecided == Some(known) {
                return Ok(undecided);
            }
            if is_late() {
                return Err(format!(
                    "topic {topic}: a transaction is open, of another publisher or of one that was cut off; kafka-transactions.sh shows it"
                ));
            }
            std::thread::sleep(LOOK);
        }
        let mut span = NEAR;
        loop {
            let from = all.saturating_sub(span).max(first);
            let found = last_from(&committed, topic, key, from, &is_late, &failed)?;
            if found.is_some() || from <= first {
                return Ok(found);
            }
            span = span.saturating_mul(16);
        }
    }

    fn reader(&self, isolation: &str, words: &Words) -> Result<BaseConsumer<Words>, Why> {
        let mut config = self.config.clone();
        config.set("isolation.level", isolation);
        // The library wants one; nothing is kept under it.
        config.set("group.id", GROUP);
        config.set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true");
        config.set("auto.offset.reset", "error");
        create(&config, words)
    }
}

/// The last one from there on.
fn last_from(
    reader: &BaseConsumer<Words>,
    topic: &str,
    key: &str,
    from: i64,
    is_late: &dyn Fn() -> bool,
    failed: &dyn Fn(&KafkaError) -> Why,
) -> Result<Option<Cursor>, Why> {
    let mut places = TopicPartitionList::new();
    let placed = places.add_partition_offset(topic, PARTITION, Offset::Offset(from));
    let assigned = placed.and_then(|()| reader.assign(&places));
    assigned.map_err(|error| failed(&error))?;
    let mut found = None;
    loop {
        match reader.poll(LOOK) {
            Some(Ok(record)) if record.key() == Some(key.as_bytes()) => {
                let cursor = record.payload().and_then(read);
                let malformed = || format!("topic {topic}: what is under {key} is no cursor");
                found = Some(cursor.ok_or_else(malformed)?);
            }
            Some(Ok(_)) => {}
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(found),
            Some(Err(error)) => return Err(failed(&error)),
            None if is_late() => return Err(failed(&KafkaError::NoMessageReceived)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor {
            seq: u64::MAX,
            hash: "0x00000000000000000000000000000000000000000000000000000000000000ff"
                .parse()
                .unwrap(),
        };
        assert_eq!(read(written(cursor).as_bytes()), Some(cursor));
        assert_eq!(read(b"{\"sequence\": 1}"), None);
        assert_eq!(read(b""), None);
    }
}
