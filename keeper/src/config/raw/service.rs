//! The sections of what is served, told and taken in.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

section!(RawServe {
    listen: String = "127.0.0.1:8480".to_owned(),
    proxies: Vec<String> = Vec::new(),
    tls_certificate_file: Option<PathBuf> = None,
    tls_key_file: Option<PathBuf> = None,
    keys_file: PathBuf = PathBuf::from("keeper.api-keys.json"),
    connections: u64 = 1_024,
    requests_per_second: u64 = 1_000,
    write_timeout_ms: u64 = 10_000,
    metrics_listen: Option<String> = None,
    asks_node: bool = false,
    sign_in: Option<RawSignIn> = None,
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawSignIn {
    pub issuer: String,
    pub client_id: String,
    pub client_secret_file: Option<PathBuf>,
    pub public_url: String,
    #[serde(default = "profile")]
    pub scopes: Vec<String>,
    #[serde(default = "groups")]
    pub claim: String,
    #[serde(default = "session_hours")]
    pub session_hours: u64,
    pub grants: BTreeMap<String, Vec<String>>,
}

fn profile() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn groups() -> String {
    "groups".to_owned()
}

fn session_hours() -> u64 {
    8
}

section!(RawPublish {
    listen: Option<String> = None,
    lease_ms: u64 = 10_000,
    private_hosts: Vec<String> = Vec::new(),
    webhook: Vec<RawWebhook> = Vec::new(),
    rabbitmq: Vec<RawExchange> = Vec::new(),
    kafka: Vec<RawTopic> = Vec::new(),
});

section!(RawConsume {
    listen: Option<String> = None,
    kafka: Vec<RawKafkaSource> = Vec::new(),
    rabbitmq: Vec<RawRabbitMqSource> = Vec::new(),
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawKafkaSource {
    pub name: String,
    pub filed_by: String,
    pub brokers: String,
    #[serde(default = "with_tls")]
    pub tls: bool,
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub allow_plain: bool,
    pub user: Option<String>,
    pub password: Option<String>,
    pub mechanism: Option<String>,
    pub group: String,
    pub topic: String,
    pub dead_letters: String,
    #[serde(default = "messages_at_once")]
    pub at_once: u64,
    #[serde(default = "messages_per_second")]
    pub messages_per_second: u64,
}

fn with_tls() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawRabbitMqSource {
    pub name: String,
    pub filed_by: String,
    pub url: String,
    pub password: String,
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub allow_plain: bool,
    pub queue: String,
    pub dead_letters: String,
    #[serde(default = "messages_at_once")]
    pub at_once: u64,
    #[serde(default = "messages_per_second")]
    pub messages_per_second: u64,
}

fn messages_at_once() -> u64 {
    256
}

fn messages_per_second() -> u64 {
    1_000
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawWebhook {
    pub name: String,
    pub url: String,
    pub secrets: Vec<String>,
    pub ca_file: Option<PathBuf>,
    #[serde(default = "types")]
    pub types: Vec<String>,
    #[serde(default)]
    pub from: RawBeginning,
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    #[serde(default = "at_once")]
    pub at_once: u64,
    #[serde(default = "first_wait_ms")]
    pub first_wait_ms: u64,
    #[serde(default = "give_up_after_s")]
    pub give_up_after_s: u64,
}

/// A word, or the number of an entry.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::config) enum RawBeginning {
    Entry(i64),
    Word(String),
}

impl Default for RawBeginning {
    fn default() -> Self {
        Self::Word("now".to_owned())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawExchange {
    pub name: String,
    pub url: String,
    pub password: String,
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub allow_plain: bool,
    pub exchange: String,
    #[serde(default = "types")]
    pub types: Vec<String>,
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    #[serde(default = "at_once")]
    pub at_once: u64,
    #[serde(default = "first_wait_ms")]
    pub first_wait_ms: u64,
    #[serde(default = "give_up_after_s")]
    pub give_up_after_s: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawTopic {
    pub name: String,
    pub brokers: String,
    pub topic: String,
    pub cursors: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub mechanism: Option<String>,
    #[serde(default = "with_tls")]
    pub tls: bool,
    pub ca_file: Option<PathBuf>,
    #[serde(default)]
    pub allow_plain: bool,
    #[serde(default = "types")]
    pub types: Vec<String>,
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    #[serde(default = "first_wait_ms")]
    pub first_wait_ms: u64,
}

fn types() -> Vec<String> {
    vec!["tidelock.withdrawal.".to_owned()]
}

fn timeout_ms() -> u64 {
    15_000
}

fn at_once() -> u64 {
    8
}

fn first_wait_ms() -> u64 {
    5_000
}

fn give_up_after_s() -> u64 {
    259_200
}
