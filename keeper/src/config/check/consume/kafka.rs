//! The rules of `[[consume.kafka]]`.

use std::path::Path;

use tidelock_consume::Kafka;

use super::{
    super::{
        super::raw::RawKafkaSource,
        Rules,
        broker::{Brokers, Section, section},
    },
    Fields, Written,
};

/// Letters of a group's name.
const LONGEST_GROUP: usize = 255;
const SECTION: Section = section!("consume.kafka", "read the password and file requests");

const FIELDS: Fields = Fields {
    filed_by: "consume.kafka.filed_by",
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
        for (field, topic) in [
            ("consume.kafka.topic", &raw.topic),
            ("consume.kafka.dead_letters", &raw.dead_letters),
        ] {
            self.kafka_topic(field, topic, &raw.name);
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
            source,
            brokers: raw.brokers.clone(),
            tls: self.kafka_brokers(&SECTION, &brokers, base),
            login: self.kafka_login(&SECTION, &brokers, base),
            group: raw.group.clone(),
            topic: raw.topic.clone(),
            dead_letters: raw.dead_letters.clone(),
        }
    }
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
        assert!(read.kafka[0].tls.is_none() && read.kafka[0].login.is_none());
        let read = consume("user = \"keeper\"\npassword = \"env:X\"\ntls = true").unwrap();
        let login = read.kafka[0].login.as_ref().unwrap();
        assert_eq!(login.mechanism, "SCRAM-SHA-512");
    }

    #[test]
    fn a_refusal_names_field_value_and_rule() {
        for (bad, words) in [
            (
                "brokers = \"\"",
                "consume.kafka.brokers = \"\": must be hosts with their ports",
            ),
            (
                "brokers = \"kafka\"",
                "consume.kafka.brokers = \"kafka\": must be hosts",
            ),
            (
                "brokers = \"a:1,b\"",
                "consume.kafka.brokers = \"b\": must be hosts",
            ),
            (
                "brokers = \"kafka.example:9092\"",
                "consume.kafka.tls = false: others could",
            ),
            (
                "topic = \"a b\"",
                "consume.kafka.topic = \"a b\": must be the name of a topic",
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
                "ca_file = \"ca.pem\"",
                "consume.kafka.ca_file = ca.pem: is only for consume.kafka.tls = true",
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
