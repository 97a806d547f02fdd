//! What is offered for gas: never above what the operator allows, and not from the bottom again once a node has refused it.

use alloy_primitives::Bytes;
use tidelock_core::{
    lifecycle::PaymentStatus,
    settings::Settings,
    state::AttemptRow,
    submit::{Patience, RefusalClass, Reply},
};

use crate::{
    bench::{Bench, Sent},
    world::{GWEI, SETTINGS, paid, transaction},
};

/// As the settings have it.
const REBROADCAST: usize = 3;
const REPLACE: usize = 5;

/// What a payment may offer of a cap, so that a tenth more is still below it. [billionths]
const OF_CAP: u128 = 909_090_909;

const FEE_TOO_LOW: Reply = Reply::Refused(RefusalClass::FeeTooLow);

/// Tips of the attempts of a nonce, oldest first.
fn tips(bench: &Bench, nonce: u64) -> Vec<u128> {
    let attempts = bench.slot(nonce).attempts;
    attempts.iter().map(|attempt| attempt.fees.tip).collect()
}

fn settings(min_tip: u128, max_tip: u128) -> Settings {
    let mut settings = SETTINGS;
    (settings.fees.min_tip, settings.fees.max_tip) = (min_tip, max_tip);
    settings
}

/// Nothing is mined, for as long as it may be replaced. Nothing else is offered, but the same bytes again and again.
#[test]
fn at_the_tips_cap_it_waits_and_says_so() {
    let mut bench = Bench::with(settings(GWEI / 2, GWEI));
    bench.suggested_tip = GWEI / 2;
    bench.mine_quiet(1);
    let mut last = bench.pay([1]);
    for _ in 0..12 {
        bench.mine_quiet(REPLACE);
        bench.settle();
        last = bench.send(Reply::Accepted).unwrap_or(last);
    }
    let offered = tips(&bench, 0);
    assert_eq!(offered.len(), 7, "0.5 gwei × 1.1^7 = 0.97: {offered:?}");
    assert!(offered.iter().all(|tip| *tip <= GWEI), "{offered:?}");
    let fees: Vec<_> = bench.slot(0).attempts.iter().map(|a| a.fees).collect();
    assert!(
        fees.iter()
            .all(|fees| fees.max_fee <= SETTINGS.fees.max_fee)
    );

    let needed = offered[6] + offered[6].div_ceil(10);
    let words = format!(
        "max_tip {needed} wei per gas is needed, the cap is {GWEI}, and what a payment may offer of it {}",
        OF_CAP * GWEI / 1_000_000_000
    );
    for _ in 0..REPLACE {
        let waits = bench.engine.status().waits;
        assert_eq!(
            waits.iter().filter(|wait| **wait == words).count(),
            1,
            "{waits:?}"
        );
        bench.mine_quiet(1);
        bench.settle();
    }
    bench.mine_quiet(REBROADCAST);
    bench.settle();
    assert_eq!(bench.send(Reply::Known), Some(last.clone()));

    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![last.hash]);
    assert!(!bench.engine.status().waits.contains(&words));
}

/// Sends until the node takes it: it refuses tips below its floor. How often it refused.
fn refusals(bench: &mut Bench, floor: u128) -> usize {
    for count in 0..60 {
        let is_offered = bench.send_if(|raw| {
            let tip = transaction(raw).max_priority_fee_per_gas;
            if tip < floor {
                FEE_TOO_LOW
            } else {
                Reply::Accepted
            }
        });
        match is_offered.unwrap() {
            (sent, Reply::Accepted) => {
                let batch = bench.live_batch();
                bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
                let nonce = bench.engine.state().next_nonce();
                bench.finalise(nonce);
                return count;
            }
            _ => {
                bench.mine_quiet(1);
                bench.settle();
            }
        }
    }
    panic!("never taken");
}

/// A chain with a base fee of 0, whose nodes suggest 0 and refuse tips under 1 gwei.
fn free_chain(max_tip: u128) -> Bench {
    let mut bench = Bench::with(settings(GWEI / 100, max_tip));
    bench.base_fee = 0;
    bench.suggested_tip = 0;
    bench.mine_quiet(1);
    bench
}

#[test]
fn a_floor_that_nobody_suggests_is_learnt() {
    let mut bench = free_chain(5 * GWEI);
    bench.request([1]);
    bench.settle();
    assert_eq!(refusals(&mut bench, GWEI), 7, "0.01 gwei × 2^7 = 1.28");
    assert_eq!(tips(&bench, 0).len(), 8);

    bench.request([2]);
    bench.settle();
    assert_eq!(refusals(&mut bench, GWEI), 0);
    assert_eq!(tips(&bench, 1), [GWEI / 100 * 128]);
}

#[test]
fn a_floor_is_learnt_within_the_caps_only() {
    let mut bench = free_chain(GWEI / 2);
    bench.request([1]);
    bench.settle();
    for _ in 0..20 {
        bench.send(FEE_TOO_LOW);
        bench.mine_quiet(1);
        bench.settle();
    }
    let offered = tips(&bench, 0);
    let most = OF_CAP * (GWEI / 2) / 1_000_000_000;
    assert_eq!(offered.last(), Some(&most), "{offered:?}");
    let waits = bench.engine.status().waits;
    let words = format!("max_tip {} wei per gas is needed", most + most.div_ceil(10));
    let words = words.as_str();
    assert!(waits.iter().any(|wait| wait.contains(words)), "{waits:?}");
}

/// That another transaction with the nonce offers more, or that the base fee has grown, says nothing of a floor.
#[test]
fn only_a_refusal_of_the_tip_moves_the_first_offer() {
    for (reply, base_fee, next) in [
        (FEE_TOO_LOW, 0, GWEI / 50),
        (Reply::Refused(RefusalClass::Underpriced), 0, GWEI / 100),
        (Reply::Refused(RefusalClass::PoolFull), 0, GWEI / 100),
        (FEE_TOO_LOW, GWEI, GWEI / 100),
    ] {
        let mut bench = free_chain(5 * GWEI);
        bench.request([1]);
        bench.settle();
        bench.base_fee = base_fee;
        bench.mine_quiet(1);
        let sent = bench.send(reply).unwrap();
        bench.base_fee = 0;
        bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
        bench.request([2]);
        bench.settle();
        assert_eq!(tips(&bench, 1), [next], "{reply:?}, base fee {base_fee}");
    }
}

/// A node whose own fee cap is one coin: it refuses what may cost more. Gas limit and maximum of what was sent.
fn send_to_one_coin(bench: &mut Bench) -> Option<(Sent, u128, Reply)> {
    let cost = |raw: &Bytes| {
        let sent = transaction(raw);
        u128::from(sent.gas_limit) * sent.max_fee_per_gas
    };
    let (sent, reply) = bench.send_if(|raw| {
        if cost(raw) > COIN {
            Reply::Refused(RefusalClass::AboveNodesFeeCap)
        } else {
            Reply::Accepted
        }
    })?;
    let cost = cost(&sent.raw);
    Some((sent, cost, reply))
}

const COIN: u128 = 1_000_000_000 * GWEI;

/// Batches of one payment that needs ten million gas: at 90 gwei 0.9 coins, at 100 gwei too much.
fn dear(base_fee: u128) -> Bench {
    let mut settings = SETTINGS;
    settings.fees.max_fee = 400 * GWEI;
    settings.batch.max_payments = 1;
    let mut bench = Bench::with(settings);
    bench.gas_per_payment = 10_000_000;
    bench.base_fee = base_fee;
    bench.mine_quiet(1);
    bench
}

#[test]
fn above_the_nodes_own_cap_the_same_nonce_is_signed_again_for_less() {
    let mut bench = dear(80 * GWEI);
    bench.request([1]);
    bench.settle();
    let (_, cost, reply) = send_to_one_coin(&mut bench).unwrap();
    assert!(cost > COIN, "{cost}");
    assert_eq!(reply, Reply::Refused(RefusalClass::AboveNodesFeeCap));
    let waits = bench.engine.status().waits;
    let words = format!("nonce 0: by its own fee cap the node passes on at most {COIN} wei");
    assert!(
        waits.iter().any(|wait| wait.starts_with(&words)),
        "{waits:?}"
    );

    bench.mine_quiet(1);
    bench.settle();
    let (sent, cost, reply) = send_to_one_coin(&mut bench).unwrap();
    assert_eq!(reply, Reply::Accepted, "{cost}");
    let slot = bench.slot(0);
    let fees: Vec<u128> = slot.attempts.iter().map(|one| one.fees.max_fee).collect();
    assert_eq!(fees.len(), 2);
    assert!(fees[1] < fees[0] && fees[1] > 91 * GWEI, "{fees:?}");
    assert_eq!(bench.engine.status().waits, [""; 0]);
    // What the node has is sent again, and not what it refused.
    bench.mine_quiet(REBROADCAST);
    bench.settle();
    assert_eq!(send_to_one_coin(&mut bench).unwrap().0, sent);
}

#[test]
fn what_the_node_does_not_pass_on_at_any_fee_of_now_is_held_until_fees_fall() {
    let mut bench = dear(80 * GWEI);
    bench.request([1]);
    bench.settle();
    send_to_one_coin(&mut bench).unwrap();
    bench.base_fee = 100 * GWEI;
    for _ in 0..3 * REPLACE {
        bench.mine_quiet(1);
        bench.settle();
        assert_eq!(send_to_one_coin(&mut bench), None, "it is not sent blindly");
    }
    assert_eq!(bench.slot(0).attempts.len(), 1);
    let waits = bench.engine.status().waits;
    let words = "by its own fee cap the node passes on at most";
    assert!(waits.iter().any(|wait| wait.contains(words)), "{waits:?}");

    bench.base_fee = 60 * GWEI;
    bench.mine_quiet(2);
    bench.settle();
    let (_, cost, reply) = send_to_one_coin(&mut bench).unwrap();
    assert_eq!(reply, Reply::Accepted, "{cost}");
}

/// What the node has, stays with it: no more is offered than it takes.
#[test]
fn nothing_is_raised_beyond_what_the_node_passes_on() {
    let mut bench = dear(60 * GWEI);
    bench.request([1]);
    bench.settle();
    let mut accepted = Vec::new();
    for _ in 0..12 * REPLACE {
        match send_to_one_coin(&mut bench) {
            Some((sent, _, Reply::Accepted)) => accepted.push(sent),
            Some((_, cost, _)) => assert!(cost > COIN),
            None => {}
        }
        bench.mine_quiet(1);
        bench.settle();
    }
    let attempts = bench.slot(0).attempts;
    let limit = u128::from(transaction(&attempts[0].raw).gas_limit);
    let is_refused = |one: &&AttemptRow| one.fees.max_fee * limit > COIN;
    assert!(
        attempts.iter().filter(is_refused).count() <= 1,
        "learnt by one refusal"
    );
    assert!(
        accepted.len() > 5,
        "what it took is sent again: {}",
        accepted.len()
    );
}

#[test]
fn batches_are_cut_to_what_the_node_passes_on() {
    let mut settings = SETTINGS;
    settings.fees.max_fee = 400 * GWEI;
    let mut bench = Bench::with(settings);
    bench.gas_per_payment = 4_000_000;
    bench.base_fee = 120 * GWEI;
    bench.mine_quiet(1);
    bench.request([1, 2, 3]);
    bench.settle();
    assert_eq!(bench.batch_of(1).payments.len(), 3);
    send_to_one_coin(&mut bench).unwrap();
    // At these fees seven million gas: one payment. The nonce is held, and what is new is smaller.
    bench.request([4, 5]);
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(bench.batch_of(4).payments.len(), 1);
}

// ── A cheap hour ─────────────────────────────────────────────────────────────────────────────────────────────────────

const HOUR: u64 = 3_600;

/// A keeper that may let payments wait for two hours, and has seen eight hours of a base fee of 20 gwei.
fn patient() -> Bench {
    let mut settings = SETTINGS;
    settings.patience = Some(Patience {
        deadline_s: 2 * HOUR,
        percent: 25,
    });
    let mut bench = Bench::with(settings);
    bench.base_fee = 20 * GWEI;
    for _ in 0..9 {
        bench.mine_after(HOUR, Vec::new(), Vec::new());
    }
    bench.base_fee = 30 * GWEI;
    bench.mine_quiet(1);
    bench
}

#[test]
fn what_may_wait_is_paid_in_a_cheap_hour_or_at_its_deadline() {
    for is_cheap in [true, false] {
        let mut bench = patient();
        bench.request([1]);
        bench.settle();
        assert_eq!(bench.status(1), PaymentStatus::Open);
        let waits = bench.engine.status().waits;
        assert!(
            waits[0].contains("is above 100 % of the last day's"),
            "{waits:?}"
        );
        if is_cheap {
            bench.base_fee = 10 * GWEI;
        } else {
            bench.wait(2 * HOUR * 1_000);
        }
        bench.mine_quiet(1);
        bench.settle();
        assert_eq!(bench.status(1), PaymentStatus::Sealed, "{is_cheap}");
    }
}

/// How long it has waited before is not known: a deadline is never put off by a restart.
#[test]
fn after_a_restart_nothing_waits_that_was_there_before() {
    let mut bench = patient();
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    bench.restart();
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn unless_the_operator_says_so_nothing_waits() {
    let mut bench = Bench::new();
    for _ in 0..9 {
        bench.mine_after(HOUR, Vec::new(), Vec::new());
    }
    bench.base_fee = 30 * GWEI;
    bench.mine_quiet(1);
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}
