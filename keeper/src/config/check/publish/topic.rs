//! The rules of `[[publish.kafka]]`.

use std::{net::IpAddr, path::Path, time::Duration};

use tidelock_publish::{Kafka, Login, MECHANISMS, NEVER_GIVEN_UP, Tls, Waits};

use super::{
    super::{super::raw::RawTopic, Rules},
    place_of_secret,
};

/// The longest of the growing waits. [milliseconds]
const LONGEST_WAIT_MS: u64 = 60_000;
/// Characters of a topic's name, by Kafka's own rule.
const LONGEST_TOPIC: usize = 249;

impl Rules {
    pub(super) fn topic(&mut self, raw: &RawTopic, base: &Path) -> Kafka {
        if !cfg!(feature = "kafka") {
            let rule = "this keeper was built without it; cargo build needs --features kafka";
            self.refuse("publish.kafka.name", &raw.name, rule);
        }
        self.brokers(raw);
        let cursors = raw.cursors.clone();
        let cursors = cursors.unwrap_or_else(|| format!("{}.cursors", raw.topic));
        for (field, topic) in [
            ("publish.kafka.topic", &raw.topic),
            ("publish.kafka.cursors", &cursors),
        ] {
            self.topic_name(field, topic, &raw.name);
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
        Kafka {
            name: raw.name.clone(),
            brokers: raw.brokers.clone(),
            topic: raw.topic.clone(),
            cursors,
            tls: self.topic_tls(raw, base),
            login: self.login(raw, base),
            types: raw.types.clone(),
            timeout: Duration::from_millis(timeout),
            waits: Waits {
                first_ms,
                longest_ms: LONGEST_WAIT_MS,
                give_up_ms: NEVER_GIVEN_UP,
            },
        }
    }

    fn topic_name(&mut self, field: &'static str, topic: &str, name: &str) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_topic = (1..=LONGEST_TOPIC).contains(&topic.len())
            && topic.chars().all(is_plain)
            && !matches!(topic, "." | "..");
        if !is_topic {
            let rule = format!(
                "must be the name of a topic, of 1 to 249 letters, digits, dots, dashes or underscores (of {name})"
            );
            self.refuse(field, format!("{topic:?}"), rule);
        }
    }

    fn brokers(&mut self, raw: &RawTopic) {
        const FIELD: &str = "publish.kafka.brokers";
        let hosts: Option<Vec<&str>> = raw.brokers.split(',').map(host).collect();
        let Some(hosts) = hosts else {
            let rule = format!(
                "must be hosts with their ports, such as kafka-1.example:9093,kafka-2.example:9093 (of {})",
                raw.name
            );
            return self.refuse(FIELD, format!("{:?}", raw.brokers), rule);
        };
        if !raw.tls && !raw.allow_plain && !hosts.iter().all(|host| is_this_host(host)) {
            let rule = format!(
                "others could read and change what is sent there: must be true, or publish.kafka.allow_plain = true (of {})",
                raw.name
            );
            self.refuse("publish.kafka.tls", "false", rule);
        }
    }

    fn topic_tls(&mut self, raw: &RawTopic, base: &Path) -> Option<Tls> {
        const FIELD: &str = "publish.kafka.ca_file";
        let ca_file = raw.ca_file.as_deref();
        if !raw.tls && ca_file.is_some() {
            let rule = format!("is only for publish.kafka.tls = true (of {})", raw.name);
            self.refuse(
                FIELD,
                ca_file.map_or_else(String::new, |path| path.display().to_string()),
                rule,
            );
        }
        raw.tls.then(|| Tls {
            ca_file: ca_file.map(|path| self.path(FIELD, path, base)),
        })
    }

    fn login(&mut self, raw: &RawTopic, base: &Path) -> Option<Login> {
        const PASSWORD: &str = "publish.kafka.password";
        let mechanism = MECHANISMS.into_iter().find(|known| raw.mechanism == *known);
        if mechanism.is_none() {
            let rule = format!("must be {} (of {})", MECHANISMS.join(", "), raw.name);
            self.refuse("publish.kafka.mechanism", &raw.mechanism, rule);
        }
        let place = raw
            .password
            .as_ref()
            .map(|text| place_of_secret(text, base));
        if place == Some(None) {
            let rule = format!(
                "must say where the password is, such as file:kafka.password or env:KAFKA_PASSWORD (of {})",
                raw.name
            );
            // It may be the password itself.
            self.refuse(PASSWORD, "(not shown)", rule);
        }
        match (&raw.user, place) {
            (None, None) => None,
            (Some(user), Some(password)) => {
                if user.is_empty() {
                    let rule = format!("must name the user (of {})", raw.name);
                    self.refuse("publish.kafka.user", "\"\"", rule);
                }
                Some(Login {
                    mechanism: mechanism?,
                    user: user.clone(),
                    password: password?,
                })
            }
            (None, Some(_)) => {
                let rule = format!("must be given with {PASSWORD} (of {})", raw.name);
                self.refuse("publish.kafka.user", "\"\"", rule);
                None
            }
            (Some(_), None) => {
                let rule = format!("must be given with publish.kafka.user (of {})", raw.name);
                self.refuse(PASSWORD, "\"\"", rule);
                None
            }
        }
    }
}

/// The host of a broker, if it is one with a port.
fn host(broker: &str) -> Option<&str> {
    let (host, port) = broker.rsplit_once(':')?;
    let is_host =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_port && !host.is_empty() && host.chars().all(is_host)).then_some(host)
}

fn is_this_host(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
