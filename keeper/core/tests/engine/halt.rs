//! A halted keeper signs and sends nothing, and goes on observing.

use tidelock_core::{
    event::HaltReason,
    lifecycle::{PaymentStatus, SlotStatus},
    port::Outcome,
    submit::Reply,
};

use crate::{
    bench::{Bench, is_send, is_sign, is_simulate},
    world::{GWEI, SETTINGS, paid},
};

const LONG: usize = 12;

#[test]
fn a_halted_keeper_seals_and_signs_nothing_new() {
    let mut bench = Bench::new();
    bench.halt();
    bench.request([1]);
    bench.settle();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.asked_for(is_simulate), 0);
    assert_eq!(bench.asked_for(is_sign), 0);
}

#[test]
fn a_halted_keeper_neither_sends_again_nor_replaces() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.halt();
    bench.mine_quiet(LONG);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 1);
    assert_eq!(bench.asked_for(is_sign), 1);
}

#[test]
fn a_halted_keeper_stays_halted_over_a_restart() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.halt();
    bench.restart();
    bench.mine_quiet(LONG);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 1);
    assert!(bench.halted().is_some());
}

#[test]
fn what_was_simulated_before_the_halt_is_not_sealed_after_it() {
    let mut bench = Bench::new();
    bench.request([1]);
    let simulate = bench.settle_until(is_simulate).unwrap();
    bench.halt();
    bench.answer(&simulate);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.asked_for(is_sign), 0);
}

#[test]
fn what_is_signed_when_the_halt_comes_is_stored_and_not_sent() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.halt();
    bench.answer(&sign);
    bench.settle();
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
    assert_eq!(bench.asked_for(is_send), 0);

    bench.resume();
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 1);
}

#[test]
fn a_halted_keeper_takes_in_what_final_blocks_say() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.halt();
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.finalise(1);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.slot(0).status, SlotStatus::Consumed);
}

#[test]
fn what_expires_during_a_halt_goes_on_after_it() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.halt();
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    bench.resume();
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    bench.send(Reply::Accepted).unwrap();
}

#[test]
fn what_waited_for_its_signature_is_made_anew_after_a_halt() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.halt();
    bench.turn(vec![(sign.key(), Outcome::Failed("timeout".to_owned()))]);
    bench.base_fee = 2 * GWEI;
    bench.mine_quiet(1);
    bench.resume();
    let again = bench.settle_until(is_sign).unwrap();
    assert_eq!(again.key(), sign.key(), "the nonce stays");
    assert_ne!(again, sign, "its fees are those of now");
    bench.answer(&again);
    bench.settle();
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn an_absurd_nonce_is_not_passed_over() {
    let mut bench = Bench::new();
    bench.finalise(u64::MAX);
    let (on_chain, next) = (u64::MAX, 0);
    let reason = Some(HaltReason::ForeignNonce { on_chain, next });
    assert_eq!(bench.halted(), reason);
    bench.resume();
    assert_eq!(bench.halted(), reason);
    assert_eq!(bench.jobs(), []);
}
