//! A payment that cannot be paid holds up no other, and ends with a person.

use alloy_primitives::U256;
use tidelock_core::{
    abi::Revert,
    event::HoldReason,
    lifecycle::PaymentStatus,
    port::{Effect, Outcome, Simulation},
};

use crate::{
    bench::{Bench, is_simulate},
    world::{SETTINGS, payment, succeeds},
};

/// Answers simulations until nothing else is asked: each that tries payment 1 comes to `answer`.
fn settle_with(bench: &mut Bench, answer: impl Fn() -> Simulation) {
    while let Some(simulate) = bench.settle_until(is_simulate) {
        let Effect::Simulate { data, .. } = &simulate else {
            return;
        };
        let packed = payment(1).pack();
        let tries = data.windows(packed.len()).any(|part| part == packed);
        let simulation = if tries {
            answer()
        } else {
            succeeds(data, 100_000)
        };
        bench.turn(vec![(simulate.key(), Outcome::Simulated(simulation))]);
    }
}

fn stands_in_the_way() -> Simulation {
    let (index, answer) = (0, "VaultPaymentRefused".to_owned());
    Simulation::Reverts(Revert::Payment { index, answer })
}

fn left_out() -> Simulation {
    Simulation::Succeeds {
        returned: U256::from(0b10).to_be_bytes_vec().into(),
        gas: 100_000,
    }
}

#[test]
fn the_others_are_sealed_without_the_one_in_the_way() {
    for answer in [stands_in_the_way, left_out] {
        let mut bench = Bench::new();
        bench.request([1, 2]);
        settle_with(&mut bench, answer);
        assert_eq!(bench.status(1), PaymentStatus::Open);
        assert_eq!(bench.live_batch().payments, [payment(2)]);
    }
}

#[test]
fn what_stands_in_the_way_again_and_again_is_held() {
    let mut bench = Bench::new();
    bench.request([1]);
    for _ in 0..64 {
        settle_with(&mut bench, stands_in_the_way);
        bench.mine_quiet(1);
    }
    let answer = "VaultPaymentRefused".to_owned();
    assert_eq!(
        bench.hold_reason(1),
        Some(HoldReason::CannotSimulate { answer })
    );
    // Five tries, each after a longer pause than the one before.
    assert_eq!(bench.asked_for(is_simulate), 5);
}

#[test]
fn what_the_whole_vault_refuses_holds_no_payment() {
    for revert in [
        Revert::Frozen,
        Revert::CapExceeded,
        Revert::BalanceTooLow,
        Revert::Expired,
        Revert::NotEntitled,
        Revert::NothingPaid,
    ] {
        let mut bench = Bench::new();
        bench.simulation = Some(Simulation::Reverts(revert.clone()));
        bench.request([1, 2]);
        for _ in 0..64 {
            bench.settle();
            bench.mine_quiet(1);
        }
        assert_eq!(bench.status(1), PaymentStatus::Open, "{revert:?}");
        assert_eq!(bench.jobs(), [], "{revert:?}");

        bench.simulation = None;
        bench.mine_quiet(64);
        bench.settle();
        assert_eq!(bench.status(1), PaymentStatus::Sealed, "{revert:?}");
    }
}

#[test]
fn what_needs_more_gas_than_there_may_be_is_held_and_not_asked_about_for_ever() {
    let mut bench = Bench::new();
    bench.gas_per_payment = SETTINGS.transaction_gas.osaka + 1;
    bench.request([1]);
    for _ in 0..64 {
        bench.settle();
        bench.mine_quiet(1);
    }
    let answer = "OutOfGas".to_owned();
    assert_eq!(
        bench.hold_reason(1),
        Some(HoldReason::CannotSimulate { answer })
    );
}

#[test]
fn an_answer_about_a_payment_that_is_not_in_the_batch_is_asked_again_a_block_later() {
    let mut bench = Bench::new();
    let (index, answer) = (7, "VaultPaymentRefused".to_owned());
    bench.simulation = Some(Simulation::Reverts(Revert::Payment { index, answer }));
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.asked_for(is_simulate), 1);
    assert_eq!(bench.status(1), PaymentStatus::Open);
}
