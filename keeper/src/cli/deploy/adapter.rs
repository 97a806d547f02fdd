//! The keeper's connection and key, as a deployment wants them.

use alloy::primitives::{Address, B256};
use reqwest::Url;
use serde_json::Value;
use tidelock_deploy::{
    Node, NodeError,
    node::{Asking, Payer, Signing, revert_data},
};

use crate::{
    chain::{Rpc, RpcError, RpcSettings},
    exit::{ExitStatus, Failure},
    place::Place,
    signer::{KeystoreSigner, Signer},
};

/// A node.
pub(in crate::cli) struct RpcNode(Rpc);

impl RpcNode {
    /// Connects when first asked.
    pub fn open(url: &str) -> Result<Self, Failure> {
        let url: Url = url
            .parse()
            .map_err(|_| Failure::new(ExitStatus::Usage, "--rpc-url: not a URL"))?;
        let rpc = Rpc::new(url, RpcSettings::default());
        rpc.map(Self)
            .map_err(|error| Failure::of(ExitStatus::Chain, error))
    }

    /// A second node: two names of the first one would be its word twice.
    pub fn beside(url: &str, first: Option<&str>) -> Result<Self, Failure> {
        let place = |url: &str| url.parse().ok().map(|url: Url| Place::of(&url));
        if let (Some(one), Some(other)) = (first.and_then(place), place(url))
            && one == other
        {
            let rule = "--second-rpc-url (not shown): must be another node than --rpc-url, and leads to the same place";
            return Err(Failure::new(ExitStatus::Usage, rule));
        }
        Self::open(url)
    }
}

impl Node for RpcNode {
    fn ask(&self, method: &'static str, params: Value) -> Asking<'_> {
        Box::pin(async move {
            let answer = self.0.request::<Value>(method, params).await;
            answer.map_err(of_rpc)
        })
    }
}

fn of_rpc(error: RpcError) -> NodeError {
    match error {
        RpcError::Refused {
            method,
            code,
            message,
            data,
        } => NodeError::Refused {
            method,
            code,
            message,
            data: revert_data(data.as_ref()),
        },
        other => NodeError::Unreachable(other.to_string()),
    }
}

/// The key that pays.
pub(in crate::cli) struct PayingKey(pub(in crate::cli) KeystoreSigner);

impl Payer for PayingKey {
    fn address(&self) -> Address {
        self.0.address()
    }

    fn sign(&self, digest: B256) -> Signing<'_> {
        let signed = self.0.sign_digest(digest);
        Box::pin(async { signed.map_err(|error| error.to_string()) })
    }
}
