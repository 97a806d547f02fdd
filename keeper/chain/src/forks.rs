//! The next change of the chain's rules, as the node tells it (`eth_config`, EIP-7910): what a call needs by then may be more.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;
use tidelock_core::{abi::Revert, port::Simulation};

use super::{RpcChain, RpcError};

/// How long an answer is believed. Activations are set months ahead, by a new release of the node.
const BELIEVED: Duration = Duration::from_secs(600);

/// The last answer, and when it came.
#[derive(Debug, Default)]
pub(super) struct Forks(Mutex<Option<(Instant, Option<u64>)>>);

#[derive(Deserialize)]
struct ConfigAnswer {
    #[serde(default)]
    next: Option<RulesAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RulesAnswer {
    activation_time: u64,
}

impl RpcChain {
    /// When the rules change next; none if the node knows of no change, or does not tell. [seconds]
    pub(super) async fn next_fork(&self) -> Option<u64> {
        let kept = self.forks.0.lock().ok().and_then(|kept| *kept);
        if let Some((at, fork)) = kept
            && at.elapsed() < BELIEVED
        {
            return fork;
        }
        let answer = self.rpc.request::<ConfigAnswer>("eth_config", json!([]));
        let fork = match answer.await {
            Ok(config) => config.next.map(|next| next.activation_time),
            Err(RpcError::Refused { .. } | RpcError::Malformed { .. }) => None,
            Err(_) => return kept.and_then(|(_, fork)| fork), // no answer: asked again the next time
        };
        if let Ok(mut kept) = self.forks.0.lock() {
            *kept = Some((Instant::now(), fork));
        }
        fork
    }
}

/// What a call needs that is made under the rules of now or of then. What it pays is what it pays now; only gas counts of the
/// other, for nothing else is known of the chain by then.
pub(super) fn dearer(now: Simulation, then: Simulation) -> Simulation {
    match (now, then) {
        (Simulation::Succeeds { returned, gas }, Simulation::Succeeds { gas: later, .. }) => {
            let gas = gas.max(later);
            Simulation::Succeeds { returned, gas }
        }
        (Simulation::Succeeds { .. }, Simulation::Reverts(Revert::OutOfGas)) => {
            Simulation::Reverts(Revert::OutOfGas)
        }
        (now, _) => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Bytes;

    #[test]
    fn the_larger_limit_counts_and_nothing_else() {
        let does = |byte: u8, gas| Simulation::Succeeds {
            returned: Bytes::from(vec![byte]),
            gas,
        };
        let frozen = || Simulation::Reverts(Revert::Frozen);
        assert_eq!(dearer(does(1, 5), does(2, 9)), does(1, 9));
        assert_eq!(dearer(does(1, 9), does(2, 5)), does(1, 9));
        assert_eq!(dearer(does(1, 5), frozen()), does(1, 5));
        assert_eq!(dearer(frozen(), does(1, 5)), frozen());
        let short = || Simulation::Reverts(Revert::OutOfGas);
        assert_eq!(dearer(does(1, 5), short()), short());
    }
}
