use alloy::primitives::{Bytes, U256};
use tidelock_core::{
    event::Fees,
    port::{Effect, Outcome},
    submit::{RefusalClass, Reply, Unsigned},
};
use tidelock_keeper::{
    chain::Chain,
    signer::{self, Signer},
};

use crate::{
    FEES, by_hand, send, void,
    world::{self, Plan, World},
};

#[tokio::test]
async fn sending_tells_apart_what_a_node_says() {
    let world = by_hand(2).await;
    let chain = world.chain();
    let first = void(&world, 0, FEES).await;
    assert_eq!(send(&chain, first.clone()).await, Reply::Accepted);
    assert_eq!(send(&chain, first.clone()).await, Reply::Known);
    let same_price = void(
        &world,
        0,
        Fees {
            max_fee: FEES.max_fee - 1,
            ..FEES
        },
    )
    .await;
    assert_eq!(
        send(&chain, same_price).await,
        Reply::Refused(RefusalClass::Underpriced)
    );
    world.mine(1).await;
    let late = void(
        &world,
        0,
        Fees {
            tip: 3_000_000_000,
            ..FEES
        },
    )
    .await;
    assert_eq!(
        send(&chain, late).await,
        Reply::Refused(RefusalClass::NonceTooLow)
    );
    let (hash, _) = void(&world, 1, FEES).await;
    let (_, raw) = void(&world, 2, FEES).await;
    assert_eq!(
        send(&chain, (hash, raw)).await,
        Reply::Ambiguous,
        "the hash is not that of the bytes"
    );
    let garbage = (hash, Bytes::from_static(&[2, 1]));
    assert_eq!(send(&chain, garbage).await, Reply::Ambiguous);
    world
        .set_gas_balance(world.keys.keeper.address(), U256::ZERO)
        .await;
    let poor = void(&world, 1, FEES).await;
    assert_eq!(
        send(&chain, poor).await,
        Reply::Refused(RefusalClass::InsufficientFunds)
    );
}

#[tokio::test]
async fn a_node_that_is_gone_is_ambiguous_to_a_send_and_no_answer_to_the_rest() {
    let mut world = World::start(Plan::default()).await;
    let chain = world.chain();
    let tip = world.head().await;
    let attempt = void(&world, 0, FEES).await;
    let _port = world.node.stop();
    assert_eq!(send(&chain, attempt).await, Reply::Ambiguous);
    let outcome = chain.answer(Effect::Poll { tip }).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_key_from_its_keystore_signs_what_the_chain_takes() {
    let world = World::start(Plan::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = world::as_keystore(directory.path(), "key.json", &world.keys.keeper, "secret");
    let signer = signer::open(&path, &"secret".into()).unwrap();
    assert_eq!(signer.address(), world.keys.keeper.address());
    let unsigned = Unsigned::void(&world.domain, 0, signer.address(), FEES);
    let signature = signer.sign_digest(unsigned.digest()).unwrap();
    let attempt = unsigned.sign(signature, signer.address()).unwrap();
    assert_eq!(send(&world.chain(), attempt.clone()).await, Reply::Accepted);
    assert!(world.wait_for(attempt.0).await.success);
}
