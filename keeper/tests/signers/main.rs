//! The keys that a keeper can sign with, on real parts: a PKCS#11 token that is pulled and refuses its PIN.

#![cfg(unix)]
#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

#[cfg(feature = "aws-kms")]
mod kms;
mod rotation;
mod settings;
mod signing;
mod softhsm;
mod token;
mod web3signer;
#[path = "../world/mod.rs"]
mod world;

use std::{env, process::Command, time::Duration};

use alloy::primitives::{Address, U256};
use serde_json::json;
use tidelock_core::domain::{Amount, Payment, PaymentRef};

use world::{Mining, Office, Plan, USDT, World};

/// Runs one of the ignored tests in a process of its own, for the sake of its environment, which no test may change while others
/// run; it must pass.
fn in_own_process(test: &str, variables: &[(&str, &str)]) {
    let ended = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ended.status.success(), "{test}: {said}");
    assert!(said.contains("1 passed"), "{test} did not run: {said}");
}

/// A world with a block a second and an office for it, once the vault's creation is final.
async fn office() -> Office {
    let office = Office::open(Plan {
        mining: Mining::Every(1),
        ..Plan::default()
    })
    .await;
    let created = office.world.head().await.number;
    while office.world.finalised().await.number < created {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    office
}

/// Small payments, each to a recipient of its own.
fn payments(ids: std::ops::Range<u8>) -> Vec<Payment> {
    let payment = |id| {
        let recipient = Address::repeat_byte(id);
        Payment::new(recipient, Amount(USDT), PaymentRef([id; 16])).unwrap()
    };
    ids.map(payment).collect()
}

/// Every recipient has its amount, once, by the word of the chain.
async fn are_paid(world: &World, payments: &[Payment]) -> bool {
    for payment in payments {
        let balance = world.token_balance(payment.recipient()).await;
        assert!(balance <= U256::from(payment.amount().0), "paid twice");
        if balance.is_zero() {
            return false;
        }
    }
    true
}

/// Transactions of the keeper that the node has ever seen.
async fn sent(world: &World) -> U256 {
    let keeper = world.keys.keeper.address();
    world
        .ask("eth_getTransactionCount", json!([keeper, "pending"]))
        .await
}
