//! How the server asks its node.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use alloy::primitives::{Bytes, U256};
use alloy_sol_types::SolCall;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tidelock_core::abi::Vault;

use super::{
    api::PATIENCE,
    chain::{beside, keeper, key},
    daemon,
    liar::{Lie, Server},
    support::Kind,
    votes::waiting,
    world::USDT,
};

/// What a node of another chain says of this address would be told as if it were the vault's.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_not_believed() {
    let (world, mut daemon, mut api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "read");
    let vault = format!("/v1/vaults/{}", world.domain.vault);
    api.get(&key, &vault).await.of(200);
    daemon.kill();
    api.kill();
    let other = world.domain.chain_id.0 + 1;
    world.ask::<Value>("anvil_setChainId", json!([other])).await;
    let now: U256 = world.ask("eth_chainId", json!([])).await;
    assert_eq!(now, U256::from(other));
    api.start(keeper(daemon.folder()));
    for place in [vault.as_str(), "/v1/approvals"] {
        api.get(&key, place).await.refused(503, "unavailable");
    }
    let why = format!("the node is on chain {other}");
    assert!(api.log().contains(&why), "{}", api.log());
}

/// Calls of one look at one proposal: the signers, their set, where it stands, its word.
const CALLS: u64 = 4;

/// Whoever reads as fast as they can must not drown the node that the keeper sends by.
#[tokio::test(flavor = "multi_thread")]
async fn however_many_look_the_node_is_asked_once_a_second() {
    let (world, daemon, mut api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "request,read");
    api.file(&key, &daemon::payment(1, 5_000 * USDT))
        .await
        .of(201);
    let is_proposed = |item: &Value| item["standing"]["state"] == "proposed";
    let item = waiting(&api, &key, &is_proposed).await;
    api.kill();
    let (calls, is_down) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let (counted, down) = (Arc::clone(&calls), Arc::clone(&is_down));
    let between = Server::start(world.node.url(), move |method, _, _| {
        if method == "eth_call" {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        if down.load(Ordering::SeqCst) {
            Lie::Error(json!({"code": -32_000, "message": "no"}))
        } else {
            Lie::Truth
        }
    })
    .await;
    let mut command = keeper(daemon.folder());
    let url = format!("http://127.0.0.1:{}", between.port);
    command.env("KEEPER_CHAIN__RPC_URL", url);
    api.start(command);
    // It connects, and is asked what it is.
    let place = "/v1/approvals";
    api.get(&key, place).await.of(200);
    let before = calls.load(Ordering::SeqCst);
    let begin = Instant::now();
    for _ in 0..10 {
        let looks = (0..30).map(|_| api.get(&key, place));
        for look in join_all(looks).await {
            let list = look.of(200);
            assert_eq!(list["items"][0]["standing"]["required"], 2, "{list}");
        }
    }
    // A look begins at least a second after the one before has ended.
    let most = CALLS * (begin.elapsed().as_secs() + 2);
    let asked = calls.load(Ordering::SeqCst) - before;
    assert!(asked <= most, "{asked} calls, at most {most}");

    // What can be refused without it is.
    is_down.store(true, Ordering::SeqCst);
    let begin = Instant::now();
    while api.get(&key, place).await.status != 503 {
        assert!(begin.elapsed() < PATIENCE, "it is never asked again");
    }
    let place = format!("{place}/{}/signatures", item["id"].as_str().unwrap());
    let vote = |signer: &str, signature: &[u8]| {
        let signature = Bytes::copy_from_slice(signature);
        api.tell(
            &key,
            &place,
            json!({"signer": signer, "signature": signature}),
        )
    };
    let signer = world.keys.signers[0].address().to_string();
    let high_s = [[0xff; 64].as_slice(), &[27]].concat();
    vote("0x12", &[1; 65]).await.refused(422, "invalid");
    vote(&signer, &[0x12]).await.refused(422, "invalid");
    vote(&signer, &high_s).await.refused(422, "invalid");
    let low_s = [[1; 64].as_slice(), &[27]].concat();
    vote(&signer, &low_s).await.refused(503, "unavailable");
}

/// Of balanceOf(address).
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];

/// The second node says that the vault holds more, that fewer votes are needed, or that a proposal is another.
#[tokio::test(flavor = "multi_thread")]
async fn what_two_nodes_differ_in_is_not_told() {
    let (world, daemon, mut api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "request,read");
    let large = daemon::payment(1, 5_000 * USDT);
    api.file(&key, &large).await.of(201);
    let is_proposed = |item: &Value| item["standing"]["state"] == "proposed";
    waiting(&api, &key, &is_proposed).await;
    api.kill();
    let about: Arc<Mutex<Option<[u8; 4]>>> = Arc::default();
    let lies = Arc::clone(&about);
    let second = Server::start(world.node.url(), move |method, params, truth| {
        let selector = lies
            .lock()
            .unwrap()
            .map(|bytes| Bytes::from(bytes.to_vec()).to_string());
        let asked = params[0]["data"].as_str().unwrap_or_default();
        match (selector, truth.as_str()) {
            (Some(selector), Some(truth))
                if method == "eth_call" && asked.starts_with(&selector) =>
            {
                let word: U256 = truth.parse().unwrap();
                Lie::Result(json!(format!("{:#066x}", word ^ U256::from(1))))
            }
            _ => Lie::Truth,
        }
    })
    .await;
    let mut command = keeper(daemon.folder());
    let url = format!("http://localhost:{}", second.port);
    command.env("KEEPER_CHAIN__SECOND_RPC_URL", url);
    api.start(command);
    let vault = format!("/v1/vaults/{}", world.domain.vault);
    let quote =
        json!({"ref": large.reference(), "to": large.recipient().to_string(), "amount": "900"});
    let quoted = async || api.tell(&key, "/v1/quotes", quote.clone()).await;
    let looks = async |place: &str, selector: Option<[u8; 4]>| {
        *about.lock().unwrap() = selector;
        let begin = Instant::now();
        loop {
            let answer = api.get(&key, place).await;
            // What was seen is told for a second.
            if (answer.status == 200) == selector.is_none() {
                return answer;
            }
            assert!(begin.elapsed() < PATIENCE, "{}", answer.text);
        }
    };
    for (place, selector) in [
        (vault.as_str(), BALANCE_OF),
        (vault.as_str(), Vault::thresholdCall::SELECTOR),
        ("/v1/approvals", Vault::proposalCall::SELECTOR),
    ] {
        looks(place, None).await.of(200);
        looks(place, Some(selector))
            .await
            .refused(503, "nodes-differ");
    }
    quoted().await.of(200);
    *about.lock().unwrap() = Some(BALANCE_OF);
    quoted().await.refused(503, "nodes-differ");
    assert!(api.log().contains("the nodes differ"), "{}", api.log());
}
