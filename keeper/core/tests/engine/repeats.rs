//! Proposals that would pay a second time: signers are told as soon as one is seen, whatever memory has let go of.

use tidelock_core::{
    abi::Fact,
    domain::BatchId,
    event::Command,
    lifecycle::{BatchStatus, PaymentStatus},
};

use crate::{
    bench::Bench,
    world::{
        foreign_number, foreign_payment, foreign_proposal, number, paid, payment, payment_of,
        proposed, reference,
    },
};

/// Ref 1 is paid under number 0 for good, and memory has let go of it.
fn with_a_final_payment() -> Bench {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.finalise(1);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert!(bench.engine.state().open_payment(&reference(1)).is_none());
    bench
}

/// Somebody else's proposal of a ref that is paid, in another amount.
fn again() -> (BatchId, Fact) {
    foreign_proposal(foreign_number(0), &[payment(2), payment_of(1, 1_200)])
}

fn alerts(bench: &Bench) -> Vec<String> {
    bench.engine.status().alerts
}

/// The one alert names the batch and the ref, and says this of it.
fn warns(bench: &Bench, id: BatchId, words: &str) {
    let alerts = alerts(bench);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let reference = reference(1).to_string();
    for word in [id.to_string().as_str(), &reference, words] {
        assert!(alerts[0].contains(word), "{word}: {alerts:?}");
    }
}

#[test]
fn a_paid_ref_that_is_proposed_again_is_an_alert_as_soon_as_it_is_seen() {
    let mut bench = with_a_final_payment();
    let (id, fact) = again();
    bench.mine(vec![fact], Vec::new());
    assert_eq!(bench.engine.state().open_batches().count(), 0);
    let words = format!("again, which the vault has paid under number {}", number(0));
    warns(&bench, id, &words);
}

#[test]
fn it_stays_one_once_it_is_final_and_after_a_restart() {
    let mut bench = with_a_final_payment();
    let (id, fact) = again();
    bench.mine(vec![fact], Vec::new());
    bench.restart();
    warns(&bench, id, "do not approve it");
    bench.finalise(1);
    assert_eq!(bench.batch(id).status, BatchStatus::Foreign);
    warns(&bench, id, "do not approve it");
    bench.restart();
    warns(&bench, id, "do not approve it");
}

#[test]
fn it_is_one_too_if_the_ref_is_paid_while_the_proposal_waits() {
    for is_final in [false, true] {
        let mut bench = Bench::new();
        let sent = bench.pay([1]);
        let batch = bench.live_batch();
        let (id, fact) = again();
        if is_final {
            bench.mine(vec![fact], Vec::new());
            bench.finalise(0);
            warns(&bench, id, "approve one of them at most");
            bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
            bench.finalise(1);
        } else {
            bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
            let final_block = bench.tip().id;
            bench.mine(vec![fact], Vec::new());
            bench.call_final(final_block, 1);
            bench.follow();
            assert_eq!(bench.engine.state().open_batches().count(), 0);
        }
        assert!(bench.engine.state().open_payment(&reference(1)).is_none());
        warns(&bench, id, "again, which the vault has paid");
    }
}

#[test]
fn it_ends_with_the_proposal() {
    let mut bench = with_a_final_payment();
    let (id, fact) = again();
    bench.mine(vec![fact.clone()], Vec::new());
    bench.fork(1);
    bench.mine_quiet(2);
    assert_eq!(alerts(&bench), [""; 0]);
    bench.mine(vec![fact], Vec::new());
    bench.finalise(1);
    warns(&bench, id, "do not approve it");
    bench.mine(vec![Fact::Cancelled { id }], Vec::new());
    bench.finalise(1);
    assert_eq!(alerts(&bench), [""; 0]);
    bench.restart();
    assert_eq!(alerts(&bench), [""; 0]);
}

#[test]
fn what_was_paid_before_the_log_or_for_others_counts() {
    let mut bench = Bench::new();
    let known = foreign_number(7);
    bench.mine(vec![foreign_payment(known, payment(1))], Vec::new());
    bench.finalise(0);
    let (id, fact) = again();
    bench.mine(vec![fact], Vec::new());
    warns(&bench, id, &format!("paid under number {known}"));
}

#[test]
fn what_was_withdrawn_is_told_apart_from_what_was_paid() {
    let mut bench = Bench::new();
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([1]);
    let (reference, note) = (reference(1), "by mistake".to_owned());
    bench.command(Command::Cancel { reference, note });
    assert_eq!(bench.status(1), PaymentStatus::Cancelled);
    let (id, fact) = again();
    bench.mine(vec![fact], Vec::new());
    warns(&bench, id, "which was withdrawn");
}

#[test]
fn what_is_asked_for_is_an_alert_before_the_proposal_is_final() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let (id, fact) = again();
    bench.mine(vec![fact], Vec::new());
    let own = bench.live_batch().id;
    warns(
        &bench,
        id,
        &format!("the keeper's own batch of it is {own}"),
    );
}

#[test]
fn an_own_proposal_of_what_was_paid_past_the_keeper_is_an_alert() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    assert_eq!(alerts(&bench), [""; 0]);
    let elsewhere = foreign_payment(foreign_number(7), payment(1));
    bench.mine(vec![elsewhere], Vec::new());
    bench.finalise(1);
    bench.resume();
    warns(&bench, batch.id, "do not execute it");
    bench.restart();
    warns(&bench, batch.id, "do not execute it");
}

#[test]
fn the_keepers_own_proposals_are_none() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.mine(vec![proposed(&batch)], Vec::new());
    assert_eq!(alerts(&bench), [""; 0]);
}

#[test]
fn many_proposals_do_not_bury_the_one_that_pays_twice() {
    let mut bench = with_a_final_payment();
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([3]);
    for counter in 0..40 {
        let (_, fact) = foreign_proposal(foreign_number(100 + counter), &[payment(3)]);
        bench.mine(vec![fact], Vec::new());
    }
    let (id, fact) = again();
    bench.mine(vec![fact], Vec::new());
    let alerts = alerts(&bench);
    assert_eq!(alerts.len(), 11, "{alerts:?}");
    assert!(alerts[0].contains(&id.to_string()), "{alerts:?}");
    assert!(alerts[10].starts_with("31 more"), "{alerts:?}");
}
