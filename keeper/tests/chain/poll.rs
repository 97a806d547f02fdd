use alloy::primitives::U256;
use serde_json::json;
use tidelock_core::{
    abi::Fact,
    domain::PaymentNumber,
    event::BlockRef,
    observe::{Change, Polled, View},
    port::{Effect, Outcome},
};
use tidelock_keeper::chain::{Chain, RpcChain};

use crate::{
    by_hand, header,
    liar::{Lie, Server},
    pay_data, payment,
    world::USDT,
};

async fn polled(chain: &RpcChain, tip: BlockRef) -> Polled {
    match chain.answer(Effect::Poll { tip }).await {
        Outcome::Polled(polled) => polled,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_poll_tells_blocks_facts_and_what_is_final() {
    let world = by_hand(2).await;
    let chain = world.chain();
    let tip = world.head().await;
    let payments = [payment(0x71, 5 * USDT), payment(0x72, 6 * USDT)];
    let header = header(&world, 0, 100, &payments).await;
    let keeper = world.keys.keeper.address();
    let data = pay_data(&header, &payments);
    let receipt = world.send(keeper, Some(world.domain.vault), data).await;
    assert!(receipt.success);
    world.mine(9).await;

    let polled = polled(&chain, tip).await;
    assert_eq!(polled.blocks.len(), 10);
    let first = &polled.blocks[0];
    assert_eq!(first.parent, tip.hash);
    assert_eq!(first.transactions, [receipt.hash]);
    assert_eq!(first.gas_limit, 30_000_000);
    assert!(first.base_fee > 0);
    let [
        Fact::Paid {
            id,
            first_number,
            paid,
            items: Some(items),
        },
    ] = first.facts.as_slice()
    else {
        panic!("{:?}", first.facts)
    };
    assert_eq!(*id, header.id(&world.domain));
    assert_eq!(*first_number, PaymentNumber(100));
    assert_eq!(*paid, U256::from(3));
    assert_eq!(items.len(), 2);
    assert!(
        polled.blocks[1..]
            .iter()
            .all(|block| block.facts.is_empty())
    );
    let finalised = world.finalised().await;
    assert_eq!(polled.finalised, (finalised.number, finalised.hash));
    assert_eq!(finalised.number, tip.number + 10 - 4);
    assert_eq!(polled.finalised_nonce, Some(1));
    assert!(polled.suggested_tip > 0);

    let mut view = View::new(tip);
    assert_eq!(view.extend(&polled.blocks), Ok(Change::Grown));
    assert_eq!(view.finalise(polled.finalised).len(), 6);
}

#[tokio::test]
async fn a_poll_is_bounded_and_goes_on_where_it_ended() {
    let world = by_hand(2).await;
    let chain = world.chain();
    let tip = world.head().await;
    world.mine(70).await;
    let some = polled(&chain, tip).await;
    assert_eq!(some.blocks.len(), 64);
    let rest = polled(&chain, some.blocks[63].id).await;
    assert_eq!(rest.blocks.len(), 6);
    let none = polled(&chain, rest.blocks[5].id).await;
    assert!(none.blocks.is_empty());
}

/// Geth keeps the state of its newest 128 blocks. Its words as they were when a keeper came back after a while.
#[tokio::test]
async fn blocks_whose_state_is_gone_are_final_all_the_same() {
    let world = by_hand(2).await;
    let base = world.head().await;
    world.mine(200).await;
    let newest = world.finalised().await;
    let has_state = json!(newest.hash);
    let server = Server::start(world.node.url(), move |method, params, _| {
        let last = params.as_array().and_then(|all| all.last());
        let at = last.and_then(|at| at.get("blockHash"));
        match method {
            "eth_getTransactionCount" | "eth_getProof" if at != Some(&has_state) => Lie::Error(json!({
                "code": -32000,
                "message": "historical state bd697b302a5670bea71c10ac19d3503126e7eb33969bec7982307e6383868c71 is not available",
            })),
            _ => Lie::Truth,
        }
    })
    .await;
    let chain = server.chain(&world);
    let mut view = View::new(base);
    let mut taken = Vec::new();
    while view.tip() != world.head().await {
        let answer = polled(&chain, view.tip()).await;
        assert_eq!(view.extend(&answer.blocks), Ok(Change::Grown));
        let is_last = answer.finalised == (newest.number, newest.hash);
        assert_eq!(answer.finalised_nonce, is_last.then_some(0));
        taken.extend(view.finalise(answer.finalised));
        assert!(view.blocks().count() < 64, "they pile up");
    }
    let expected: Vec<u64> = (base.number + 1..=newest.number).collect();
    let numbers: Vec<u64> = taken.iter().map(|block| block.id.number).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn a_poll_after_a_reorganisation_shows_another_parent() {
    let world = by_hand(2).await;
    let chain = world.chain();
    let base = world.head().await;
    world.mine(3).await;
    let before = polled(&chain, base).await;
    let mut view = View::new(base);
    view.extend(&before.blocks).unwrap();
    world.reorg(2).await;
    world.mine(1).await;
    let mut steps = Vec::new();
    loop {
        let answer = polled(&chain, view.tip()).await;
        let change = view.extend(&answer.blocks).unwrap();
        steps.push(change);
        if change == Change::Grown {
            break;
        }
    }
    assert_eq!(steps, [Change::Shrunk, Change::Shrunk, Change::Grown]);
    assert_eq!(view.tip().hash, world.head().await.hash);
}

#[tokio::test]
async fn before_anything_is_final_the_first_block_is() {
    let world = by_hand(1_000).await;
    let polled = polled(&world.chain(), world.head().await).await;
    let genesis = world.block_at(0).await;
    assert_eq!(polled.finalised, (0, genesis.hash));
    assert_eq!(polled.finalised_nonce, Some(0));
}
