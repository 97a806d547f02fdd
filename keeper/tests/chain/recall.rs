//! What may be paid is looked for again.

use std::collections::BTreeSet;

use alloy::primitives::U256;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Fact, Vault, order_argument},
    domain::{Payment, PaymentNumber, pack_payments, packed_items},
    event::BlockRef,
    port::{Effect, Outcome, Recalled},
};
use tidelock_keeper::chain::{BlockChecks, Chain, RpcChain};

use crate::{
    by_hand, header,
    liar::{Lie, Server},
    paid_and_final, pay_data, payment,
    world::{USDT, World},
};

const NUMBERS: [u64; 4] = [99, 100, 101, 102];

/// Numbers 100 and 101 are paid by one batch, and final; 99 and 102 are not paid.
async fn paid() -> (World, BlockRef, Vec<Payment>) {
    let payments = vec![payment(0x71, USDT), payment(0x72, 2 * USDT)];
    let (world, at) = paid_and_final(100, &payments).await;
    (world, at, payments)
}

async fn recall(chain: &RpcChain, at: BlockRef, numbers: &[u64]) -> Result<Recalled, String> {
    let numbers = numbers.iter().copied().map(PaymentNumber).collect();
    let first = 0;
    match chain.answer(Effect::Recall { first, at, numbers }).await {
        Outcome::Recalled(recalled) => Ok(recalled),
        Outcome::Failed(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn numbers(numbers: &[u64]) -> BTreeSet<PaymentNumber> {
    numbers.iter().copied().map(PaymentNumber).collect()
}

#[tokio::test]
async fn what_is_paid_is_found_with_what_was_paid() {
    let (world, at, payments) = paid().await;
    for checks in BlockChecks::ALL {
        let chain = world.chain().checking(checks);
        let recalled = recall(&chain, at, &NUMBERS).await.unwrap();
        assert_eq!(recalled.paid, numbers(&[100, 101]));
        let [
            (
                _,
                Fact::Paid {
                    first_number,
                    paid,
                    items,
                    ..
                },
            ),
        ] = recalled.facts.as_slice()
        else {
            panic!("{recalled:?}");
        };
        assert_eq!(*first_number, PaymentNumber(100));
        assert_eq!(*paid, U256::from(3));
        let expected = packed_items(&pack_payments(&payments)).unwrap();
        assert_eq!(*items, Some(expected));
        let none = recall(&chain, at, &[99, 102, 5_000_000]).await.unwrap();
        assert_eq!(none, Recalled::default());
    }
}

#[tokio::test]
async fn what_no_block_says_is_paid_and_not_found() {
    let (world, at, _) = paid().await;
    let server = Server::start(world.node.url(), |method, _, _| match method {
        "eth_getLogs" => Lie::Result(json!([])),
        _ => Lie::Truth,
    })
    .await;
    let recalled = recall(&server.chain(&world), at, &NUMBERS).await.unwrap();
    assert_eq!(recalled.paid, numbers(&[100, 101]));
    assert_eq!(recalled.facts, Vec::new());
}

/// A log that its block does not have is not believed where the chain allows that to be checked.
#[tokio::test]
async fn a_log_that_is_made_up_is_found_out() {
    let (world, at, _) = paid().await;
    let elsewhere = move |method: &str, _: &Value, truth: &Value| {
        let mut answer = truth.clone();
        match (method, answer.as_array_mut()) {
            ("eth_getLogs", Some(logs)) => {
                for log in logs {
                    log["blockNumber"] = json!("0x3");
                }
                Lie::Result(answer)
            }
            _ => Lie::Truth,
        }
    };
    let server = Server::start(world.node.url(), elsewhere).await;
    let believed = server.chain(&world).checking(BlockChecks::None);
    let believed = recall(&believed, at, &NUMBERS).await.unwrap();
    assert_eq!(believed.facts[0].0, 3);
    let checked = recall(&server.chain(&world), at, &NUMBERS).await.unwrap();
    assert_eq!(checked.facts, Vec::new());
}

#[tokio::test]
async fn a_proposal_that_was_executed_is_found_with_its_payments() {
    let world = by_hand(2).await;
    let payments = [payment(0x71, 11_000 * USDT)];
    let first = (1 << 63) + 5;
    let proposed = header(&world, 1, first, &payments).await;
    let order = order_argument(&proposed);
    let packed = pack_payments(&payments);
    let propose = Vault::proposeCall {
        order,
        payments: packed.clone().into(),
    };
    let signers = [0, 1].map(|index: usize| world.keys.signers[index].address());
    let keeper = world.keys.keeper.address();
    assert!(world.vault_call(keeper, &propose).await.success);
    let approve = Vault::approveCall {
        batch: tidelock_core::abi::header_argument(&proposed),
    };
    for signer in signers {
        assert!(world.vault_call(signer, &approve).await.success);
    }
    world.skip(u64::from(crate::world::HOUR) + 1).await;
    let execute = Vault::executeCall {
        order: order_argument(&proposed),
        payments: packed.clone().into(),
        skipMask: U256::ZERO,
    };
    assert!(world.vault_call(keeper, &execute).await.success);
    world.mine(20).await;
    let at = world.finalised().await;
    let recalled = recall(&world.chain(), at, &[first]).await.unwrap();
    assert_eq!(recalled.paid, numbers(&[first]));
    let [(_, Fact::Paid { items, .. })] = recalled.facts.as_slice() else {
        panic!("{recalled:?}");
    };
    assert_eq!(*items, Some(packed_items(&packed).unwrap()));
}

/// The newest block at which a payment is looked for is the one that is named: later ones may go away.
#[tokio::test]
async fn what_was_paid_later_is_not_paid_yet() {
    let (world, at, _) = paid().await;
    let payments = [payment(0x73, USDT)];
    let header = header(&world, 0, 102, &payments).await;
    let data = pay_data(&header, &payments);
    let keeper = world.keys.keeper.address();
    assert!(
        world
            .send(keeper, Some(world.domain.vault), data)
            .await
            .success
    );
    let recalled = recall(&world.chain(), at, &[102]).await.unwrap();
    assert_eq!(recalled, Recalled::default());
}

/// A node that answers about a few blocks at a time.
#[tokio::test]
async fn it_is_found_in_small_steps() {
    let (world, at, _) = paid().await;
    let server = Server::start(world.node.url(), |method, params, _| {
        let bound = |field: &str| serde_json::from_value::<U256>(params[0][field].clone()).ok();
        match (method, bound("fromBlock"), bound("toBlock")) {
            ("eth_getLogs", Some(first), Some(last)) if last - first >= U256::from(3) => {
                Lie::Error(json!({"code": -32005, "message": "query exceeds max block range"}))
            }
            _ => Lie::Truth,
        }
    })
    .await;
    let recalled = recall(&server.chain(&world), at, &NUMBERS).await.unwrap();
    assert_eq!(recalled.facts.len(), 1);
}
