//! A key behind Web3Signer, or whatever speaks its HTTP protocol for Ethereum's execution layer.
//!
//! Its REST route hashes what it is sent by Keccak-256 and signs that, without a prefix: sent a transaction without its
//! signature, it signs what a chain asks for. (Its JSON-RPC `eth_sign` puts a prefix before the data, and
//! `eth_signTransaction` encodes the transaction anew, which would have to be compared.)

use std::{error::Error as _, time::Duration};

use alloy::{
    hex,
    primitives::{Address, Signature},
};
use k256::ecdsa::VerifyingKey;
use reqwest::{Client, RequestBuilder, StatusCode, Url, header, redirect, retry};
use serde_json::json;

use super::{Message, Signer, SignerError, Signing};
use crate::{
    config::{RpcUrl, Web3SignerConfig},
    tls,
};

/// Longest answer that is read: a list of a few thousand keys. [bytes]
const MAX_ANSWER: usize = 1 << 20;

/// A key that somebody else keeps.
pub struct Web3Signer {
    address: Address,
    client: Client,
    /// Where to send what is to be signed.
    route: Url,
    shown: String,
}

impl Web3Signer {
    /// Asks for its keys, and takes the one of the address.
    pub async fn open(config: &Web3SignerConfig, timeout_ms: u64) -> Result<Self, SignerError> {
        let shown = config.url.to_string();
        let client = tls::client()
            .timeout(Duration::from_millis(timeout_ms))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .build()
            .map_err(|error| unavailable(&shown, error.to_string()))?;
        let route = |path: &str| {
            let joined = url(&config.url).and_then(|base| base.join(path).ok());
            joined.ok_or_else(|| {
                refused(
                    &shown,
                    "must be a URL that routes can be added to".to_owned(),
                )
            })
        };
        let listed = route("api/v1/eth1/publicKeys")?;
        let body = ask(client.get(listed), &shown).await?;
        let keys: Vec<String> = serde_json::from_str(&body).map_err(|_| {
            refused(
                &shown,
                "answers with no list of keys; must be a Web3Signer in eth1 mode".to_owned(),
            )
        })?;
        let key = keys
            .iter()
            .find(|key| address_of(key) == Some(config.address))
            .ok_or_else(|| SignerError::Refused {
                field: "key.address",
                value: config.address.to_string(),
                rule: format!(
                    "the signer at {shown} has {} keys, and none of this address",
                    keys.len()
                ),
            })?;
        Ok(Self {
            address: config.address,
            route: route(&format!("api/v1/eth1/sign/{key}"))?,
            client,
            shown,
        })
    }

    async fn signed(&self, message: &Message) -> Result<Signature, SignerError> {
        let data = json!({ "data": message.preimage() });
        let asked = self
            .client
            .post(self.route.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(data.to_string());
        let body = ask(asked, &self.shown).await?;
        let bytes = hex::decode(body.trim().trim_matches('"')).unwrap_or_default();
        let bare = bytes.get(..64).filter(|_| bytes.len() == 65);
        bare.and_then(|bare| <&[u8; 64]>::try_from(bare).ok())
            .map(|bare| Signature::from_bytes_and_parity(bare, false))
            .ok_or_else(|| {
                refused(
                    &self.shown,
                    "answers with something that is no signature of 65 bytes".to_owned(),
                )
            })
    }
}

impl Signer for Web3Signer {
    fn address(&self) -> Address {
        self.address
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        Box::pin(self.signed(message))
    }
}

/// The URL as a folder: routes are added to it, not put in place of its last part.
fn url(url: &RpcUrl) -> Option<Url> {
    let mut url: Url = url.expose().parse().ok()?;
    if !url.path().ends_with('/') {
        let folder = format!("{}/", url.path());
        url.set_path(&folder);
    }
    Some(url)
}

/// The address of a public key of 64 bytes, in hexadecimal.
fn address_of(key: &str) -> Option<Address> {
    let bare = hex::decode(key).ok().filter(|bare| bare.len() == 64)?;
    let key = VerifyingKey::from_sec1_bytes(&[&[0x04], bare.as_slice()].concat()).ok()?;
    Some(Address::from_public_key(&key))
}

/// Asks once. What went wrong is told apart by what can be done about it.
async fn ask(asked: RequestBuilder, shown: &str) -> Result<String, SignerError> {
    let mut answer = asked
        .send()
        .await
        .map_err(|error| unavailable(shown, words(error)))?;
    let status = answer.status();
    match status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => {
            return Err(refused(shown, "does not know this key or route (HTTP status 404); must be a Web3Signer in eth1 mode that has the key".to_owned()));
        }
        StatusCode::BAD_REQUEST
        | StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::METHOD_NOT_ALLOWED => {
            return Err(refused(
                shown,
                format!("refuses to sign (HTTP status {})", status.as_u16()),
            ));
        }
        _ => {
            return Err(unavailable(
                shown,
                format!("HTTP status {}", status.as_u16()),
            ));
        }
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| unavailable(shown, words(error)))?
    {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(unavailable(
                shown,
                format!("answers with more than {MAX_ANSWER} bytes"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Without the URL, which may carry a password.
fn words(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time (key.timeout_ms)".to_owned();
    }
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

fn unavailable(shown: &str, reason: String) -> SignerError {
    SignerError::Unavailable {
        field: "key.url",
        value: shown.to_owned(),
        reason,
    }
}

fn refused(shown: &str, rule: String) -> SignerError {
    SignerError::Refused {
        field: "key.url",
        value: shown.to_owned(),
        rule,
    }
}
