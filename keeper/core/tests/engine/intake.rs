//! What arrives from outside is taken in once, and what cannot be done is refused with its reason.

use tidelock_core::{
    domain::PaymentRef,
    event::{Command, Event, HaltReason, HoldReason},
    lifecycle::PaymentStatus,
};

use crate::{
    bench::{Bench, is_send, is_sign},
    world::{
        SETTINGS, foreign_number, foreign_payment, foreign_proposal, number, paid, payment,
        reference,
    },
};

const NOTE: &str = "asked by phone";

fn hold(reference: PaymentRef) -> Command {
    let note = NOTE.to_owned();
    Command::Hold { reference, note }
}

fn release(reference: PaymentRef) -> Command {
    let note = NOTE.to_owned();
    Command::Release { reference, note }
}

fn cancel(reference: PaymentRef) -> Command {
    let note = NOTE.to_owned();
    Command::Cancel { reference, note }
}

fn accepted(bench: &Bench) -> Vec<(Vec<u64>, u64)> {
    let events = bench.events().into_iter();
    let accepted = events.filter_map(|event| match event {
        Event::RequestsAccepted { requests, through } => {
            let arrivals = requests.iter().map(|request| request.arrival);
            Some((arrivals.collect(), through))
        }
        _ => None,
    });
    accepted.collect()
}

/// Why each command was refused, or that it was not.
fn refusals(bench: &Bench) -> Vec<Option<String>> {
    let events = bench.events().into_iter();
    let refusals = events.filter_map(|event| match event {
        Event::CommandTaken { refused, .. } => Some(refused),
        _ => None,
    });
    refusals.collect()
}

fn last_refusal(bench: &Bench) -> String {
    refusals(bench).pop().unwrap().unwrap()
}

#[test]
fn requests_are_taken_once_and_in_order() {
    let mut bench = Bench::new();
    bench.request([3, 1, 2]);
    bench.restart();
    bench.request([4]);
    assert_eq!(accepted(&bench), [(vec![1, 2, 3], 3), (vec![4], 4)]);
    assert_eq!(bench.row(3).arrival, 1);
    assert_eq!(bench.status(4), PaymentStatus::Requested);
}

#[test]
fn a_ref_that_became_known_meanwhile_is_not_taken_again() {
    let mut bench = Bench::new();
    let (_, proposal) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![proposal], Vec::new());
    bench.store.0.borrow_mut().late = Some(payment(1));
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(accepted(&bench), [(vec![], 1)]);
}

#[test]
fn a_held_payment_waits_for_its_release() {
    let mut bench = Bench::new();
    bench.request([1]);
    bench.command(hold(reference(1)));
    bench.settle();
    let note = NOTE.to_owned();
    assert_eq!(bench.hold_reason(1), Some(HoldReason::Operator { note }));
    assert_eq!(bench.asked_for(is_sign), 0);

    bench.command(release(reference(1)));
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.asked_for(is_send), 1);
}

/// Whoever releases it sees why it is held: it may be paid twice then.
#[test]
fn no_operator_hides_that_a_payment_is_paid_or_proposed_elsewhere() {
    let number = foreign_number(0);
    for reason in [
        HoldReason::PaidElsewhere { number },
        HoldReason::ForeignProposal,
    ] {
        let mut bench = Bench::new();
        bench.vault.halted_until = u64::MAX;
        bench.mine_quiet(1);
        bench.request([1]);
        bench.settle();
        let fact = match reason {
            HoldReason::ForeignProposal => foreign_proposal(number, &[payment(2), payment(1)]).1,
            _ => foreign_payment(number, payment(1)),
        };
        bench.mine(vec![fact], Vec::new());
        bench.finalise(0);
        assert_eq!(bench.hold_reason(1), Some(reason.clone()));
        bench.command(hold(reference(1)));
        let refusal = last_refusal(&bench);
        assert!(refusal.contains("must not hide"), "{refusal}");
        assert_eq!(bench.hold_reason(1), Some(reason));
        // An operator's own words may be replaced.
        bench.command(release(reference(1)));
        bench.command(hold(reference(1)));
        bench.command(hold(reference(1)));
        assert_eq!(refusals(&bench).pop(), Some(None));
    }
}

#[test]
fn a_cancelled_payment_is_never_paid() {
    let mut bench = Bench::new();
    bench.request([1, 2]);
    bench.command(cancel(reference(1)));
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Cancelled);
    assert_eq!(bench.live_batch().payments, [payment(2)]);

    bench.command(release(reference(1)));
    assert!(last_refusal(&bench).contains("status Cancelled"));
}

/// What memory has let go of is not unknown.
#[test]
fn a_command_about_what_is_over_or_not_taken_in_is_told_so() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.finalise(1);
    bench.restart();
    bench.command(hold(reference(1)));
    assert!(last_refusal(&bench).contains("status Paid"));

    bench.command(hold(reference(2)));
    assert!(last_refusal(&bench).contains("unknown"));
    bench.store.0.borrow_mut().file_unread(payment(3));
    bench.command(hold(reference(3)));
    assert!(last_refusal(&bench).contains("not taken in yet"));
}

#[test]
fn what_is_in_a_batch_is_neither_held_nor_cancelled() {
    let mut bench = Bench::new();
    bench.pay([1]);
    for command in [hold(reference(1)), cancel(reference(1))] {
        bench.command(command);
        assert!(last_refusal(&bench).contains("status Sealed"));
    }
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn what_has_been_in_a_batch_may_be_held_and_not_cancelled() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Open);

    bench.command(cancel(reference(1)));
    let refusal = last_refusal(&bench);
    assert!(refusal.contains(&format!("number {}", number(0))));
    assert!(refusal.contains("held, not withdrawn"));
    assert_eq!(bench.status(1), PaymentStatus::Open);

    bench.command(hold(reference(1)));
    assert_eq!(bench.status(1), PaymentStatus::Held);
    bench.command(cancel(reference(1)));
    assert_eq!(bench.status(1), PaymentStatus::Held);
}

#[test]
fn a_command_about_nothing_is_refused() {
    let mut bench = Bench::new();
    for command in [
        hold(reference(9)),
        release(reference(9)),
        cancel(reference(9)),
    ] {
        bench.command(command);
        let refusal = last_refusal(&bench);
        assert!(refusal.contains(&reference(9).to_string()));
    }
}

#[test]
fn only_what_is_held_is_released() {
    let mut bench = Bench::new();
    bench.request([1]);
    bench.command(release(reference(1)));
    assert!(last_refusal(&bench).contains("must be one of [Held]"));
    assert_eq!(bench.status(1), PaymentStatus::Requested);
}

#[test]
fn halting_twice_and_resuming_when_armed_are_refused() {
    let mut bench = Bench::new();
    bench.resume();
    bench.halt();
    bench.halt();
    bench.resume();
    let refused: Vec<bool> = refusals(&bench).iter().map(Option::is_some).collect();
    assert_eq!(refused, [true, false, true, false]);
    assert_eq!(bench.halted(), None);
}

#[test]
fn a_command_is_taken_once() {
    let mut bench = Bench::new();
    bench.halt();
    bench.resume();
    bench.restart();
    assert_eq!(refusals(&bench).len(), 2);
    assert_eq!(bench.halted(), None);
}

#[test]
fn why_it_was_halted_is_kept() {
    let mut bench = Bench::new();
    bench.halt();
    bench.restart();
    let note = "drill".to_owned();
    assert_eq!(bench.halted(), Some(HaltReason::Operator { note }));
}
