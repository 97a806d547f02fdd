//! What stops a deployment, and how it says so. Nothing is sent in any of these.

use alloy::primitives::{Address, B256, U256};
use serde_json::json;
use tidelock_deploy::{
    DeployError, Deployment, Step, address::DEPLOYER, apply::Limits, chain::Chain,
    simulate::MAX_CREATION,
};

use crate::support::{LIMITS, World};

#[tokio::test(flavor = "multi_thread")]
async fn another_chain() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[("id = 31337", "id = 1")]).await;
    for error in [
        world.apply(&deployment).await.unwrap_err(),
        world.verify(&deployment).await.unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "chain.id = 1: the node is on chain 31337; nothing was sent"
        );
    }
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_is_no_token() {
    let world = World::start(&[]).await;
    let lens = world.deployment(&[]).await;
    world.apply(&lens).await.unwrap();
    let mut policy = lens.policy.clone();
    policy.configuration.token = lens.at.lens;
    let deployment = Deployment::new(policy, lens.release);
    let error = world.apply(&deployment).await.unwrap_err();
    assert!(matches!(error, DeployError::NotAToken { .. }), "{error}");
}

/// Known from the policy alone, before a node is asked.
#[tokio::test(flavor = "multi_thread")]
async fn more_known_recipients_than_a_creation_holds() {
    let world = World::start(&[]).await;
    let mut deployment = world.deployment(&[]).await;
    let room = MAX_CREATION - deployment.creation_size();
    let known = |index: usize| Address::with_last_byte(1).create(u64::try_from(index).unwrap());
    let fit = room / 32;
    let list = &mut deployment.policy.configuration.known;
    list.extend((0..fit).map(known));
    deployment.check_size().unwrap();
    let list = &mut deployment.policy.configuration.known;
    list.extend((fit..fit + 2).map(known));
    let error = deployment.check_size().unwrap_err();
    assert!(
        matches!(error, DeployError::TooLong { fewer: 2, .. }),
        "{error}"
    );
    let error = world.apply(&deployment).await.unwrap_err();
    assert!(matches!(error, DeployError::TooLong { .. }), "{error}");
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_code_at_an_address() {
    for (step, name) in [
        (Step::Deployer, "deterministic deployer"),
        (Step::Factory, "factory"),
        (Step::Lens, "lens"),
        (Step::Vault, "vault"),
    ] {
        let world = World::start(&[]).await;
        let deployment = world.deployment(&[]).await;
        let address = deployment.address(step);
        world.set_code(address, &[0x60, 0x00]).await;
        let error = world.apply(&deployment).await.unwrap_err();
        let DeployError::CodeDiffers {
            what, address: at, ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((*what, *at), (name, address));
        assert_eq!(world.nonce().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_of_the_code() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    world.apply(&deployment).await.unwrap();
    for address in [
        deployment.at.vault,
        deployment.at.rules,
        deployment.at.lens,
        deployment.at.factory,
    ] {
        let code = world.code(address).await;
        let mut other = code.to_vec();
        other[20] ^= 1;
        world.set_code(address, &other).await;
        let error = world.verify(&deployment).await.unwrap_err();
        assert!(
            matches!(error, DeployError::CodeDiffers { address: at, .. } if at == address),
            "{error}"
        );
        world.set_code(address, &code).await;
    }
    world.verify(&deployment).await.unwrap();
}

/// What the code's mask hides is looked at by itself.
#[tokio::test(flavor = "multi_thread")]
async fn another_immutable() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    world.apply(&deployment).await.unwrap();
    let code = world.code(deployment.at.vault).await;
    let rules = deployment.at.rules.into_word();
    let evil = Address::repeat_byte(0xee).into_word();
    let swapped = replaced(&code, rules, evil, usize::MAX);
    world.set_code(deployment.at.vault, &swapped).await;
    let error = world.verify(&deployment).await.unwrap_err().to_string();
    assert!(
        error.contains("no immutable of its code is its rules"),
        "{error}"
    );
    let one = replaced(&code, rules, evil, 1);
    world.set_code(deployment.at.vault, &one).await;
    let error = world.verify(&deployment).await.unwrap_err().to_string();
    assert!(
        error.contains("an immutable of its code has two values"),
        "{error}"
    );
}

fn replaced(code: &[u8], from: B256, to: B256, most: usize) -> Vec<u8> {
    let mut code = code.to_vec();
    let places: Vec<usize> = (0..code.len() - 32)
        .filter(|at| code[*at..at + 32] == from[..])
        .collect();
    assert!(!places.is_empty());
    for at in places.into_iter().take(most) {
        code[at..at + 32].copy_from_slice(&to[..]);
    }
    code
}

/// A vault of the right code with somebody's own signers, put where ours should be.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_vault() {
    let world = World::start(&[]).await;
    let theirs = world
        .deployment(&[("threshold = 2", "threshold = 3")])
        .await;
    world.apply(&theirs).await.unwrap();
    let ours = world.deployment(&[]).await;
    world
        .set_code(ours.at.vault, &world.code(theirs.at.vault).await)
        .await;
    let nonce = world.nonce().await;
    for error in [
        world.apply(&ours).await.unwrap_err(),
        world.verify(&ours).await.unwrap_err(),
    ] {
        let DeployError::NotOurs { vault, found, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((*vault, *found), (ours.at.vault, B256::ZERO));
        assert!(
            error.to_string().ends_with("it is somebody else's"),
            "{error}"
        );
    }
    assert_eq!(world.nonce().await, nonce);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_there_or_counts_otherwise() {
    let world = World::start(&[]).await;
    let mut deployment = world.deployment(&[]).await;
    deployment.policy.decimals = 18;
    let error = world.apply(&deployment).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("token.decimals = 18: the token {} says 6", world.token)
    );
    let mut policy = world.policy(&[]).await;
    policy.configuration.token = Address::repeat_byte(0x77);
    let deployment = tidelock_deploy::Deployment::new(policy, deployment.release);
    let error = world.apply(&deployment).await.unwrap_err();
    assert!(
        matches!(error, DeployError::NoToken(token) if token == Address::repeat_byte(0x77)),
        "{error}"
    );
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_pay_and_fees_above_the_limit() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    let frugal = Limits {
        max_fee: 1,
        ..LIMITS
    };
    let error = world.apply_within(&deployment, frugal).await.unwrap_err();
    assert!(matches!(error, DeployError::Fee { most: 1, .. }), "{error}");
    world.fund(U256::from(1)).await;
    let error = world.apply(&deployment).await.unwrap_err();
    assert!(
        matches!(
            error,
            DeployError::Funds {
                step: Step::Factory,
                ..
            }
        ) || error.to_string().contains("unds"),
        "{error}"
    );
    assert_eq!(world.nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_too_small_for_the_vault() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    world
        .tell("evm_setBlockGasLimit", json!(["0x3d0900"]))
        .await; // 4 million
    world.tell("anvil_mine", json!(["0x1"])).await;
    let error = world.apply(&deployment).await.unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains("a block of this chain holds 4000000"),
        "{words}"
    );
    assert!(world.code(deployment.at.vault).await.is_empty());
}

/// A deployer's transaction that was spent for nothing cannot be sent again, and is not waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployer_that_can_never_come() {
    let world = World::start(&["--disable-default-create2-deployer"]).await;
    let deployment = world.deployment(&[]).await;
    let signer = tidelock_deploy::apply::DEPLOYER_SIGNER;
    world.tell("anvil_setNonce", json!([signer, "0x1"])).await;
    let error = world.apply(&deployment).await.unwrap_err().to_string();
    assert!(error.contains("was used up on this chain"), "{error}");
    assert_eq!(world.nonce().await, 0);
    assert!(Chain(&world).code(DEPLOYER).await.unwrap().is_empty());
}
