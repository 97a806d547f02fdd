//! Near a change of the chain's rules a call gets the gas that it needs before and after it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use alloy::primitives::{Bytes, U256};
use serde_json::{Value, json};
use tidelock_core::{
    event::BlockRef,
    port::{Effect, Outcome, Simulation},
};
use tidelock_keeper::chain::{Chain, RpcChain};

use crate::{
    header,
    liar::{Lie, Server},
    pay_data, payment,
    world::{Plan, USDT, World},
};

const LIMIT: u64 = 5_000_000;

/// A payment, and a node whose rules change at a time, after which all gas costs twice as much.
struct Stage {
    world: World,
    server: Server,
    at: BlockRef,
    data: Bytes,
    /// How often the node was asked for its rules.
    asked: Arc<AtomicUsize>,
}

/// The time that a question is about, if it is not the block's.
fn time_of(params: &Value) -> Option<U256> {
    let overrides = match &params[3] {
        Value::Null => &params[0]["blockStateCalls"][0]["blockOverrides"],
        overrides => overrides,
    };
    serde_json::from_value(overrides["time"].clone()).ok()
}

impl Stage {
    /// The change comes that many seconds after the newest block. `looks_ahead`: the node runs calls at other times.
    async fn set(change: i64, looks_ahead: bool) -> Self {
        let world = World::start(Plan::default()).await;
        let payments = [payment(0x71, USDT)];
        let (at, header) = (world.head().await, header(&world, 0, 1, &payments).await);
        let fork = at.time.seconds().checked_add_signed(change).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let server = Server::start(world.node.url(), move |method, params, truth| {
            // What is over is in all prices already.
            let is_then =
                change > 0 && time_of(params).is_some_and(|time| time >= U256::from(fork));
            match method {
                "eth_config" => {
                    count.fetch_add(1, Ordering::Relaxed);
                    Lie::Result(
                        json!({"current": {}, "next": {"activationTime": fork, "forkId": "0x01"}}),
                    )
                }
                "eth_call" | "eth_simulateV1" if is_then && !looks_ahead => Lie::Error(
                    json!({"code": -32602, "message": "too many arguments, want at most 3"}),
                ),
                "eth_simulateV1" if is_then => {
                    let mut answer = truth.clone();
                    let used = &mut answer[0]["calls"][0]["gasUsed"];
                    let gas: U256 = serde_json::from_value(used.clone()).unwrap();
                    *used = json!(gas * U256::from(2));
                    Lie::Result(answer)
                }
                _ => Lie::Truth,
            }
        })
        .await;
        let data = pay_data(&header, &payments);
        Self {
            world,
            server,
            at,
            data,
            asked,
        }
    }

    async fn gas(&self, chain: &RpcChain, until: u64) -> u64 {
        let simulate = Effect::Simulate {
            at: self.at,
            data: self.data.clone(),
            gas_limit: LIMIT,
            until: self.at.time.seconds() + until,
        };
        match chain.answer(simulate).await {
            Outcome::Simulated(Simulation::Succeeds { gas, .. }) => gas,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn before_a_change_of_rules_the_larger_limit_is_given() {
    let stage = Stage::set(100, true).await;
    let chain = stage.server.chain(&stage.world);
    let before = stage.gas(&chain, 99).await;
    let across = stage.gas(&chain, 100).await;
    assert!(across > before * 2 - 10_000, "{across} {before}");
    assert_eq!(stage.gas(&chain, 0).await, before);
    assert_eq!(
        stage.asked.load(Ordering::Relaxed),
        1,
        "it is asked once for a while"
    );
}

#[tokio::test]
async fn a_change_that_is_over_or_that_the_node_cannot_look_at_changes_nothing() {
    for (change, looks_ahead) in [(0, true), (-100, true), (100, false)] {
        let stage = Stage::set(change, looks_ahead).await;
        let plain = stage.gas(&stage.world.chain(), 200).await;
        let chain = stage.server.chain(&stage.world);
        assert_eq!(stage.gas(&chain, 200).await, plain, "{change}");
    }
}
