//! The rules of how brokers are reached, by whoever tells them or takes from them: where they are, by whom they are known, and as whom.

use std::{net::IpAddr, path::Path};

use reqwest::Url;
use tidelock_publish::{Login, MECHANISMS, SecretPlace, Tls};

use super::{Rules, publish::place_of_secret};

/// Letters of a topic's name, by Kafka's own rule.
const LONGEST_TOPIC: usize = 249;

/// Fields of a section as they are called where one is refused, and what others could do who stand between.
pub(super) struct Section {
    pub name: &'static str,
    pub url: &'static str,
    pub brokers: &'static str,
    pub tls: &'static str,
    pub ca_file: &'static str,
    pub user: &'static str,
    pub password: &'static str,
    pub mechanism: &'static str,
    pub danger: &'static str,
}

macro_rules! section {
    ($name:literal, $danger:literal) => {
        $crate::config::check::broker::Section {
            name: $name,
            url: concat!($name, ".url"),
            brokers: concat!($name, ".brokers"),
            tls: concat!($name, ".tls"),
            ca_file: concat!($name, ".ca_file"),
            user: concat!($name, ".user"),
            password: concat!($name, ".password"),
            mechanism: concat!($name, ".mechanism"),
            danger: $danger,
        }
    };
}
pub(super) use section;

/// What is written of brokers of Kafka.
pub(super) struct Brokers<'a> {
    /// What their section is called.
    pub name: &'a str,
    pub brokers: &'a str,
    pub tls: bool,
    pub allow_plain: bool,
    pub ca_file: Option<&'a Path>,
    pub user: Option<&'a str>,
    pub password: Option<&'a str>,
    pub mechanism: Option<&'a str>,
}

impl Rules {
    /// Where a RabbitMQ is. A URL may carry a password, so no part of it is repeated.
    pub(super) fn amqp_url(
        &mut self,
        section: &Section,
        name: &str,
        url: &str,
        allow_plain: bool,
    ) -> Option<Url> {
        const EXAMPLE: &str = "amqps://keeper@rabbitmq.example/payments";
        let url = Url::parse(url).ok();
        let is_amqp = |url: &Url| matches!(url.scheme(), "amqp" | "amqps") && url.has_host();
        let rule = match &url {
            Some(url) if is_amqp(url) => refusal(section, url, allow_plain),
            _ => Some("must be an amqp:// or amqps:// URL".to_owned()),
        };
        if let Some(rule) = rule {
            let rule = format!("{rule}, such as {EXAMPLE} (of {name})");
            self.refuse(section.url, "(not shown)", rule);
            return None;
        }
        url
    }

    /// What is no place may be the password itself, and is not repeated.
    pub(super) fn broker_password(
        &mut self,
        section: &Section,
        name: &str,
        text: &str,
        base: &Path,
    ) -> SecretPlace {
        place_of_secret(text, base).unwrap_or_else(|| {
            let rule = format!(
                "must say where the password is, such as file:broker.password or env:BROKER_PASSWORD (of {name})"
            );
            self.refuse(section.password, "(not shown)", rule);
            SecretPlace::Variable(String::new())
        })
    }

    /// Where brokers of Kafka are, and by whom they are known.
    pub(super) fn kafka_brokers(
        &mut self,
        section: &Section,
        written: &Brokers<'_>,
        base: &Path,
    ) -> Option<Tls> {
        let name = written.name;
        for broker in written.brokers.split(',') {
            let host = host_of(broker);
            if host.is_none() {
                let rule = format!(
                    "must be hosts with their ports, such as kafka-1.example:9093,kafka-2.example:9093 (of {name})"
                );
                self.refuse(section.brokers, format!("{broker:?}"), rule);
            }
            let is_here = host.is_none_or(is_this_host);
            if !written.tls && !written.allow_plain && !is_here {
                let Section {
                    name: of, danger, ..
                } = section;
                let rule = format!(
                    "others could {danger} on the way: must be true, or {of}.allow_plain = true (of {name})"
                );
                self.refuse(section.tls, "false", rule);
            }
        }
        if let Some(path) = written.ca_file.filter(|_| !written.tls) {
            let rule = format!("is only for {} = true (of {name})", section.tls);
            self.refuse(section.ca_file, path.display(), rule);
        }
        written.tls.then(|| Tls {
            ca_file: (written.ca_file).map(|path| self.path(section.ca_file, path, base)),
        })
    }

    /// As whom they are spoken to, by SASL.
    pub(super) fn kafka_login(
        &mut self,
        section: &Section,
        written: &Brokers<'_>,
        base: &Path,
    ) -> Option<Login> {
        let of = |rule: &str| format!("{rule} (of {})", written.name);
        let both = "must be given with the other of user and password";
        let (user, password) = match (written.user, written.password) {
            (Some(user), Some(password)) => (user, password),
            (Some(_), None) => {
                self.refuse(section.password, "(none)", of(both));
                return None;
            }
            (None, Some(_)) => {
                self.refuse(section.user, "(none)", of(both));
                return None;
            }
            (None, None) => {
                if let Some(mechanism) = written.mechanism {
                    self.refuse(
                        section.mechanism,
                        mechanism,
                        of("goes with user and password only"),
                    );
                }
                return None;
            }
        };
        if user.is_empty() {
            self.refuse(section.user, "\"\"", of("must name the user"));
        }
        let [first, ..] = MECHANISMS;
        let mechanism = written.mechanism.unwrap_or(first);
        let known = MECHANISMS.into_iter().find(|known| *known == mechanism);
        if known.is_none() {
            let rule = of(&format!("must be one of {}", MECHANISMS.join(", ")));
            self.refuse(section.mechanism, mechanism, rule);
        }
        Some(Login {
            mechanism: known.unwrap_or(first),
            user: user.to_owned(),
            password: self.broker_password(section, written.name, password, base),
        })
    }

    pub(super) fn kafka_topic(&mut self, field: &'static str, topic: &str, name: &str) {
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
}

fn refusal(section: &Section, url: &Url, allow_plain: bool) -> Option<String> {
    let Section {
        name,
        password,
        danger,
        ..
    } = section;
    if url.password().is_some() {
        return Some(format!(
            "must hold no password: {password} says where it is"
        ));
    }
    if url.username().is_empty() {
        return Some("must name the user".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("must end with the virtual host".to_owned());
    }
    let is_here = is_this_host(url.host_str().unwrap_or_default());
    (url.scheme() == "amqp" && !allow_plain && !is_here).then(|| {
        format!("others could {danger} on the way: must be amqps://, or {name}.allow_plain = true")
    })
}

/// The host of a broker, if it is one with a port.
fn host_of(broker: &str) -> Option<&str> {
    let (host, port) = broker.rsplit_once(':')?;
    let is_host =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_port && !host.is_empty() && host.chars().all(is_host)).then_some(host)
}

/// Whether nothing that is sent there leaves this host.
fn is_this_host(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
