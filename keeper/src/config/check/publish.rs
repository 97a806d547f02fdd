//! The rules of `[publish]`.

mod rabbitmq;
mod topic;

use std::{collections::BTreeSet, path::Path, time::Duration};

use reqwest::Url;
use tidelock_publish::{Beginning, PrivateHosts, SecretPlace, Waits, Webhook};

use super::{
    super::{
        PublishConfig,
        raw::{RawBeginning, RawPublish, RawWebhook},
    },
    Rules,
};

/// Characters of a receiver's name.
const LONGEST_NAME: usize = 60;
/// The longest of the growing waits. [milliseconds]
const LONGEST_WAIT_MS: u64 = 12 * 3_600 * 1_000;
/// What the types of events begin with.
const TYPES: &str = "tidelock.";

impl Rules {
    pub(super) fn publish(&mut self, raw: &RawPublish, base: &Path) -> PublishConfig {
        let listen = raw.listen.as_deref().and_then(|text| {
            let address = text.parse().ok();
            if address.is_none() {
                let rule = "must be an address and a port, such as 127.0.0.1:9465";
                self.refuse("publish.listen", text, rule);
            }
            address
        });
        let lease_ms = self.within("publish.lease_ms", raw.lease_ms, 1_000, 600_000);
        let private_hosts = PrivateHosts::new(raw.private_hosts.iter().cloned());
        let mut names = BTreeSet::new();
        let webhooks = raw.webhook.iter().filter_map(|webhook| {
            self.sink_name("publish.webhook.name", &webhook.name, &mut names);
            self.webhook(webhook, &private_hosts, base)
        });
        let webhooks = webhooks.collect();
        let exchanges = raw.rabbitmq.iter().filter_map(|exchange| {
            self.sink_name("publish.rabbitmq.name", &exchange.name, &mut names);
            self.exchange(exchange, base)
        });
        let exchanges = exchanges.collect();
        let topics = raw.kafka.iter().map(|topic| {
            self.sink_name("publish.kafka.name", &topic.name, &mut names);
            self.topic(topic, base)
        });
        PublishConfig {
            listen,
            lease: Duration::from_millis(lease_ms),
            webhooks,
            exchanges,
            topics: topics.collect(),
            private_hosts,
        }
    }

    /// Cursors are kept by it.
    pub(super) fn sink_name(
        &mut self,
        field: &'static str,
        name: &str,
        names: &mut BTreeSet<String>,
    ) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_plain);
        if !is_name {
            let rule = "must be 1 to 60 letters, digits, dots, dashes or underscores";
            self.refuse(field, format!("{name:?}"), rule);
        }
        if !names.insert(name.to_owned()) {
            self.refuse(field, name, "must be another name than that of the others");
        }
    }

    fn webhook(&mut self, raw: &RawWebhook, hosts: &PrivateHosts, base: &Path) -> Option<Webhook> {
        // A URL may carry a secret, so no part of it is repeated.
        const URL: &str = "publish.webhook.url";
        let refused = |rule: &str| format!("{rule} (of {})", raw.name);
        let url = Url::parse(&raw.url).ok();
        let rule = match &url {
            None => Some("must be a URL, such as https://shop.example/hooks"),
            Some(url) => hosts.refusal(url),
        };
        if let Some(rule) = rule {
            self.refuse(URL, "(not shown)", refused(rule));
        }
        let secrets = self.secrets(raw, base);
        self.types("publish.webhook.types", &raw.types, &raw.name);
        let timeout = self.within("publish.webhook.timeout_ms", raw.timeout_ms, 100, 60_000);
        let at_once = self.within("publish.webhook.at_once", raw.at_once, 1, 64);
        let first = "publish.webhook.first_wait_ms";
        let first_ms = self.within(first, raw.first_wait_ms, 10, LONGEST_WAIT_MS);
        let give_up = "publish.webhook.give_up_after_s";
        let give_up_s: u64 = self.within(give_up, raw.give_up_after_s, 1, 2_592_000);
        let from = self.beginning(raw);
        let ca_file = raw.ca_file.as_deref();
        let ca_file = ca_file.map(|path| self.path("publish.webhook.ca_file", path, base));
        Some(Webhook {
            name: raw.name.clone(),
            url: url?,
            secrets,
            ca_file,
            types: raw.types.clone(),
            from,
            timeout: Duration::from_millis(timeout),
            at_once,
            waits: Waits {
                first_ms,
                longest_ms: LONGEST_WAIT_MS,
                give_up_ms: give_up_s.saturating_mul(1_000),
            },
        })
    }

    fn beginning(&mut self, raw: &RawWebhook) -> Beginning {
        let given = match &raw.from {
            RawBeginning::Word(word) if word == "now" => return Beginning::Now,
            RawBeginning::Word(word) if word == "start" => return Beginning::Start,
            RawBeginning::Word(word) => format!("{word:?}"),
            RawBeginning::Entry(seq) => match u64::try_from(*seq) {
                Ok(seq @ 1..) => return Beginning::Entry(seq),
                _ => seq.to_string(),
            },
        };
        let rule = format!(
            "must be \"now\", \"start\", or the number of the first entry that is told, from 1 (of {})",
            raw.name
        );
        self.refuse("publish.webhook.from", given, rule);
        Beginning::Now
    }

    fn types(&mut self, field: &'static str, types: &[String], name: &str) {
        for kind in types {
            if !kind.starts_with(TYPES) {
                let rule = format!(
                    "must begin as a type of event does, such as tidelock.withdrawal. (of {name})"
                );
                self.refuse(field, kind, rule);
            }
        }
        if types.is_empty() {
            self.refuse(field, "[]", format!("must name what is told (of {name})"));
        }
    }

    /// What is no place may be a secret itself, and is not repeated.
    fn secrets(&mut self, raw: &RawWebhook, base: &Path) -> Vec<SecretPlace> {
        const FIELD: &str = "publish.webhook.secrets";
        if !(1..=2).contains(&raw.secrets.len()) {
            let rule = format!(
                "must be one place, or two while a secret changes (of {})",
                raw.name
            );
            self.refuse(FIELD, raw.secrets.len(), rule);
        }
        let places = raw.secrets.iter().filter_map(|text| {
            let place = place_of_secret(text, base);
            if place.is_none() {
                let rule = format!(
                    "must say where the secret is, such as file:shop.secret or env:SHOP_SECRET (of {})",
                    raw.name
                );
                self.refuse(FIELD, "(not shown)", rule);
            }
            place
        });
        places.collect()
    }
}

/// Where a secret is, by `file:` and a path or `env:` and a variable.
pub(super) fn place_of_secret(text: &str, base: &Path) -> Option<SecretPlace> {
    match text.split_once(':')? {
        ("file", path) if !path.is_empty() => Some(SecretPlace::File(base.join(path))),
        ("env", name) if !name.is_empty() => Some(SecretPlace::Variable(name.to_owned())),
        _ => None,
    }
}
