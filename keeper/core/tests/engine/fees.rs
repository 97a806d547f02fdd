//! What is offered for gas: never above what the operator allows, and not from the bottom again once a node has refused it.

use tidelock_core::{
    settings::Settings,
    submit::{RefusalClass, Reply},
};

use crate::{
    bench::Bench,
    world::{GWEI, SETTINGS, paid, transaction},
};

/// As the settings have it.
const REBROADCAST: usize = 3;
const REPLACE: usize = 5;

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
    assert_eq!(offered.len(), 8, "0.5 gwei × 1.1^7 = 0.97: {offered:?}");
    assert!(offered.iter().all(|tip| *tip <= GWEI), "{offered:?}");
    let fees: Vec<_> = bench.slot(0).attempts.iter().map(|a| a.fees).collect();
    assert!(
        fees.iter()
            .all(|fees| fees.max_fee <= SETTINGS.fees.max_fee)
    );

    let needed = offered[7] + offered[7].div_ceil(10);
    let words = format!("max_tip {needed} wei per gas is needed, the cap is {GWEI}");
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
    assert_eq!(offered.last(), Some(&(GWEI / 2)), "{offered:?}");
    let waits = bench.engine.status().waits;
    let words = "max_tip 550000000 wei per gas is needed";
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
