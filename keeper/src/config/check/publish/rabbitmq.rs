//! The rules of `[[publish.rabbitmq]]`.

use std::{net::IpAddr, path::Path, time::Duration};

use reqwest::Url;
use tidelock_publish::{RabbitMq, SecretPlace, Waits};

use super::{
    super::{super::raw::RawExchange, Rules},
    place_of_secret,
};

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
        let url = self.exchange_url(raw);
        let password = place_of_secret(&raw.password, base);
        if password.is_none() {
            let rule = of(
                "must say where the password is, such as file:rabbitmq.password or env:RABBITMQ_PASSWORD",
            );
            // It may be the password itself.
            self.refuse("publish.rabbitmq.password", "(not shown)", rule);
        }
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
            password: password.unwrap_or(SecretPlace::Variable(String::new())),
            ca_file: ca_file.map(|path| self.path("publish.rabbitmq.ca_file", path, base)),
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

    /// A URL may carry a password, so no part of it is repeated.
    fn exchange_url(&mut self, raw: &RawExchange) -> Option<Url> {
        const EXAMPLE: &str = "amqps://keeper@rabbitmq.example/payments";
        let url = Url::parse(&raw.url).ok();
        let is_amqp = |url: &Url| matches!(url.scheme(), "amqp" | "amqps") && url.has_host();
        let rule = match &url {
            Some(url) if is_amqp(url) => refusal(url, raw.allow_plain),
            _ => Some("must be an amqp:// or amqps:// URL"),
        };
        if let Some(rule) = rule {
            let rule = format!("{rule}, such as {EXAMPLE} (of {})", raw.name);
            self.refuse("publish.rabbitmq.url", "(not shown)", rule);
            return None;
        }
        url
    }
}

fn refusal(url: &Url, allow_plain: bool) -> Option<&'static str> {
    if url.password().is_some() {
        return Some("must hold no password: publish.rabbitmq.password says where it is");
    }
    if url.username().is_empty() {
        return Some("must name the user");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("must end with the virtual host");
    }
    if url.scheme() == "amqp" && !allow_plain && !is_this_host(url) {
        return Some(
            "others could read the password on the way: must be amqps://, or publish.rabbitmq.allow_plain = true",
        );
    }
    None
}

fn is_this_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
