//! Opening a log from a long past, by a node that fails on the way and keeps no old states.

use std::sync::{Arc, Mutex};

use alloy::primitives::B256;
use serde_json::{Value, json};
use tidelock_keeper::{
    chain::{Expected, RpcChain},
    opening::Reading,
};

use crate::{
    liar::{Lie, Server},
    paid_and_final, payment,
    world::USDT,
};

const EXPECTED: Expected = Expected {
    has_second_node: false,
    allow_single_node: true,
    sends: false,
};
/// Blocks in one answer at most.
const SHORT: u64 = 4;

/// What the node was asked for, and how it behaves.
#[derive(Default)]
struct Node {
    /// First blocks of the ranges that were answered.
    ranges: Vec<u64>,
    /// Logs are refused after so many answers.
    fails_after: Option<usize>,
    /// The block that it calls final until so many answers were given, and whose state it drops then.
    old: Option<(Value, usize)>,
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn refused(message: &str) -> Lie {
    Lie::Error(json!({"code": -32000, "message": message}))
}

impl Node {
    fn answer(&mut self, method: &str, params: &Value) -> Lie {
        let count = self.ranges.len();
        let is_old = |old: &&(Value, usize)| count < old.1;
        match method {
            "eth_getLogs" if params[0].get("fromBlock").is_some() => {
                let (first, last) = (&params[0]["fromBlock"], &params[0]["toBlock"]);
                if number(last) - number(first) >= SHORT {
                    return refused("range is too long");
                }
                if self.fails_after.is_some_and(|most| count >= most) {
                    return refused("not now");
                }
                self.ranges.push(number(first));
                Lie::Truth
            }
            "eth_getBlockByNumber" if params[0] == "finalized" => {
                match self.old.as_ref().filter(is_old) {
                    Some((block, _)) => Lie::Result(block.clone()),
                    None => Lie::Truth,
                }
            }
            "eth_call" | "eth_getTransactionCount" | "eth_getBalance" | "eth_getProof" => {
                let at = params.as_array().unwrap().iter();
                let hash = at.filter_map(|param| param["blockHash"].as_str()).next();
                let dropped = self.old.as_ref().filter(|old| !is_old(old));
                match (hash, dropped) {
                    (Some(hash), Some((block, _))) if block["hash"] == hash => {
                        refused("missing trie node")
                    }
                    _ => Lie::Truth,
                }
            }
            _ => Lie::Truth,
        }
    }
}

async fn read(reading: &mut Reading, chain: &RpcChain) -> Result<(usize, B256), String> {
    let identity = chain.identify(EXPECTED).await.unwrap();
    let read = reading.read((chain, None), &identity, (7_200, false), |_| {});
    let past = read.await.map_err(|error| error.to_string())?;
    Ok((past.paid, past.opening.start.hash))
}

#[tokio::test]
async fn what_was_read_is_kept_and_the_state_is_asked_for_at_a_young_block() {
    let (world, _) = paid_and_final(0x71, &[payment(0x71, 5 * USDT)]).await;
    let old: Value = world
        .ask("eth_getBlockByNumber", json!(["finalized", false]))
        .await;
    world.mine(40).await;
    let young = world.finalised().await;
    let node = Arc::new(Mutex::new(Node {
        fails_after: Some(3),
        old: Some((old, 6)),
        ..Node::default()
    }));
    let asked = node.clone();
    let server = Server::start(world.node.url(), move |method, params, _| {
        asked.lock().unwrap().answer(method, params)
    })
    .await;
    let chain = server.chain(&world);
    let mut reading = Reading::new(0);
    let failed = read(&mut reading, &chain).await.unwrap_err();
    assert!(failed.contains("not now"), "{failed}");
    node.lock().unwrap().fails_after = None;
    assert_eq!(read(&mut reading, &chain).await, Ok((1, young.hash)));
    let ranges = node.lock().unwrap().ranges.clone();
    assert!(ranges.is_sorted_by(|one, next| one < next), "{ranges:?}");
    assert!(ranges.len() > 6, "{ranges:?}");
}
