use alloy::primitives::{B256, Bytes};
use serde_json::json;
use tidelock_core::submit::{RefusalClass, Reply, classify};

use super::{RpcChain, RpcError};

impl RpcChain {
    /// Sends bytes once. Whatever is not a node's own clear word is `Ambiguous`: the node may have them all the same.
    pub(super) async fn send(&self, hash: B256, raw: &Bytes) -> Reply {
        let params = json!([raw]);
        match self
            .rpc
            .request::<B256>("eth_sendRawTransaction", params)
            .await
        {
            Ok(answered) if answered == hash => Reply::Accepted,
            Ok(answered) => {
                tracing::warn!(%hash, %answered, "the node answers another hash than that of the bytes");
                Reply::Ambiguous
            }
            Err(error) => {
                let reply = match &error {
                    RpcError::Refused { message, .. } => classify(message),
                    _ => Reply::Ambiguous,
                };
                match reply {
                    // It is in the pool or mined: what comes of sending the same bytes twice.
                    Reply::Known | Reply::Refused(RefusalClass::NonceTooLow) => {
                        tracing::debug!(%hash, ?reply, %error, "the node takes the transaction no second time");
                    }
                    _ => {
                        tracing::info!(%hash, ?reply, %error, "the node did not simply accept the transaction");
                    }
                }
                reply
            }
        }
    }
}
