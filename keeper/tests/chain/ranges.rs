//! Nodes that answer about a few blocks at a time.

use alloy::primitives::{B256, U256};
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Vault, order_argument},
    domain::{BatchId, pack_payments},
};

use crate::{
    by_hand, header,
    liar::{Lie, Server},
    payment,
    world::USDT,
};

/// Answers about at most seven blocks.
fn stingy(method: &str, params: &Value, _: &Value) -> Lie {
    let bound = |field: &str| serde_json::from_value::<U256>(params[0][field].clone()).ok();
    match (method, bound("fromBlock"), bound("toBlock")) {
        ("eth_getLogs", Some(first), Some(last)) if last - first >= U256::from(7) => {
            Lie::Error(json!({"code": -32005, "message": "query exceeds max block range"}))
        }
        _ => Lie::Truth,
    }
}

#[tokio::test]
async fn a_proposal_and_a_history_are_found_in_small_steps() {
    let world = by_hand(2).await;
    let payments = [payment(0x71, USDT)];
    let proposed = header(&world, 1, (1 << 63) + 1, &payments).await;
    let id = proposed.id(&world.domain);
    let call = Vault::proposeCall {
        order: order_argument(&proposed),
        payments: pack_payments(&payments).into(),
    };
    let receipt = world
        .vault_call(world.keys.signers[0].address(), &call)
        .await;
    assert!(receipt.success);
    world.mine(60).await;
    let server = Server::start(world.node.url(), stingy).await;
    let chain = server.chain(&world);

    let found = chain.find_proposal(id, 0).await.unwrap().unwrap();
    assert_eq!((found.block, found.header), (receipt.block, proposed));
    assert_eq!(found.payments, payments);
    let late = chain.find_proposal(id, receipt.block + 1).await.unwrap();
    assert_eq!(late, None, "not looked for before the block that was named");
    let unknown = BatchId(B256::repeat_byte(9));
    assert_eq!(chain.find_proposal(unknown, 0).await.unwrap(), None);

    let last = world.head().await;
    let whole = world.chain().history(0, last, |_| {}).await.unwrap();
    let mut steps = Vec::new();
    let pieces = chain
        .history(0, last, |block| steps.push(block))
        .await
        .unwrap();
    assert_eq!(pieces, whole);
    assert!(steps.len() > 8 && steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.last(), Some(&last.number));
}
