//! What a node says of the state is held against the state's root, where the node offers proofs.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy::primitives::{B256, U256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tidelock_core::{abi::Vault, domain::PaymentNumber, event::BlockRef};
use tidelock_keeper::chain::{BlockChecks, ChainError};

use crate::{
    liar::{Lie, Server},
    lies::poll,
    paid_and_final, payment,
    world::{USDT, World},
};

/// Two payments over the border of two words of the bitmap, and blocks after them.
async fn paid() -> (World, BlockRef) {
    paid_and_final(255, &[payment(0x71, USDT), payment(0x72, USDT)]).await
}

/// A node that changes every proof.
async fn forging(world: &World, forge: fn(&mut Value)) -> Server {
    Server::start(world.node.url(), move |method, _, truth| {
        if method != "eth_getProof" {
            return Lie::Truth;
        }
        let mut proof = truth.clone();
        forge(&mut proof);
        Lie::Result(proof)
    })
    .await
}

fn numbers(numbers: &[u64]) -> BTreeSet<PaymentNumber> {
    numbers.iter().copied().map(PaymentNumber).collect()
}

fn refused() -> Lie {
    Lie::Error(
        json!({"code": -32000, "message": "distance to target block exceeds maximum proof window"}),
    )
}

#[tokio::test]
async fn nonce_and_numbers_are_proven() {
    let (world, at) = paid().await;
    // Nobody else is asked for the nonce: the proof says it.
    let server = Server::start(world.node.url(), |method, _, _| match method {
        "eth_getTransactionCount" => Lie::Result(json!("0x7")),
        _ => Lie::Truth,
    })
    .await;
    let chain = server.chain(&world);
    assert_eq!(chain.nonce_after(at).await, Ok(1));
    for asked in [[254, 255, 256, 257], [0, 255, 256, 511]] {
        let asked: Vec<PaymentNumber> = asked.map(PaymentNumber).to_vec();
        let paid = chain.paid_among(at, &asked).await;
        assert_eq!(paid, Ok(numbers(&[255, 256])));
    }
    let found = chain.paid_besides(at, &numbers(&[255, 256])).await;
    assert_eq!(found, Ok(None));
    let found = chain.paid_besides(at, &numbers(&[255])).await;
    assert_eq!(found, Ok(Some(PaymentNumber(256))));
}

#[tokio::test]
async fn a_nonce_that_the_state_does_not_have_is_found_out() {
    let (world, at) = paid().await;
    let lies: [fn(&mut Value); 5] = [
        |proof| proof["nonce"] = json!("0x2"),
        |proof| proof["nonce"] = json!("0x0"),
        |proof| proof["accountProof"] = json!([]),
        |proof| drop(proof["accountProof"].as_array_mut().unwrap().pop()),
        |proof| {
            proof["nonce"] = json!("0x0");
            proof["balance"] = json!("0x0");
        },
    ];
    for (case, lie) in lies.into_iter().enumerate() {
        let server = forging(&world, lie).await;
        let answer = server.chain(&world).nonce_after(at).await;
        let is_found = matches!(answer, Err(ChainError::Unproven { .. }));
        assert!(is_found, "case {case}: {answer:?}");
    }
}

#[tokio::test]
async fn a_number_that_the_state_has_otherwise_is_found_out() {
    let (world, at) = paid().await;
    let asked = [PaymentNumber(255), PaymentNumber(300)];
    // By the call alone.
    let mask = Vault::paidMaskCall::SELECTOR;
    let server = Server::start(world.node.url(), move |method, params, truth| {
        let data = params[0]["data"].as_str().or(params[0]["input"].as_str());
        let selector = format!("0x{}", alloy::hex::encode(mask));
        if method == "eth_call" && data.is_some_and(|data| data.starts_with(&selector)) {
            let told: U256 = serde_json::from_value(truth.clone()).unwrap();
            return Lie::Result(json!(B256::from(told & !U256::ONE)));
        }
        Lie::Truth
    })
    .await;
    let why = server.chain(&world).paid_among(at, &asked).await;
    let why = why.unwrap_err().to_string();
    assert!(why.contains("what the vault's storage proves"), "{why}");
    let believing = server.chain(&world).checking(BlockChecks::None);
    let believed = believing.paid_among(at, &asked).await;
    assert_eq!(believed, Ok(BTreeSet::new()), "what it is there for");
    // By the proof as well.
    let lies: [fn(&mut Value); 3] = [
        |proof| proof["storageProof"][0]["value"] = json!("0x0"),
        |proof| proof["storageProof"] = json!([]),
        |proof| proof["storageHash"] = json!(B256::repeat_byte(9)),
    ];
    for (case, lie) in lies.into_iter().enumerate() {
        let server = forging(&world, lie).await;
        let answer = server.chain(&world).paid_among(at, &asked).await;
        let is_found = matches!(answer, Err(ChainError::Unproven { .. }));
        assert!(is_found, "case {case}: {answer:?}");
    }
}

/// The proof of another block's state.
#[tokio::test]
async fn an_old_state_is_not_taken_for_a_newer_one() {
    let (world, at) = paid().await;
    let keeper = world.keys.keeper.address();
    let first = world.block_at(1).await;
    let before = json!([keeper, Vec::<B256>::new(), {"blockHash": first.hash}]);
    let old: Value = world.ask("eth_getProof", before).await;
    let server = Server::start(world.node.url(), move |method, _, _| match method {
        "eth_getProof" => Lie::Result(old.clone()),
        _ => Lie::Truth,
    })
    .await;
    let answer = server.chain(&world).nonce_after(at).await;
    let is_found = matches!(answer, Err(ChainError::Unproven { .. }));
    assert!(is_found, "{answer:?}");
}

#[tokio::test]
async fn a_node_without_proofs_is_believed_and_one_that_stops_giving_them_is_not() {
    let (world, at) = paid().await;
    let refusals: [fn() -> Lie; 2] = [refused, || {
        Lie::Error(json!({"code": -32601, "message": "Method not found"}))
    }];
    for refusal in refusals {
        let server = Server::start(world.node.url(), move |method, _, _| match method {
            "eth_getProof" => refusal(),
            _ => Lie::Truth,
        })
        .await;
        assert_eq!(server.chain(&world).nonce_after(at).await, Ok(1));
    }
    let keeper = json!(world.keys.keeper.address());
    let server = Server::start(world.node.url(), move |method, params, _| match method {
        "eth_getProof" if params[0] != keeper => refused(),
        _ => Lie::Truth,
    })
    .await;
    let chain = server.chain(&world);
    assert_eq!(chain.nonce_after(at).await, Ok(1));
    let answer = chain.paid_among(at, &[PaymentNumber(255)]).await;
    let why = answer.unwrap_err().to_string();
    assert!(why.contains("maximum proof window"), "{why}");
}

/// Proofs are longer than what they replace: one for each final block is enough.
#[tokio::test]
async fn the_nonce_at_a_final_block_is_asked_for_once() {
    let (world, _) = paid().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let server = Server::start(world.node.url(), move |method, _, _| {
        let is_nonce = ["eth_getProof", "eth_getTransactionCount"].contains(&method);
        counter.fetch_add(is_nonce.into(), Ordering::Relaxed);
        Lie::Truth
    })
    .await;
    let chain = server.chain(&world);
    for _ in 0..3 {
        let polled = poll(&chain, world.head().await).await.unwrap();
        assert_eq!(polled.finalised_nonce, Some(1));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    world.mine(1).await;
    poll(&chain, world.head().await).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
