//! A ref that the vault paid under another number, past the keeper, is not paid again, wherever it stands.

use alloy_primitives::{B256, U256};
use tidelock_core::{
    event::{Command, Event, HaltReason, HoldReason, Job},
    lifecycle::{PaymentStatus, SlotStatus},
    port::{Effect, ProposalState},
};

use crate::{
    bench::{Bench, is_send, is_sign, is_simulate},
    world::{
        GWEI, SETTINGS, foreign_number, foreign_payment, number, one_by_one, paid, payment,
        reference,
    },
};

fn pay_past(bench: &mut Bench, id: u8, nonce: u64) {
    let fact = foreign_payment(foreign_number(0), payment(id));
    bench.mine(vec![fact], Vec::new());
    bench.finalise(nonce);
    let (reference, number) = (reference(id), foreign_number(0));
    let reason = HaltReason::ForeignRef { reference, number };
    assert_eq!(bench.halted(), Some(reason));
}

fn elsewhere() -> Option<HoldReason> {
    let number = foreign_number(0);
    Some(HoldReason::PaidElsewhere { number })
}

/// What was sent in the meantime, by job.
fn sent(bench: &Bench) -> Vec<Job> {
    let tables = bench.store.0.borrow();
    let attempts = tables.slots.values().flat_map(|slot| &slot.attempts);
    let job_of = |hash: &B256| attempts.clone().find(|a| a.hash == *hash).map(|a| a.job);
    let sends = bench.history.iter().filter_map(|effect| match effect {
        Effect::Send { hash, .. } => job_of(hash),
        _ => None,
    });
    sends.collect()
}

/// The keeper goes on; the nonce that carried the payment is used up by a transaction that does nothing.
fn give_up(bench: &mut Bench, nonce: u64) {
    bench.resume();
    bench.history.clear();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.slot(nonce).job, Job::Void);
    bench.mine_quiet(SETTINGS.lane.rebroadcast_blocks.try_into().unwrap());
    bench.settle();
    assert!(
        sent(bench).iter().all(|job| *job == Job::Void),
        "{:?}",
        sent(bench)
    );
    let hash = bench.slot(nonce).attempts.last().unwrap().hash;
    bench.mine(Vec::new(), vec![hash]);
    bench.finalise(nonce + 1);
}

#[test]
fn what_is_on_its_way_is_given_up_and_held() {
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.pay([1, 2]);
        pay_past(&mut bench, 1, 0);
        assert_eq!(bench.status(1), PaymentStatus::Sealed);
        assert_eq!(bench.hold_reason(1), elsewhere());
        if restarts {
            bench.restart();
        }
        give_up(&mut bench, 0);
        assert_eq!(bench.status(1), PaymentStatus::Held);
        assert_eq!(bench.hold_reason(1), elsewhere());
        // What was beside it is paid, under its number.
        bench.settle();
        assert_eq!(bench.status(2), PaymentStatus::Sealed);
        assert_eq!(bench.row(2).number, Some(number(1)));

        // A person may still want it paid.
        let (reference, note) = (reference(1), "theft, not payment".to_owned());
        bench.command(Command::Release { reference, note });
        bench.settle();
        assert_eq!(bench.status(1), PaymentStatus::Sealed);
        assert_eq!(bench.hold_reason(1), None);
    }
}

#[test]
fn what_lands_all_the_same_is_paid() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    let batch = bench.live_batch();
    pay_past(&mut bench, 1, 0);
    bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    bench.finalise(1);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

#[test]
fn what_expires_with_it_is_held_and_not_sealed_again() {
    let mut bench = Bench::new();
    bench.pay([1]);
    pay_past(&mut bench, 1, 0);
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Held);
    bench.resume();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(
        bench.count(|event| matches!(event, Event::BatchSealed { .. })),
        1
    );
}

#[test]
fn what_is_about_to_be_signed_or_simulated_is_not_sent() {
    let points: [fn(&Effect) -> bool; 2] = [is_simulate, is_sign];
    for which in points {
        let mut bench = Bench::new();
        bench.request([1]);
        let effect = bench.settle_until(which).unwrap();
        pay_past(&mut bench, 1, 0);
        bench.answer(&effect);
        bench.resume();
        bench.mine_quiet(1);
        bench.settle();
        assert!(sent(&bench).iter().all(|job| *job == Job::Void));
        assert_eq!(bench.hold_reason(1), elsewhere());
    }
}

#[test]
fn an_approved_batch_is_executed_without_it() {
    let mut bench = Bench::new();
    let batch = bench.propose([1, 2]);
    pay_past(&mut bench, 1, 1);
    bench.resume();
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    let skip = U256::from(0b01);
    let execute = Job::Execute {
        batch: batch.id,
        skip,
    };
    assert_eq!(bench.slot(1).job, execute);
    assert_eq!(bench.slot(1).status, SlotStatus::Occupied);
    assert!(bench.take(is_send).is_some());

    bench.mine(
        vec![paid(&batch, 0b10)],
        vec![bench.slot(1).attempts[0].hash],
    );
    bench.finalise(2);
    assert_eq!(bench.status(2), PaymentStatus::Paid);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    let life = SETTINGS.batch.proposal_life(u32::MAX);
    bench.mine_after(life, Vec::new(), Vec::new());
    bench.finalise(2);
    assert_eq!(bench.hold_reason(1), elsewhere());
}

#[test]
fn an_execution_of_it_that_is_on_its_way_is_given_up() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    assert!(matches!(bench.slot(1).job, Job::Execute { .. }));
    pay_past(&mut bench, 1, 1);
    give_up(&mut bench, 1);
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(bench.jobs().len(), 2, "nothing more is sent for it");
}

#[test]
fn what_is_being_simulated_again_is_not_signed_again() {
    let ttl = SETTINGS.batch.attempt_ttl_s;
    for (seconds, again) in [(12, "as it is"), (ttl - 300, "with a longer life")] {
        let mut bench = Bench::new();
        bench.pay([1]);
        let fact = foreign_payment(foreign_number(0), payment(1));
        bench.mine_after(seconds, vec![fact], Vec::new());
        let paid_in = bench.tip().id;
        bench.mine_quiet(SETTINGS.lane.replace_blocks.try_into().unwrap());
        let simulate = bench.settle_until(is_simulate).unwrap();
        bench.call_final(paid_in, 0);
        bench.follow();
        assert_eq!(bench.hold_reason(1), elsewhere());
        bench.resume();
        bench.answer(&simulate);
        bench.settle();
        let seals = bench.count(|event| matches!(event, Event::BatchSealed { .. }));
        assert_eq!((seals, bench.slot(0).job), (1, Job::Void), "{again}");
        assert_eq!(bench.slot(0).attempts.len(), 2, "{again}");
    }
}

/// What a payment offers leaves room for one transaction more, which uses its nonce up.
#[test]
fn at_the_fee_cap_it_is_given_up_all_the_same() {
    let mut bench = Bench::new();
    bench.base_fee = SETTINGS.fees.max_fee * 3 / 4; // what outlasts two blocks is above the cap
    bench.mine_quiet(1);
    bench.pay([1, 2]);
    bench.base_fee = GWEI;
    pay_past(&mut bench, 1, 0);
    give_up(&mut bench, 0);
    let fees = bench.slot(0).attempts.last().unwrap().fees;
    assert!(fees.max_fee > SETTINGS.fees.max_fee * 9 / 10);
    assert!(fees.max_fee <= SETTINGS.fees.max_fee);
}

/// The operator leaves no room at all: least and most tip are the same.
#[test]
fn one_that_cannot_be_given_up_holds_up_no_other() {
    let mut settings = one_by_one();
    settings.fees.min_tip = settings.fees.max_tip;
    let mut bench = Bench::with(settings);
    bench.pay([1]);
    bench.request([2]);
    bench.settle();
    pay_past(&mut bench, 1, 0);
    bench.resume();
    bench.request([3]);
    for _ in 0..3 {
        bench.mine_quiet(1);
        bench.settle();
    }
    assert_eq!(bench.slot(0).attempts.len(), 1);
    assert_eq!(bench.status(3), PaymentStatus::Sealed);
    assert_eq!(bench.slot(2).status, SlotStatus::Occupied);
    let waits = bench.engine.status().waits;
    let words = "max_tip 11000000000 wei per gas is needed, the cap is 10000000000";
    assert_eq!(waits, [words]);
}
