//! The configuration as it is written: names and types, before its rules are applied.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub chain: RawChain,
    pub vault: RawVault,
    #[serde(default)]
    pub key: RawKey,
    pub next_key: Option<RawKey>,
    #[serde(default)]
    pub store: RawStore,
    #[serde(default)]
    pub batch: RawBatch,
    #[serde(default)]
    pub fees: RawFees,
    #[serde(default)]
    pub lane: RawLane,
    #[serde(default)]
    pub gas: RawGas,
    #[serde(default)]
    pub operations: RawOperations,
    #[serde(default)]
    pub serve: RawServe,
    #[serde(default)]
    pub publish: RawPublish,
    #[serde(default)]
    pub consume: RawConsume,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChain {
    pub rpc_url: String,
    pub second_rpc_url: Option<String>,
    pub chain_id: u64,
    #[serde(default)]
    pub allow_single_node: bool,
    #[serde(default = "poll_interval_ms")]
    pub poll_interval_ms: u64,
    #[serde(default = "request_timeout_ms")]
    pub request_timeout_ms: u64,
    pub block_checks: Option<String>,
    pub final_depth: Option<u64>,
}

fn poll_interval_ms() -> u64 {
    1_000
}

fn request_timeout_ms() -> u64 {
    10_000
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVault {
    pub address: String,
    pub lens: String,
    pub token: String,
}

/// A section that may be left out as a whole or in part.
macro_rules! section {
    ($name:ident { $($field:ident: $kind:ty = $default:expr,)* }) => {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $name {
            $(pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

section!(RawKey {
    signer: String = "keystore".to_owned(),
    address: Option<String> = None,
    timeout_ms: u64 = 10_000,
    keystore: Option<PathBuf> = None,
    password_file: Option<PathBuf> = None,
    module: Option<PathBuf> = None,
    token: Option<String> = None,
    label: Option<String> = None,
    id: Option<String> = None,
    pin_file: Option<PathBuf> = None,
    kms_key: Option<String> = None,
    kms_region: Option<String> = None,
    kms_endpoint: Option<String> = None,
    url: Option<String> = None,
});

section!(RawStore {
    path: PathBuf = PathBuf::from("keeper.db"),
    database: Option<String> = None,
    password_file: Option<PathBuf> = None,
    lease_ms: u64 = 5_000,
});

section!(RawBatch {
    max_payments: u64 = 256,
    max_wait_ms: u64 = 5_000,
    attempt_ttl_s: u64 = 7_200,
    voting_s: u64 = 604_800,
    max_returns: u64 = 3,
    escalate_after_s: Option<u64> = None,
});

section!(RawFees {
    max_fee_gwei: Option<String> = None,
    min_tip_gwei: Option<String> = None,
    max_tip_gwei: Option<String> = None,
    blocks_ahead: u64 = 6,
    bump_percent: u64 = 10,
    max_gas_cost_per_day: Option<String> = None,
    wait_s: u64 = 0,
    wait_percent: u64 = 25,
});

section!(RawLane {
    max_unincluded: u64 = 8,
    rebroadcast_blocks: Option<u64> = None,
    replace_blocks: Option<u64> = None,
});

section!(RawGas {
    max_transaction_gas: Option<u64> = None,
});

section!(RawOperations {
    listen: Option<String> = None,
    traces_url: Option<String> = None,
});

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
pub(super) struct RawSignIn {
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
pub(super) struct RawKafkaSource {
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
pub(super) struct RawRabbitMqSource {
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
pub(super) struct RawWebhook {
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
pub(super) enum RawBeginning {
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
pub(super) struct RawExchange {
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
pub(super) struct RawTopic {
    pub name: String,
    pub brokers: String,
    pub topic: String,
    pub cursors: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    #[serde(default = "mechanism")]
    pub mechanism: String,
    #[serde(default = "tls")]
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

fn mechanism() -> String {
    "SCRAM-SHA-512".to_owned()
}

fn tls() -> bool {
    true
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
