use alloy::primitives::{Address, U256};
use tidelock_core::domain::Amount;
use tidelock_keeper::chain::{Expected, Identity, IdentityError, Parties, RpcChain, Warning};

use alloy_sol_types::{SolCall, SolValue};
use serde_json::json;
use tidelock_core::abi::Vault;

use crate::{
    by_hand,
    liar::{Lie, Server},
    world::{Plan, World},
};

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
    let world = by_hand(2).await;
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

/// Identifies through a liar that answers one function otherwise.
async fn identify_lied(world: &World, selector: [u8; 4], answer: Vec<u8>) -> String {
    let selector = format!("0x{}", alloy::hex::encode(selector));
    let answer = format!("0x{}", alloy::hex::encode(answer));
    let server = Server::start(world.node.url(), move |method, params, _| {
        let data = params[0]["data"].as_str().unwrap_or_default();
        if method == "eth_call" && data.starts_with(&selector) {
            Lie::Result(json!(answer))
        } else {
            Lie::Truth
        }
    })
    .await;
    let refused = server.chain(world).identify(SENDING).await;
    refused.unwrap_err().to_string()
}

#[tokio::test]
async fn a_contract_that_is_not_quite_the_vault_is_refused() {
    let world = World::start(Plan::default()).await;
    let vault = world.domain.vault;
    let domain = |fields: u8, name: &str, chain: u64, contract: Address| {
        let salt = alloy::primitives::B256::ZERO;
        let chain = U256::from(chain);
        let fields = alloy::primitives::FixedBytes([fields]);
        let none: Vec<U256> = Vec::new();
        (fields, name, "1", chain, contract, salt, none).abi_encode_params()
    };
    let (name, id) = ("Tidelock Vault", 31337);
    let eip712 = Vault::eip712DomainCall::SELECTOR;
    let word = |value: u64| U256::from(value).abi_encode();
    let cases = [
        (Vault::hashBatchCall::SELECTOR, word(1), "batch id"),
        (Vault::VERSIONCall::SELECTOR, "2".abi_encode(), "VERSION 1"),
        (eip712, domain(0x1f, name, id, vault), "EIP-712 fields 15"),
        (
            eip712,
            domain(0x0f, "Other", id, vault),
            "EIP-712 name Tidelock Vault",
        ),
        (
            eip712,
            domain(0x0f, name, 1, vault),
            "EIP-712 chain id 31337",
        ),
        (
            eip712,
            domain(0x0f, name, id, world.token),
            "EIP-712 contract",
        ),
        (Vault::unitCall::SELECTOR, word(0), "unit 0: must be more"),
        (
            [0x31, 0x3c, 0xe5, 0x67],
            word(29),
            "decimals 29: must be at most 28",
        ),
        (
            Vault::unitCall::SELECTOR,
            Vec::new(),
            "is not what it returns",
        ),
    ];
    for (selector, answer, words) in cases {
        let said = identify_lied(&world, selector, answer).await;
        assert!(said.contains(words), "{words}: {said}");
    }
}
