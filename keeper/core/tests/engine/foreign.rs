//! Proposals of other people: taken over if nothing in them is ours, and never paid for us a second time.

use std::collections::BTreeSet;

use alloy_primitives::U256;
use tidelock_core::{
    abi::Fact,
    domain::{BatchId, Payment, PaymentNumber, packed_items},
    event::{Command, HaltReason, HoldReason, Job},
    lifecycle::{BatchStatus, PaymentStatus},
    port::{Advice, Effect, ProposalState},
    submit::Reply,
};

use crate::{
    bench::Bench,
    world::{
        PROPOSALS, foreign_number, foreign_payment, foreign_proposal, number, paid, payment,
        payment_of, proposed, reference, tier,
    },
};

/// Shows somebody else's proposal in a block that is final. Whether it was adopted.
fn adopts(bench: &mut Bench, first_number: PaymentNumber, payments: &[Payment]) -> bool {
    let nonce = bench.engine.state().next_nonce();
    let (id, fact) = foreign_proposal(first_number, payments);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(nonce);
    match bench.batch(id).status {
        BatchStatus::Proposed => true,
        BatchStatus::Foreign => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_foreign_proposal_of_new_refs_is_adopted_and_executed() {
    let mut bench = Bench::new();
    assert!(adopts(
        &mut bench,
        foreign_number(5),
        &[payment(1), payment(2)]
    ));
    let batch = bench.live_batch();
    assert_eq!(batch.status, BatchStatus::Proposed);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.row(2).number, Some(foreign_number(6)));

    bench.stands(batch.id, ProposalState::Ready);
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    bench.mine(vec![paid(&batch, 0b11)], vec![sent.hash]);
    bench.finalise(1);
    assert_eq!(bench.status(2), PaymentStatus::Paid);
}

#[test]
fn a_foreign_proposal_is_not_adopted_before_it_is_final() {
    let mut bench = Bench::new();
    let (_, fact) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![fact], Vec::new());
    bench.mine_quiet(3);
    assert_eq!(bench.engine.state().open_batches().count(), 0);
}

#[test]
fn one_that_names_a_ref_twice_is_not_adopted() {
    let mut bench = Bench::new();
    let twice = [payment(1), payment_of(1, 50)];
    assert!(!adopts(&mut bench, foreign_number(0), &twice));
}

#[test]
fn one_with_a_ref_that_waits_is_not_adopted_and_the_payment_is_held() {
    let mut bench = Bench::new();
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    let payments = [payment(2), payment(1)];
    assert!(!adopts(&mut bench, foreign_number(0), &payments));
    assert_eq!(bench.hold_reason(1), Some(HoldReason::ForeignProposal));
    assert_eq!(bench.halted(), None);
}

#[test]
fn one_with_a_ref_in_flight_is_not_adopted_and_the_payment_goes_on() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let (id, fact) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.row(1).number, Some(number(0)));
    assert_eq!(bench.halted(), None);
    // Signers must not approve both.
    let own = bench.live_batch().id;
    let alerts = bench.engine.status().alerts;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    for word in [id.to_string(), own.to_string(), reference(1).to_string()] {
        assert!(alerts[0].contains(&word), "{alerts:?}");
    }
}

#[test]
fn one_that_holds_nothing_of_ours_is_no_alert() {
    let mut bench = Bench::new();
    let twice = [payment(1), payment_of(1, 50)];
    assert!(!adopts(&mut bench, foreign_number(0), &twice));
    assert_eq!(bench.engine.status().alerts, Vec::<String>::new());
}

#[test]
fn one_with_a_ref_that_is_paid_is_not_adopted() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.finalise(1);
    bench.restart();
    bench.mine_quiet(1);
    assert!(!adopts(&mut bench, foreign_number(0), &[payment(1)]));
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

#[test]
fn one_with_a_ref_that_is_requested_and_not_read_yet_is_held() {
    let mut bench = Bench::new();
    let (id, fact) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![fact], Vec::new());
    bench.turn(Vec::new()); // asks for the block that is final
    bench.store.0.borrow_mut().file_request(payment(1));
    bench.finalise(0);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
    assert_eq!(bench.hold_reason(1), Some(HoldReason::ForeignProposal));
}

#[test]
fn one_under_a_number_of_somebody_elses_that_is_known_is_not_adopted() {
    let mut bench = Bench::new();
    assert!(adopts(&mut bench, foreign_number(0), &[payment(1)]));
    let (id, fact) = foreign_proposal(foreign_number(0), &[payment(2)]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
    // What the number stands for is known: another body under it is an incident.
    let number = foreign_number(0);
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
}

#[test]
fn one_under_a_number_of_ours_that_was_never_given_out_is_an_incident() {
    for first in [number(0), PaymentNumber(PROPOSALS | number(0).0)] {
        let mut bench = Bench::new();
        assert!(!adopts(&mut bench, first, &[payment(1)]));
        let reason = HaltReason::ForeignNumber { number: first };
        assert_eq!(bench.halted(), Some(reason));
    }
}

#[test]
fn one_that_repeats_ours_under_its_own_number_is_no_incident() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    let (_, fact) = foreign_proposal(batch.header.first_number, &batch.payments);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(1);
    assert_eq!(bench.halted(), None);
    assert_eq!(bench.row(1).reference(), reference(1));
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn one_with_another_body_under_a_number_of_ours_is_an_incident() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    let first = batch.header.first_number;
    let (_, fact) = foreign_proposal(first, &[payment_of(1, 99)]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(1);
    let reason = HaltReason::ForeignNumber { number: first };
    assert_eq!(bench.halted(), Some(reason));
}

#[test]
fn what_nobody_requested_is_not_proposed_again_by_the_keeper() {
    let mut bench = Bench::new();
    assert!(adopts(&mut bench, foreign_number(0), &[payment(1)]));
    bench.mine_after(10_000, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.hold_reason(1), Some(HoldReason::ForeignProposal));
    bench.settle();
    assert_eq!(bench.jobs(), []);

    let (reference, note) = (reference(1), "asked for after all".to_owned());
    bench.command(Command::Release { reference, note });
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.row(1).number, Some(foreign_number(0)));
}

/// A foreign proposal of refs 1 and 2 that is not taken over, because 1 is ours.
fn with_a_foreign_proposal() -> (Bench, BatchId) {
    let mut bench = Bench::new();
    bench.pay([1]);
    let (id, fact) = foreign_proposal(foreign_number(0), &[payment(1), payment(2)]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
    (bench, id)
}

#[test]
fn what_is_asked_for_later_under_a_foreign_proposals_ref_is_held() {
    let (mut bench, _) = with_a_foreign_proposal();
    bench.restart();
    bench.request([2, 3]);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.hold_reason(2), Some(HoldReason::ForeignProposal));
    assert_eq!(bench.status(3), PaymentStatus::Sealed);
}

#[test]
fn a_foreign_proposal_that_is_vetoed_or_expired_holds_nothing_back() {
    for is_vetoed in [true, false] {
        let (mut bench, id) = with_a_foreign_proposal();
        if is_vetoed {
            bench.mine(vec![Fact::Cancelled { id }], Vec::new());
        } else {
            bench.mine_after(10_000, Vec::new(), Vec::new());
        }
        bench.finalise(0);
        assert_eq!(bench.batch(id).status, BatchStatus::Dead);
        bench.request([2]);
        bench.settle();
        assert_eq!(bench.hold_reason(2), None);
        assert_eq!(bench.hold_reason(1), None);
    }
}

#[test]
fn what_a_foreign_proposal_paid_is_known_from_then_on() {
    let (mut bench, id) = with_a_foreign_proposal();
    bench.mine(vec![paid(&bench.batch(id), 0b10)], Vec::new());
    bench.finalise(0);
    bench.request([2]);
    bench.settle();
    let row = bench.row(2);
    assert_eq!(row.status, PaymentStatus::Paid);
    assert_eq!(row.number, Some(foreign_number(1)));
    assert_eq!(bench.halted(), None);
}

#[test]
fn what_a_foreign_proposal_paid_of_ours_is_an_incident() {
    let (mut bench, id) = with_a_foreign_proposal();
    bench.mine(vec![paid(&bench.batch(id), 0b01)], Vec::new());
    bench.finalise(0);
    let (reference, number) = (reference(1), foreign_number(0));
    let reason = HaltReason::ForeignRef { reference, number };
    assert_eq!(bench.halted(), Some(reason));
}

#[test]
fn a_foreign_proposal_that_is_not_taken_over_is_never_executed() {
    let (mut bench, id) = with_a_foreign_proposal();
    bench.stands(id, ProposalState::Ready);
    bench.settle();
    assert_eq!(bench.jobs().len(), 1);
}

#[test]
fn of_two_that_name_the_same_ref_in_one_block_the_first_is_adopted() {
    let mut bench = Bench::new();
    let (first, one) = foreign_proposal(foreign_number(0), &[payment(1)]);
    let (second, other) = foreign_proposal(foreign_number(1), &[payment(1)]);
    bench.mine(vec![one, other], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(first).status, BatchStatus::Proposed);
    assert_eq!(bench.batch(second).status, BatchStatus::Foreign);
    assert_eq!(bench.row(1).number, Some(foreign_number(0)));
}

#[test]
fn of_two_under_the_same_number_in_one_block_the_second_is_an_incident() {
    let mut bench = Bench::new();
    let (first, one) = foreign_proposal(foreign_number(0), &[payment(1)]);
    let (second, other) = foreign_proposal(foreign_number(0), &[payment(2)]);
    bench.mine(vec![one, other], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(first).status, BatchStatus::Proposed);
    assert_eq!(bench.batch(second).status, BatchStatus::Foreign);
    let number = foreign_number(0);
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
}

#[test]
fn one_that_is_proposed_and_paid_in_final_blocks_seen_together_is_paid() {
    let mut bench = Bench::new();
    let (id, fact) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![fact], Vec::new());
    let executed = Fact::Paid {
        id,
        first_number: foreign_number(0),
        paid: U256::from(1),
        items: None,
    };
    bench.mine(vec![executed], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.batch(id).status, BatchStatus::Final);
}

#[test]
fn a_veto_of_a_foreign_proposal_holds_nothing_of_ours() {
    let mut bench = Bench::new();
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([1]);
    bench.settle();
    let (id, fact) = foreign_proposal(foreign_number(0), &[payment(1)]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(0);
    let (reference, note) = (reference(1), "theirs is wrong".to_owned());
    bench.command(Command::Release { reference, note });
    bench.mine(vec![Fact::Cancelled { id }], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(id).status, BatchStatus::Dead);
    assert_eq!(bench.status(1), PaymentStatus::Open);
}

#[test]
fn an_automatic_batch_that_somebody_proposes_stays_automatic() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine(vec![proposed(&bench.live_batch())], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.live_batch().status, BatchStatus::Sealed);
}

#[test]
fn a_request_that_is_filed_while_somebody_else_pays_it_is_never_read() {
    let mut bench = Bench::new();
    let number = foreign_number(0);
    bench.mine(vec![foreign_payment(number, payment(1))], Vec::new());
    bench.turn(Vec::new()); // asks for the block that is final
    bench.store.0.borrow_mut().file_request(payment(1));
    bench.finalise(0);
    let reference = reference(1);
    assert_eq!(
        bench.halted(),
        Some(HaltReason::ForeignRef { reference, number })
    );
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    bench.resume();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.jobs(), []);
}

#[test]
fn many_proposals_are_looked_at_in_turn() {
    let mut bench = Bench::new();
    for id in 1..=150 {
        let number = foreign_number(u64::from(id));
        let (_, fact) = foreign_proposal(number, &[payment(id)]);
        bench.mine(vec![fact], Vec::new());
    }
    bench.finalise(0);
    bench.history.clear();
    for _ in 0..3 {
        bench.mine_quiet(1);
        bench.settle();
    }
    let mut seen = BTreeSet::new();
    for effect in &bench.history {
        if let Effect::Look { proposals, .. } = effect {
            assert!(proposals.len() <= 64, "{}", proposals.len());
            seen.extend(proposals.iter().copied());
        }
    }
    assert_eq!(seen.len(), 150);
}

/// Signers may bring their votes for what the keeper is about to propose, and have it paid at once.
#[test]
fn a_proposal_on_its_way_may_be_paid_by_votes_before_it_is_proposed() {
    let mut bench = Bench::new();
    bench.advice.insert(reference(1), Advice::Tier(tier(1)));
    let sent = bench.pay([1]);
    let batch = bench.live_batch();
    assert_eq!(bench.jobs(), [Job::Propose { batch: batch.id }]);
    let by_votes = Fact::Paid {
        id: batch.id,
        first_number: batch.header.first_number,
        paid: U256::from(1),
        items: Some(packed_items(&payment(1).pack()).unwrap()),
    };
    bench.mine(vec![by_votes], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Final);

    bench.mine(vec![proposed(&batch)], vec![sent.hash]);
    bench.finalise(1);
    bench.settle();
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Final);
    assert_eq!((bench.jobs().len(), bench.halted()), (1, None));
}
