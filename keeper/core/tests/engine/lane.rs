//! A nonce that is taken is used up, whatever happens on the way.

use alloy_primitives::{B256, Bytes, TxKind};
use tidelock_core::{
    abi::Revert,
    event::{Event, Job},
    lifecycle::{AttemptStatus, BatchStatus, PaymentStatus, SlotStatus},
    port::{Effect, Simulation},
    submit::{RefusalClass, Reply},
};

use crate::{
    bench::{Bench, is_send, is_sign, is_simulate},
    world::{GWEI, SETTINGS, number, one_by_one, opening, paid, transaction},
};

const REBROADCAST: usize = 3;
const REPLACE: usize = 5;
const TTL: u64 = SETTINGS.batch.attempt_ttl_s;

/// Who used nonces up, at final blocks.
fn consumed(bench: &Bench) -> Vec<(u64, Option<B256>)> {
    let events = bench.events().into_iter();
    let consumed = events.filter_map(|event| match event {
        Event::SlotConsumed { nonce, by, .. } => Some((nonce, by)),
        _ => None,
    });
    consumed.collect()
}

/// A keeper that dies between the two commits: a nonce is reserved, and nothing signed with it.
fn reserved() -> Bench {
    let mut bench = Bench::new();
    bench.request([1]);
    bench.settle_until(is_sign).unwrap();
    bench.restart();
    bench
}

#[test]
fn after_a_restart_the_same_bytes_are_sent_again() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.restart();
    bench.settle();
    assert_eq!(bench.send(Reply::Known), Some(sent));
    assert_eq!(bench.asked_for(is_sign), 1);
}

#[test]
fn what_no_block_holds_is_sent_again_after_a_while() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine_quiet(REBROADCAST - 1);
    bench.settle();
    assert_eq!(bench.send(Reply::Known), None);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.send(Reply::Known), Some(sent));
}

/// A node may take a transaction and pass it on to nobody, or forget it: none that no block holds is left to it.
#[test]
fn every_transaction_is_sent_again_whatever_the_node_said_of_it() {
    for reply in [Reply::Accepted, Reply::Known] {
        let mut bench = Bench::with(one_by_one());
        bench.request([1, 2, 3]);
        bench.settle();
        let first: Vec<_> = (0..3).map(|_| bench.send(reply).unwrap()).collect();
        for _ in 0..5 {
            bench.mine_quiet(REBROADCAST - 1);
            bench.settle();
            while bench.send(reply).is_some() {}
            let mut again = Vec::new();
            bench.mine_quiet(1);
            bench.settle();
            while let Some(sent) = bench.send(reply) {
                again.push(sent);
            }
            // The lowest may be a dearer one by now.
            assert!(
                first[1..].iter().all(|sent| again.contains(sent)),
                "{reply:?}"
            );
        }
        let attempts = bench.slot(0).attempts;
        let sends = bench.history.iter().filter_map(|effect| match effect {
            Effect::Send { hash, .. } => Some(*hash),
            _ => None,
        });
        let sent: Vec<B256> = sends.collect();
        assert!(attempts.iter().all(|attempt| sent.contains(&attempt.hash)));
        bench.restart();
        bench.settle();
        assert_eq!((0..3).filter_map(|_| bench.send(reply)).count(), 3);
    }
}

#[test]
fn what_a_block_holds_is_not_sent_again() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.mine_quiet(2 * REPLACE);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 1);
    assert_eq!(bench.asked_for(is_sign), 1);
}

#[test]
fn what_is_stuck_is_replaced_by_one_that_offers_a_tenth_more() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine_quiet(REPLACE - 1);
    bench.settle();
    assert_eq!(bench.asked_for(is_sign), 1);

    bench.send(Reply::Known);
    bench.mine_quiet(1);
    bench.settle();
    let replacement = bench.send(Reply::Accepted).unwrap();
    let (before, after) = (transaction(&sent.raw), transaction(&replacement.raw));
    assert_eq!(after.nonce, before.nonce);
    assert_eq!(after.input, before.input);
    assert!(after.max_fee_per_gas * 10 >= before.max_fee_per_gas * 11);
    assert!(after.max_priority_fee_per_gas * 10 >= before.max_priority_fee_per_gas * 11);
    assert_eq!(bench.slot(0).attempts.len(), 2);
}

#[test]
fn a_replacement_bids_more_than_the_dearest_attempt() {
    let mut bench = Bench::new();
    bench.base_fee = 20 * GWEI;
    bench.mine_quiet(1);
    bench.pay([1]);
    bench.base_fee = GWEI;
    bench.mine_quiet(REPLACE);
    bench.settle();
    let fees: Vec<_> = bench.slot(0).attempts.iter().map(|a| a.fees).collect();
    assert_eq!(fees.len(), 2);
    assert!(fees[1].max_fee * 10 >= fees[0].max_fee * 11);
}

#[test]
fn above_the_fee_cap_what_is_signed_is_sent_again_as_it_is() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.base_fee = SETTINGS.fees.max_fee;
    bench.mine_quiet(2 * REPLACE);
    bench.settle();
    assert_eq!(bench.send(Reply::Accepted), Some(sent));
    assert_eq!(bench.asked_for(is_simulate), 1);
    assert_eq!(bench.asked_for(is_sign), 1);
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);

    bench.base_fee = GWEI;
    bench.mine_quiet(REPLACE);
    bench.settle();
    assert_eq!(bench.slot(0).attempts.len(), 2);
}

#[test]
fn an_older_attempt_that_is_mined_is_the_one_that_counts() {
    let mut bench = Bench::new();
    let older = bench.pay([1]);
    bench.mine_quiet(REPLACE);
    bench.settle();
    bench.send(Reply::Accepted);
    assert_eq!(bench.slot(0).attempts.len(), 2);

    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![older.hash]);
    let sends = bench.asked_for(is_send);
    bench.mine_quiet(REPLACE);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), sends);

    bench.finalise(1);
    assert_eq!(consumed(&bench), [(0, Some(older.hash))]);
    let statuses: Vec<_> = bench.slot(0).attempts.iter().map(|a| a.status).collect();
    assert_eq!(
        statuses,
        [AttemptStatus::Consumed, AttemptStatus::Superseded]
    );
}

#[test]
fn what_a_reorganisation_drops_is_sent_again() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.settle();
    bench.fork(1);
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(bench.send(Reply::Accepted), Some(sent));
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn a_header_about_to_expire_is_sealed_again_in_the_same_nonce() {
    let mut bench = Bench::new();
    bench.pay([1, 2]);
    let old = bench.live_batch();
    bench.mine_after(TTL - 500, Vec::new(), Vec::new());
    bench.mine_quiet(REPLACE);
    bench.settle();
    let new = bench.batch_of(1);
    assert_ne!(new.id, old.id);
    assert_eq!(new.header.first_number, old.header.first_number);
    assert_eq!(new.payments, old.payments);
    assert!(new.header.expires_at.seconds() >= bench.tip().id.time.seconds() + TTL - 100);
    let attempts = bench.slot(0).attempts;
    let jobs: Vec<_> = attempts.iter().map(|attempt| attempt.job.batch()).collect();
    assert_eq!(jobs, [Some(old.id), Some(new.id)]);
    assert_eq!(bench.jobs().len(), 1);
}

#[test]
fn a_header_with_life_left_is_kept() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let old = bench.live_batch();
    bench.mine_after(TTL - 700, Vec::new(), Vec::new());
    bench.mine_quiet(REPLACE);
    bench.settle();
    assert_eq!(bench.slot(0).attempts.len(), 2);
    assert_eq!(bench.live_batch().id, old.id);
}

#[test]
fn a_nonce_reserved_before_a_crash_is_signed_after_it() {
    let mut bench = reserved();
    let batch = bench.live_batch();
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    assert_eq!(transaction(&sent.raw).nonce, 0);
    assert_eq!(bench.jobs(), [Job::Pay { batch: batch.id }]);
    assert_eq!(bench.row(1).number, Some(number(0)));
}

#[test]
fn what_is_answered_without_sense_about_a_reserved_nonce_is_asked_again_a_block_later() {
    let mut bench = reserved();
    bench.simulation = Some(Simulation::Succeeds {
        returned: Bytes::new(),
        gas: 50_000,
    });
    bench.settle();
    bench.simulation = None;
    bench.settle();
    assert_eq!(bench.slot(0).attempts, []);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.slot(0).attempts.len(), 1);
}

#[test]
fn a_nonce_reserved_for_what_is_settled_is_used_up() {
    let mut bench = reserved();
    let batch = bench.live_batch();
    bench.look();
    bench.mine_after(TTL, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Dead);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.slot(0).job, Job::Void);
    let void = transaction(&bench.send(Reply::Accepted).unwrap().raw);
    assert_eq!((void.nonce, void.gas_limit), (0, 21_000));
    assert_eq!(void.to, TxKind::Call(opening().keeper));
    assert!(void.input.is_empty());
    // What it was for goes on with the next nonce, under its own number.
    assert_eq!(bench.batch_of(1).header.first_number, number(0));
    assert_eq!(bench.slot(1).job.batch(), Some(bench.batch_of(1).id));
}

#[test]
fn a_stuck_attempt_whose_batch_is_settled_is_replaced_by_nothing() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine_after(TTL, Vec::new(), Vec::new());
    bench.finalise(0);
    bench.mine_quiet(REPLACE);
    bench.settle();
    let attempts = bench.slot(0).attempts;
    assert_eq!((attempts[0].hash, attempts[1].job), (sent.hash, Job::Void));
    assert!(attempts[1].fees.tip * 10 >= attempts[0].fees.tip * 11);
}

#[test]
fn only_the_lowest_nonce_is_replaced() {
    let mut bench = Bench::with(one_by_one());
    bench.request([1, 2]);
    bench.settle();
    while bench.send(Reply::Accepted).is_some() {}
    bench.mine_quiet(REPLACE);
    bench.settle();
    assert_eq!(bench.slot(0).attempts.len(), 2);
    assert_eq!(bench.slot(1).attempts.len(), 1);
}

#[test]
fn one_that_the_node_wants_more_for_is_replaced_soon() {
    for (reply, attempts) in [
        (Reply::Accepted, 1),
        (Reply::Refused(RefusalClass::Underpriced), 2),
        (Reply::Refused(RefusalClass::FeeTooLow), 2),
    ] {
        let mut bench = Bench::new();
        bench.request([1]);
        bench.settle();
        bench.send(reply);
        bench.mine_quiet(1);
        bench.settle();
        assert_eq!(bench.slot(0).attempts.len(), attempts, "{reply:?}");
    }
}

#[test]
fn a_header_sealed_again_and_the_old_one_both_count_until_they_expire() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let old = bench.live_batch();
    bench.mine_after(TTL - 500, Vec::new(), Vec::new());
    bench.mine_quiet(REPLACE);
    let sign = bench.settle_until(is_sign).unwrap();
    // Neither the new one, which no slot names yet, nor the old one is given up.
    bench.finalise(0);
    let new = bench.batch_of(1);
    assert_eq!(new.status, BatchStatus::Sealed);
    bench.answer(&sign);
    bench.mine_quiet(1);
    bench.finalise(0);
    assert_eq!(bench.batch(old.id).status, BatchStatus::Sealed);
    assert_eq!(bench.batch(new.id).status, BatchStatus::Sealed);

    bench.mine_after(500, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(old.id).status, BatchStatus::Dead);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn a_reserved_nonce_whose_call_would_revert_is_used_up_and_the_payment_goes_on() {
    let mut bench = reserved();
    let batch = bench.live_batch();
    bench.simulation = Some(Simulation::Reverts(Revert::CapExceeded));
    bench.settle();
    assert_eq!(bench.slot(0).job, Job::Void);
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Dead);
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.row(1).number, Some(number(0)));
}

#[test]
fn a_stuck_attempt_is_given_up_only_if_its_call_never_can_succeed() {
    for (revert, is_given_up) in [
        (Revert::NothingToPay, true),
        (Revert::Expired, true),
        (Revert::CapExceeded, false),
        (Revert::Frozen, false),
        (Revert::BalanceTooLow, false),
    ] {
        let mut bench = Bench::new();
        bench.pay([1]);
        bench.simulation = Some(Simulation::Reverts(revert.clone()));
        bench.mine_quiet(REPLACE);
        bench.settle();
        let is_void = bench.slot(0).job == Job::Void;
        assert_eq!(is_void, is_given_up, "{revert:?}");
        assert_eq!(bench.status(1), PaymentStatus::Sealed, "{revert:?}");
    }
}
