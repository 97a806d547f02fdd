//! What a chain lets be checked is found out, and what is configured must be possible.

use alloy::{consensus::Header, primitives::Bloom};
use serde_json::{Value, json};
use tidelock_keeper::chain::{
    BlockChecks, Checkable, Expected, Identity, IdentityError, Warning, verify::check_filter,
};

use crate::{
    liar::{Lie, Server},
    world::{Mining, Plan, World},
};

/// A world whose newest block has transactions and logs.
async fn world() -> World {
    World::start(Plan {
        mining: Mining::ByHand,
        slots_in_an_epoch: 1,
        ..Plan::default()
    })
    .await
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
