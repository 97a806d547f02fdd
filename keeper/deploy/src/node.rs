//! The node, as far as a deployment needs one: whoever calls brings the connection.

use std::{future::Future, pin::Pin};

use alloy_primitives::{Address, B256, Bytes, Signature};
use serde_json::Value;

/// An answer, some day.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Value, NodeError>> + Send + 'a>>;
/// A signature, some day; or in words why there is none.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Signature, String>> + Send + 'a>>;

/// A connection to one node.
pub trait Node: Send + Sync {
    /// Asks once by JSON-RPC.
    fn ask(&self, method: &'static str, params: Value) -> Asking<'_>;
}

/// A key that pays for the deployment. It gets no rights by that.
pub trait Payer: Send + Sync {
    /// Whose key it is.
    fn address(&self) -> Address;
    /// Signs 32 bytes.
    fn sign(&self, digest: B256) -> Signing<'_>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The node answers with an error.
    #[error("{method}: the node answers error {code}: {message}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// JSON-RPC code.
        code: i64,
        /// The node's words.
        message: String,
        /// What a call reverted with, if it did.
        data: Option<Bytes>,
    },
    /// There is none.
    #[error("{0}")]
    Unreachable(String),
    /// It is of another shape than what was asked for.
    #[error("{method}: answer cannot be read: {reason}")]
    Malformed {
        /// What was asked.
        method: &'static str,
        /// In words.
        reason: String,
    },
}

/// What a call reverted with, out of the `data` of a JSON-RPC error; nodes put it there bare or in an object.
pub fn revert_data(data: Option<&Value>) -> Option<Bytes> {
    match data? {
        Value::String(text) => text.strip_prefix("Reverted ").unwrap_or(text).parse().ok(),
        Value::Object(fields) => revert_data(fields.get("data")),
        _ => None,
    }
}
