//! What `keeper verify-log` finds.

use std::thread;

use tidelock_core::store::Store;
use tidelock_keeper::store::Reader;

use super::{
    change,
    support::{Kind, filled, lively, place},
};

pub fn verification_names_the_first_bad_entry(kind: Kind) {
    for (statement, seq, expected) in [
        (
            "UPDATE event SET body = replace(body, '}', ' }') WHERE seq IN (41, 60)",
            41,
            "hash is not that of its body",
        ),
        (
            "UPDATE event SET hash = zeroblob(32) WHERE seq = 41",
            41,
            "hash is not that of its body",
        ),
        (
            "UPDATE event SET prev = zeroblob(32) WHERE seq = 41",
            41,
            "entry before it",
        ),
        (
            "UPDATE event SET kind = 'held' WHERE seq = 1",
            1,
            "noted as held",
        ),
        (
            "DELETE FROM event WHERE seq = 41",
            41,
            "is missing; the next one is 42",
        ),
        ("DELETE FROM event WHERE seq > 41", 0, "ends at entry 41"),
        (
            "UPDATE payment SET tries = tries + 1 WHERE ref = (SELECT ref FROM payment WHERE status NOT IN ('paid', 'rejected', 'cancelled') LIMIT 1)",
            0,
            "other values",
        ),
        (
            "DELETE FROM payment WHERE ref = (SELECT ref FROM payment WHERE status NOT IN ('paid', 'rejected', 'cancelled') LIMIT 1)",
            0,
            "not stored so",
        ),
        (
            "UPDATE payment SET status = 'cancelled' WHERE status = 'paid'",
            0,
            "Cancelled",
        ),
        (
            "UPDATE meta SET value = replace(value, '\"next_nonce\":', '\"next_nonce\":1') WHERE name = 'log'",
            0,
            "next_nonce",
        ),
    ] {
        finds(kind, statement, seq, expected);
    }
}

/// What was changed is the first thing that a verification finds.
#[track_caller]
pub fn finds(kind: Kind, statement: &str, seq: u64, expected: &str) {
    let (_folder, location) = place(kind);
    drop(lively(&location));
    change(&location, statement);
    let verified = Reader::open(&location)
        .unwrap()
        .verify(true, |_| {})
        .unwrap();
    let finding = verified
        .findings
        .first()
        .unwrap_or_else(|| panic!("{statement}: nothing found"));
    assert_eq!(finding.seq.unwrap_or(0), seq, "{statement}: {finding:?}");
    assert!(finding.why.contains(expected), "{statement}: {finding:?}");
}

pub fn verification_holds_the_row_of_every_final_payment_to_the_log(kind: Kind) {
    for (statement, expected) in [
        (
            "UPDATE payment SET amount = amount || '0' WHERE status = 'paid'",
            "amount: Amount",
        ),
        (
            "UPDATE payment SET recipient = randomblob(20) WHERE ref = (SELECT ref FROM payment WHERE status = 'paid' LIMIT 1)",
            "recipient: 0x",
        ),
        (
            "UPDATE payment SET number = NULL WHERE status = 'paid'",
            "number: None, by the log number: Some(PaymentNumber(",
        ),
        (
            "UPDATE payment SET batch = zeroblob(32) WHERE status = 'paid'",
            "batch: Some(",
        ),
        (
            "UPDATE payment SET arrival = arrival + 1 WHERE status = 'cancelled'",
            "arrival: ",
        ),
        (
            "UPDATE payment SET amount = 'x' WHERE status = 'rejected'",
            "amount",
        ),
        (
            "DELETE FROM payment WHERE status = 'paid'",
            "is Paid by the log, but not stored",
        ),
        (
            "INSERT INTO payment SELECT randomblob(16), arrival, recipient, amount, status, reason, NULL, batch, tries \
             FROM payment WHERE status = 'paid' LIMIT 1",
            "payments Paid, but",
        ),
    ] {
        finds(kind, statement, 0, expected);
    }
}

pub fn verification_goes_on_beside_a_writer(kind: Kind) {
    let (_folder, location) = place(kind);
    let (mut store, mut history) = filled(&location, 50, 1);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..100 {
                let entry = history.step();
                store
                    .commit(&[entry], &history.state.take_changes())
                    .unwrap();
            }
        });
        let mut reader = Reader::open(&location).unwrap();
        while !writer.is_finished() {
            assert_eq!(reader.verify(true, |_| {}).unwrap().findings, vec![]);
        }
    });
    let verified = Reader::open(&location)
        .unwrap()
        .verify(true, |_| {})
        .unwrap();
    assert_eq!(verified.head, history.head);
}

pub fn a_batch_commits_to_the_log_before_it(kind: Kind) {
    let (_folder, location) = place(kind);
    drop(lively(&location));
    let anchors = Reader::open(&location).unwrap().anchors().unwrap().unwrap();
    assert!(!anchors.sealed.is_empty());
    assert_eq!(anchors.findings, vec![]);
    let first = *anchors.sealed.values().min().unwrap();
    let altered = format!("UPDATE event SET hash = zeroblob(32) WHERE seq = {first}");
    change(&location, &altered);
    let anchors = Reader::open(&location).unwrap().anchors().unwrap().unwrap();
    let finding = anchors.findings.first().unwrap();
    assert!(
        finding.why.contains(&format!("entry {first} as it is now")),
        "{finding:?}"
    );
}
