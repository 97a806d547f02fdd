//! What is served, told and taken in.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tidelock_api::{Certificate, SignIn, keys::Network};
use tidelock_publish::{PrivateHosts, Webhook};

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
