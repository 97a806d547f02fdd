//! Something else happens while an answer is under way.

use alloy_primitives::B256;
use tidelock_core::{
    abi::Fact,
    event::{Command, HoldReason, Job},
    lifecycle::{PaymentStatus, SlotStatus},
    port::{Advice, Outcome, ProposalState},
    submit::Reply,
};

use crate::{
    bench::{Bench, is_send, is_sign, is_simulate},
    world::{SETTINGS, number, paid, reference, transaction},
};

#[test]
fn what_is_held_or_cancelled_while_it_is_simulated_is_not_sealed() {
    let (reference, note) = (reference(1), "wait".to_owned());
    for (command, status) in [
        (
            Command::Hold {
                reference,
                note: note.clone(),
            },
            PaymentStatus::Held,
        ),
        (
            Command::Cancel { reference, note },
            PaymentStatus::Cancelled,
        ),
    ] {
        let mut bench = Bench::new();
        bench.request([1, 2]);
        let simulate = bench.settle_until(is_simulate).unwrap();
        bench.command(command);
        bench.answer(&simulate);
        assert_eq!(bench.status(1), status);
        assert_eq!(bench.jobs(), []);
        // The other one goes on without it.
        bench.settle();
        assert_eq!(bench.status(2), PaymentStatus::Sealed);
        assert_eq!(bench.row(1).number, None);
    }
}

#[test]
fn what_the_policy_refuses_while_it_is_simulated_is_not_sealed() {
    let mut bench = Bench::new();
    bench.request([1]);
    let simulate = bench.settle_until(is_simulate).unwrap();
    bench.advice.insert(reference(1), Advice::Blocked);
    bench.mine(vec![Fact::Policy], Vec::new());
    assert_eq!(bench.settle_until(is_simulate), None);
    assert_eq!(bench.status(1), PaymentStatus::Held);
    bench.answer(&simulate);
    assert_eq!(bench.status(1), PaymentStatus::Held);
    assert_eq!(bench.jobs(), []);
}

#[test]
fn a_signature_that_fails_during_a_halt_is_asked_for_after_it() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.halt();
    bench.turn(vec![(sign.key(), Outcome::Failed("timeout".to_owned()))]);
    assert_eq!(bench.settle_until(is_sign), None);
    bench.resume();
    assert_eq!(bench.settle_until(is_sign), Some(sign));
}

#[test]
fn a_signature_for_a_nonce_that_somebody_else_used_is_dropped() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.mine(Vec::new(), vec![B256::repeat_byte(0xee)]);
    bench.finalise(1);
    bench.answer(&sign);
    let slot = bench.slot(0);
    assert_eq!(slot.status, SlotStatus::Consumed);
    assert_eq!(slot.attempts, []);
    assert_eq!(bench.asked_for(is_send), 0);

    bench.resume();
    bench.mine_quiet(1);
    bench.finalise(1);
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    assert_eq!(transaction(&sent.raw).nonce, 1);
    assert_eq!(bench.row(1).number, Some(number(0)));
}

#[test]
fn a_replacement_whose_nonce_is_used_before_it_is_signed_is_dropped() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine_quiet(5);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.finalise(1);
    bench.answer(&sign);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.slot(0).attempts.len(), 1);
}

#[test]
fn a_replacement_whose_batch_is_paid_while_it_is_simulated_is_not_signed() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine_quiet(4);
    bench.mine(vec![paid(&bench.live_batch(), 1)], Vec::new());
    let simulate = bench.settle_until(is_simulate).unwrap();
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    bench.answer(&simulate);
    assert_eq!(bench.take(is_sign), None);
}

#[test]
fn a_batch_that_expires_while_it_is_signed_is_signed_and_harmless() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Open);
    bench.answer(&sign);
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
    bench.settle();
    assert_eq!(bench.batch_of(1).header.first_number, number(0));
    assert_eq!(bench.jobs().len(), 2);
}

#[test]
fn a_proposal_that_is_vetoed_while_its_execution_is_simulated_is_not_executed() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.stands(batch.id, ProposalState::Ready);
    let simulate = bench.settle_until(is_simulate).unwrap();
    bench.mine(vec![Fact::Cancelled { id: batch.id }], Vec::new());
    bench.finalise(1);
    bench.answer(&simulate);
    bench.settle();
    assert_eq!(bench.hold_reason(1), Some(HoldReason::Vetoed));
    assert_eq!(bench.jobs(), [Job::Propose { batch: batch.id }]);
}

#[test]
fn an_answer_to_nothing_is_dropped() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.answer(&sign);
    let events = bench.events();
    bench.answer(&sign);
    assert_eq!(bench.events(), events);
}

#[test]
fn an_answer_to_another_question_is_asked_again() {
    let mut bench = Bench::new();
    bench.request([1]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.turn(vec![(sign.key(), Outcome::Sent(Reply::Accepted))]);
    assert_eq!(bench.slot(0).status, SlotStatus::Reserved);
    assert!(bench.engine.status().failure.is_some());
    assert_eq!(bench.settle_until(is_sign), Some(sign));
}
