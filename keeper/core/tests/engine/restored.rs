//! After a lost database: what an earlier log sent may land, and is not paid again.

use tidelock_core::{
    event::{Event, HaltReason, HoldReason, Mode},
    lifecycle::PaymentStatus,
};

use crate::{
    bench::{Bench, is_send},
    world::{
        SETTINGS, first_block, foreign_number, foreign_payment, number, payment, reference, time,
    },
};

const TTL: u64 = SETTINGS.batch.attempt_ttl_s;

/// A log that waits for what an earlier one may have signed.
fn restored() -> Bench {
    let until = time(first_block().id.time.seconds() + TTL);
    let reason = HaltReason::Restored { until };
    let mode = Mode::Halted { reason };
    Bench::opened(SETTINGS, vec![Event::ModeChanged { mode }])
}

fn wait(bench: &mut Bench) {
    bench.mine_after(2 * TTL, Vec::new(), Vec::new());
    bench.finalise(0);
    bench.settle();
}

#[test]
fn what_an_earlier_log_sent_and_is_asked_for_again_is_not_paid_again() {
    let mut bench = restored();
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    let landed = foreign_payment(foreign_number(0), payment(1));
    bench.mine(vec![landed], Vec::new());
    bench.finalise(0);
    let reason = HaltReason::ForeignRef {
        reference: reference(1),
        number: foreign_number(0),
    };
    assert_eq!(bench.halted(), Some(reason.clone()));
    let number = foreign_number(0);
    assert_eq!(
        bench.hold_reason(1),
        Some(HoldReason::PaidElsewhere { number })
    );

    wait(&mut bench);
    assert_eq!(bench.halted(), Some(reason));
    bench.resume();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 0);
}

#[test]
fn what_final_blocks_say_in_the_moment_it_arms_halts_it() {
    let mut bench = restored();
    let strange = foreign_payment(number(5), payment(1));
    bench.mine_after(2 * TTL, vec![strange], Vec::new());
    bench.finalise(0);
    let number = number(5);
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
}

#[test]
fn an_operator_can_halt_what_would_go_on_by_itself() {
    let mut bench = restored();
    bench.halt();
    bench.request([1]);
    wait(&mut bench);
    let note = "drill".to_owned();
    assert_eq!(bench.halted(), Some(HaltReason::Operator { note }));
    assert_eq!(bench.asked_for(is_send), 0);
}

#[test]
fn a_nonce_that_an_earlier_log_may_have_used_takes_no_operators_place() {
    let mut bench = restored();
    bench.halt();
    bench.mine_quiet(1);
    bench.finalise(3);
    let note = "drill".to_owned();
    assert_eq!(bench.halted(), Some(HaltReason::Operator { note }));
    // Once it cannot be the earlier log's any more it is told.
    wait(&mut bench);
    bench.mine_quiet(1);
    bench.finalise(3);
    let (on_chain, next) = (3, 0);
    let reason = HaltReason::ForeignNonce { on_chain, next };
    assert_eq!(bench.halted(), Some(reason));
}

#[test]
fn nobody_cuts_the_wait_short() {
    let mut bench = restored();
    bench.resume();
    bench.request([1]);
    bench.mine_quiet(1);
    bench.settle();
    assert!(matches!(bench.halted(), Some(HaltReason::Restored { .. })));
    assert_eq!(bench.asked_for(is_send), 0);
    wait(&mut bench);
    assert_eq!(bench.halted(), None);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn what_halts_it_meanwhile_does_not_end_the_wait() {
    let mut bench = restored();
    bench.request([1]);
    bench.halt();
    bench.restart();
    bench.resume();
    let until = time(first_block().id.time.seconds() + TTL);
    assert_eq!(bench.halted(), Some(HaltReason::Restored { until }));
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 0);
    wait(&mut bench);
    assert_eq!(bench.halted(), None);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn a_wait_that_is_over_is_not_begun_again() {
    let mut bench = restored();
    wait(&mut bench);
    bench.halt();
    bench.resume();
    assert_eq!(bench.halted(), None);
}
