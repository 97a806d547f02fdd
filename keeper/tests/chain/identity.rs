use alloy::primitives::Address;
use tidelock_core::domain::Amount;
use tidelock_keeper::chain::{Expected, Identity, IdentityError, Parties, RpcChain, Warning};

use crate::world::{Plan, World};

const SENDING: Expected = Expected {
    has_second_node: false,
    allow_single_node: true,
    sends: true,
};

async fn identify(
    world: &World,
    parties: Parties,
    expected: Expected,
) -> Result<Identity, IdentityError> {
    let chain = RpcChain::new(world.rpc.clone(), parties);
    chain.identify(expected).await
}

#[tokio::test]
async fn it_tells_what_the_chain_has() {
    let world = World::start(Plan::default()).await;
    let identity = identify(&world, world.parties(), SENDING).await.unwrap();
    assert_eq!((identity.unit, identity.decimals), (Amount(10_000), 6));
    assert_eq!(identity.head, world.head().await);
    assert_eq!(identity.finalised, world.finalised().await);
    assert!(identity.has_blacklist);
    assert_eq!(identity.warnings, [Warning::SingleNode]);
}

#[tokio::test]
async fn it_refuses_what_differs() {
    let world = World::start(Plan::default()).await;
    let parties = world.parties();

    let single = Expected {
        has_second_node: false,
        allow_single_node: false,
        ..SENDING
    };
    let refused = identify(&world, parties, single).await.unwrap_err();
    assert_eq!(refused, IdentityError::SingleNodeNotAllowed);

    let mut other_chain = parties;
    other_chain.domain.chain_id.0 = 1;
    let refused = identify(&world, other_chain, SENDING).await.unwrap_err();
    let words = "chain.chain_id 1: the node is on chain 31337; they must be the same";
    assert_eq!(refused.to_string(), words);

    let mut no_vault = parties;
    no_vault.domain.vault = Address::repeat_byte(3);
    let refused = identify(&world, no_vault, SENDING).await.unwrap_err();
    let is_address = matches!(
        refused,
        IdentityError::NoCode {
            field: "vault.address",
            ..
        }
    );
    assert!(is_address, "{refused}");

    let other_token = Parties {
        token: parties.lens,
        ..parties
    };
    let refused = identify(&world, other_token, SENDING).await.unwrap_err();
    let is_token = matches!(
        refused,
        IdentityError::Differs {
            field: "vault.token",
            ..
        }
    );
    assert!(is_token, "{refused}");

    let swapped = Parties {
        lens: parties.token,
        ..parties
    };
    let refused = identify(&world, swapped, SENDING).await.unwrap_err();
    assert!(matches!(refused, IdentityError::Chain(_)), "{refused}");
}

#[tokio::test]
async fn a_key_without_the_role_may_watch_and_not_send() {
    let world = World::start(Plan::default()).await;
    let keeper = world.keys.stranger.address();
    let stranger = Parties {
        keeper,
        ..world.parties()
    };
    let refused = identify(&world, stranger, SENDING).await.unwrap_err();
    let is_role = matches!(refused, IdentityError::NotKeeper { until: 0, .. });
    assert!(is_role, "{refused}");
    let watching = Expected {
        sends: false,
        ..SENDING
    };
    let identity = identify(&world, stranger, watching).await.unwrap();
    assert!(identity.warnings.contains(&Warning::NotProposer { keeper }));
}

#[tokio::test]
async fn a_node_without_a_final_block_is_warned_about() {
    let world = World::start(Plan {
        slots_in_an_epoch: 1_000,
        ..Plan::default()
    })
    .await;
    let identity = identify(&world, world.parties(), SENDING).await.unwrap();
    let head = identity.head.number;
    assert!(
        identity
            .warnings
            .contains(&Warning::FinalisedIsGenesis { head })
    );
}
