//! The rules of `[[publish.rabbitmq]]`.

use std::{path::Path, time::Duration};

use tidelock_publish::{RabbitMq, Waits};

use super::super::{
    super::raw::RawExchange,
    Rules,
    broker::{Section, section},
};

const SECTION: Section = section!("publish.rabbitmq", "read the password");

/// The longest of the growing waits: brokers are sooner well again than receivers of webhooks. [milliseconds]
const LONGEST_WAIT_MS: u64 = 600_000;
/// Bytes of an exchange's name: as many as AMQP lets it have.
const LONGEST_EXCHANGE: usize = 255;

impl Rules {
    pub(super) fn exchange(&mut self, raw: &RawExchange, base: &Path) -> Option<RabbitMq> {
        if !cfg!(feature = "rabbitmq") {
            let rule = "this keeper was built without it; cargo build needs --features rabbitmq";
            self.refuse("publish.rabbitmq.name", &raw.name, rule);
        }
        let of = |rule: &str| format!("{rule} (of {})", raw.name);
        let url = self.amqp_url(&SECTION, &raw.name, &raw.url, raw.allow_plain);
        let password = self.broker_password(&SECTION, &raw.name, &raw.password, base);
        // The one without a name leads to a queue for each type of event, which nobody wants.
        if !(1..=LONGEST_EXCHANGE).contains(&raw.exchange.len()) {
            let rule = of("must be the name of an exchange, of 1 to 255 bytes");
            self.refuse("publish.rabbitmq.exchange", &raw.exchange, rule);
        }
        self.types("publish.rabbitmq.types", &raw.types, &raw.name);
        let timeout = self.within("publish.rabbitmq.timeout_ms", raw.timeout_ms, 100, 60_000);
        let at_once = self.within("publish.rabbitmq.at_once", raw.at_once, 1, 64);
        let first = "publish.rabbitmq.first_wait_ms";
        let first_ms = self.within(first, raw.first_wait_ms, 10, LONGEST_WAIT_MS);
        let give_up = "publish.rabbitmq.give_up_after_s";
        let give_up_s: u64 = self.within(give_up, raw.give_up_after_s, 1, 2_592_000);
        let ca_file = raw.ca_file.as_deref();
        Some(RabbitMq {
            name: raw.name.clone(),
            url: url?,
            password,
            ca_file: ca_file.map(|path| self.path(SECTION.ca_file, path, base)),
            exchange: raw.exchange.clone(),
            types: raw.types.clone(),
            timeout: Duration::from_millis(timeout),
            at_once,
            waits: Waits {
                first_ms,
                longest_ms: LONGEST_WAIT_MS,
                give_up_ms: give_up_s.saturating_mul(1_000),
            },
        })
    }
}
