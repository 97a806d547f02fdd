//! What the policy says comes before everything else, and is asked again when it may have changed.

use tidelock_core::{
    abi::Fact,
    event::{Command, HoldReason},
    lifecycle::PaymentStatus,
    port::{Advice, Outcome},
};

use crate::{
    bench::{Bench, is_advise, is_simulate},
    world::reference,
};

/// A payment that is open, and cannot be sealed while the vault is frozen.
fn frozen_with_an_open_payment() -> Bench {
    let mut bench = Bench::new();
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    bench
}

#[test]
fn advice_opens_holds_or_rejects() {
    let mut bench = Bench::new();
    for (id, advice) in [
        (2, Advice::Blocked),
        (3, Advice::AboveLimit),
        (4, Advice::Blacklisted),
        (5, Advice::Never),
    ] {
        bench.advice.insert(reference(id), advice);
    }
    bench.request(1..=5);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.status(5), PaymentStatus::Rejected);
    let held = [
        (2, HoldReason::RecipientBlocked),
        (3, HoldReason::AboveLimit),
        (4, HoldReason::TokenBlacklist),
    ];
    for (id, reason) in held {
        assert_eq!(bench.status(id), PaymentStatus::Held);
        assert_eq!(bench.hold_reason(id), Some(reason));
    }
}

#[test]
fn nothing_is_sealed_before_it_is_screened() {
    let mut bench = Bench::new();
    bench.request([1]);
    let asked = bench.settle_until(is_advise).unwrap();
    for _ in 0..3 {
        bench.turn(vec![(
            asked.key(),
            Outcome::Failed("no answer came".to_owned()),
        )]);
        bench.settle_until(is_advise).unwrap();
    }
    assert_eq!(bench.status(1), PaymentStatus::Requested);
    assert_eq!(bench.asked_for(is_simulate), 0);
}

#[test]
fn an_answer_that_fails_is_asked_for_again() {
    let mut bench = Bench::new();
    bench.request([1]);
    let asked = bench.settle_until(is_advise).unwrap();
    bench.turn(vec![(
        asked.key(),
        Outcome::Failed("no answer came".to_owned()),
    )]);
    assert_eq!(
        bench.engine.status().failure.as_deref(),
        Some("no answer came")
    );
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.engine.status().failure, None);
}

#[test]
fn a_changed_policy_is_asked_again() {
    let mut bench = frozen_with_an_open_payment();
    bench.advice.insert(reference(1), Advice::Blocked);
    bench.mine(vec![Fact::Other], Vec::new());
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);

    bench.mine(vec![Fact::Policy], Vec::new());
    bench.settle();
    assert_eq!(bench.hold_reason(1), Some(HoldReason::RecipientBlocked));
}

#[test]
fn what_was_open_once_is_held_and_not_rejected() {
    let mut bench = frozen_with_an_open_payment();
    bench.advice.insert(reference(1), Advice::Never);
    bench.mine(vec![Fact::Policy], Vec::new());
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Held);
}

#[test]
fn advice_of_a_block_that_is_gone_is_asked_again() {
    let mut bench = frozen_with_an_open_payment();
    bench.advice.insert(reference(1), Advice::AboveLimit);
    bench.fork(1);
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(bench.hold_reason(1), Some(HoldReason::AboveLimit));
}

#[test]
fn a_release_does_not_overrule_the_policy() {
    let mut bench = Bench::new();
    bench.advice.insert(reference(1), Advice::Blocked);
    bench.request([1]);
    bench.settle();
    let (reference, note) = (reference(1), "try again".to_owned());
    bench.command(Command::Release { reference, note });
    assert_eq!(bench.status(1), PaymentStatus::Open);
    bench.settle();
    assert_eq!(bench.hold_reason(1), Some(HoldReason::RecipientBlocked));
    assert_eq!(bench.asked_for(is_simulate), 0);
}
