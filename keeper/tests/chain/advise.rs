use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use alloy::primitives::Address;
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tidelock_core::{
    abi::Vault,
    domain::{Amount, Payment, PaymentRef, TierIndex},
    port::{Advice, Effect, Outcome},
};
use tidelock_keeper::chain::{Chain, RpcChain};

use crate::{
    liar::{Lie, Server},
    payment,
    world::{Plan, Tether, USDT, World},
};

#[tokio::test]
async fn advice_names_the_lowest_tier_or_why_there_is_none() {
    let known = Address::repeat_byte(0x74);
    let world = World::start(Plan {
        known: vec![known],
        ..Plan::default()
    })
    .await;
    let chain = world.chain();
    let listed = payment(0x75, USDT);
    let blocked = payment(0x76, USDT);
    let user = listed.recipient();
    world.token_call(&Tether::addBlackListCall { user }).await;
    let recipient = blocked.recipient();
    let guardian = world.keys.guardian.address();
    let call = Vault::blockRecipientCall { recipient };
    assert!(world.vault_call(guardian, &call).await.success);
    let to = |recipient| Payment::new(recipient, Amount(USDT), PaymentRef([9; 16])).unwrap();
    let cases = [
        (
            payment(0x71, 1_000 * USDT),
            Advice::Tier(TierIndex::new(0).unwrap()),
        ),
        (
            payment(0x71, 1_000 * USDT + 1),
            Advice::Tier(TierIndex::new(1).unwrap()),
        ),
        (
            payment(0x74, 1_000 * USDT + 1),
            Advice::Tier(TierIndex::new(0).unwrap()),
        ),
        (
            payment(0x71, 1_000_000 * USDT),
            Advice::Tier(TierIndex::new(2).unwrap()),
        ),
        (payment(0x71, 1_000_000 * USDT + 1), Advice::AboveLimit),
        (listed, Advice::Blacklisted),
        (blocked, Advice::Blocked),
        (to(world.domain.vault), Advice::Never),
        (to(world.token), Advice::Never),
    ];
    let at = world.head().await;
    // More than one call's worth, so that the answers are put together in order.
    let cases: Vec<_> = cases.iter().cycle().take(300).collect();
    let payments = cases.iter().map(|(payment, _)| *payment).collect();
    let expected: Vec<Advice> = cases.iter().map(|(_, advice)| *advice).collect();
    let outcome = chain.answer(Effect::Advise { at, payments }).await;
    assert_eq!(outcome, Outcome::Advised(expected));
}

alloy_sol_types::sol! {
    function isBlackListed(address account) external view returns (bool);
    function isBlocked(address account) external view returns (bool);
}

/// Whether the question is one about the token's list.
fn asks_the_list(method: &str, params: &Value) -> bool {
    let data = params[0]["data"].as_str().unwrap_or_default();
    let selectors = [isBlackListedCall::SELECTOR, isBlockedCall::SELECTOR];
    let is_one = |selector: [u8; 4]| {
        let digits = alloy::hex::encode(selector);
        data.starts_with(&format!("0x{digits}")) || is_at_once(params) && data.contains(&digits)
    };
    method == "eth_call" && selectors.into_iter().any(is_one)
}

/// Whether it is code that the node is to run.
fn is_at_once(params: &Value) -> bool {
    params[0]["to"].is_null()
}

/// How often a node is called for advice about 300 new recipients, one of them listed, if it answers `lie` to code.
async fn calls(lie: fn() -> Lie) -> usize {
    let world = World::start(Plan::default()).await;
    let payment = |index: u16| {
        let [high, low] = index.to_be_bytes();
        let mut bytes = [0x11; 20];
        (bytes[3], bytes[9]) = (high, low);
        let recipient = Address::from(bytes);
        Payment::new(recipient, Amount(USDT), PaymentRef([9; 16])).unwrap()
    };
    let payments: Vec<Payment> = (0..300).map(payment).collect();
    let user = payments[170].recipient();
    world.token_call(&Tether::addBlackListCall { user }).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let server = Server::start(world.node.url(), move |_, params, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        if is_at_once(params) {
            lie()
        } else {
            Lie::Truth
        }
    });
    let server = server.await;
    let chain = server.chain(&world);
    let at = world.head().await;
    let tier = Advice::Tier(TierIndex::new(0).unwrap());
    let mut expected = vec![tier; payments.len()];
    expected[170] = Advice::Blacklisted;
    let outcome = chain.answer(Effect::Advise { at, payments }).await;
    assert!(outcome == Outcome::Advised(expected));
    count.load(Ordering::Relaxed)
}

#[tokio::test]
async fn many_recipients_are_one_question_to_the_token() {
    assert_eq!(
        calls(|| Lie::Truth).await,
        3,
        "two previews and one question"
    );
}

/// Not every node runs code that is not deployed.
#[tokio::test]
async fn a_node_that_runs_no_code_is_asked_about_each_recipient() {
    let refused = || Lie::Error(json!({"code": -32602, "message": "missing field `to`"}));
    for lie in [
        refused,
        || Lie::Result(json!("0x")),
        || Lie::Result(json!("0x00")),
    ] {
        assert_eq!(calls(lie).await, 304);
    }
}

#[tokio::test]
async fn what_is_no_token_with_a_list_has_none() {
    let world = World::start(Plan::default()).await;
    let rpc = world.rpc.clone();
    let at = world.head().await;
    let payments = vec![payment(0x71, USDT)];
    let mut parties = world.parties();
    // Reverts; answers nothing; and is no contract at all.
    for token in [
        world.lens,
        Address::with_last_byte(4),
        Address::repeat_byte(0x99),
    ] {
        parties.token = token;
        let chain = RpcChain::new(rpc.clone(), parties);
        let payments = payments.clone();
        let advice = chain.answer(Effect::Advise { at, payments }).await;
        let tier = Advice::Tier(TierIndex::new(0).unwrap());
        assert_eq!(advice, Outcome::Advised(vec![tier]), "{token}");
    }
}

/// A world with a listed recipient, and a node that answers `lie` about lists while it is told to.
async fn forgetful(lie: fn() -> Lie) -> (World, Server, Arc<AtomicBool>, Payment) {
    let world = World::start(Plan::default()).await;
    let listed = payment(0x75, USDT);
    let user = listed.recipient();
    world.token_call(&Tether::addBlackListCall { user }).await;
    let lies = Arc::new(AtomicBool::new(false));
    let told = lies.clone();
    let server = Server::start(world.node.url(), move |method, params, _| {
        if told.load(Ordering::Relaxed) && asks_the_list(method, params) {
            lie()
        } else {
            Lie::Truth
        }
    });
    (world, server.await, lies, listed)
}

const NO_LIST: [fn() -> Lie; 2] = [
    || Lie::Error(json!({"code": 3, "message": "execution reverted", "data": "0x"})),
    || Lie::Result(json!("0x")),
];

#[tokio::test]
async fn a_node_that_fails_once_does_not_switch_the_blacklist_off() {
    for lie in NO_LIST {
        let (world, server, lies, listed) = forgetful(lie).await;
        let chain = server.chain(&world);
        let at = world.head().await;
        let ask = async || {
            let payments = vec![listed];
            chain.answer(Effect::Advise { at, payments }).await
        };
        let blacklisted = Outcome::Advised(vec![Advice::Blacklisted]);
        assert_eq!(ask().await, blacklisted);
        lies.store(true, Ordering::Relaxed);
        let Outcome::Failed(why) = ask().await else {
            panic!("a token that told whom it freezes was taken for one that does not")
        };
        assert!(why.contains("told whom it freezes before"), "{why}");
        lies.store(false, Ordering::Relaxed);
        assert_eq!(ask().await, blacklisted);
    }
}

#[tokio::test]
async fn a_token_that_gets_a_list_later_is_asked() {
    for lie in NO_LIST {
        let (world, server, lies, listed) = forgetful(lie).await;
        let chain = server.chain(&world);
        let at = world.head().await;
        lies.store(true, Ordering::Relaxed);
        let payments = vec![listed];
        let before = chain.answer(Effect::Advise { at, payments }).await;
        let tier = Advice::Tier(TierIndex::new(0).unwrap());
        assert_eq!(before, Outcome::Advised(vec![tier]), "it had none");
        lies.store(false, Ordering::Relaxed);
        let payments = vec![listed];
        let after = chain.answer(Effect::Advise { at, payments }).await;
        assert_eq!(after, Outcome::Advised(vec![Advice::Blacklisted]));
    }
}
