//! One event to one endpoint, as Standard Webhooks 1.0 has it.

use std::{fmt, fs, path::PathBuf, time::Duration};

use rand::Rng;
use reqwest::{
    Certificate, Client, ClientBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};
use tidelock_api::Told;
use url::Url;

use crate::{
    address::PrivateHosts,
    clock,
    queue::Waits,
    secret::{Secret, SecretError, SecretPlace, signatures},
};

/// Bytes of an answer that are read, so that the connection can be used again; what is in them does not matter.
const ANSWER: usize = 16 * 1024;

/// A receiver of webhooks.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called here; its cursor is kept under this name.
    pub name: String,
    /// Where; it may hold a secret, and is shown without path and query.
    pub url: Url,
    /// One secret, or two while it changes.
    pub secrets: Vec<SecretPlace>,
    /// Who may vouch for it beside those whom the system knows, as PEM.
    pub ca_file: Option<PathBuf>,
    /// What the types of events begin with that it is told.
    pub types: Vec<String>,
    /// From where it is told, if it is new.
    pub from: Beginning,
    /// How long one try may take.
    pub timeout: Duration,
    /// Tries at a time, of different payments.
    pub at_once: usize,
    /// How long what was not taken waits.
    pub waits: Waits,
}

/// From where a receiver is told that was told nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// What is written to the log once it is first published to.
    Now,
    /// The log from its first entry on.
    Start,
    /// From that entry on.
    Entry(u64),
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({} at {})", self.name, self.place())
    }
}

impl Webhook {
    /// Where it is, without what may be secret.
    pub fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{}://{host}:{port}", self.url.scheme()),
            None => format!("{}://{host}", self.url.scheme()),
        }
    }

    /// Reads the secrets, so that one that cannot be used is known before anything is sent.
    pub fn read_secrets(&self) -> Result<Vec<Secret>, SecretError> {
        self.secrets.iter().map(SecretPlace::read).collect()
    }

    fn authorities(&self) -> Result<Vec<Certificate>, String> {
        let Some(path) = &self.ca_file else {
            return Ok(Vec::new());
        };
        let why = |cause: &dyn fmt::Display| format!("ca_file {}: {cause}", path.display());
        let pem = fs::read(path).map_err(|cause| why(&cause))?;
        let authorities = Certificate::from_pem_bundle(&pem).map_err(|cause| why(&cause))?;
        match authorities.is_empty() {
            true => Err(why(&"must hold certificates as PEM")),
            false => Ok(authorities),
        }
    }
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The receiver has it.
    Taken,
    /// It may have it or not; told it is again.
    Refused {
        /// Why, without anything secret.
        why: String,
        /// How long it asks to wait. [milliseconds]
        wait: Option<u64>,
    },
}

impl Sent {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused {
            why: why.into(),
            wait: None,
        }
    }
}

/// An event of the type `tidelock.ping`, which is in no log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// Another one each time.
    pub id: String,
    /// As CloudEvents has it, in JSON.
    pub event: String,
}

impl Ping {
    /// One of a vault.
    pub fn of(source: &str) -> Self {
        let id = format!("ping-{:032x}", rand::rng().random::<u128>());
        let event = serde_json::json!({
            "specversion": "1.0", "id": id, "source": source, "type": "tidelock.ping",
            "datacontenttype": "application/json", "data": {},
        });
        let event = event.to_string();
        Self { id, event }
    }
}

/// Sends to one endpoint.
#[derive(Debug, Clone)]
pub struct Sender {
    webhook: Webhook,
    hosts: PrivateHosts,
    client: Client,
}

impl Sender {
    /// A client of its own, which follows no redirects, asks no proxy, and connects only to addresses that were checked.
    pub fn new(
        webhook: Webhook,
        hosts: PrivateHosts,
        builder: ClientBuilder,
    ) -> Result<Self, String> {
        let client = builder
            .tls_certs_merge(webhook.authorities()?)
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(hosts.clone())
            .timeout(webhook.timeout)
            .user_agent(concat!("tidelock-keeper/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("HTTP client: {}", in_words(&error)))?;
        Ok(Self {
            webhook,
            hosts,
            client,
        })
    }

    /// The receiver.
    pub fn webhook(&self) -> &Webhook {
        &self.webhook
    }

    /// Tells an event.
    pub async fn tell(&self, told: &Told) -> Sent {
        match serde_json::to_vec(&told.event) {
            Ok(body) => self.send(&id_of(told), body).await,
            Err(error) => Sent::refused(format!("the event cannot be written: {error}")),
        }
    }

    /// Tries whether the endpoint takes what is signed.
    pub async fn ping(&self, ping: &Ping) -> Sent {
        self.send(&ping.id, ping.event.clone().into_bytes()).await
    }

    async fn send(&self, id: &str, body: Vec<u8>) -> Sent {
        // Addresses that stand in the URL itself are looked up by nobody.
        if let Some(rule) = self.hosts.refusal(&self.webhook.url) {
            return Sent::refused(format!("url: {rule}"));
        }
        let secrets = match self.webhook.read_secrets() {
            Ok(secrets) => secrets,
            Err(error) => return Sent::refused(error.to_string()),
        };
        let seconds = clock::now_ms() / 1_000;
        let request = self
            .client
            .post(self.webhook.url.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header(
                "webhook-signature",
                signatures(&secrets, id, seconds, &body),
            )
            .body(body);
        match request.send().await {
            Ok(answer) => judge(answer).await,
            Err(error) => Sent::refused(in_words(&error)),
        }
    }
}

/// The same for every try, also by another publisher: receivers drop what they have by it.
pub(crate) fn id_of(told: &Told) -> String {
    format!(
        "{}-{}",
        told.source().replace([':', '.'], "-"),
        told.sequence
    )
}

async fn judge(mut answer: Response) -> Sent {
    let status = answer.status();
    let asked = wait_of(&answer);
    let mut read = 0_usize;
    while let Ok(Some(more)) = answer.chunk().await {
        read = read.saturating_add(more.len());
        if read > ANSWER {
            break;
        }
    }
    if status.is_success() {
        return Sent::Taken;
    }
    let why = if status.is_redirection() {
        format!("HTTP {}: redirects are not followed", status.as_u16())
    } else {
        format!("HTTP {}", status.as_u16())
    };
    let may_ask = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    Sent::Refused {
        why,
        wait: asked.filter(|_| may_ask),
    }
}

/// `Retry-After` in seconds; dates are not read.
fn wait_of(answer: &Response) -> Option<u64> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(seconds.saturating_mul(1_000))
}

/// Without the URL, which may hold a secret.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut words = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(one) = cause {
        words = one.to_string();
        cause = one.source();
    }
    if words.is_empty() {
        "cannot be sent".to_owned()
    } else {
        words
    }
}
