//! The rules of `[[consume.rabbitmq]]`.

use std::path::Path;

use tidelock_consume::RabbitMq;

use super::{
    super::{
        super::raw::RawRabbitMqSource,
        Rules,
        broker::{Section, section},
    },
    Fields, Written,
};

/// Bytes of a queue's name: as many as AMQP lets it have.
const LONGEST_QUEUE: usize = 255;

const SECTION: Section = section!("consume.rabbitmq", "read the password and file requests");

const FIELDS: Fields = Fields {
    filed_by: "consume.rabbitmq.filed_by",
    at_once: "consume.rabbitmq.at_once",
    per_second: "consume.rabbitmq.messages_per_second",
};

impl Rules {
    pub(super) fn rabbitmq_source(
        &mut self,
        raw: &RawRabbitMqSource,
        base: &Path,
    ) -> Option<RabbitMq> {
        if !cfg!(feature = "rabbitmq") {
            let rule = "this keeper was built without it; cargo build needs --features rabbitmq";
            self.refuse("consume.rabbitmq.name", &raw.name, rule);
        }
        let of = |rule: &str| format!("{rule} (of {})", raw.name);
        let written = Written {
            name: &raw.name,
            filed_by: &raw.filed_by,
            at_once: raw.at_once,
            per_second: raw.messages_per_second,
        };
        let source = self.source(&FIELDS, &written);
        let url = self.amqp_url(&SECTION, &raw.name, &raw.url, raw.allow_plain);
        let password = self.broker_password(&SECTION, &raw.name, &raw.password, base);
        for (field, queue) in [
            ("consume.rabbitmq.queue", &raw.queue),
            ("consume.rabbitmq.dead_letters", &raw.dead_letters),
        ] {
            if !(1..=LONGEST_QUEUE).contains(&queue.len()) {
                self.refuse(
                    field,
                    queue,
                    of("must be the name of a queue, of 1 to 255 bytes"),
                );
            }
        }
        if raw.queue == raw.dead_letters {
            let rule = of("must be another queue than consume.rabbitmq.queue");
            self.refuse("consume.rabbitmq.dead_letters", &raw.dead_letters, rule);
        }
        let ca_file = raw.ca_file.as_deref();
        let ca_file = ca_file.map(|path| self.path(SECTION.ca_file, path, base));
        Some(RabbitMq {
            source,
            url: url?,
            password,
            ca_file,
            queue: raw.queue.clone(),
            dead_letters: raw.dead_letters.clone(),
        })
    }
}

#[cfg(all(test, feature = "rabbitmq"))]
mod tests {
    use std::path::Path;

    use crate::config::{Config, ConsumeConfig};

    const GOOD: &str = "name = \"shop\"\nfiled_by = \"the shop\"\nurl = \"amqp://keeper@127.0.0.1/%2f\"\npassword = \"env:X\"\n\
        queue = \"in\"\ndead_letters = \"dead\"\n";

    /// What a source comes to whose one line is another.
    fn consume(line: &str) -> Result<ConsumeConfig, String> {
        let field = line.split_once(" = ").map_or("", |(field, _)| field);
        let mut lines: Vec<&str> = GOOD.lines().collect();
        lines.retain(|good| !good.starts_with(&format!("{field} = ")));
        lines.push(line);
        let text = format!(
            "[chain]\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = 1\n\
             [vault]\naddress = \"0x00000000000000000000000000000000000000a1\"\n\
             lens = \"0x00000000000000000000000000000000000000a2\"\n\
             token = \"0x00000000000000000000000000000000000000a3\"\n[[consume.rabbitmq]]\n{}\n",
            lines.join("\n")
        );
        let config = Config::parse(Path::new("keeper.toml"), &text);
        Ok(config.map_err(|error| error.to_string())?.consume)
    }

    #[test]
    fn a_source_is_read() {
        let consume = consume("").unwrap();
        let source = &consume.rabbitmq[0].source;
        assert_eq!((source.at_once, source.per_second), (256, 1_000));
        assert_eq!(source.filed_by, "the shop");
    }

    #[test]
    fn a_refusal_names_field_value_and_rule() {
        for (bad, words) in [
            (
                "name = \"a b\"",
                "consume.rabbitmq.name = \"a b\": must be 1 to 60",
            ),
            (
                "filed_by = \"\"",
                "consume.rabbitmq.filed_by = \"\": must name who",
            ),
            ("filed_by = \"a\\nb\"", "consume.rabbitmq.filed_by"),
            (
                "url = \"http://x\"",
                "consume.rabbitmq.url = (not shown): must be an amqp://",
            ),
            ("url = \"amqp://127.0.0.1/x\"", "must name the user"),
            (
                "url = \"amqps://u:very-secret@h/x\"",
                "must hold no password",
            ),
            (
                "url = \"amqps://u@h/x?a=b\"",
                "must end with the virtual host",
            ),
            (
                "url = \"amqp://u@rabbitmq.example/x\"",
                "allow_plain = true",
            ),
            (
                "password = \"very-secret\"",
                "consume.rabbitmq.password = (not shown): must say where",
            ),
            (
                "queue = \"\"",
                "consume.rabbitmq.queue = : must be the name of a queue",
            ),
            (
                "dead_letters = \"in\"",
                "consume.rabbitmq.dead_letters = in: must be another",
            ),
            (
                "at_once = 0",
                "consume.rabbitmq.at_once = 0: must be 1 to 4096",
            ),
            (
                "messages_per_second = 0",
                "consume.rabbitmq.messages_per_second = 0: must be 1",
            ),
        ] {
            let refused = consume(bad).unwrap_err();
            assert!(refused.contains(words), "{refused}");
            assert!(!refused.contains("very-secret"), "{refused}");
        }
        let plain = "url = \"amqp://u@rabbitmq.example/x\"\nallow_plain = true";
        assert!(consume(plain).is_ok());
    }
}
