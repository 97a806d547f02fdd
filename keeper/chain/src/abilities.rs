//! What a node lacks that the keeper would use, and what follows from that. Nothing of it is needed to pay.

use serde_json::{Value, json};

use super::{RpcChain, RpcError, dialect};

/// A method that a node does not offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    /// The method.
    pub method: &'static str,
    /// What follows.
    pub follows: &'static str,
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the node does not offer {}: {}",
            self.method, self.follows
        )
    }
}

impl RpcChain {
    /// What it lacks of what is optional, by asking each once. What it does not answer for another reason is not said to be
    /// lacking.
    pub async fn lacking(&self) -> Vec<Lacking> {
        let call = json!({ "to": self.parties.domain.vault });
        let optional = [
            (
                "eth_maxPriorityFeePerGas",
                json!([]),
                "tips are the median of those in eth_feeHistory",
            ),
            (
                "eth_feeHistory",
                json!(["0x5", "latest", [50]]),
                "where no tip is suggested either, tips start at fees.min_tip_gwei",
            ),
            (
                "eth_simulateV1",
                json!([{ "blockStateCalls": [{ "calls": [call] }] }, "latest"]),
                "gas limits are estimated, in a dozen runs each, and near a fork they may be those of before",
            ),
            (
                "eth_config",
                json!([]),
                "the next fork is not known beforehand: transactions that are under way then may revert, and are sent again",
            ),
        ];
        let mut lacking = Vec::new();
        for (method, params, follows) in optional {
            let asked: Result<Option<Value>, RpcError> = self.rpc.request(method, params).await;
            if asked.is_err_and(|error| dialect::means(&error, dialect::Meaning::NoMethod)) {
                lacking.push(Lacking { method, follows });
            }
        }
        lacking
    }
}
