//! The commands of people with two nodes configured, of which one lies, by the real binary on a real chain.

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

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use alloy::primitives::{B256, Bytes, U256, aliases::U40};
use alloy_sol_types::{SolCall, sol};
use liar::{Lie, Server};
use serde_json::{Value, json};
use tidelock_core::abi::{Vault, VaultLens};
use world::{Mining, Office, Plan, err, expect, json_of, out};

sol! {
    function decimals() external view returns (uint256);
}

const PAYMENTS: &str = "ref,recipient,amount\n\
    00000000000000000000000000000001,0x7171717171717171717171717171717171717171,12.5\n\
    00000000000000000000000000000002,0x7272727272727272727272727272727272727272,20000\n";

/// A part of the second node's URL that must never be shown.
const KEY: &str = "k3y";

impl Server {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{KEY}", self.port)
    }
}

fn with_nodes(office: &Office, first: &str, second: &str) {
    office.configure(|text| {
        let node = format!("rpc_url = \"{}\"", office.world.node.url());
        let nodes = format!("rpc_url = \"{first}\"\nsecond_rpc_url = \"{second}\"");
        text.replace(&node, &nodes)
            .replace("allow_single_node = true\n", "")
    });
}

/// An office whose second node distorts what it is asked.
async fn with_liar(
    office: &Office,
    liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
) -> Server {
    let server = Server::start(office.world.node.url(), liar).await;
    with_nodes(office, office.world.node.url().as_str(), &server.url());
    server
}

/// A proposal of two payments, by the first signer.
async fn propose(office: &Office) -> Value {
    let file = office.path("payments.csv");
    fs::write(&file, PAYMENTS).unwrap();
    let arguments = ["--json", "propose", "--yes", "--file"];
    let arguments = [&arguments[..], &[file.to_str().unwrap()]].concat();
    json_of(&office.keeper_as(office.signer(0), &arguments).await)
}

/// Distorts what one function returns.
fn other_answer<C: SolCall>(
    method: &str,
    params: &Value,
    truth: &Value,
    distort: impl Fn(C::Return) -> C::Return,
) -> Lie
where
    C::Return: Clone,
{
    let data = params[0]["data"].as_str().unwrap_or_default();
    let selector = alloy::hex::encode_prefixed(C::SELECTOR);
    if method != "eth_call" || !data.starts_with(&selector) {
        return Lie::Truth;
    }
    let answer: Bytes = serde_json::from_value(truth.clone()).unwrap();
    let said = C::abi_decode_returns(&answer).unwrap();
    let lie = Bytes::from(C::abi_encode_returns(&distort(said)));
    Lie::Result(json!(lie))
}

type Liar = fn(&str, &Value, &Value) -> Lie;

/// What the second node says otherwise, and the error's words about it.
const LIES: [(Liar, &[&str]); 7] = [
    (
        |method, _, _| match method {
            "eth_getLogs" => Lie::Result(json!([])),
            _ => Lie::Truth,
        },
        &["proposal: ", "Some(Proposed", "None"],
    ),
    (
        |method, params, truth| {
            other_answer::<VaultLens::explainCall>(method, params, truth, |mut said| {
                said.votes += 1;
                said
            })
        },
        &["standing of the proposal: ", "votes: 1", "votes: 2"],
    ),
    (
        |method, params, truth| {
            other_answer::<VaultLens::explainCall>(method, params, truth, |mut said| {
                said.state = 2;
                said
            })
        },
        &["standing of the proposal: ", "state: 1", "state: 2"],
    ),
    (
        |method, params, truth| {
            other_answer::<VaultLens::partyCall>(method, params, truth, |mut said| {
                said.keeperUntil = U40::from(5);
                said
            })
        },
        &["roles of the key: ", "keeperUntil: 0", "keeperUntil: 5"],
    ),
    (
        |method, params, truth| {
            other_answer::<decimalsCall>(method, params, truth, |_| U256::from(8))
        },
        &["token: ", "decimals 6", "decimals 8"],
    ),
    (
        |method, params, truth| match (method, params[1].as_str()) {
            ("eth_getTransactionCount", Some("pending")) => {
                let nonce: U256 = serde_json::from_value(truth.clone()).unwrap();
                Lie::Result(json!(nonce + U256::from(7)))
            }
            _ => Lie::Truth,
        },
        &["next nonce of the key: ", "says 0", "says 7"],
    ),
    (
        |method, params, truth| match (method, params[0].as_str()) {
            ("eth_getBlockByNumber", Some(number)) if number != "finalized" => {
                let mut block = truth.clone();
                block["hash"] = json!(B256::repeat_byte(9));
                Lie::Result(block)
            }
            _ => Lie::Truth,
        },
        &["chain.second_rpc_url"],
    ),
];

#[tokio::test]
async fn nothing_is_signed_before_both_nodes_say_the_same() {
    let office = Office::open(Plan::default()).await;
    let honest = with_liar(&office, |_, _, _| Lie::Truth).await;
    let proposed = propose(&office).await;
    let id = proposed["batch"].as_str().unwrap().to_owned();
    let before = office.world.head().await;
    drop(honest);
    for (index, (liar, words)) in LIES.into_iter().enumerate() {
        let server = with_liar(&office, liar).await;
        let approve = ["approve", &id, "--yes"];
        let refused = office.keeper_as(office.signer(1), &approve).await;
        for words in words {
            expect(&refused, 4, words);
        }
        let second = format!("chain.second_rpc_url (http://127.0.0.1:{})", server.port);
        if index < LIES.len() - 1 {
            let first = office.world.node.port();
            expect(
                &refused,
                4,
                &format!("chain.rpc_url (http://127.0.0.1:{first}) says"),
            );
            expect(&refused, 4, &format!("{second} says"));
        }
        let said = format!("{}{}", out(&refused), err(&refused));
        assert!(!said.contains(KEY), "{said}");
    }
    assert_eq!(office.world.head().await, before, "nothing was mined");
    let _honest = with_liar(&office, |_, _, _| Lie::Truth).await;
    let approve = ["approve", &id, "--yes"];
    let approved = office.keeper_as(office.signer(1), &approve).await;
    expect(&approved, 0, "proposed, 1 of 2 votes");
    expect(&approved, 0, "votes      2 of 2");
}

#[tokio::test]
async fn nothing_is_proposed_that_one_node_alone_would_have_so() {
    let office = Office::open(Plan::default()).await;
    let file = office.path("payments.csv");
    fs::write(&file, PAYMENTS).unwrap();
    let propose = ["propose", "--yes", "--file", file.to_str().unwrap()];
    let before = office.world.head().await;
    let cases: [(Liar, &str); 3] = [
        (
            |method, params, truth| {
                other_answer::<VaultLens::tiersCall>(method, params, truth, |mut said| {
                    said[1].delay = 0;
                    said
                })
            },
            "tiers: ",
        ),
        (
            |method, params, truth| {
                other_answer::<VaultLens::previewCall>(method, params, truth, |mut said| {
                    said[0].tier = 2;
                    said
                })
            },
            "tier: ",
        ),
        (
            |method, params, truth| {
                other_answer::<Vault::paidMaskCall>(method, params, truth, |_| U256::ONE)
            },
            "what the vault's storage proves",
        ),
    ];
    for (liar, words) in cases {
        let _liar = with_liar(&office, liar).await;
        let refused = office.keeper_as(office.signer(0), &propose).await;
        expect(&refused, 4, words);
    }
    assert_eq!(office.world.head().await, before, "nothing was mined");
}

#[tokio::test]
async fn a_refusal_of_one_node_alone_is_no_answer() {
    let office = Office::open(Plan::default()).await;
    let revoke: Liar = |method, params, _| {
        let data = params[0]["data"].as_str().unwrap_or_default();
        let selector = alloy::hex::encode_prefixed(Vault::freezeCall::SELECTOR);
        match method {
            "eth_call" if data.starts_with(&selector) => {
                Lie::Error(json!({"code": 3, "message": "execution reverted", "data": "0x"}))
            }
            _ => Lie::Truth,
        }
    };
    let _liar = with_liar(&office, revoke).await;
    let refused = office
        .keeper_as(office.signer(2), &["freeze", "--yes"])
        .await;
    expect(&refused, 4, "answer of the vault: ");
}

#[tokio::test]
async fn a_transaction_is_sent_to_both_and_either_is_enough() {
    let office = Office::open(Plan::default()).await;
    for deaf in 0..2 {
        let sent: Arc<[AtomicUsize; 2]> = Arc::default();
        let node = |index: usize| {
            let sent = sent.clone();
            Server::start(office.world.node.url(), move |method, _, _| match method {
                "eth_sendRawTransaction" => {
                    sent[index].fetch_add(1, Ordering::Relaxed);
                    if index == deaf {
                        Lie::Error(json!({"code": -32000, "message": "no room"}))
                    } else {
                        Lie::Truth
                    }
                }
                _ => Lie::Truth,
            })
        };
        let (first, second) = (node(0).await, node(1).await);
        with_nodes(&office, &first.url(), &second.url());
        // Another party may freeze while the first freeze lasts.
        let frozen = office
            .keeper_as(office.signer(deaf), &["freeze", "--yes", "--wait", "30"])
            .await;
        expect(&frozen, 0, "frozen until");
        for index in 0..2 {
            assert!(sent[index].load(Ordering::Relaxed) > 0, "node {index}");
        }
    }
}

#[tokio::test]
async fn nothing_is_quoted_that_one_node_says_alone() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(10).await;
    let daemon = office.daemon().await;
    daemon.stop();
    let recipient = alloy::primitives::Address::repeat_byte(0x71).to_string();
    let quote = ["quote", &recipient, "100"];
    let cases: [(Liar, &str); 5] = [
        (
            |method, params, truth| {
                other_answer::<VaultLens::haltedUntilCall>(method, params, truth, |said| {
                    said + U256::ONE
                })
            },
            "the vault: ",
        ),
        (
            |method, params, truth| {
                other_answer::<VaultLens::previewCall>(method, params, truth, |mut said| {
                    said[0].tier = 1;
                    said
                })
            },
            "tier of the payment: ",
        ),
        (
            |method, params, truth| {
                other_answer::<VaultLens::fitsAtCall>(method, params, truth, |said| {
                    said + U256::ONE
                })
            },
            "room under the cap: ",
        ),
        (
            |method, params, truth| match (method, params[0].as_str()) {
                ("eth_getBlockByNumber", Some(number)) if number != "finalized" => {
                    let mut block = truth.clone();
                    block["hash"] = json!(B256::repeat_byte(9));
                    Lie::Result(block)
                }
                _ => Lie::Truth,
            },
            "block ",
        ),
        (|_, _, _| Lie::Truth, ""),
    ];
    for (liar, words) in cases {
        let _liar = with_liar(&office, liar).await;
        let quoted = office.keeper(&quote).await;
        expect(&quoted, if words.is_empty() { 0 } else { 4 }, words);
    }
}

#[tokio::test]
async fn reconcile_concludes_nothing_that_one_node_says_alone() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(10).await;
    office.world.set_mining(Mining::Every(1)).await;
    let daemon = office.daemon().await;
    let recipient = alloy::primitives::Address::repeat_byte(0x71);
    let reference = tidelock_core::domain::PaymentRef([1; 16]);
    let amount = tidelock_core::domain::Amount(world::USDT);
    let payment = tidelock_core::domain::Payment::new(recipient, amount, reference);
    office.request(vec![payment.unwrap()]);
    office
        .until("the payment is final", async || {
            let explained = office
                .keeper(&["explain", &reference.to_string(), "--json"])
                .await;
            serde_json::from_str::<Value>(&out(&explained)).unwrap()["payment"]["status"] == "paid"
        })
        .await;
    daemon.stop();
    office.world.set_mining(Mining::ByHand).await;
    let cases: [(Liar, i32, &str); 5] = [
        (|_, _, _| Lie::Truth, 0, "0 differences"),
        (
            |method, _, _| match method {
                "eth_getLogs" => Lie::Result(json!([])),
                _ => Lie::Truth,
            },
            4,
            "the vault's logs of blocks",
        ),
        (
            |method, params, truth| {
                other_answer::<Vault::paidMaskCall>(method, params, truth, |_| U256::ZERO)
            },
            4,
            "what the vault's storage proves",
        ),
        (
            |method, params, truth| match (method, params[0].as_str()) {
                ("eth_getBlockByNumber", Some(number)) if number.starts_with("0x") => {
                    let mut block = truth.clone();
                    block["hash"] = json!(B256::repeat_byte(9));
                    Lie::Result(block)
                }
                _ => Lie::Truth,
            },
            4,
            "block ",
        ),
        (
            |method, _, _| match method {
                "eth_getLogs" => Lie::Error(json!({"code": -32000, "message": "no logs"})),
                _ => Lie::Truth,
            },
            4,
            "chain.second_rpc_url (http://127.0.0.1:",
        ),
    ];
    for (liar, code, words) in cases {
        let _server = with_liar(&office, liar).await;
        expect(&office.keeper(&["reconcile"]).await, code, words);
    }
}

/// Turns into a node that stands still.
#[derive(Default)]
struct Freeze {
    is_frozen: AtomicBool,
    /// The newest and the final block.
    told: Mutex<BTreeMap<String, Value>>,
}

impl Freeze {
    fn lie(&self, method: &str, params: &Value, truth: &Value) -> Lie {
        if method != "eth_getBlockByNumber" {
            return Lie::Truth;
        }
        let mut told = self.told.lock().unwrap();
        let which = params[0].as_str().unwrap().to_owned();
        if !self.is_frozen.load(Ordering::Relaxed) {
            told.insert(which, truth.clone());
            return Lie::Truth;
        }
        // A block that it was not asked for before it stood still came later.
        Lie::Result(told.get(&which).cloned().unwrap_or_default())
    }
}

#[tokio::test]
async fn a_node_that_stands_still_is_named() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(20).await;
    let freeze: Arc<Freeze> = Arc::default();
    let of_server = freeze.clone();
    let server = with_liar(&office, move |method, params, truth| {
        of_server.lie(method, params, truth)
    })
    .await;
    let daemon = office.daemon().await;
    office
        .until("both nodes were asked", async || {
            let said = freeze.told.lock().unwrap();
            said.contains_key("latest") && said.contains_key("finalized")
        })
        .await;
    freeze.is_frozen.store(true, Ordering::Relaxed);
    office.world.skip(7_200).await;
    office.world.mine(44).await;
    let name = format!(
        "chain.second_rpc_url (http://127.0.0.1:{}) is 45 blocks and 2 h",
        server.port
    );
    office
        .until("status names it", async || {
            out(&office.keeper(&["status"]).await).contains(&name)
        })
        .await;
    let doctor = office.keeper(&["doctor"]).await;
    assert!(out(&doctor).contains(&name), "{}", out(&doctor));
    assert!(out(&doctor).contains("nothing after that block is concluded"));
    let check = office.keeper(&["check"]).await;
    expect(&check, 0, &name);
    // The log says it once, with what was seen first: blocks were still being made then.
    let said = office.log().matches("behind the other node").count();
    assert_eq!(said, 1, "{}", office.log());
    daemon.stop();
}

#[tokio::test]
async fn one_node_under_two_names_is_seen() {
    let office = Office::open(Plan::default()).await;
    let honest = with_liar(&office, |_, _, _| Lie::Truth).await;
    let check = office.keeper(&["check"]).await;
    expect(
        &check,
        0,
        "answers with the identity of chain.rpc_url's node",
    );
    expect(&check, 0, "on the same machine as chain.rpc_url");
    let doctor = office.keeper(&["doctor"]).await;
    assert!(
        out(&doctor).contains("one node is counted as two"),
        "{}",
        out(&doctor)
    );
    drop(honest);
    let first = office.world.node.url();
    let other = format!("HTTP://localhost:{}//", office.world.node.port());
    with_nodes(&office, first.as_str(), &other);
    expect(
        &office.keeper(&["check"]).await,
        2,
        "leads to the same place",
    );
}
