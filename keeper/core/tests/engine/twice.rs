//! One number twice in the blocks that become final together: nothing of it is stored yet when the second is read.

use tidelock_core::{
    event::HaltReason,
    lifecycle::{BatchStatus, PaymentStatus},
};

use crate::{
    bench::Bench,
    world::{
        foreign_number, foreign_payment, foreign_proposal, number, paid, payment, payment_of,
        reference,
    },
};

#[test]
fn a_proposal_under_a_number_just_paid_is_not_adopted() {
    let mut bench = Bench::new();
    let number = foreign_number(0);
    let (id, proposed) = foreign_proposal(number, &[payment(2)]);
    bench.mine(
        vec![foreign_payment(number, payment(1)), proposed],
        Vec::new(),
    );
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
    assert!(!bench.store.0.borrow().payments.contains_key(&reference(2)));
    assert_eq!(bench.halted(), None);
}

#[test]
fn a_node_that_shows_a_payment_twice_halts_it() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    let fact = paid(&bench.live_batch(), 1);
    bench.mine(vec![fact.clone(), fact], vec![sent.hash]);
    bench.finalise(1);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    let number = number(0);
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
}

#[test]
fn a_ref_of_a_proposal_left_to_people_is_not_taken_over_with_another() {
    let mut bench = Bench::new();
    let twice = [payment(1), payment_of(1, 50)];
    let (left, first) = foreign_proposal(foreign_number(0), &twice);
    let (id, second) = foreign_proposal(foreign_number(9), &[payment(1)]);
    bench.mine(vec![first, second], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.batch(left).status, BatchStatus::Foreign);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
}
