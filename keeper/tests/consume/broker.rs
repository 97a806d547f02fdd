//! RabbitMQ, and what is in its queues by the word of a client that is not the keeper's.

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use alloy::hex;
use serde_json::{Value, json};

use super::rabbitmq::{self, RabbitMq};

/// The broker that the tests of this binary share. It ends with the process.
pub fn shared() -> &'static RabbitMq {
    static SHARED: OnceLock<RabbitMq> = OnceLock::new();
    SHARED.get_or_init(RabbitMq::start)
}

/// A queue of requests and one for dead letters, on one broker.
#[derive(Debug, Clone)]
pub struct Queues {
    pub port: u16,
    pub requests: String,
    pub dead: String,
}

/// A message as it is sent.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub body: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Message {
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            headers: BTreeMap::new(),
        }
    }
}

/// A message as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub body: Vec<u8>,
    pub headers: BTreeMap<String, String>,
    pub is_persistent: bool,
}

impl Queues {
    /// Queues of a test's own.
    pub fn of(broker: &RabbitMq) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let queues = Self {
            port: broker.port(),
            requests: format!("withdrawals-{number}"),
            dead: format!("withdrawals-{number}.dead"),
        };
        queues.client(&["declare", &queues.requests, &queues.dead], "");
        queues
    }

    pub fn send(&self, messages: &[Message]) {
        let lines: Vec<String> = messages
            .iter()
            .map(|message| {
                let body = hex::encode(&message.body);
                json!({"body": body, "headers": message.headers}).to_string()
            })
            .collect();
        self.client(&["send", &self.requests], &lines.join("\n"));
    }

    /// Messages that wait.
    pub fn ready(&self, queue: &str) -> u64 {
        self.client(&["ready", queue], "").trim().parse().unwrap()
    }

    /// All dead letters; they are taken out.
    pub fn dead_letters(&self) -> Vec<Found> {
        let out = self.client(&["take", &self.dead], "");
        let found = out.lines().map(|line| {
            let found: Value = serde_json::from_str(line).unwrap();
            Found {
                body: hex::decode(found["body"].as_str().unwrap()).unwrap(),
                headers: serde_json::from_value(found["headers"].clone()).unwrap(),
                is_persistent: found["persistent"] == true,
            }
        });
        found.collect()
    }

    pub fn declare_dead(&self) {
        self.client(&["declare", &self.dead], "");
    }

    pub fn delete_dead(&self) {
        self.client(&["delete", &self.dead], "");
    }

    fn client(&self, arguments: &[&str], input: &str) -> String {
        rabbitmq::ask(self.port, arguments, input)
    }
}
