//! A node leaves out what the vault logged, and is believed: what the vault calls paid is looked for again.

use alloy_primitives::U256;
use tidelock_core::{
    abi::{Fact, Revert},
    domain::{PaymentNumber, packed_items},
    event::{Event, HaltReason},
    lifecycle::PaymentStatus,
    port::{Effect, Outcome, ProposalState, Recalled, Simulation},
    state::BatchRow,
    submit::Reply,
};

use crate::{
    bench::{Bench, is_recall},
    world::{first_block, number, paid, payment, reference},
};

/// Between two rounds of looking. [milliseconds]
const ROUND: u64 = 600_000;

/// Two payments whose block became final without the vault's log of them. The vault refuses to pay them again.
fn missed() -> (Bench, BatchRow) {
    let mut bench = Bench::new();
    let sent = bench.pay([1, 2]);
    let batch = bench.live_batch();
    bench.mine(Vec::new(), vec![sent.hash]);
    bench.finalise(1);
    bench.simulation = Some(Simulation::Reverts(Revert::NothingToPay));
    (bench, batch)
}

fn recalled(numbers: &[u64], facts: Vec<Fact>) -> Recalled {
    Recalled {
        paid: numbers.iter().map(|counter| number(*counter)).collect(),
        facts: facts.into_iter().map(|fact| (101, fact)).collect(),
    }
}

fn asked_about(bench: &Bench) -> Vec<Vec<PaymentNumber>> {
    let asked = bench.history.iter().filter_map(|effect| match effect {
        Effect::Recall { numbers, .. } => Some(numbers.clone()),
        _ => None,
    });
    asked.collect()
}

#[test]
fn what_was_missed_ends_as_paid_by_itself() {
    let (mut bench, batch) = missed();
    assert_eq!(bench.status(1), PaymentStatus::Open, "nothing tells");
    bench.recalled = recalled(&[0, 1], vec![paid(&batch, 0b11)]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.status(2), PaymentStatus::Paid);
    assert_eq!(bench.halted(), None);
    assert_eq!(asked_about(&bench), [vec![number(0), number(1)]]);
    let last = bench.tip().id;
    let asked = bench.history.iter().find(|effect| is_recall(effect));
    let Some(Effect::Recall { first, at, .. }) = asked else {
        panic!("{asked:?}");
    };
    assert_eq!(*first, first_block().id.number);
    assert_eq!(*at, last, "the last final block");
}

#[test]
fn a_start_looks_for_it_too() {
    let (mut bench, batch) = missed();
    bench.simulation = None;
    bench.vault.halted_until = u64::MAX; // nothing is sent, nothing is refused
    bench.recalled = recalled(&[0, 1], vec![paid(&batch, 0b11)]);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open, "nothing points to it");
    bench.restart();
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

#[test]
fn without_a_hint_it_is_looked_for_every_ten_minutes() {
    let (mut bench, batch) = missed();
    bench.simulation = None;
    bench.vault.halted_until = u64::MAX;
    bench.recalled = recalled(&[0], vec![paid(&batch, 0b01)]);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.asked_for(is_recall), 0);
    bench.wait(ROUND);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.status(2), PaymentStatus::Open);
    bench.settle();
    assert_eq!(bench.asked_for(is_recall), 1);
    bench.wait(ROUND);
    bench.settle();
    assert_eq!(asked_about(&bench)[1], [number(1)]);
}

#[test]
fn what_is_in_flight_or_has_no_number_is_not_asked_about() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([2]);
    bench.wait(ROUND);
    bench.settle();
    assert_eq!(bench.status(2), PaymentStatus::Open);
    assert_eq!(bench.asked_for(is_recall), 0);
}

/// The log of a batch says of all its payments what became of them; what was taken in before is not taken in again.
#[test]
fn what_is_known_already_is_not_taken_in_twice() {
    let (mut bench, batch) = missed();
    bench.recalled = recalled(&[0], vec![paid(&batch, 0b01)]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    bench.recalled = recalled(&[1], vec![paid(&batch, 0b11)]);
    bench.wait(ROUND);
    bench.mine_quiet(64);
    bench.settle();
    assert_eq!(bench.status(2), PaymentStatus::Paid);
    assert_eq!(bench.halted(), None);
    let finals = |event: &Event| matches!(event, Event::OutcomeFinal { .. });
    assert_eq!(bench.count(finals), 2);
}

#[test]
fn a_log_of_numbers_that_were_not_asked_about_changes_nothing() {
    let (mut bench, batch) = missed();
    let other = Fact::Paid {
        id: batch.id,
        first_number: number(7),
        paid: U256::ONE,
        items: packed_items(&payment(1).pack()).ok(),
    };
    bench.recalled = recalled(&[], vec![other, Fact::Policy]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.halted(), None);
}

#[test]
fn what_is_paid_and_shown_by_no_log_is_an_alert_until_it_is() {
    let (mut bench, batch) = missed();
    bench.recalled = recalled(&[0, 1], Vec::new());
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    let words = format!("ref {} and 1 more is paid, says the vault", reference(1));
    let told = |bench: &Bench| {
        let alerts = bench.engine.status().alerts.into_iter();
        alerts.filter(|alert| alert.contains(&words)).count()
    };
    assert_eq!(told(&bench), 1);
    bench.recalled = recalled(&[0, 1], vec![paid(&batch, 0b11)]);
    bench.wait(ROUND);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(told(&bench), 0);
}

#[test]
fn a_log_that_is_shown_twice_settles_once() {
    let (mut bench, batch) = missed();
    bench.recalled = recalled(&[0, 1], vec![paid(&batch, 0b11), paid(&batch, 0b11)]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.halted(), None);
}

#[test]
fn what_was_paid_instead_displaces_and_halts() {
    let (mut bench, _) = missed();
    let instead = Fact::Paid {
        id: tidelock_core::domain::BatchId(alloy_primitives::B256::repeat_byte(9)),
        first_number: number(0),
        paid: U256::ONE,
        items: packed_items(&payment(9).pack()).ok(),
    };
    bench.recalled = recalled(&[0], vec![instead]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Displaced);
    let number = number(0);
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
}

/// What an executed proposal paid is in the log of the proposal. If that is not shown either, nothing is concluded.
#[test]
fn a_proposal_that_the_vault_executed_is_looked_for() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.stands(batch.id, ProposalState::Executed);
    bench.recalled = Recalled {
        paid: [batch.header.first_number].into(),
        facts: vec![(101, paid(&batch, 0b1))],
    };
    bench.wait(ROUND);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.halted(), None);
}

#[test]
fn no_answer_is_no_conclusion_and_is_asked_for_again() {
    let (mut bench, batch) = missed();
    let asked = bench.settle_until(is_recall).unwrap();
    bench.turn(vec![(asked.key(), Outcome::Failed("no answer".to_owned()))]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.asked_for(is_recall), 1, "not at once");
    bench.recalled = recalled(&[0, 1], vec![paid(&batch, 0b11)]);
    bench.wait(60_000);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

/// What a new transaction is on its way for is not looked for: that transaction, or its end, will tell.
#[test]
fn what_is_on_its_way_again_is_left_to_its_transaction() {
    let (mut bench, batch) = missed();
    bench.simulation = None;
    let asked = bench.settle_until(is_recall);
    assert_eq!(asked, None);
    assert_eq!(bench.status(1), PaymentStatus::Sealed, "under its number");
    bench.send(Reply::Accepted).unwrap();
    bench.recalled = recalled(&[0, 1], vec![paid(&batch, 0b11)]);
    bench.wait(ROUND);
    bench.settle();
    assert_eq!(
        bench.status(1),
        PaymentStatus::Sealed,
        "its own transaction will tell"
    );
}
