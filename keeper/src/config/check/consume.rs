//! The rules of `[consume]`.

mod kafka;
mod rabbitmq;

use std::{collections::BTreeSet, path::Path};

use tidelock_consume::Source;

use super::{
    super::{ConsumeConfig, raw::RawConsume},
    Rules,
};

/// Characters of who is noted as having filed.
const LONGEST_FILER: usize = 80;

/// Fields that sources of every kind have, as they are called where one is refused.
struct Fields {
    filed_by: &'static str,
    at_once: &'static str,
    per_second: &'static str,
}

/// What is written of a source of any kind.
struct Written<'a> {
    name: &'a str,
    filed_by: &'a str,
    at_once: u64,
    per_second: u64,
}

impl Rules {
    pub(super) fn consume(&mut self, raw: &RawConsume, base: &Path) -> ConsumeConfig {
        let listen = raw.listen.as_deref().and_then(|text| {
            let address = text.parse().ok();
            if address.is_none() {
                let rule = "must be an address and a port, such as 127.0.0.1:9466";
                self.refuse("consume.listen", text, rule);
            }
            address
        });
        let mut names = BTreeSet::new();
        let kafka = raw.kafka.iter().map(|source| {
            self.sink_name("consume.kafka.name", &source.name, &mut names);
            self.kafka_source(source, base)
        });
        let kafka = kafka.collect();
        let rabbitmq = raw.rabbitmq.iter().filter_map(|source| {
            self.sink_name("consume.rabbitmq.name", &source.name, &mut names);
            self.rabbitmq_source(source, base)
        });
        ConsumeConfig {
            kafka,
            rabbitmq: rabbitmq.collect(),
            listen,
        }
    }

    fn source(&mut self, fields: &Fields, written: &Written<'_>) -> Source {
        let &Written { name, filed_by, .. } = written;
        let is_named = (1..=LONGEST_FILER).contains(&filed_by.chars().count());
        if !is_named || filed_by.chars().any(char::is_control) {
            let rule = format!(
                "must name who files what comes from there, in 1 to 80 letters (of {name})"
            );
            self.refuse(fields.filed_by, format!("{filed_by:?}"), rule);
        }
        Source {
            name: name.to_owned(),
            filed_by: filed_by.to_owned(),
            at_once: self.within(fields.at_once, written.at_once, 1, 4_096),
            per_second: self.within(fields.per_second, written.per_second, 1, 1_000_000),
        }
    }
}
