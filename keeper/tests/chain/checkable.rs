//! What a chain lets be checked is found out, and what is configured must be possible.

use std::sync::{Arc, Mutex};

use alloy::{consensus::Header, primitives::Bloom};
use serde_json::{Value, json};
use tidelock_core::port::{Effect, Outcome};
use tidelock_keeper::chain::{
    BlockChecks, Chain, Checkable, Expected, Identity, IdentityError, Warning, verify::check_filter,
};

use crate::{
    by_hand,
    liar::{Lie, Server},
    paid_and_final, payment,
    world::{USDT, World},
};

/// A world whose newest block has transactions and logs.
async fn world() -> World {
    by_hand(1).await
}

async fn identified(
    checks: BlockChecks,
    liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
) -> Result<Identity, IdentityError> {
    let world = world().await;
    let server = Server::start(world.node.url(), liar).await;
    let expected = Expected {
        has_second_node: false,
        allow_single_node: true,
        sends: true,
    };
    let chain = server.chain(&world).checking(checks);
    chain.identify(expected).await
}

#[tokio::test]
async fn a_node_that_can_do_it_all_is_said_to() {
    for checks in BlockChecks::ALL {
        let identity = identified(checks, |_, _, _| Lie::Truth).await.unwrap();
        let expected = Checkable {
            checks,
            most: Some(BlockChecks::Receipts),
            receipts_at_once: Some(true),
            proofs: (checks != BlockChecks::None).then_some(true),
        };
        assert_eq!(identity.checkable, expected);
        let few = Warning::FewChecks {
            checks,
            most: BlockChecks::Receipts,
        };
        let is_warned = identity.warnings.contains(&few);
        assert_eq!(is_warned, checks != BlockChecks::Receipts);
    }
}

#[tokio::test]
async fn what_a_node_lacks_is_said() {
    let identity = identified(BlockChecks::Receipts, |method, _, _| match method {
        "eth_getBlockReceipts" | "eth_getProof" => {
            Lie::Error(json!({"code": -32601, "message": "Method not found"}))
        }
        _ => Lie::Truth,
    });
    let found = identity.await.unwrap().checkable;
    assert_eq!(found.most, Some(BlockChecks::Receipts));
    assert_eq!(found.receipts_at_once, Some(false));
    assert_eq!(found.proofs, Some(false));
}

/// A receipt of a type that is hashed in a way of its own.
fn other_receipts(method: &str, _: &Value, truth: &Value) -> Lie {
    match method {
        "eth_getBlockReceipts" => {
            let mut receipts = truth.clone();
            receipts[0]["type"] = json!("0x7e");
            Lie::Result(receipts)
        }
        _ => Lie::Truth,
    }
}

#[tokio::test]
async fn more_than_a_chain_allows_is_refused_with_the_reason() {
    let refused = identified(BlockChecks::Receipts, other_receipts).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains(": receiptsRoot 0x"), "{why}");
    assert!(why.contains("chain.block_checks"), "{why}");
    for checks in [BlockChecks::Header, BlockChecks::None] {
        let identity = identified(checks, other_receipts).await.unwrap();
        assert_eq!(identity.checkable.most, Some(BlockChecks::Header));
        let few = Warning::FewChecks {
            checks,
            most: BlockChecks::Header,
        };
        let is_warned = identity.warnings.contains(&few);
        assert_eq!(is_warned, checks == BlockChecks::None);
    }
}

/// Its header would rule out every log there is.
#[test]
fn a_chain_without_a_filter_is_told_by_its_logs() {
    let filtered = Header {
        logs_bloom: Bloom::repeat_byte(1),
        ..Header::default()
    };
    assert_eq!(check_filter(&filtered, true), Ok(()));
    assert_eq!(check_filter(&Header::default(), false), Ok(()));
    let refused = check_filter(&Header::default(), true);
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("chain.block_checks must be none"), "{why}");
}

/// Once for each method, however many blocks are read.
#[tokio::test]
async fn what_a_node_lacks_is_asked_for_once() {
    /// Blocks whose receipts are asked for at the same time.
    const AT_ONCE: usize = 2;
    const LACKED: [&str; 3] = [
        "eth_getBlockReceipts",
        "eth_maxPriorityFeePerGas",
        "eth_feeHistory",
    ];
    let (world, _) = paid_and_final(0x71, &[payment(0x71, 5 * USDT)]).await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let server = Server::start(world.node.url(), move |method, _, _| {
        let lacked = LACKED.into_iter().find(|lacked| *lacked == method);
        let Some(method) = lacked else {
            return Lie::Truth;
        };
        seen.lock().unwrap().push(method);
        Lie::Error(json!({"code": -32601, "message": "Method not found"}))
    })
    .await;
    let chain = server.chain(&world).checking(BlockChecks::Receipts);
    let tip = chain.block_numbered(0).await.unwrap();
    for _ in 0..3 {
        let polled = chain.answer(Effect::Poll { tip }).await;
        let Outcome::Polled(polled) = polled else {
            panic!("{polled:?}");
        };
        assert!(polled.blocks.iter().any(|block| !block.facts.is_empty()));
    }
    let asked = asked.lock().unwrap().clone();
    // Blocks are read side by side: the first few are asked about before the first answer.
    let count = |method| asked.iter().filter(|seen| **seen == method).count();
    assert!(count(LACKED[0]) <= AT_ONCE, "{asked:?}");
    assert_eq!((count(LACKED[1]), count(LACKED[2])), (1, 1), "{asked:?}");
}
