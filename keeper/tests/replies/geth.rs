//! The rules of geth's pool, each tried on both sides of its boundary.
//!
//! What is offered here is below the base fee of a young chain, so no block takes any of it, however slow the recording
//! is.

use alloy::consensus::TxEip1559;

use super::{FUNDS, other, recorder::Recorder, transfer};

/// Most that one unit of gas may cost. [wei]
const MAX_FEE: u128 = 100_000;
/// [wei per gas]
const TIP: u128 = 10_000;
/// Of a transfer at that price. [wei]
const COST: u128 = 21_000 * MAX_FEE;
/// Pending transactions of one account that a full pool leaves alone.
const PER_ACCOUNT: u64 = 16;

/// More accounts than the pool holds so many of, as CONTRIBUTING.md has it started.
const MORE_THAN_FULL: u8 = 6;

pub async fn record_rules(recorder: &mut Recorder) {
    record_gas(recorder).await;
    record_tips(recorder).await;
    record_replacements(recorder).await;
    record_funds(recorder).await;
    record_queue(recorder).await;
    record_full(recorder).await;
}

fn at(transaction: TxEip1559, max_fee: u128, tip: u128) -> TxEip1559 {
    TxEip1559 {
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        ..transaction
    }
}

/// Of a node whose blocks hold less than a transaction may ask for.
async fn record_gas(recorder: &mut Recorder) {
    let id = recorder.chain_id;
    recorder.fund(0x66, FUNDS).await;
    let mut large = at(transfer(id, 0), MAX_FEE, TIP);
    large.gas_limit = 16_777_216;
    let situation = "more gas than a block, as much as a transaction may have";
    recorder.record(situation, large).await;
    // Intrinsic gas is 22,600, and at least 25,000 are to be paid for so many bytes (EIP-7623).
    let mut short = at(transfer(id, 0), MAX_FEE, TIP);
    short.input = vec![1; 100].into();
    short.gas_limit = 24_999;
    let situation = "less gas than the floor of its data";
    recorder.record(situation, short).await;
}

async fn record_tips(recorder: &mut Recorder) {
    let id = recorder.chain_id;
    recorder.fund(0x61, FUNDS).await;
    let none = at(transfer(id, 0), MAX_FEE, 0);
    recorder.record("tip below the node's floor", none).await;
    let least = at(transfer(id, 0), MAX_FEE, 1);
    recorder.record("tip at the node's floor", least).await;
}

async fn record_replacements(recorder: &mut Recorder) {
    let id = recorder.chain_id;
    recorder.fund(0x62, FUNDS).await;
    let first = at(transfer(id, 0), MAX_FEE, TIP);
    recorder.record("to be replaced", first.clone()).await;
    for (situation, max_fee, tip) in [
        ("replacement at +9 % of both fees", 109_000, 10_900),
        ("replacement at +10 % of the fee only", 110_000, 10_000),
        ("replacement at +10 % of the tip only", 100_000, 11_000),
        ("replacement at +10 % and +9 %", 110_000, 10_999),
        ("replacement at +9 % and +10 %", 109_999, 11_000),
        ("replacement at +10 % of both fees", 110_000, 11_000),
        ("replacement at +10 % again", 121_005, 12_105),
        // 10 % more are 133,105.5 and 13,315.5.
        ("replacement below +10 % rounded down", 133_104, 13_315),
        ("replacement at +10 % rounded down", 133_105, 13_315),
    ] {
        let offer = at(other(id, 0), max_fee, tip);
        recorder.record(situation, offer).await;
    }
    recorder.record("the replaced once more", first).await;
}

async fn record_funds(recorder: &mut Recorder) {
    let id = recorder.chain_id;
    recorder.fund(0x63, 2 * COST + COST / 2).await;
    let dearest = at(transfer(id, 0), 2 * MAX_FEE + MAX_FEE / 2, TIP);
    let beyond = at(transfer(id, 0), dearest.max_fee_per_gas + 1, TIP);
    recorder.record("cost above the balance", beyond).await;
    let first = at(transfer(id, 0), MAX_FEE, TIP);
    recorder.record("first of two that fit", first).await;
    let second = at(transfer(id, 1), MAX_FEE, TIP);
    recorder.record("second of two that fit", second).await;
    let third = at(transfer(id, 2), MAX_FEE, TIP);
    recorder
        .record("queued cost above the balance", third)
        .await;
    let gapped = at(transfer(id, 7), MAX_FEE, TIP);
    let situation = "queued cost above the balance, nonce gap";
    recorder.record(situation, gapped).await;
    let beyond = at(transfer(id, 1), MAX_FEE + MAX_FEE / 2 + 1, 2 * TIP);
    let situation = "replacement's cost above the balance";
    recorder.record(situation, beyond).await;
    let dearest = at(transfer(id, 1), MAX_FEE + MAX_FEE / 2, 2 * TIP);
    recorder.record("replacement that just fits", dearest).await;
}

/// What waits for an earlier nonce.
async fn record_queue(recorder: &mut Recorder) {
    let id = recorder.chain_id;
    recorder.fund(0x64, 2 * COST + COST / 2).await;
    let waiting = at(transfer(id, 2), MAX_FEE, TIP);
    recorder.record("nonce gap, waits", waiting.clone()).await;
    recorder.record("already known, waits", waiting).await;
    let cheap = at(other(id, 2), 109_000, 10_900);
    let situation = "replacement at +9 % of what waits";
    recorder.record(situation, cheap).await;
    let dear = at(other(id, 2), 110_000, 11_000);
    let situation = "replacement at +10 % of what waits";
    recorder.record(situation, dear).await;
    let more = at(transfer(id, 3), MAX_FEE, TIP);
    recorder.record("more that waits", more).await;
    let first = at(transfer(id, 0), MAX_FEE, TIP);
    let situation = "what waits does not count as queued cost";
    recorder.record(situation, first).await;
    let filled = at(transfer(id, 1), MAX_FEE, TIP);
    recorder.record("gap filled", filled).await;
}

/// A block that takes the money for an account makes room, so all of them get it first.
async fn record_full(recorder: &mut Recorder) {
    const LATECOMER: u8 = 0x65;
    let id = recorder.chain_id;
    let fillers = 0x70..0x70 + MORE_THAN_FULL;
    for account in fillers.clone().chain([LATECOMER]) {
        recorder.fund(account, FUNDS).await;
    }
    let mut is_full = false;
    for account in fillers {
        recorder.use_key(account, FUNDS);
        for nonce in 0..PER_ACCOUNT {
            let offer = at(transfer(id, nonce), MAX_FEE, TIP);
            is_full |= recorder.send(offer).await["error"].is_object();
        }
    }
    assert!(is_full, "the pool is larger than CONTRIBUTING.md has it");
    recorder.use_key(LATECOMER, FUNDS);
    let same = at(transfer(id, 0), MAX_FEE, TIP);
    recorder.record("pool full, offers no more", same).await;
    let gapped = at(transfer(id, 5), 2 * MAX_FEE, 2 * TIP);
    let situation = "pool full, offers more, nonce gap";
    recorder.record(situation, gapped).await;
    let dear = at(transfer(id, 0), 2 * MAX_FEE, 2 * TIP);
    recorder.record("pool full, offers more", dear).await;
}
