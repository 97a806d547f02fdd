use std::sync::{Arc, Mutex};

use alloy::primitives::{B256, U256};
use serde_json::{Value, json};
use tidelock_core::{
    abi::Revert,
    event::BlockRef,
    observe::Polled,
    port::{Advice, Effect, Outcome, Simulation},
    submit::{RefusalClass, Reply},
};
use tidelock_keeper::chain::{Chain, RpcChain};

use crate::{
    FEES, by_hand, header,
    liar::{Lie, PATIENCE, SHORT_MS, Server, chain_by},
    pay_data, payment, send, void,
    world::{Plan, USDT, World},
};

type Poll = Result<Polled, String>;

pub async fn poll(chain: &RpcChain, tip: BlockRef) -> Poll {
    match chain.answer(Effect::Poll { tip }).await {
        Outcome::Polled(polled) => Ok(polled),
        Outcome::Failed(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// A world with one payment in its first new block and three blocks more, polled through a liar.
async fn poll_lied(liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static) -> Poll {
    poll_lied_from(|_| liar).await
}

/// The same for a liar who knows which block was polled from.
async fn poll_lied_from<L>(liar: impl FnOnce(BlockRef) -> L) -> Poll
where
    L: Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
{
    let world = by_hand(2).await;
    let tip = world.head().await;
    let payments = [payment(0x71, USDT)];
    let header = header(&world, 0, 100, &payments).await;
    let keeper = world.keys.keeper.address();
    let data = pay_data(&header, &payments);
    assert!(
        world
            .send(keeper, Some(world.domain.vault), data)
            .await
            .success
    );
    world.mine(3).await;
    let server = Server::start(world.node.url(), liar(tip)).await;
    poll(&server.chain(&world), tip).await
}

#[tokio::test]
async fn the_truth_passes_through() {
    let polled = poll_lied(|_, _, _| Lie::Truth).await.unwrap();
    assert_eq!(polled.blocks.len(), 4);
    assert_eq!(polled.blocks[0].facts.len(), 1);
}

#[tokio::test]
async fn blocks_are_given_as_far_as_they_make_sense() {
    let distorted = |distortion: fn(&mut Value)| {
        poll_lied_from(move |tip| {
            let third = json!(U256::from(tip.number + 3));
            move |method: &str, params: &Value, truth: &Value| {
                if method != "eth_getBlockByNumber" || params[0] != third {
                    return Lie::Truth;
                }
                let mut block = truth.clone();
                distortion(&mut block);
                Lie::Result(block)
            }
        })
    };
    let distortions: [fn(&mut Value); 7] = [
        |block| *block = Value::Null,
        |block| block["number"] = json!("0x1"),
        |block| block["hash"] = Value::Null,
        |block| block["hash"] = json!(B256::ZERO),
        |block| block["baseFeePerGas"] = Value::Null,
        |block| block["timestamp"] = json!("0x10000000000"),
        |block| block["gasLimit"] = json!("0x10000000000000000"),
    ];
    for distortion in distortions {
        let polled = distorted(distortion).await;
        assert_eq!(polled.unwrap().blocks.len(), 2, "the two before the third");
    }
}

#[tokio::test]
async fn a_lagging_node_has_nothing_new() {
    let world = World::start(Plan::default()).await;
    world.mine(5).await;
    let tip = world.head().await;
    let old: Value = world
        .ask("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let server = Server::start(world.node.url(), move |method, params, _| {
        if method != "eth_getBlockByNumber" || params[0] != "latest" {
            return Lie::Truth;
        }
        Lie::Result(old.clone())
    })
    .await;
    let polled = poll(&server.chain(&world), tip).await.unwrap();
    assert!(polled.blocks.is_empty());
}

#[tokio::test]
async fn a_head_without_its_blocks_is_no_answer() {
    let lied = poll_lied(|method, params, _| match method {
        "eth_getBlockByNumber" if params[0].as_str().unwrap().starts_with("0x") => {
            Lie::Result(Value::Null)
        }
        _ => Lie::Truth,
    });
    let why = lied.await.unwrap_err();
    assert!(why.contains("the node does not have it"), "{why}");
}

#[tokio::test]
async fn a_first_block_that_is_final_needs_no_state() {
    let world = World::start(Plan {
        slots_in_an_epoch: 1_000,
        ..Plan::default()
    })
    .await;
    let tip = world.head().await;
    let server = Server::start(world.node.url(), |method, _, _| match method {
        "eth_getTransactionCount" => {
            Lie::Error(json!({"code": -32000, "message": "missing trie node"}))
        }
        _ => Lie::Truth,
    })
    .await;
    let polled = poll(&server.chain(&world), tip).await.unwrap();
    assert_eq!((polled.finalised.0, polled.finalised_nonce), (0, Some(0)));
}

#[tokio::test]
async fn the_tip_comes_from_what_the_node_knows() {
    let unknown = json!({"code": -32601, "message": "Method not found"});
    let both = unknown.clone();
    let lied = poll_lied(move |method, _, _| match method {
        "eth_maxPriorityFeePerGas" => Lie::Error(unknown.clone()),
        "eth_feeHistory" => Lie::Result(json!({"reward": [["0x9"], ["0x1"], ["0x5"]]})),
        _ => Lie::Truth,
    });
    assert_eq!(lied.await.unwrap().suggested_tip, 5);
    let lied = poll_lied(move |method, _, _| match method {
        "eth_maxPriorityFeePerGas" | "eth_feeHistory" => Lie::Error(both.clone()),
        _ => Lie::Truth,
    });
    assert_eq!(lied.await.unwrap().suggested_tip, 0);
}

#[tokio::test]
async fn bytes_that_are_no_answer_fail_and_say_why() {
    let huge = || {
        let filler = "a".repeat(2 << 20);
        json!({"jsonrpc": "2.0", "id": 1, "result": filler})
            .to_string()
            .into_bytes()
    };
    type Bytes = fn() -> Lie;
    let cases: [(Bytes, &str); 7] = [
        (
            || Lie::Raw("200 OK", br#"{"jsonrpc":"2.0","id":1,"resu"#.to_vec()),
            "cannot be read",
        ),
        (|| Lie::Raw("200 OK", Vec::new()), "cannot be read"),
        (|| Lie::Raw("200 OK", b"<html>".to_vec()), "cannot be read"),
        (
            || Lie::Raw("200 OK", br#"{"id":999999,"result":null}"#.to_vec()),
            "id 999999: must be",
        ),
        (
            || Lie::Raw("429 Too Many\r\nretry-after: 7", Vec::new()),
            "HTTP status 429, retry after 7 s",
        ),
        (
            || Lie::Raw("503 Unavailable", Vec::new()),
            "HTTP status 503",
        ),
        (
            || Lie::Raw("302 Found\r\nlocation: http://127.0.0.1:1/", Vec::new()),
            "HTTP status 302",
        ),
    ];
    for (bytes, words) in cases {
        let lied = poll_lied(move |method, _, _| match method {
            "eth_getBlockByNumber" => bytes(),
            _ => Lie::Truth,
        });
        let why = lied.await.unwrap_err();
        assert!(why.contains(words), "{words}: {why}");
    }
    let why = poll_lied(move |_, _, _| Lie::Raw("200 OK", huge()))
        .await
        .unwrap_err();
    assert!(why.contains("answer of more than 1048576 bytes"), "{why}");
}

#[tokio::test]
async fn a_send_is_ambiguous_unless_the_node_is_clear() {
    let world = World::start(Plan::default()).await;
    let with_status: fn() -> Lie = || {
        let refusal = br#"{"id":1,"error":{"code":-32000,"message":"nonce too low"}}"#;
        Lie::Raw("400 Bad Request", refusal.to_vec())
    };
    let cases: [(fn() -> Lie, Reply); 7] = [
        (
            || Lie::Result(json!(B256::repeat_byte(1))),
            Reply::Ambiguous,
        ),
        (|| Lie::Result(Value::Null), Reply::Ambiguous),
        (|| Lie::Raw("429 Too Many", Vec::new()), Reply::Ambiguous),
        (|| Lie::Raw("500 Error", Vec::new()), Reply::Ambiguous),
        (|| Lie::Raw("200 OK", b"{".to_vec()), Reply::Ambiguous),
        (
            || Lie::Error(json!({"code": -32000, "message": "tea time"})),
            Reply::Ambiguous,
        ),
        (with_status, Reply::Refused(RefusalClass::NonceTooLow)),
    ];
    for (index, (lie, expected)) in cases.into_iter().enumerate() {
        let attempt = void(&world, 0, FEES).await;
        let server = Server::start(world.node.url(), move |_, _, _| lie()).await;
        assert_eq!(
            send(&server.chain(&world), attempt).await,
            expected,
            "case {index}"
        );
    }
}

#[tokio::test]
async fn a_node_that_is_silent_is_no_answer_and_ambiguous_to_a_send() {
    let world = World::start(Plan::default()).await;
    let tip = world.head().await;
    let attempt = void(&world, 0, FEES).await;
    let server = Server::start(world.node.url(), |_, _, _| Lie::Silence).await;
    let chain = server.impatient(&world);
    let why = poll(&chain, tip).await.unwrap_err();
    let words = format!("no answer within {SHORT_MS} ms");
    assert!(why.contains(&words), "{why}");
    assert_eq!(send(&chain, attempt).await, Reply::Ambiguous);
}

#[tokio::test]
async fn nothing_of_the_url_but_its_host_is_ever_shown() {
    let world = World::start(Plan::default()).await;
    let tip = world.head().await;
    let refusal = json!({
        "code": -32000,
        "message": "key abcdef0123 of user operator or token hunter2-hunter2 has no credit\u{1b}[31m"
    });
    let server = Server::start(world.node.url(), move |_, _, _| Lie::Error(refusal.clone())).await;
    let port = server.port;
    let url =
        format!("http://operator:opensesame@127.0.0.1:{port}/v2/abcdef0123?token=hunter2-hunter2");
    let chain = chain_by(&world, &url, PATIENCE);
    let gone = chain_by(&world, &url.replace(&port.to_string(), "1"), PATIENCE);
    for why in [
        poll(&chain, tip).await.unwrap_err(),
        poll(&gone, tip).await.unwrap_err(),
        format!("{chain:?}"),
    ] {
        for secret in ["abcdef0123", "hunter2", "opensesame", "operator", "\u{1b}"] {
            assert!(!why.contains(secret), "{why}");
        }
        assert!(!why.is_empty());
    }
}

/// Simulates a payment through a liar.
async fn simulate_lied(
    liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
) -> Outcome {
    let world = World::start(Plan::default()).await;
    let payments = [payment(0x71, USDT), payment(0x72, USDT)];
    let header = header(&world, 0, 100, &payments).await;
    let at = world.head().await;
    let server = Server::start(world.node.url(), liar).await;
    let data = pay_data(&header, &payments);
    let gas_limit = 5_000_000;
    let effect = Effect::Simulate {
        at,
        data,
        gas_limit,
        until: 0,
    };
    server.chain(&world).answer(effect).await
}

fn gas_of(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Simulated(Simulation::Succeeds { gas, .. }) => *gas,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revert_is_found_in_every_node_s_answer_and_nowhere_else() {
    // VaultFrozen(1)
    let data = format!("0x{}{:064x}", selector("VaultFrozen(uint256)"), 1);
    let frozen = Outcome::Simulated(Simulation::Reverts(Revert::Frozen));
    let shapes = [
        json!({"code": 3, "message": "execution reverted", "data": data}),
        json!({"code": -32000, "message": "Execution reverted", "data": data}),
        json!({"code": -32015, "message": "VM execution error.", "data": format!("Reverted {data}")}),
        json!({"code": -32603, "message": "Error: VM Exception while processing transaction: reverted with a custom error",
               "data": {"message": "reverted", "txHash": B256::repeat_byte(1), "data": data}}),
    ];
    for shape in shapes {
        let answered = shape.clone();
        let outcome = simulate_lied(move |method, _, _| match method {
            "eth_call" => Lie::Error(answered.clone()),
            _ => Lie::Truth,
        });
        assert_eq!(outcome.await, frozen, "{shape}");
    }
    for words in [
        "header not found",
        "missing trie node",
        "block is out of range",
        "too many requests",
    ] {
        let outcome = simulate_lied(move |method, _, _| match method {
            "eth_call" => Lie::Error(json!({"code": -32000, "message": words})),
            _ => Lie::Truth,
        });
        let outcome = outcome.await;
        assert!(
            matches!(outcome, Outcome::Failed(_)),
            "{words}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn running_out_of_gas_is_told_from_a_node_that_fails() {
    let ran_out = Outcome::Simulated(Simulation::Reverts(Revert::OutOfGas));
    let words = [
        "out of gas",
        "EVM error OutOfGas",
        "EVM error ReentrancySentryOOG",
    ];
    for words in words {
        let outcome = simulate_lied(move |method, _, _| match method {
            "eth_call" => Lie::Error(json!({"code": -32603, "message": words})),
            _ => Lie::Truth,
        });
        assert_eq!(outcome.await, ran_out, "{words}");
    }
}

fn selector(signature: &str) -> String {
    let hash = alloy::primitives::keccak256(signature);
    alloy::hex::encode(&hash[..4])
}

#[tokio::test]
async fn gas_is_enough_whatever_the_node_can_or_says() {
    let truth = gas_of(&simulate_lied(|_, _, _| Lie::Truth).await);
    let unknown = || Lie::Error(json!({"code": -32601, "message": "Method not found"}));
    let estimated = simulate_lied(move |method, _, _| match method {
        "eth_simulateV1" => unknown(),
        _ => Lie::Truth,
    });
    let estimated = gas_of(&estimated.await);
    assert!(
        estimated.abs_diff(truth) < truth / 10,
        "{estimated} {truth}"
    );
    // As pallet-revive-eth-rpc 0.24.0 does, which takes blocks by their hashes everywhere else.
    let by_number = simulate_lied(move |method, params, _| match method {
        "eth_simulateV1" => unknown(),
        "eth_estimateGas" if params[1].is_object() => {
            Lie::Error(json!({"code": -32602, "message": "Invalid params"}))
        }
        _ => Lie::Truth,
    });
    let by_number = gas_of(&by_number.await);
    assert!(
        by_number.abs_diff(truth) < truth / 10,
        "{by_number} {truth}"
    );
    let both_low = simulate_lied(move |method, _, _| match method {
        "eth_simulateV1" => unknown(),
        "eth_estimateGas" => Lie::Result(json!(U256::from(60_000))),
        _ => Lie::Truth,
    });
    assert_eq!(
        gas_of(&both_low.await),
        5_000_000,
        "a limit that was tried and did not do is not given"
    );
    let other_outcome = simulate_lied(|method, params, _| match method {
        "eth_call" if params[0]["gas"] != "0x4c4b40" => Lie::Result(json!(B256::with_last_byte(1))),
        _ => Lie::Truth,
    });
    let gas = gas_of(&other_outcome.await);
    assert_eq!(gas, 5_000_000, "with less gas it pays one of the two");
    let refused = simulate_lied(move |method, _, _| match method {
        "eth_simulateV1" | "eth_estimateGas" => unknown(),
        _ => Lie::Truth,
    });
    assert_eq!(gas_of(&refused.await), 5_000_000);
}

#[tokio::test]
async fn every_question_of_a_simulation_names_its_block() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let world = World::start(Plan::default()).await;
    let at = world.head().await;
    let payments = [payment(0x71, USDT)];
    let header = header(&world, 0, 100, &payments).await;
    let server = Server::start(world.node.url(), move |method, params, _| {
        let question = (method.to_owned(), params.clone());
        heard.lock().unwrap().push(question);
        Lie::Truth
    })
    .await;
    let effect = Effect::Simulate {
        at,
        data: pay_data(&header, &payments),
        gas_limit: 5_000_000,
        until: 0,
    };
    gas_of(&server.chain(&world).answer(effect).await);
    let asked = asked.lock().unwrap();
    // The chain's rules are of no block.
    let mut calls = asked.iter().filter(|(method, _)| method != "eth_config");
    assert!(calls.all(|(_, params)| params[1]["blockHash"] == json!(at.hash)));
    let simulated: Vec<&Value> = (asked.iter())
        .filter(|(method, _)| method == "eth_simulateV1")
        .map(|(_, params)| &params[0]["blockStateCalls"][0]["blockOverrides"])
        .collect();
    let next = json!({
        "number": U256::from(at.number + 1),
        "time": U256::from(at.time.seconds() + 1),
    });
    assert_eq!(simulated, [&next]);
}

#[tokio::test]
async fn a_token_without_a_list_lists_nobody_and_a_broken_one_fails() {
    let world = World::start(Plan::default()).await;
    let at = world.head().await;
    let payments = vec![payment(0x71, USDT)];
    let tier = Outcome::Advised(vec![Advice::Tier(
        tidelock_core::domain::TierIndex::new(0).unwrap(),
    )]);
    let token = json!(world.token);
    let ask = async |lie: fn() -> Lie| {
        let token = token.clone();
        let server = Server::start(world.node.url(), move |method, params, _| {
            let to = &params[0]["to"];
            let is_token = method == "eth_call" && (*to == token || to.is_null());
            if is_token { lie() } else { Lie::Truth }
        })
        .await;
        let payments = payments.clone();
        server
            .chain(&world)
            .answer(Effect::Advise { at, payments })
            .await
    };
    let reverts = || Lie::Error(json!({"code": 3, "message": "execution reverted", "data": "0x"}));
    assert_eq!(ask(reverts).await, tier);
    // Geth's words for a contract that ends with an invalid instruction.
    let ends = || Lie::Error(json!({"code": -32000, "message": "invalid opcode: INVALID"}));
    assert_eq!(ask(ends).await, tier);
    assert_eq!(ask(|| Lie::Result(json!("0x"))).await, tier);
    let broken = ask(|| Lie::Error(json!({"code": -32000, "message": "header not found"}))).await;
    assert!(matches!(broken, Outcome::Failed(_)), "{broken:?}");
}

#[tokio::test]
async fn a_preview_for_each_payment_or_none() {
    let world = World::start(Plan::default()).await;
    let at = world.head().await;
    let server = Server::start(world.node.url(), |method, _, _| match method {
        // An empty list of previews.
        "eth_call" => Lie::Result(json!(format!("0x{:064x}{:064x}", 32, 0))),
        _ => Lie::Truth,
    })
    .await;
    let payments = vec![payment(0x71, USDT)];
    let outcome = server
        .chain(&world)
        .answer(Effect::Advise { at, payments })
        .await;
    let Outcome::Failed(why) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(why.contains("there must be one for each payment"), "{why}");
}
