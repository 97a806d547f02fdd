//! Interrupted anywhere, a deployment goes on where it was, and nothing is made or paid for twice.

use std::time::Duration;

use serde_json::json;
use tidelock_deploy::{
    DeployError, Step,
    apply::{Limits, Told},
    chain::Chain,
};

use crate::support::{Fault, LIMITS, World};

/// Applies until it is done; a run that is interrupted is run again, as a person would.
async fn insist(world: &World, deployment: &tidelock_deploy::Deployment) -> usize {
    for runs in 1..10 {
        match world.apply(deployment).await {
            Ok(_) => return runs,
            Err(DeployError::Node(_) | DeployError::Deployer(_)) => {
                *world.fault.lock().unwrap() = None
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_before_any_step_costs_a_second_run() {
    for send in 1..=3 {
        let world = World::start(&[]).await;
        let deployment = world.deployment(&[]).await;
        *world.fault.lock().unwrap() = Some(Fault::Before(send));
        assert_eq!(insist(&world, &deployment).await, 2);
        assert_eq!(world.nonce().await, 3, "one transaction a step");
        world.verify(&deployment).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_after_any_step_repeats_nothing() {
    for send in 1..=3 {
        let world = World::start(&[]).await;
        let deployment = world.deployment(&[]).await;
        *world.fault.lock().unwrap() = Some(Fault::After(send));
        assert_eq!(insist(&world, &deployment).await, 2);
        assert_eq!(world.nonce().await, 3, "one transaction a step");
        world.verify(&deployment).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployers_two_transactions_are_resumed_too() {
    for fault in [
        Fault::Before(1),
        Fault::After(1),
        Fault::Before(2),
        Fault::After(2),
    ] {
        let world = World::start(&["--disable-default-create2-deployer"]).await;
        let deployment = world.deployment(&[]).await;
        *world.fault.lock().unwrap() = Some(fault);
        assert_eq!(insist(&world, &deployment).await, 2, "{fault:?}");
        assert_eq!(
            world.nonce().await,
            4,
            "{fault:?}: its sender is funded once"
        );
        world.verify(&deployment).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_in_the_pool_is_waited_for() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    world.tell("evm_setAutomine", json!([false])).await;
    let impatient = Limits {
        wait: Duration::ZERO,
        ..LIMITS
    };
    let first = world
        .apply_within(&deployment, impatient)
        .await
        .unwrap_err();
    assert!(
        matches!(
            first,
            DeployError::Waiting {
                step: Step::Factory,
                ..
            }
        ),
        "{first}"
    );
    let second = world
        .apply_within(&deployment, impatient)
        .await
        .unwrap_err();
    assert!(matches!(second, DeployError::Pending { .. }), "{second}");
    world.tell("anvil_mine", json!(["0x1"])).await;
    assert_eq!(world.nonce().await, 1, "the second run sent nothing");
    world.tell("evm_setAutomine", json!([true])).await;
    assert_eq!(world.apply(&deployment).await.unwrap().len(), 2);
    world.verify(&deployment).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_made_is_taken_as_it_is() {
    let world = World::start(&[]).await;
    let deployment = world.deployment(&[]).await;
    let stranger = "0x00000000000000000000000000000000000000aa";
    world
        .tell(
            "anvil_setBalance",
            json!([stranger, "0xffffffffffffffffff"]),
        )
        .await;
    let all = [Step::Factory, Step::Lens, Step::Vault];
    for (i, step) in all.into_iter().enumerate() {
        let making = deployment.making(step).unwrap();
        world
            .send(json!({"from": stranger, "to": making.to, "data": making.data}))
            .await;
        if i == 1 {
            let missing = world.verify(&deployment).await.unwrap_err();
            assert!(
                matches!(missing, DeployError::Missing { what: "vault", .. }),
                "{missing}"
            );
        }
    }
    assert_eq!(world.apply(&deployment).await.unwrap(), []);
    world.verify(&deployment).await.unwrap();
}

/// Two people apply the same policy at once: nodes estimate on top of their pool, where the other's transaction waits.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_is_making_is_waited_for() {
    for step in [Step::Factory, Step::Vault] {
        let world = World::start(&[]).await;
        let deployment = world.deployment(&[]).await;
        let stranger = "0x00000000000000000000000000000000000000aa";
        let coin = json!([stranger, "0xffffffffffffffffff"]);
        world.tell("anvil_setBalance", coin).await;
        let send = async |step: Step| {
            let making = deployment.making(step).unwrap();
            let theirs =
                json!({"from": stranger, "to": making.to, "data": making.data, "gas": "0xe00000"});
            world.tell("eth_sendTransaction", json!([theirs])).await;
        };
        if step == Step::Vault {
            send(Step::Factory).await;
            send(Step::Lens).await;
        }
        world.tell("evm_setAutomine", json!([false])).await;
        send(step).await;
        let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
        let mut tell = |told: Told| {
            let _ = heard.send(told);
        };
        let chain = Chain(&world);
        let ours = deployment.apply(chain, &world.payer, LIMITS, &mut tell);
        let block = async {
            assert_eq!(hears.recv().await, Some(Told::ByOthers(step)));
            world.tell("evm_setAutomine", json!([true])).await;
            world.tell("evm_mine", json!([])).await;
        };
        let (made, ()) = tokio::join!(ours, block);
        let made: Vec<_> = made.unwrap().iter().map(|made| made.step).collect();
        let missing = [Step::Lens, Step::Vault];
        assert_eq!(
            made,
            if step == Step::Factory {
                &missing[..]
            } else {
                &[]
            }
        );
        world.verify(&deployment).await.unwrap();
    }
}
