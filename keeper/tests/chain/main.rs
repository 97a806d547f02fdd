//! The chain adapter on a real node, each effect from both sides; then on one that lies.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod advise;
mod blocks;
mod checkable;
mod forks;
#[path = "../replay/guard.rs"]
mod guard;
mod headers;
mod identity;
mod liar;
mod lies;
mod look;
mod nitro;
mod opening;
mod poll;
mod proof;
mod ranges;
mod recall;
mod send;
mod simulate;
mod truth;
#[path = "../world/mod.rs"]
mod world;

use alloy::{
    primitives::{Address, B256, Bytes},
    signers::SignerSync,
};
use alloy_sol_types::SolCall;
use tidelock_core::{
    abi::{Vault, order_argument},
    domain::{
        Amount, Batch, BlockTime, Payment, PaymentNumber, PaymentRef, TierIndex, pack_payments,
    },
    event::{BlockRef, Fees},
    port::{Effect, Outcome},
    submit::{Reply, Unsigned},
};
use tidelock_keeper::chain::{Chain, RpcChain};
use world::{Mining, Plan, World};

fn payment(byte: u8, amount: u128) -> Payment {
    let recipient = Address::repeat_byte(byte);
    Payment::new(recipient, Amount(amount), PaymentRef([byte; 16])).unwrap()
}

async fn header(world: &World, tier: u8, first: u64, payments: &[Payment]) -> Batch {
    let life = 10 * u64::from(world::DAY);
    let expires = world.head().await.time.seconds() + life;
    Batch::seal(
        PaymentNumber(first),
        TierIndex::new(tier).unwrap(),
        payments,
        BlockTime::from_seconds(expires).unwrap(),
        B256::repeat_byte(7),
    )
    .unwrap()
}

/// A world with no block but those that a test asks for: a node that mines by itself may make an empty one more.
async fn by_hand(slots_in_an_epoch: u64) -> World {
    World::start(Plan {
        mining: Mining::ByHand,
        slots_in_an_epoch,
        ..Plan::default()
    })
    .await
}

/// A world in which one batch has paid these, and is final by now. No block is made but those that are asked for.
async fn paid_and_final(first: u64, payments: &[Payment]) -> (World, BlockRef) {
    let world = by_hand(2).await;
    let header = header(&world, 0, first, payments).await;
    let data = pay_data(&header, payments);
    let keeper = world.keys.keeper.address();
    let receipt = world.send(keeper, Some(world.domain.vault), data).await;
    assert!(receipt.success);
    world.mine(20).await;
    let at = world.finalised().await;
    assert!(at.number >= receipt.block);
    (world, at)
}

fn pay_data(header: &Batch, payments: &[Payment]) -> Bytes {
    let payments = Bytes::from(pack_payments(payments));
    let order = order_argument(header);
    Vault::payCall { order, payments }.abi_encode().into()
}

const FEES: Fees = Fees {
    max_fee: 20_000_000_000,
    tip: 1_000_000_000,
};

async fn signed(world: &World, unsigned: Unsigned) -> (B256, Bytes) {
    let signature = world
        .keys
        .keeper
        .sign_hash_sync(&unsigned.digest())
        .unwrap();
    unsigned
        .sign(signature, world.keys.keeper.address())
        .unwrap()
}

async fn void(world: &World, nonce: u64, fees: Fees) -> (B256, Bytes) {
    let keeper = world.keys.keeper.address();
    signed(world, Unsigned::void(&world.domain, nonce, keeper, fees)).await
}

async fn send(chain: &RpcChain, (hash, raw): (B256, Bytes)) -> Reply {
    match chain.answer(Effect::Send { hash, raw }).await {
        Outcome::Sent(reply) => reply,
        other => panic!("{other:?}"),
    }
}
