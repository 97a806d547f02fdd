use std::sync::atomic::{AtomicBool, Ordering};

use alloy::primitives::{Bytes, U256, hex};
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Revert, TRANSFER_GAS},
    event::BlockRef,
    port::Simulation,
};

use super::{
    ChainError, RpcChain, RpcError,
    dialect::{Meaning, means},
    forks::dearer,
    wire::{by_hash, by_number, narrow},
};

/// What is asked beyond what a call used: a call passes on only 63/64 of what is left, and a refund comes at the end.
const MARGIN_DIVISOR: u64 = 50;
const MARGIN: u64 = 5_000;
/// A call that fails is tried again with so much, to tell a batch too large from one that is refused. Nodes run no call
/// with more, unless told to.
const GENEROUS_GAS: u64 = 50_000_000;

/// What the node can do; learnt by asking.
#[derive(Debug, Default)]
pub(super) struct Ability {
    lacks_simulate: AtomicBool,
}

/// Where a call is made: after a block, in one of another time if one is given.
#[derive(Debug, Clone, Copy)]
struct Place {
    block: BlockRef,
    time: Option<u64>,
}

impl Place {
    /// What a question about a call takes after the call.
    fn params(self, call: Value) -> Value {
        self.named(call, by_hash(self.block.hash))
    }

    /// The same with the block named as it is to be.
    fn named(self, call: Value, block: Value) -> Value {
        match self.time {
            None => json!([call, block]),
            Some(time) => json!([call, block, {}, {"time": U256::from(time)}]),
        }
    }
}

/// How a call ended.
#[derive(Debug)]
enum Ran {
    Returned(Bytes),
    Reverted(Revert),
}

#[derive(Deserialize)]
struct SimulatedBlock {
    calls: Vec<SimulatedCall>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SimulatedCall {
    gas_used: U256,
    status: U256,
}

impl RpcChain {
    /// What a call of the vault by the keeper would do after one block, and the gas limit it needs by any rules that are in
    /// force up to a time.
    pub(super) async fn simulate(
        &self,
        at: BlockRef,
        data: &Bytes,
        gas_limit: u64,
        until: u64,
    ) -> Result<Simulation, ChainError> {
        let now = self.simulate_in(at, None, data, gas_limit).await?;
        let fork = self.next_fork().await;
        let ahead = at.time.seconds().saturating_add(1)..=until;
        let Some(fork) = fork.filter(|fork| ahead.contains(fork)) else {
            return Ok(now);
        };
        match self.simulate_in(at, Some(fork), data, gas_limit).await {
            Ok(then) => Ok(dearer(now, then)),
            // A node that cannot look ahead says what holds now.
            Err(ChainError::Rpc(RpcError::Refused { .. })) => Ok(now),
            Err(error) => Err(error),
        }
    }

    /// The same by the rules of one time, the block's if none is given. The limit is above `gas_limit` if only more gas lets
    /// the call through. It is tried before it is given: the same call with just that much must do the same.
    pub(super) async fn simulate_in(
        &self,
        at: BlockRef,
        time: Option<u64>,
        data: &Bytes,
        gas_limit: u64,
    ) -> Result<Simulation, ChainError> {
        let at = Place { block: at, time };
        let (ran, used) = tokio::join!(
            self.run(at, data, gas_limit),
            self.gas_used(at, data, gas_limit)
        );
        let returned = match ran? {
            Ran::Returned(returned) => returned,
            Ran::Reverted(revert) => return self.with_more(at, data, gas_limit, revert).await,
        };
        let mut limits = Vec::new();
        match used? {
            // With the second the vault believes a failure of the last transfer too.
            Some(used) => {
                let enough = with_margin(used);
                limits.extend([enough, enough.saturating_add(TRANSFER_GAS)]);
            }
            None => {
                let estimate = self.estimate(at, data, gas_limit).await?;
                limits.extend([estimate, with_margin(estimate)]);
            }
        }
        for gas in limits {
            if gas < gas_limit && self.does(at, data, gas, &returned).await? {
                return Ok(Simulation::Succeeds { returned, gas });
            }
        }
        let gas = gas_limit;
        Ok(Simulation::Succeeds { returned, gas })
    }

    /// A call that failed for want of gas goes through with more; one that is refused does not.
    async fn with_more(
        &self,
        at: Place,
        data: &Bytes,
        gas_limit: u64,
        revert: Revert,
    ) -> Result<Simulation, ChainError> {
        if !matches!(
            revert,
            Revert::Payment { .. } | Revert::BurnsGas { .. } | Revert::OutOfGas | Revert::Other(_)
        ) {
            return Ok(Simulation::Reverts(revert));
        }
        if GENEROUS_GAS <= gas_limit {
            return Ok(Simulation::Reverts(revert));
        }
        let (ran, used) = tokio::join!(
            self.run(at, data, GENEROUS_GAS),
            self.gas_used(at, data, GENEROUS_GAS)
        );
        let used = used?.map_or(GENEROUS_GAS, with_margin);
        Ok(match ran {
            Ok(Ran::Returned(returned)) => Simulation::Succeeds {
                returned,
                gas: used.max(gas_limit.saturating_add(1)),
            },
            Ok(Ran::Reverted(revert)) => Simulation::Reverts(revert),
            // A node may refuse to run anything with that much; what it said before stands.
            Err(ChainError::Rpc(RpcError::Refused { .. })) => Simulation::Reverts(revert),
            Err(error) => return Err(error),
        })
    }

    fn transaction(&self, data: &Bytes, gas: u64) -> Value {
        json!({
            "from": self.parties.keeper,
            "to": self.parties.domain.vault,
            "data": data,
            "gas": U256::from(gas),
        })
    }

    async fn run(&self, at: Place, data: &Bytes, gas: u64) -> Result<Ran, ChainError> {
        let params = at.params(self.transaction(data, gas));
        match self.rpc.request::<Bytes>("eth_call", params).await {
            Ok(returned) => Ok(Ran::Returned(returned)),
            Err(error) => match revert_of(&error) {
                Some(revert) => Ok(Ran::Reverted(revert)),
                None => Err(error.into()),
            },
        }
    }

    /// Whether the call with that much gas returns the same. A batch that runs short could leave payments out.
    async fn does(
        &self,
        at: Place,
        data: &Bytes,
        gas: u64,
        expected: &Bytes,
    ) -> Result<bool, ChainError> {
        Ok(match self.run(at, data, gas).await? {
            Ran::Returned(returned) => returned == *expected,
            Ran::Reverted(_) => false,
        })
    }

    /// What the call used, by `eth_simulateV1`: one run, where an estimate takes a dozen. None if the node cannot tell.
    ///
    /// It runs in a block after the one that is named, by itself twelve seconds later on every chain (geth 1.17): just before
    /// a fork it would tell the fork's prices, where `eth_call` and `eth_estimateGas`, which run in the block that is named,
    /// do not. So number and time of that block are stated.
    async fn gas_used(&self, at: Place, data: &Bytes, gas: u64) -> Result<Option<u64>, ChainError> {
        if self.ability.lacks_simulate.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let BlockRef { number, time, hash } = at.block;
        let next = json!({
            "number": U256::from(number.saturating_add(1)),
            "time": U256::from(at.time.unwrap_or(time.seconds().saturating_add(1))),
        });
        let call = self.transaction(data, gas);
        let calls = json!({"blockStateCalls": [{"blockOverrides": next, "calls": [call]}]});
        let params = json!([calls, by_hash(hash)]);
        let asked = self
            .rpc
            .request::<Vec<SimulatedBlock>>("eth_simulateV1", params);
        match asked.await {
            Ok(blocks) => {
                let mut calls = blocks.iter().flat_map(|block| &block.calls);
                let Some(call) = calls.next().filter(|call| call.status == U256::ONE) else {
                    return Ok(None);
                };
                Ok(Some(narrow("gasUsed", call.gas_used)?))
            }
            Err(error @ RpcError::Refused { .. }) => {
                let is_unknown = means(&error, Meaning::NoMethod);
                self.ability
                    .lacks_simulate
                    .fetch_or(is_unknown, Ordering::Relaxed);
                Ok(None)
            }
            Err(RpcError::Malformed { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn estimate(&self, at: Place, data: &Bytes, gas: u64) -> Result<u64, ChainError> {
        let call = self.transaction(data, gas);
        let asked = self.rpc.request("eth_estimateGas", at.params(call.clone()));
        let mut answer: Result<U256, RpcError> = asked.await;
        // Some nodes take a block's hash elsewhere and not here. By then another block may have that number, and what the
        // estimate comes to is tried in this one.
        if answer
            .as_ref()
            .is_err_and(|error| means(error, Meaning::BadParameters))
        {
            let params = at.named(call, by_number(at.block.number));
            answer = self.rpc.request("eth_estimateGas", params).await;
        }
        match answer {
            Ok(used) => narrow("gas", used),
            // It ran a moment ago; a node that cannot tell how little would do leaves the most that is allowed.
            Err(RpcError::Refused { .. }) => Ok(gas),
            Err(error) => Err(error.into()),
        }
    }
}

fn with_margin(used: u64) -> u64 {
    used.saturating_add(used.div_euclid(MARGIN_DIVISOR))
        .saturating_add(MARGIN)
}

/// Why the call itself failed; none if the node did not run it.
fn revert_of(error: &RpcError) -> Option<Revert> {
    let data = revert_data(error);
    let is_silent = data.as_ref().is_none_or(|data| data.is_empty());
    if is_silent && means(error, Meaning::OutOfGas) {
        return Some(Revert::OutOfGas);
    }
    data.map(|data| Revert::read(&data))
}

/// The revert data in a node's error; empty if the call reverted without any, none if it is not about a revert.
///
/// Seen: `data` is a hexadecimal string (geth, reth, erigon, besu, anvil), the same after "Reverted " (nethermind), or an
/// object with such a `data` (hardhat).
pub(super) fn revert_data(error: &RpcError) -> Option<Bytes> {
    let RpcError::Refused { data, .. } = error else {
        return None;
    };
    let is_revert = means(error, Meaning::Reverted);
    is_revert.then(|| data.as_ref().and_then(bytes_in).unwrap_or_default())
}

fn bytes_in(value: &Value) -> Option<Bytes> {
    match value {
        Value::String(text) => {
            let text = text.strip_prefix("Reverted ").unwrap_or(text);
            let digits = text.strip_prefix("0x")?;
            hex::decode(digits).ok().map(Bytes::from)
        }
        Value::Object(fields) => fields.get("data").and_then(bytes_in),
        _ => None,
    }
}
