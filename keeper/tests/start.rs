//! How the keeper starts where the chain does not answer at once, and what it says where it does not answer at all: the real
//! binary on a real chain.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

#[path = "chain/liar.rs"]
#[allow(dead_code, reason = "shared with the tests of the adapter")]
mod liar;
mod world;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use alloy::primitives::U256;
use liar::{Lie, Server};
use serde_json::{Value, json};
use tidelock_core::domain::{Amount, Payment, PaymentRef};
use world::{FINAL, Mining, Office, Plan, Tether, USDT, expect, json_of, out};

/// An office that asks a node of its own, which may lie.
async fn with_node(
    office: &Office,
    liar: impl Fn(&str, &Value) -> Lie + Send + Sync + 'static,
) -> Server {
    let server = Server::start(office.world.node.url(), move |method, params, _| {
        liar(method, params)
    })
    .await;
    let url = format!("http://127.0.0.1:{}", server.port);
    office.configure(|text| text.replace(office.world.node.url().as_str(), &url));
    server
}

fn refused() -> Lie {
    Lie::Error(json!({"code": -32000, "message": "not now"}))
}

#[tokio::test]
async fn a_node_that_fails_at_the_start_is_asked_again() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    // Before anything is known, and in the middle.
    let asked = Arc::new(AtomicUsize::new(0));
    let _server = with_node(&office, move |_, _| {
        match asked.fetch_add(1, Ordering::Relaxed) {
            0..3 => refused(),
            9 | 30 => Lie::Raw("503 Service Unavailable", Vec::new()),
            _ => Lie::Truth,
        }
    })
    .await;
    let daemon = office.daemon().await;
    let log = office.log();
    for part in [
        "the chain: waiting",
        "not now",
        "the chain: the wait is over",
    ] {
        assert!(log.contains(part), "{log}\nlacks {part}");
    }
    daemon.stop();
}

#[tokio::test]
async fn what_is_wrong_for_good_ends_the_start() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    office.configure(|text| text.replace("chain_id = 31337", "chain_id = 1"));
    expect(&office.keeper(&["run"]).await, 2, "chain.chain_id 1");
    // A contract that is there and is no lens may be a node's mistake; not for ever.
    let (lens, token) = (
        office.world.lens.to_string(),
        office.world.token.to_string(),
    );
    office.configure(|text| text.replace(&lens, &token));
    let ended = office.keeper(&["run"]).await;
    // Which of the lens's questions fails first is open.
    expect(&ended, 4, "address) of");
    expect(&ended, 4, "reverted");
    office.configure(|text| text.replace("keeper-key.json", "stranger.json"));
    let stranger = &office.world.keys.stranger;
    world::as_keystore(
        office.path("").as_path(),
        "stranger.json",
        stranger,
        "open sesame",
    );
    expect(&office.keeper(&["run"]).await, 3, "never granted");
    assert!(!office.path("keeper.db").exists());
}

#[tokio::test]
async fn a_vault_made_a_moment_ago_is_waited_for() {
    let office = Office::open(Plan {
        slots_in_an_epoch: FINAL,
        ..Plan::default()
    })
    .await;
    let (daemon, ()) = tokio::join!(office.daemon(), async {
        let says = "is the last block that is final";
        office
            .until(says, async || office.log().contains(says))
            .await;
        assert!(!office.path("keeper.db").exists());
        office.world.mine(3 * FINAL).await;
    });
    office
        .until("it says so", async || office.log().contains("log opened"))
        .await;
    daemon.stop();

    // Where nothing was ever made, nothing is waited for.
    let office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    let late = (office.world.head().await.number - 1).to_string();
    let ended = office.keeper(&["run", "--from-block", &late]).await;
    expect(&ended, 4, "--from-block must not be after");
}

#[tokio::test]
async fn a_start_that_waits_ends_when_it_is_told_to() {
    let office = Office::open(Plan::default()).await;
    let _server = with_node(&office, |_, _| refused()).await;
    let started = office.start_daemon();
    office
        .until("it waits", async || {
            office.log().contains("the chain: waiting")
        })
        .await;
    started.stop();
    assert!(
        office.log().contains("stopped before it had begun"),
        "{}",
        office.log()
    );
}

#[tokio::test]
async fn doctor_tells_of_the_log_what_the_chain_cannot() {
    let mut office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    office.daemon().await.stop();
    let _port = office.world.node.stop();
    let done = office.keeper(&["doctor"]).await;
    expect(
        &done,
        4,
        "FAILED   chain      chain.rpc_url (http://127.0.0.1:",
    );
    let said = out(&done);
    for part in [
        "log        ",
        "mode       armed",
        "payments   0 held for an operator",
    ] {
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
}

/// Has one payment paid, and answers what `keeper explain` says of it.
async fn paid(office: &Office) -> String {
    office.world.set_mining(Mining::Every(1)).await;
    let daemon = office.daemon().await;
    let reference = PaymentRef([1; 16]);
    let recipient = alloy::primitives::Address::repeat_byte(0x71);
    let payment = Payment::new(recipient, Amount(100 * USDT), reference);
    office.request(vec![payment.unwrap()]);
    let explain = async || out(&office.keeper(&["explain", &reference.to_string()]).await);
    office
        .until("it is paid", async || {
            explain().await.contains("status    paid")
        })
        .await;
    daemon.stop();
    explain().await
}

#[tokio::test]
async fn a_node_that_lacks_methods_is_named_and_pays_all_the_same() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    let _server = with_node(&office, |method, _| match method {
        "eth_maxPriorityFeePerGas" => {
            Lie::Error(json!({"code": -32004, "message": "Method is not supported"}))
        }
        "eth_simulateV1" => Lie::Error(json!({"code": -32000, "message": "Unsupported method"})),
        _ => Lie::Truth,
    })
    .await;
    for command in ["check", "doctor"] {
        let said = out(&office.keeper(&[command]).await);
        for part in [
            "does not offer eth_maxPriorityFeePerGas: tips are the median",
            "does not offer eth_simulateV1: gas limits are estimated",
            "100 x gas.max_transaction_gas 16777216: 1.6777216 of the chain's coin",
            "refused above 59.604644775 gwei",
        ] {
            assert!(said.contains(part), "{said}\nlacks {part}");
        }
        assert!(!said.contains("offer eth_feeHistory"), "{said}");
    }
    let explained = paid(&office).await;
    for part in [
        " UTC, ",
        " ago",
        "sent in   0x",
        " UTC  accepted, with 1 requests",
    ] {
        assert!(explained.contains(part), "{explained}\nlacks {part}");
    }
}

#[tokio::test]
async fn a_node_that_takes_no_block_by_its_hash_is_told_so() {
    let office = Office::open(Plan::default()).await;
    let _server = with_node(&office, |_, params| {
        let is_by_hash = params[1].get("blockHash").is_some();
        if is_by_hash {
            let words = "Cannot wrap a \"object\" as a json-rpc type";
            return Lie::Error(json!({"code": -32700, "message": words}));
        }
        Lie::Truth
    })
    .await;
    for command in ["check", "run"] {
        let ended = office.keeper(&[command]).await;
        expect(&ended, 2, "it takes no block by its hash (EIP-1898)");
    }
}

#[tokio::test]
async fn what_the_token_takes_is_said() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    let set = Tether::setParamsCall {
        newBasisPoints: U256::from(10),
        newMaxFee: U256::from(40),
    };
    office.world.token_call(&set).await;
    let words = "the token takes 0.10 % of each transfer for itself, at most 40:";
    for command in ["check", "doctor"] {
        let said = out(&office.keeper(&[command]).await);
        assert!(said.contains(words), "{said}");
    }
    let explained = paid(&office).await;
    assert!(explained.contains("arrived   99.9 of 100"), "{explained}");

    // What the token takes later says nothing of a payment that was made before.
    let none = Tether::setParamsCall {
        newBasisPoints: U256::ZERO,
        newMaxFee: U256::ZERO,
    };
    office.world.token_call(&none).await;
    let reference = PaymentRef([1; 16]).to_string();
    let again = office.keeper(&["--json", "explain", &reference]).await;
    assert_eq!(json_of(&again)["arrived"], "99.9 of 100");
}
