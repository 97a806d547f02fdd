//! Deployments on a real node: whole, interrupted anywhere, and where something else is in the way.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod refused;
mod resumed;
mod rules;
mod support;

use alloy::primitives::U256;
use serde_json::json;
use support::World;
use tidelock_deploy::{
    DeployError, Standing, Step, Vault, address::DEPLOYER, chain::Chain, record::Record,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_made_once_and_verified() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    let simulated = deployment.simulate(Chain(&world)).await.unwrap();
    assert_eq!(simulated.code, Some(deployment.release.vault.masked_hash()));
    let deployer = Standing {
        deployer: true,
        ..Standing::default()
    };
    assert_eq!(simulated.standing, deployer, "anvil has the deployer");

    let made = world.apply(&deployment).await.unwrap();
    let steps: Vec<Step> = made.iter().map(|made| made.step).collect();
    assert_eq!(steps, [Step::Factory, Step::Lens, Step::Vault]);
    assert_eq!(world.nonce().await, 3);

    let record = world.verify(&deployment).await.unwrap();
    assert_eq!(record.vault, deployment.at.vault);
    assert_eq!(record.transaction, made[2].transaction);
    assert!(!record.is_final, "two epochs have to pass");
    world.tell("anvil_mine", json!(["0x10"])).await;
    assert!(world.verify(&deployment).await.unwrap().is_final);

    assert_eq!(
        world.apply(&deployment).await.unwrap(),
        [],
        "nothing is left to make"
    );
    assert_eq!(world.nonce().await, 3, "and nothing was sent");
    let again = deployment.simulate(Chain(&world)).await.unwrap();
    assert_eq!(again.code, None, "the vault is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_policy_uses_factory_and_lens_again() {
    let world = World::start(&[]).await;
    let first = world.deployment(&[]).await;
    world.apply(&first).await.unwrap();
    let second = world
        .deployment(&[("threshold = 2", "threshold = 3")])
        .await;
    assert_ne!(first.at.vault, second.at.vault);
    assert_eq!(
        (first.at.factory, first.at.lens),
        (second.at.factory, second.at.lens)
    );
    let simulated = second.simulate(Chain(&world)).await.unwrap();
    assert!(
        simulated.standing.factory && simulated.code.is_some(),
        "asked of the factory too"
    );
    let made = world.apply(&second).await.unwrap();
    assert_eq!(made.len(), 1);
    world.verify(&second).await.unwrap();
    world.verify(&first).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_transactions_make_the_same() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    let transactions = deployment.unsigned(Chain(&world)).await.unwrap();
    let wallet = "0x00000000000000000000000000000000000000aa";
    world
        .tell("anvil_setBalance", json!([wallet, "0xffffffffffffffffff"]))
        .await;
    for transaction in transactions.as_array().unwrap() {
        assert_eq!(transaction["chainId"], 31_337);
        let (to, data) = (&transaction["to"], &transaction["data"]);
        world
            .send(json!({"from": wallet, "to": to, "data": data}))
            .await;
    }
    assert_eq!(transactions.as_array().unwrap().len(), 3);
    world.verify(&deployment).await.unwrap();
    let none = deployment.unsigned(Chain(&world)).await.unwrap();
    assert_eq!(none, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_deployer_is_made_with_its_old_transaction() {
    let world = World::start(&["--disable-default-create2-deployer"]).await;
    let deployment = world.deployment(&[]).await;
    let refused = deployment.unsigned(Chain(&world)).await.unwrap_err();
    assert!(
        refused.to_string().contains("is missing on this chain"),
        "{refused}"
    );
    let made = world.apply(&deployment).await.unwrap();
    let steps: Vec<Step> = made.iter().map(|made| made.step).collect();
    assert_eq!(steps, Step::ALL);
    assert!(!world.code(DEPLOYER).await.is_empty());
    world.verify(&deployment).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_written_and_read() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    world.apply(&deployment).await.unwrap();
    let record = world.verify(&deployment).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deployment.json");
    record.write(&path).unwrap();
    assert_eq!(Record::read(&path).unwrap(), record);
    record.write(&path).unwrap(); // a later verification of the same vault
    let other = Record {
        chain_id: 1,
        ..record
    };
    let refused = other.write(&path).unwrap_err().to_string();
    assert!(refused.contains("is not about this vault"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_named() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    world.apply(&deployment).await.unwrap();
    let c = &deployment.policy.configuration;
    let call = Vault::revokeRoleCall {
        account: c.grants[0].account,
        role: 0,
    };
    let data = alloy_sol_types::SolCall::abi_encode(&call);
    let guardian = c.guardians[0];
    world
        .tell(
            "anvil_setBalance",
            json!([guardian, U256::from(10).pow(U256::from(18))]),
        )
        .await;
    let data = alloy::primitives::Bytes::from(data);
    world
        .send(json!({"from": guardian, "to": deployment.at.vault, "data": data}))
        .await;
    let DeployError::Differs(wrong) = world.verify(&deployment).await.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("as keeper: lasts until 1970-01-01T00:00:00Z now, and was to last until 2027-06-01T00:00:00Z"), "{wrong:?}");
}
