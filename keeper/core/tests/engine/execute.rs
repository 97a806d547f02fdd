//! What people approved is executed once, as far as it can be paid now.

use alloy_primitives::U256;
use tidelock_core::{
    abi::Revert,
    domain::Amount,
    event::Job,
    lifecycle::{BatchStatus, PaymentStatus},
    port::{Advice, Outcome, ProposalState, Simulation},
    submit::Reply,
};

use crate::{
    bench::{Bench, is_sign, is_simulate},
    world::{AMOUNT, GWEI, SETTINGS, paid, proposed, reference, tier},
};

/// The masks of the executions, by nonce.
fn skips(bench: &Bench) -> Vec<U256> {
    let jobs = bench.jobs().into_iter();
    let skips = jobs.filter_map(|job| match job {
        Job::Execute { skip, .. } => Some(skip),
        _ => None,
    });
    skips.collect()
}

fn masks<const N: usize>(masks: [u64; N]) -> [U256; N] {
    masks.map(U256::from)
}

#[test]
fn a_ready_proposal_is_executed_once() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    assert_eq!(batch.status, BatchStatus::Proposed);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([0]));
    let sent = bench.send(Reply::Accepted).unwrap();
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(skips(&bench), masks([0]));

    bench.mine(vec![paid(&batch, 0b11)], vec![sent.hash]);
    bench.settle();
    bench.finalise(2);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(skips(&bench), masks([0]));
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Final);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

#[test]
fn only_a_ready_proposal_is_executed() {
    for state in [
        ProposalState::None,
        ProposalState::Proposed,
        ProposalState::Queued,
        ProposalState::Executed,
        ProposalState::Cancelled,
        ProposalState::Expired,
    ] {
        let mut bench = Bench::new();
        let batch = bench.propose([1]);
        let simulations = bench.asked_for(is_simulate);
        bench.stands(batch.id, state);
        bench.settle();
        assert_eq!(bench.asked_for(is_simulate), simulations, "{state:?}");
    }
}

#[test]
fn a_proposal_that_is_not_final_is_not_executed() {
    let mut bench = Bench::new();
    bench.advice.insert(reference(1), Advice::Tier(tier(1)));
    let sent = bench.pay([1]);
    let batch = bench.live_batch();
    bench.mine(vec![proposed(&batch)], vec![sent.hash]);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([]));
    bench.finalise(1);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(skips(&bench), masks([0]));
}

#[test]
fn what_is_paid_is_not_tried_again() {
    for is_final in [false, true] {
        let mut bench = Bench::new();
        let batch = bench.propose([1, 2]);
        bench.mine(vec![paid(&batch, 0b01)], Vec::new());
        if is_final {
            bench.finalise(1);
        }
        bench.stands(batch.id, ProposalState::Ready);
        bench.settle();
        assert_eq!(skips(&bench), masks([0b01]), "final: {is_final}");
    }
}

#[test]
fn what_is_paid_whole_is_not_tried_again() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    bench.mine(vec![paid(&batch, 0b11)], Vec::new());
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([]));
}

#[test]
fn what_has_no_room_is_left_for_later() {
    for (balance, headroom, skip) in [
        (2 * AMOUNT, 2 * AMOUNT, 0b00),
        (2 * AMOUNT - 1, 2 * AMOUNT, 0b10),
        (2 * AMOUNT, 2 * AMOUNT - 10, 0b10),
    ] {
        let mut bench = Bench::new();
        let batch = bench.propose([1, 2]);
        bench.vault.balance = Amount(balance);
        bench.vault.tiers[1].headroom = Amount(headroom);
        bench.stands(batch.id, ProposalState::Ready);
        bench.settle();
        assert_eq!(skips(&bench), masks([skip]));
    }
}

#[test]
fn with_no_room_at_all_nothing_is_executed() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    bench.vault.tiers[1].headroom = Amount(AMOUNT - 10);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([]));
}

#[test]
fn what_was_left_is_executed_later() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    bench.vault.balance = Amount(AMOUNT);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    bench.mine(vec![paid(&batch, 0b01)], vec![sent.hash]);
    bench.finalise(2);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Proposed);
    assert_eq!(skips(&bench), masks([0b10, 0b01]));
}

#[test]
fn what_the_token_refuses_is_left_out() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    bench.simulation = Some(Simulation::Succeeds {
        returned: U256::from(0b10).to_be_bytes_vec().into(),
        gas: 100_000,
    });
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([0b01]));
}

#[test]
fn an_execution_that_would_pay_nothing_is_not_sent() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    bench.simulation = Some(Simulation::Succeeds {
        returned: U256::ZERO.to_be_bytes_vec().into(),
        gas: 100_000,
    });
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([]));
}

#[test]
fn too_much_gas_executes_in_parts() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2, 3]);
    bench.gas_per_payment = SETTINGS.transaction_gas.osaka / 2;
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([0b100, 0b011]));
}

/// Not one finality after the other: what fits no transaction is under way at once, each payment in one of them.
#[test]
fn the_parts_of_a_large_batch_are_under_way_at_the_same_time() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2, 3]);
    bench.gas_per_payment = SETTINGS.transaction_gas.osaka / 2;
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    let sent = [(); 2].map(|()| bench.send(Reply::Accepted).unwrap());
    // Included and not final: neither is tried again.
    bench.mine(vec![paid(&batch, 0b011)], vec![sent[0].hash]);
    bench.settle();
    assert_eq!(skips(&bench).len(), 2);
    bench.mine(vec![paid(&batch, 0b100)], vec![sent[1].hash]);
    bench.settle();
    bench.finalise(3);
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Final);
    assert_eq!(bench.engine.status().alerts, [""; 0]);
    assert_eq!(skips(&bench).len(), 2);
}

#[test]
fn parts_share_the_room_that_there_is() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2, 3]);
    bench.gas_per_payment = SETTINGS.transaction_gas.osaka / 2;
    bench.vault.balance = Amount(3 * AMOUNT - 1);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([0b100]));
}

#[test]
fn a_part_that_reverts_in_its_block_is_told_from_the_other_one() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2, 3]);
    bench.gas_per_payment = SETTINGS.transaction_gas.osaka / 2;
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    let sent = [(); 2].map(|()| bench.send(Reply::Accepted).unwrap());
    bench.mine(
        vec![paid(&batch, 0b011)],
        sent.map(|sent| sent.hash).to_vec(),
    );
    let alerts = bench.engine.status().alerts;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].contains("with nonce 2 reverted"), "{alerts:?}");
    bench.finalise(3);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(skips(&bench), masks([0b100, 0b011, 0b011]));
}

/// Found by the simulator: the half that the token refused kept the other half from being tried until the batch expired.
#[test]
fn a_part_that_is_refused_does_not_hold_up_the_other_part() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    bench.stands(batch.id, ProposalState::Ready);
    for revert in [Revert::OutOfGas, Revert::NothingPaid] {
        let simulate = bench.settle_until(is_simulate).unwrap();
        let answer = Outcome::Simulated(Simulation::Reverts(revert));
        bench.turn(vec![(simulate.key(), answer)]);
    }
    bench.settle();
    // What was refused is tried alone, once nothing else is left.
    assert_eq!(skips(&bench), masks([0b01, 0b10]));
}

#[test]
fn nothing_is_executed_while_the_vault_is_frozen_or_the_role_is_gone() {
    for (frozen_for, keeper_for, executes) in [(0, 1, true), (1, 1, false), (0, 0, false)] {
        let mut bench = Bench::new();
        let batch = bench.propose([1]);
        let now = bench.tip().id.time.seconds() + 12;
        bench.vault.halted_until = now + frozen_for;
        bench.vault.keeper_until = now + keeper_for;
        bench.stands(batch.id, ProposalState::Ready);
        bench.settle();
        assert_eq!(skips(&bench).len(), usize::from(executes));
    }
}

#[test]
fn above_the_fee_cap_nothing_is_executed_until_it_falls() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.base_fee = SETTINGS.fees.max_fee;
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(skips(&bench), masks([]));
    bench.base_fee = GWEI;
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(skips(&bench), masks([0]));
}

#[test]
fn what_cannot_be_simulated_for_want_of_gas_is_executed_in_parts() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2, 3]);
    bench.stands(batch.id, ProposalState::Ready);
    let simulate = bench.settle_until(is_simulate).unwrap();
    let answer = Simulation::Reverts(Revert::OutOfGas);
    bench.turn(vec![(simulate.key(), Outcome::Simulated(answer))]);
    bench.settle();
    assert_eq!(skips(&bench), masks([0b100, 0b011]));
}

#[test]
fn one_that_burns_all_gas_does_not_hold_up_the_rest() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2, 3]);
    bench.stands(batch.id, ProposalState::Ready);
    let simulate = bench.settle_until(is_simulate).unwrap();
    let (index, answer) = (1, "VaultGasTooLow".to_owned());
    let answer = Simulation::Reverts(Revert::BurnsGas { index, answer });
    bench.turn(vec![(simulate.key(), Outcome::Simulated(answer))]);
    bench.settle();
    assert_eq!(skips(&bench), masks([0b010, 0b101]));
}

#[test]
fn an_execution_that_reverts_is_not_tried_again_at_once() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.simulation = Some(Simulation::Reverts(Revert::Frozen));
    let before = bench.asked_for(is_simulate);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.asked_for(is_simulate), before + 1);
    bench.simulation = None;
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(skips(&bench), masks([0]));
}

#[test]
fn one_that_needs_more_gas_than_there_may_be_is_not_tried_again_at_once() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.gas_per_payment = SETTINGS.transaction_gas.osaka + 1;
    let before = bench.asked_for(is_simulate);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert_eq!(bench.asked_for(is_simulate), before + 1);
    assert_eq!(skips(&bench), masks([]));
}

#[test]
fn a_nonce_reserved_for_what_others_paid_meanwhile_is_used_up() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle_until(is_sign).unwrap();
    bench.restart();
    bench.mine_quiet(1);
    // The vault lets an execution through that finds everything paid, and pays nothing.
    bench.simulation = Some(Simulation::Succeeds {
        returned: U256::ZERO.to_be_bytes_vec().into(),
        gas: 50_000,
    });
    bench.settle();
    assert_eq!(bench.slot(1).job, Job::Void);
}
