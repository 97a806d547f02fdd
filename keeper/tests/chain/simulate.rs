use alloy::primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Revert, TRANSFER_GAS, Vault},
    domain::{Batch, Payment},
    event::Job,
    port::{Effect, Outcome, Simulation},
    submit::{Reply, Unsigned},
};
use tidelock_keeper::chain::{Chain, Parties, RpcChain};

use crate::{
    FEES, guard, header, pay_data, payment, send, signed,
    world::{Plan, USDT, World},
};

async fn simulated(chain: &RpcChain, effect: Effect) -> Simulation {
    match chain.answer(effect).await {
        Outcome::Simulated(simulation) => simulation,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_simulation_gives_gas_that_is_enough_and_close() {
    let world = World::start(Plan::default()).await;
    let chain = world.chain();
    let keeper = world.keys.keeper.address();
    for (first, count) in [(100_u64, 1_u8), (1_000, 100)] {
        let payments: Vec<_> = (1..=count).map(|byte| payment(byte, USDT)).collect();
        let header = header(&world, 0, first, &payments).await;
        let at = world.head().await;
        let data = pay_data(&header, &payments);
        let effect = Effect::Simulate {
            at,
            data: data.clone(),
            gas_limit: 16_000_000,
            until: 0,
        };
        let Simulation::Succeeds { returned, gas } = simulated(&chain, effect).await else {
            panic!("refused")
        };
        let mask = Vault::payCall::abi_decode_returns(&returned).unwrap();
        assert_eq!(mask, (U256::ONE << usize::from(count)) - U256::ONE);
        let nonce = world
            .ask::<U256>("eth_getTransactionCount", json!([keeper, "latest"]))
            .await;
        let job = Job::Pay {
            batch: header.id(&world.domain),
        };
        let unsigned = Unsigned::call(&world.domain, nonce.to(), job, data, gas, FEES);
        let attempt = signed(&world, unsigned).await;
        assert_eq!(send(&chain, attempt.clone()).await, Reply::Accepted);
        let receipt = world.wait_for(attempt.0).await;
        assert!(receipt.success);
        assert!(
            gas - receipt.gas_used <= receipt.gas_used / 20 + 35_000,
            "{gas} for {}",
            receipt.gas_used
        );
        assert!(world.is_paid(first + u64::from(count) - 1).await);
    }
}

/// The vault takes the token's word for a failure only if the transfer had gas in plenty, also the last one.
#[tokio::test]
async fn what_is_given_is_enough_for_the_same_failure() {
    let world = World::start(Plan::default()).await;
    let payments: Vec<_> = (1..=3).map(|byte| payment(byte, USDT)).collect();
    let ledger = Address::repeat_byte(0x1d);
    let code: Bytes = world
        .ask("eth_getCode", json!([world.token, "latest"]))
        .await;
    let guarded = Bytes::from(guard::code(&[payments[2].recipient()], ledger));
    for (at, code) in [(ledger, code), (world.token, guarded)] {
        world.ask::<Value>("anvil_setCode", json!([at, code])).await;
    }
    let (at, header) = (world.head().await, header(&world, 0, 100, &payments).await);
    let (data, gas_limit) = (pay_data(&header, &payments), 16_000_000);
    let effect = Effect::Simulate {
        at,
        data: data.clone(),
        gas_limit,
        until: 0,
    };
    let Simulation::Succeeds { returned, gas } = simulated(&world.chain(), effect).await else {
        panic!("refused")
    };
    assert_eq!(U256::from_be_slice(&returned), U256::from(0b011));
    let job = Job::Pay {
        batch: header.id(&world.domain),
    };
    let unsigned = Unsigned::call(&world.domain, 0, job, data, gas, FEES);
    let attempt = signed(&world, unsigned).await;
    assert_eq!(send(&world.chain(), attempt.clone()).await, Reply::Accepted);
    let receipt = world.wait_for(attempt.0).await;
    assert!(receipt.success, "{gas} gas");
    assert!(
        gas <= receipt.gas_used + TRANSFER_GAS + 50_000,
        "{gas} for {}",
        receipt.gas_used
    );
}

#[tokio::test]
async fn a_simulation_says_why_the_vault_refuses() {
    let world = World::start(Plan::default()).await;
    let chain = world.chain();
    let good = [payment(0x71, USDT)];
    let large = [payment(0x71, USDT), payment(0x72, 1_001 * USDT)];
    let many: Vec<_> = (1..=101).map(|byte| payment(byte, 1_000 * USDT)).collect();
    let at = world.head().await;
    let effect = |header: &Batch, payments: &[Payment], gas_limit| Effect::Simulate {
        at,
        data: pay_data(header, payments),
        gas_limit,
        until: 0,
    };
    let plain = header(&world, 0, 1, &good).await;
    let gas = 16_000_000;
    let fits = simulated(&chain, effect(&plain, &good, gas)).await;
    assert!(matches!(fits, Simulation::Succeeds { .. }));
    let over_cap = header(&world, 0, 1, &many).await;
    let cap = simulated(&chain, effect(&over_cap, &many, gas)).await;
    assert_eq!(cap, Simulation::Reverts(Revert::CapExceeded));
    let other_tier = header(&world, 1, 1, &good).await;
    let tier = simulated(&chain, effect(&other_tier, &good, gas)).await;
    let Simulation::Reverts(Revert::Other(words)) = tier else {
        panic!("{tier:?}")
    };
    assert!(words.contains("VaultTierNotAutomatic"), "{words}");
    let mut expired = plain;
    expired.expires_at = at.time;
    let late = simulated(&chain, effect(&expired, &good, gas)).await;
    assert_eq!(late, Simulation::Reverts(Revert::Expired));
    let partly = header(&world, 0, 1, &large).await;
    let some = simulated(&chain, effect(&partly, &large, gas)).await;
    let Simulation::Succeeds { returned, .. } = some else {
        panic!("{some:?}")
    };
    assert_eq!(U256::from_be_slice(&returned), U256::ONE);
    let nobody = RpcChain::new(
        world.rpc.clone(),
        Parties {
            keeper: world.keys.stranger.address(),
            ..world.parties()
        },
    );
    let refused = simulated(&nobody, effect(&plain, &good, gas)).await;
    assert_eq!(refused, Simulation::Reverts(Revert::NotEntitled));
}

#[tokio::test]
async fn a_batch_that_needs_more_gas_than_allowed_is_told_from_one_that_is_refused() {
    let world = World::start(Plan::default()).await;
    let chain = world.chain();
    let payments: Vec<_> = (1..=100).map(|byte| payment(byte, USDT)).collect();
    let header = header(&world, 0, 1, &payments).await;
    let at = world.head().await;
    let data = pay_data(&header, &payments);
    for gas_limit in [60_000, 600_000, 2_000_000] {
        let data = data.clone();
        let large = simulated(
            &chain,
            Effect::Simulate {
                at,
                data,
                gas_limit,
                until: 0,
            },
        )
        .await;
        let Simulation::Succeeds { returned, gas } = large else {
            panic!("{gas_limit}: {large:?}")
        };
        assert!(gas > gas_limit, "{gas} for {gas_limit}");
        assert_eq!(U256::from_be_slice(&returned).count_ones(), 100);
    }
}
