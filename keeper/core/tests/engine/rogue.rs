//! Another key has the keeper's role, or a proposer means harm: nothing is paid twice, and the keeper goes on.

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use tidelock_core::{
    abi::{Revert, Vault},
    domain::{Batch, PaymentNumber, packed_items},
    event::{Command, DeathCause, Event, HoldReason, Job, Request, Route},
    lifecycle::PaymentStatus,
    port::{Effect, Outcome, Simulation},
    state::State,
    submit::Reply,
};

use crate::{
    bench::{Bench, is_simulate},
    world::{
        PROPOSALS, SETTINGS, domain, first_block, foreign_number, foreign_payment,
        foreign_proposal, number, opening, paid, payment, payment_of, reference, tier, time,
    },
};

/// Nothing was sealed for a payment that is known as paid, whatever was asked for since.
fn is_never_paid(bench: &mut Bench, id: u8, jobs: usize) {
    bench.restart();
    bench.resume();
    bench.request([id]);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.status(id), PaymentStatus::Paid);
    assert_eq!(bench.jobs().len(), jobs);
}

#[test]
fn what_was_paid_under_a_number_of_ours_is_never_paid_again() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine(vec![foreign_payment(number(0), payment(2))], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Displaced);
    is_never_paid(&mut bench, 2, 1);
    assert_eq!(bench.row(2).number, None);
}

#[test]
fn what_was_paid_under_a_number_that_was_never_given_out_is_never_paid_again() {
    let mut bench = Bench::new();
    bench.mine(vec![foreign_payment(number(5), payment(2))], Vec::new());
    bench.finalise(0);
    is_never_paid(&mut bench, 2, 0);
}

#[test]
fn a_ref_that_is_paid_under_two_numbers_of_ours_is_known_once() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let twice = [number(0), number(5)].map(|number| foreign_payment(number, payment(2)));
    bench.mine(twice.to_vec(), Vec::new());
    bench.mine(
        vec![foreign_payment(number(6), payment_of(1, 7))],
        Vec::new(),
    );
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Displaced);
    is_never_paid(&mut bench, 2, 1);
}

#[test]
fn what_a_proposal_under_an_adopted_number_paid_is_never_paid_again() {
    let mut bench = Bench::new();
    for id in [1, 2] {
        let (_, fact) = foreign_proposal(foreign_number(0), &[payment(id)]);
        bench.mine(vec![fact], Vec::new());
        bench.finalise(0);
    }
    let (id, _) = foreign_proposal(foreign_number(0), &[payment(2)]);
    bench.mine(vec![paid(&bench.batch(id), 1)], Vec::new());
    bench.mine_after(10_000, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Displaced);
    is_never_paid(&mut bench, 2, 0);
}

/// What the vault says of a batch if it paid these numbers before.
fn without(spent: &[u64], effect: &Effect) -> Simulation {
    let Effect::Simulate { data, .. } = effect else {
        panic!("{effect:?}");
    };
    let call = Vault::payCall::abi_decode(data).unwrap();
    let count = packed_items(&call.payments).unwrap().len();
    let mut paid = U256::ZERO;
    for (offset, given) in (call.order.first_number()..).take(count).enumerate() {
        let is_spent = spent.iter().any(|spent| number(*spent).0 == given);
        paid.set_bit(offset, !is_spent);
    }
    if paid.is_zero() {
        return Simulation::Reverts(Revert::NothingToPay);
    }
    let (returned, gas) = (paid.abi_encode().into(), 100_000);
    Simulation::Succeeds { returned, gas }
}

#[test]
fn numbers_that_somebody_else_used_up_are_passed_over() {
    let spent = [0, 1, 2, 3, 5];
    let mut bench = Bench::new();
    for counter in spent {
        let other = payment(100 + u8::try_from(counter).unwrap());
        bench.mine(vec![foreign_payment(number(counter), other)], Vec::new());
    }
    bench.finalise(0);
    bench.resume();
    bench.request([1, 2, 3]);
    for _ in 0..20 {
        while let Some(simulate) = bench.settle_until(is_simulate) {
            let said = without(&spent, &simulate);
            bench.turn(vec![(simulate.key(), Outcome::Simulated(said))]);
        }
        let sent = bench.send(Reply::Accepted);
        bench.mine(Vec::new(), sent.into_iter().map(|sent| sent.hash).collect());
    }
    let mut numbers = BTreeSet::new();
    for id in [1, 2, 3] {
        assert_eq!(bench.status(id), PaymentStatus::Sealed, "payment {id}");
        numbers.extend(bench.row(id).number);
    }
    assert_eq!(numbers, BTreeSet::from([number(4), number(6), number(7)]));
}

#[test]
fn what_a_foreign_proposal_may_still_pay_is_not_sealed_again_without_a_person() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let (_, fact) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    bench.settle();
    assert_eq!(bench.hold_reason(1), Some(HoldReason::ForeignProposal));
    assert_eq!(bench.jobs().len(), 1);
}

/// What the operations manual has an operator do.
#[test]
fn what_was_paid_past_us_while_it_was_under_way_can_be_held_once_its_batch_has_expired() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine(
        vec![foreign_payment(foreign_number(0), payment(1))],
        Vec::new(),
    );
    bench.finalise(0);
    assert!(bench.halted().is_some());
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    let (reference, note) = (reference(1), "paid by somebody else".to_owned());
    bench.command(Command::Hold { reference, note });
    assert_eq!(bench.status(1), PaymentStatus::Held);
    bench.resume();
    bench.mine_quiet(10);
    bench.settle();
    assert_eq!(bench.jobs(), [Job::Void]);
}

#[test]
fn every_proposal_has_its_turn_whichever_blocks_are_seen() {
    let mut bench = Bench::new();
    for id in 1..=150 {
        let (_, fact) = foreign_proposal(foreign_number(u64::from(id)), &[payment(id)]);
        bench.mine(vec![fact], Vec::new());
    }
    bench.finalise(0);
    bench.settle();
    bench.history.clear();
    for _ in 0..3 {
        bench.mine_unseen(2); // blocks come faster than they are asked for
        bench.mine_quiet(1);
        bench.settle();
    }
    let mut seen = BTreeSet::new();
    for effect in &bench.history {
        if let Effect::Look { proposals, .. } = effect {
            seen.extend(proposals.iter().copied());
        }
    }
    assert_eq!(seen.len(), 150);
}

#[test]
fn it_goes_on_when_finality_passes_what_it_remembers() {
    let mut bench = Bench::new();
    bench.mine_unseen(5_000);
    bench.mine_quiet(1);
    for _ in 0..20 {
        bench.follow();
    }
    let waits = bench.engine.status().waits.join(" ");
    assert!(waits.contains("finality stands still"), "{waits}");
    bench.finalise(0);
    for _ in 0..20 {
        bench.follow();
    }
    assert_eq!(bench.engine.status().tip, bench.tip().id);
    assert_eq!(bench.engine.status().waits, Vec::<String>::new());
}

/// A log must mean the same whether what is over was forgotten meanwhile, as after each commit, or not, as when it is verified.
#[test]
fn a_batch_that_is_over_may_be_proposed_by_somebody_else() {
    let payments = [payment(1)];
    let first = PaymentNumber(PROPOSALS | number(0).0);
    let expires_at = time(first_block().id.time.seconds() + 10_000);
    let batch = Batch::seal(first, tier(1), &payments, expires_at, B256::ZERO).unwrap();
    let refs = vec![reference(1)];
    let [arrival, through] = [1; 2];
    let events = [
        Event::RequestsAccepted {
            requests: payments.map(|payment| Request { arrival, payment }).into(),
            through,
        },
        Event::Released { refs: refs.clone() },
        Event::BatchSealed {
            anchor: 1,
            batch,
            refs,
            route: Route::Proposal,
        },
        Event::BatchDied {
            batch: batch.id(&domain()),
            cause: DeathCause::Leftover,
        },
        Event::ForeignProposed {
            batch,
            payments: payments.into(),
        },
    ];
    let fold = |forgets: bool| {
        let mut state = State::open(opening());
        for event in &events {
            state.apply(event).unwrap();
            if forgets {
                state.take_changes();
            }
        }
        state.take_changes();
        state
    };
    assert_eq!(fold(false), fold(true));
}
