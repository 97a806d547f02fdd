//! JSON-RPC over HTTP, as plain as it can be: one request, one answer. Nothing is retried, cached, batched or asked of
//! another node behind the caller's back, because such help hides the answers that money decisions rest on.

use std::{
    error::Error as _,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode, Url, header, redirect, retry};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::tls;

/// Longest part of a node's own words that is passed on. [characters]
const MAX_WORDS: usize = 300;
/// Parts of the URL at least this long are taken for secrets wherever they stand. [bytes]
const MIN_SECRET_LEN: usize = 6;

/// What is asked of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RpcSettings {
    /// How long one request may take, answer included.
    pub timeout: Duration,
    /// Longest answer that is read. [bytes]
    pub max_answer_bytes: usize,
}

impl Default for RpcSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            max_answer_bytes: 16 << 20,
        }
    }
}

/// Why there is no answer. No message holds more of the URL than scheme, host and port: keys travel in the rest.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RpcError {
    /// Nothing came in time.
    #[error("{method}: no answer within {timeout_ms} ms")]
    Timeout {
        /// What was asked.
        method: &'static str,
        /// How long was waited.
        timeout_ms: u128,
    },
    /// The connection could not be made, or broke.
    #[error("{method}: connection to {endpoint} failed: {reason}")]
    Transport {
        /// What was asked.
        method: &'static str,
        /// Whom.
        endpoint: String,
        /// In words.
        reason: String,
    },
    /// The server refused the request before the node saw it, or the node is ill.
    #[error("{method}: HTTP status {status}{}", retry_after.as_ref().map(|s| format!(", retry after {s} s")).unwrap_or_default())]
    Status {
        /// What was asked.
        method: &'static str,
        /// The status.
        status: u16,
        /// When the server wants to be asked again. [seconds]
        retry_after: Option<u64>,
    },
    /// The answer is longer than anything we asked for can be.
    #[error("{method}: answer of more than {limit} bytes; at most that much is read")]
    TooLong {
        /// What was asked.
        method: &'static str,
        /// Bytes that would have been read.
        limit: usize,
    },
    /// The answer is no JSON-RPC, is cut short, or is of another shape than what was asked for.
    #[error("{method}: answer cannot be read: {reason}")]
    Malformed {
        /// What was asked.
        method: &'static str,
        /// In words.
        reason: String,
    },
    /// The node answers with an error.
    #[error("{method}: the node answers error {code}: {message}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// JSON-RPC code.
        code: i64,
        /// The node's words.
        message: String,
        /// What came with it.
        data: Option<Value>,
    },
}

/// A connection to one node.
pub struct Rpc {
    client: Client,
    url: Url,
    endpoint: String,
    secrets: Vec<String>,
    settings: RpcSettings,
    next_id: AtomicU64,
    unanswered: AtomicU64,
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rpc({})", self.endpoint)
    }
}

impl Rpc {
    /// Connects when first asked.
    pub fn new(url: Url, settings: RpcSettings) -> Result<Self, RpcError> {
        let endpoint = endpoint(&url);
        let client = tls::client()
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .build()
            .map_err(|error| RpcError::Transport {
                method: "connect",
                endpoint: endpoint.clone(),
                reason: error.without_url().to_string(),
            })?;
        Ok(Self {
            client,
            secrets: secrets(&url),
            url,
            endpoint,
            settings,
            next_id: AtomicU64::new(1),
            unanswered: AtomicU64::new(0),
        })
    }

    /// Scheme, host and port: what may be shown.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Questions so far, and those of them that no usable answer came to. That a node refuses is an answer.
    pub fn asked(&self) -> (u64, u64) {
        let next = self.next_id.load(Ordering::Relaxed);
        (
            next.saturating_sub(1),
            self.unanswered.load(Ordering::Relaxed),
        )
    }

    /// Asks once. `null` is an answer if `T` has room for it.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let answer = self.ask(method, params).await;
        if !matches!(answer, Ok(_) | Err(RpcError::Refused { .. })) {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let response = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(asked.to_string())
            .send()
            .await
            .map_err(|error| self.transport(method, error))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let unanswered = RpcError::Status {
            method,
            status: status.as_u16(),
            retry_after,
        };
        if status == StatusCode::TOO_MANY_REQUESTS || !(status.is_success() || is_client(status)) {
            return Err(unanswered);
        }
        let body = self.read(method, response).await?;
        match self.parse::<T>(method, id, &body) {
            // Some nodes wrap an error in a status of their own; anything else with such a status is no answer.
            Ok(_) | Err(RpcError::Malformed { .. }) if !status.is_success() => Err(unanswered),
            answer => answer,
        }
    }

    async fn read(
        &self,
        method: &'static str,
        mut response: Response,
    ) -> Result<Vec<u8>, RpcError> {
        let limit = self.settings.max_answer_bytes;
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.transport(method, error))?
        {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(RpcError::TooLong { method, limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn parse<T: DeserializeOwned>(
        &self,
        method: &'static str,
        id: u64,
        body: &[u8],
    ) -> Result<T, RpcError> {
        let malformed = |reason: String| RpcError::Malformed {
            method,
            reason: self.clean(&reason),
        };
        let answer: Answer<T> =
            serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
        match answer.id {
            Some(answered) if answered != id => {
                let words = format!("id {answered}: must be {id}, that of the question");
                return Err(malformed(words));
            }
            None if answer.error.is_none() => return Err(malformed("no id".to_owned())),
            _ => {}
        }
        match (answer.result, answer.error) {
            (_, Some(error)) => Err(RpcError::Refused {
                method,
                code: error.code,
                message: self.clean(&error.message),
                data: error.data,
            }),
            (Some(result), None) => Ok(result),
            (None, None) => Err(malformed("neither a result nor an error".to_owned())),
        }
    }

    fn transport(&self, method: &'static str, error: reqwest::Error) -> RpcError {
        if error.is_timeout() {
            return RpcError::Timeout {
                method,
                timeout_ms: self.settings.timeout.as_millis(),
            };
        }
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        RpcError::Transport {
            method,
            endpoint: self.endpoint.clone(),
            reason: self.clean(&reason),
        }
    }

    /// The words of others, fit to be shown: short, on one line, without parts of the URL.
    fn clean(&self, words: &str) -> String {
        let mut words = words.to_owned();
        for secret in &self.secrets {
            words = words.replace(secret, "***");
        }
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        words.chars().take(MAX_WORDS).map(printable).collect()
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Answer<T> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    result: Option<T>,
    #[serde(default)]
    error: Option<ErrorAnswer>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<Value>,
}

/// Tells `null` from nothing at all.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn is_client(status: StatusCode) -> bool {
    status.is_client_error()
}

fn retry_after(response: &Response) -> Option<u64> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok()
}

/// What of a URL may be shown.
pub fn endpoint(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}", url.scheme())
}

/// What of a URL must not be shown, the longest first. A part is a secret wherever it stands if it is long enough; a
/// short one, which may be an ordinary word, as far as it stands there as a part of the URL.
fn secrets(url: &Url) -> Vec<String> {
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let pairs = || query.split('&').filter(|pair| !pair.is_empty());
    let mut texts: Vec<String> = vec![
        format!("{user}:{password}@"),
        format!("{user}:{password}"),
        format!("{user}@"),
        format!("{path}?{query}"),
        format!("?{query}"),
        query.to_owned(),
        path.to_owned(),
        path.trim_end_matches('/').to_owned(),
    ];
    texts.extend(pairs().flat_map(|pair| [format!("?{pair}"), format!("&{pair}")]));
    texts.extend(pairs().filter(|p| p.contains('=')).map(str::to_owned));
    let parts = url.path_segments().into_iter().flatten();
    let segments: Vec<String> = parts.clone().map(|part| format!("/{part}")).collect();
    let parts = parts.chain(query.split(['&', '='])).chain([user, password]);
    let long = parts.filter(|part| part.len() >= MIN_SECRET_LEN);
    texts.extend(long.map(str::to_owned));
    texts.extend(segments);
    texts.retain(|text| text.chars().any(char::is_alphanumeric));
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL, words that a node may say about it, and what may not be left of them.
    const CASES: [(&str, &str, &[&str]); 9] = [
        (
            "http://h/v3/k3y",
            "no credit for http://h/v3/k3y",
            &["k3y", "v3"],
        ),
        ("http://h/k3y", "POST /k3y HTTP/1.1 refused", &["k3y"]),
        ("http://h/p?a=k3y", "query a=k3y is bad", &["k3y"]),
        ("http://h/?k3y", "bad request /?k3y", &["k3y"]),
        ("http://h/p/?x=1&k=zz", "wrong: &k=zz", &["zz"]),
        (
            "http://u:pw@h/",
            "no user u:pw at http://u:pw@h/",
            &["u:", "pw"],
        ),
        ("http://bob@h/", "bob@h is unknown", &["bob"]),
        ("http://h/a/b-c", "path /a/b-c, segment /b-c", &["b-c"]),
        (
            "http://h/longer-key",
            "the key longer-key is unknown",
            &["longer-key"],
        ),
    ];

    fn rpc(url: &str) -> Rpc {
        Rpc::new(url.parse().unwrap(), RpcSettings::default()).unwrap()
    }

    #[test]
    fn no_part_of_the_url_is_shown_however_short() {
        for (url, words, hidden) in CASES {
            let shown = rpc(url).clean(words);
            for part in hidden {
                assert!(!shown.contains(part), "{url}: {shown}");
            }
        }
    }

    #[test]
    fn ordinary_words_stay_readable() {
        for (url, words) in [
            ("http://h/", "http://h/ says / is a? path: @ & = "),
            ("http://h/a", "a transaction was refused"),
            (
                "http://to:of@h/in?is=it",
                "nonce of it is too low: next is to come in",
            ),
        ] {
            assert_eq!(rpc(url).clean(words), words, "{url}");
        }
    }
}
