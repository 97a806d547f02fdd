//! The configuration: a TOML file, with the environment above it, read once, checked as a whole, and typed from then on.
//!
//! Every refusal names the field, its value and the rule.

mod check;
mod environment;
mod key;
mod raw;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{Figment, error::Kind};
use reqwest::Url;
use tidelock_api::{Certificate, SignIn, keys::Network};
use tidelock_core::domain::{Address, ChainId};
use tidelock_deploy::Toml;
use tidelock_publish::{PrivateHosts, Webhook};

pub use tidelock_core::{
    settings::{BatchSettings, LaneSettings, TransactionGas},
    submit::{FeePolicy, Patience},
};

use crate::{chain::BlockChecks, place::Place, profile::Profile, store::Location};
use environment::Environment;
pub use key::{
    AwsKmsConfig, KeyConfig, KeyHolder, KeyId, KeystoreConfig, NextKeyConfig, Pkcs11Config,
    Web3SignerConfig, of_next_key,
};

/// Everything that an operator sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[chain]`
    pub chain: ChainConfig,
    /// `[vault]`
    pub vault: VaultConfig,
    /// `[key]`
    pub key: KeyConfig,
    /// `[next_key]`
    pub next_key: Option<NextKeyConfig>,
    /// `[store]`
    pub store: Location,
    /// `[batch]`
    pub batch: BatchSettings,
    /// `[fees]`, in wei
    pub fees: FeePolicy,
    /// `fees.wait_s` and `fees.wait_percent`; none if nothing waits for a cheap hour
    pub patience: Option<Patience>,
    /// `fees.max_gas_cost_per_day`, in wei; none if only the price of gas is bounded
    pub max_gas_cost_per_day: Option<u128>,
    /// `[lane]`
    pub lane: LaneSettings,
    /// `[gas]`
    pub gas: GasConfig,
    /// `[operations]`
    pub operations: OperationsConfig,
    /// `[serve]`
    pub serve: ServeConfig,
    /// `[publish]`
    pub publish: PublishConfig,
    /// `[consume]`
    pub consume: ConsumeConfig,
    /// What is known of the chain, from which what is not set is taken.
    pub profile: Profile,
}

/// How to reach the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainConfig {
    /// The node.
    pub rpc_url: RpcUrl,
    /// Another one, so that neither is believed alone.
    pub second_rpc_url: Option<RpcUrl>,
    /// The chain that the node must be on.
    pub chain_id: ChainId,
    /// The operator accepts that one node's word is taken.
    pub allow_single_node: bool,
    /// Between two looks at the chain. [milliseconds]
    pub poll_interval_ms: u64,
    /// Until a request counts as unanswered. [milliseconds]
    pub request_timeout_ms: u64,
    /// What of a block is computed again, because its hash commits to it.
    pub block_checks: BlockChecks,
    /// Blocks on top of one that is final; without it the node says which is.
    pub final_depth: Option<u64>,
}

/// What the keeper works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultConfig {
    /// The vault.
    pub address: Address,
    /// Its read side.
    pub lens: Address,
    /// Its token.
    pub token: Address,
}

/// Bounds of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasConfig {
    /// Most that one transaction may ask for.
    pub transaction: TransactionGas,
}

/// What other programs may ask a running keeper, and are told by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsConfig {
    /// Where `/healthz`, `/readyz` and `/metrics` are served; nowhere without it.
    pub listen: Option<SocketAddr>,
    /// Where traces are sent, as OTLP; nowhere without it.
    pub traces_url: Option<RpcUrl>,
}

/// The API that `keeper serve` serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeConfig {
    /// Where.
    pub listen: SocketAddr,
    /// Proxies in front of it, who say for whom they ask.
    pub proxies: Vec<Network>,
    /// `serve.tls_certificate_file` and `serve.tls_key_file`.
    pub tls: Option<Certificate>,
    /// The file of API keys.
    pub keys_file: PathBuf,
    /// Connections at a time.
    pub connections: usize,
    /// Requests of one key in a second.
    pub requests_per_second: u32,
    /// How long somebody may take nothing of what is written.
    pub write_timeout: Duration,
    /// Where `/healthz` and `/metrics` of the server are, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether it asks the nodes of `[chain]` what only the chain knows.
    pub asks_node: bool,
    /// `[serve.sign_in]`; without it only keys are known.
    pub sign_in: Option<SignInConfig>,
}

/// How people sign in to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInConfig {
    /// All but the client's secret.
    pub settings: SignIn,
    /// Where that is; a public client has none.
    pub client_secret_file: Option<PathBuf>,
}

/// Whom `keeper publish` tells what the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishConfig {
    /// Where `/healthz` and `/metrics` are served; nowhere without it.
    pub listen: Option<SocketAddr>,
    /// How long a receiver is one publisher's without renewing.
    pub lease: Duration,
    /// Hosts that may be at private addresses.
    pub private_hosts: PrivateHosts,
    /// `[[publish.webhook]]`
    pub webhooks: Vec<Webhook>,
    /// `[[publish.rabbitmq]]`
    pub exchanges: Vec<tidelock_publish::RabbitMq>,
    /// `[[publish.kafka]]`
    pub topics: Vec<tidelock_publish::Kafka>,
}

/// Where `keeper consume` takes requests from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumeConfig {
    /// Where `/healthz` and `/metrics` are served; nowhere without it.
    pub listen: Option<SocketAddr>,
    /// `[[consume.kafka]]`
    pub kafka: Vec<tidelock_consume::Kafka>,
    /// `[[consume.rabbitmq]]`
    pub rabbitmq: Vec<tidelock_consume::RabbitMq>,
}

/// The URL of a node or a collector. It may carry a password, so it is shown as scheme, host and port only.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUrl(Option<Url>);

impl RpcUrl {
    /// All of it, for the one who connects.
    pub fn expose(&self) -> &str {
        self.0.as_ref().map_or("", Url::as_str)
    }

    /// Where it leads.
    fn place(&self) -> Option<Place> {
        self.0.as_ref().map(Place::of)
    }
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(url) = &self.0 else {
            return Ok(());
        };
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or(""))?;
        match url.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpcUrl({self})")
    }
}

/// One field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value}: {rule}")]
pub struct Violation {
    /// Section and field.
    pub field: &'static str,
    /// What was given.
    pub value: String,
    /// The rule.
    pub rule: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no file.
    #[error("configuration file {}: {source}; `keeper init` writes one", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A field is missing, unknown or of another type, or the file is no TOML.
    #[error("configuration file {}: {}", path.display(), problems.join("; "))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Field and rule of each.
        problems: Vec<String>,
    },
    /// Fields break rules.
    #[error("configuration file {}: {}", path.display(), list(violations))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Every broken one.
        violations: Vec<Violation>,
    },
}

fn list(violations: &[Violation]) -> String {
    let each: Vec<String> = violations.iter().map(ToString::to_string).collect();
    each.join("; ")
}

impl Config {
    /// Reads the file and the process's environment, and takes another node above both if one is given.
    pub fn load(path: &Path, rpc_url: Option<&str>) -> Result<Self, ConfigError> {
        Self::read(path, Environment::of_process().with_node(rpc_url))
    }

    fn read(path: &Path, environment: Environment) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::of(path, &text, environment)
    }

    /// Reads what would stand in the file, without the environment.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::of(path, text, Environment(Vec::new()))
    }

    fn of(path: &Path, text: &str, environment: Environment) -> Result<Self, ConfigError> {
        let base = path.parent().unwrap_or(Path::new(""));
        let raw = Figment::from(Toml(text))
            .merge(environment)
            .extract()
            .map_err(|errors| ConfigError::Malformed {
                path: path.to_owned(),
                problems: errors.into_iter().map(problem).collect(),
            })?;
        check::check(raw, base).map_err(|violations| ConfigError::Invalid {
            path: path.to_owned(),
            violations,
        })
    }
}

impl ChainConfig {
    /// What to think of, if both nodes are on one machine by their names.
    pub fn nodes_beside(&self) -> Option<String> {
        let (one, other) = (
            self.rpc_url.place()?,
            self.second_rpc_url.as_ref()?.place()?,
        );
        one.is_beside(&other).then(|| {
            format!(
                "chain.second_rpc_url ({}): on the same machine as chain.rpc_url, by its name; two nodes of one operator are \
                 one word",
                self.second_rpc_url.as_ref().map(ToString::to_string).unwrap_or_default()
            )
        })
    }

    /// One node's word is taken only if the operator says so. For commands that act on what the node says.
    pub fn check_nodes(&self) -> Result<(), Violation> {
        if self.allow_single_node || self.second_rpc_url.is_some() {
            return Ok(());
        }
        Err(Violation {
            field: "chain.allow_single_node",
            value: "false".to_owned(),
            rule: "one node is configured and could lie about what is paid: set chain.second_rpc_url, or accept it with true"
                .to_owned(),
        })
    }
}

/// One of figment's errors as field, what was found, and the rule.
fn problem(error: figment::Error) -> String {
    let mut path = error.path.clone();
    let rule = match &error.kind {
        Kind::MissingField(field) => {
            path.push(field.to_string());
            "must be given".to_owned()
        }
        Kind::UnknownField(field, known) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            format!("no such field; known here: {}", known.join(", "))
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            let found = found.to_string();
            let found = if found.contains("://") {
                "a URL"
            } else {
                &found
            };
            format!("found {found}, must be {expected}")
        }
        other => without_lines(&other.to_string()),
    };
    let from_environment = error
        .metadata
        .as_ref()
        .is_some_and(|metadata| metadata.name == "the environment");
    let field = if from_environment {
        environment::variable(&path)
    } else {
        path.join(".")
    };
    if field.is_empty() {
        rule
    } else {
        format!("{field}: {rule}")
    }
}

/// A parser's words without the lines of the file that it repeats: one of them may be a node's URL, with its key.
fn without_lines(words: &str) -> String {
    let is_repeated = |line: &&str| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        rest.starts_with('|')
    };
    let kept = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let kept: Vec<&str> = kept.filter(|line| !is_repeated(line)).collect();
    kept.join(": ")
}

#[cfg(test)]
mod shipped;
#[cfg(test)]
mod tests;
