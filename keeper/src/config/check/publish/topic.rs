//! The rules of `[[publish.kafka]]`.

use std::{path::Path, time::Duration};

use tidelock_publish::{Kafka, NEVER_GIVEN_UP, Waits};

use super::super::{
    super::raw::RawTopic,
    Rules,
    broker::{Brokers, Section, section},
};

/// The longest of the growing waits. [milliseconds]
const LONGEST_WAIT_MS: u64 = 60_000;
const SECTION: Section = section!("publish.kafka", "read and change what is sent there");

impl Rules {
    pub(super) fn topic(&mut self, raw: &RawTopic, base: &Path) -> Kafka {
        if !cfg!(feature = "kafka") {
            let rule = "this keeper was built without it; cargo build needs --features kafka";
            self.refuse("publish.kafka.name", &raw.name, rule);
        }
        let cursors = raw.cursors.clone();
        let cursors = cursors.unwrap_or_else(|| format!("{}.cursors", raw.topic));
        for (field, topic) in [
            ("publish.kafka.topic", &raw.topic),
            ("publish.kafka.cursors", &cursors),
        ] {
            self.kafka_topic(field, topic, &raw.name);
        }
        if cursors == raw.topic {
            let rule = format!(
                "must be another topic than publish.kafka.topic (of {})",
                raw.name
            );
            self.refuse("publish.kafka.cursors", &cursors, rule);
        }
        self.types("publish.kafka.types", &raw.types, &raw.name);
        let timeout = self.within("publish.kafka.timeout_ms", raw.timeout_ms, 1_000, 50_000);
        let first = "publish.kafka.first_wait_ms";
        let first_ms = self.within(first, raw.first_wait_ms, 10, LONGEST_WAIT_MS);
        let brokers = Brokers {
            name: &raw.name,
            brokers: &raw.brokers,
            tls: raw.tls,
            allow_plain: raw.allow_plain,
            ca_file: raw.ca_file.as_deref(),
            user: raw.user.as_deref(),
            password: raw.password.as_deref(),
            mechanism: raw.mechanism.as_deref(),
        };
        Kafka {
            name: raw.name.clone(),
            brokers: raw.brokers.clone(),
            topic: raw.topic.clone(),
            cursors,
            tls: self.kafka_brokers(&SECTION, &brokers, base),
            login: self.kafka_login(&SECTION, &brokers, base),
            types: raw.types.clone(),
            timeout: Duration::from_millis(timeout),
            waits: Waits {
                first_ms,
                longest_ms: LONGEST_WAIT_MS,
                give_up_ms: NEVER_GIVEN_UP,
            },
        }
    }
}
