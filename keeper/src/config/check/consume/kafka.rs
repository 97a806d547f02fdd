//! The rules of `[[consume.kafka]]`.

use std::path::Path;

use tidelock_consume::{Kafka, KafkaLogin};

use super::{
    super::{super::raw::RawKafkaSource, Rules},
    Fields, Written, is_this_host,
};

/// Letters of a topic's name, by Kafka's own rule.
const LONGEST_TOPIC: usize = 249;
/// Letters of a group's name.
const LONGEST_GROUP: usize = 255;
/// How a user may be known.
const MECHANISMS: [&str; 3] = ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"];

const FIELDS: Fields = Fields {
    filed_by: "consume.kafka.filed_by",
    password: "consume.kafka.password",
    at_once: "consume.kafka.at_once",
    per_second: "consume.kafka.messages_per_second",
};

impl Rules {
    pub(super) fn kafka_source(&mut self, raw: &RawKafkaSource, base: &Path) -> Kafka {
        if !cfg!(feature = "kafka") {
            let rule = "this keeper was built without it; cargo build needs --features kafka";
            self.refuse("consume.kafka.name", &raw.name, rule);
        }
        let of = |rule: &str| format!("{rule} (of {})", raw.name);
        let written = Written {
            name: &raw.name,
            filed_by: &raw.filed_by,
            at_once: raw.at_once,
            per_second: raw.messages_per_second,
        };
        let source = self.source(&FIELDS, &written);
        self.kafka_brokers(raw);
        for (field, topic) in [
            ("consume.kafka.topic", &raw.topic),
            ("consume.kafka.dead_letters", &raw.dead_letters),
        ] {
            if !is_topic(topic) {
                let rule = of("must be 1 to 249 letters, digits, dots, dashes or underscores");
                self.refuse(field, topic, rule);
            }
        }
        if raw.topic == raw.dead_letters {
            let rule = of("must be another topic than consume.kafka.topic");
            self.refuse("consume.kafka.dead_letters", &raw.dead_letters, rule);
        }
        let is_group = (1..=LONGEST_GROUP).contains(&raw.group.chars().count());
        if !is_group || raw.group.chars().any(char::is_control) {
            let rule = of("must be the name of a group, of 1 to 255 letters");
            self.refuse("consume.kafka.group", &raw.group, rule);
        }
        let login = self.kafka_login(raw, &written, base);
        let ca_file = raw.ca_file.as_deref();
        Kafka {
            source,
            brokers: raw.brokers.clone(),
            tls: raw.tls,
            ca_file: ca_file.map(|path| self.path("consume.kafka.ca_file", path, base)),
            login,
            group: raw.group.clone(),
            topic: raw.topic.clone(),
            dead_letters: raw.dead_letters.clone(),
        }
    }

    fn kafka_brokers(&mut self, raw: &RawKafkaSource) {
        for broker in raw.brokers.split(',') {
            let host = host_of(broker);
            if host.is_none() {
                let rule = format!(
                    "must be hosts and ports with commas between them, such as kafka.example:9093 (of {})",
                    raw.name
                );
                self.refuse("consume.kafka.brokers", broker, rule);
            }
            let is_here = host.is_some_and(is_this_host);
            if !raw.tls && !raw.allow_plain && !is_here {
                let rule = format!(
                    "others could read the password and file requests on the way: must be true, or consume.kafka.allow_plain = true (of {})",
                    raw.name
                );
                self.refuse("consume.kafka.tls", "false", rule);
            }
        }
    }

    fn kafka_login(
        &mut self,
        raw: &RawKafkaSource,
        written: &Written<'_>,
        base: &Path,
    ) -> Option<KafkaLogin> {
        let of = |rule: &str| format!("{rule} (of {})", raw.name);
        let (user, password) = match (&raw.user, &raw.password) {
            (Some(user), Some(password)) => (user, password),
            (None, None) => {
                if let Some(mechanism) = &raw.mechanism {
                    let rule = of("goes with consume.kafka.user and consume.kafka.password only");
                    self.refuse("consume.kafka.mechanism", mechanism, rule);
                }
                return None;
            }
            (user, _) => {
                let field = match user {
                    Some(_) => FIELDS.password,
                    None => "consume.kafka.user",
                };
                self.refuse(
                    field,
                    "(none)",
                    of("must be given with the other of the two"),
                );
                return None;
            }
        };
        if user.is_empty() {
            self.refuse("consume.kafka.user", "\"\"", of("must name the user"));
        }
        let [first, ..] = MECHANISMS;
        let mechanism = raw.mechanism.as_deref().unwrap_or(first);
        let known = MECHANISMS.into_iter().find(|known| *known == mechanism);
        if known.is_none() {
            let rule = of(&format!("must be one of {}", MECHANISMS.join(", ")));
            self.refuse("consume.kafka.mechanism", mechanism, rule);
        }
        Some(KafkaLogin {
            mechanism: known.unwrap_or(first),
            user: user.clone(),
            password: self.password(&FIELDS, written, password, base),
        })
    }
}

fn is_topic(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_long = !(1..=LONGEST_TOPIC).contains(&name.len());
    !is_long && name.chars().all(is_plain) && !matches!(name, "." | "..")
}

/// The host of `host:port`.
fn host_of(broker: &str) -> Option<&str> {
    let (host, port) = broker.rsplit_once(':')?;
    let is_host = !host.is_empty() && !host.contains(['/', ' ', '@']);
    (is_host && port.parse::<u16>().is_ok()).then_some(host)
}

#[cfg(all(test, feature = "kafka"))]
mod tests {
    use std::path::Path;

    use crate::config::{Config, ConsumeConfig};

    const GOOD: &str = "name = \"shop\"\nfiled_by = \"the shop\"\nbrokers = \"127.0.0.1:9092\"\ntls = false\n\
        group = \"keeper\"\ntopic = \"in\"\ndead_letters = \"dead\"\n";

    /// What a source comes to some of whose lines are others.
    fn consume(lines: &str) -> Result<ConsumeConfig, String> {
        let is_other = |good: &&str| {
            let field = good.split_once('=').map_or("", |(field, _)| field);
            !lines.lines().any(|line| line.starts_with(field))
        };
        let kept: Vec<&str> = GOOD.lines().filter(is_other).collect();
        let text = format!(
            "[chain]\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = 1\n\
             [vault]\naddress = \"0x00000000000000000000000000000000000000a1\"\n\
             lens = \"0x00000000000000000000000000000000000000a2\"\n\
             token = \"0x00000000000000000000000000000000000000a3\"\n[[consume.kafka]]\n{}\n{lines}\n",
            kept.join("\n")
        );
        let config = Config::parse(Path::new("keeper.toml"), &text);
        Ok(config.map_err(|error| error.to_string())?.consume)
    }

    #[test]
    fn a_source_is_read() {
        let read = consume("").unwrap();
        assert!(!read.kafka[0].tls && read.kafka[0].login.is_none());
        let read = consume("user = \"keeper\"\npassword = \"env:X\"\ntls = true").unwrap();
        let login = read.kafka[0].login.as_ref().unwrap();
        assert_eq!(login.mechanism, "SCRAM-SHA-512");
    }

    #[test]
    fn a_refusal_names_field_value_and_rule() {
        for (bad, words) in [
            (
                "brokers = \"\"",
                "consume.kafka.brokers = : must be hosts and ports",
            ),
            (
                "brokers = \"kafka\"",
                "consume.kafka.brokers = kafka: must be hosts",
            ),
            (
                "brokers = \"a:1,b\"",
                "consume.kafka.brokers = b: must be hosts",
            ),
            (
                "brokers = \"kafka.example:9092\"",
                "consume.kafka.tls = false: others could",
            ),
            (
                "topic = \"a b\"",
                "consume.kafka.topic = a b: must be 1 to 249",
            ),
            (
                "dead_letters = \"in\"",
                "consume.kafka.dead_letters = in: must be another",
            ),
            (
                "group = \"\"",
                "consume.kafka.group = : must be the name of a group",
            ),
            (
                "user = \"u\"",
                "consume.kafka.password = (none): must be given",
            ),
            (
                "password = \"env:X\"",
                "consume.kafka.user = (none): must be given",
            ),
            (
                "user = \"u\"\npassword = \"very-secret\"",
                "consume.kafka.password = (not shown)",
            ),
            (
                "user = \"u\"\npassword = \"env:X\"\nmechanism = \"GSSAPI\"",
                "must be one of SCRAM-SHA-512",
            ),
            (
                "mechanism = \"PLAIN\"",
                "consume.kafka.mechanism = PLAIN: goes with",
            ),
            (
                "at_once = 4097",
                "consume.kafka.at_once = 4097: must be 1 to 4096",
            ),
        ] {
            let refused = consume(bad).unwrap_err();
            assert!(refused.contains(words), "{refused}");
            assert!(!refused.contains("very-secret"), "{refused}");
        }
        let plain = "brokers = \"kafka.example:9092\"\nallow_plain = true";
        assert!(consume(plain).is_ok());
    }
}
