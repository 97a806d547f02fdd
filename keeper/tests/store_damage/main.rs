//! Damage to the store is noticed and named, on both databases; nothing damaged is acted on.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod file;
#[path = "../support/mod.rs"]
mod support;
mod verified;

use std::fs;

use support::{Kind, create, filled, lively, payment, place, tamper};
use tidelock_core::{
    event::{Command, Event},
    log::LogHead,
    store::Store,
};
use tidelock_keeper::store::{Desk, Location, LogStore, Reader, Standing, StoreError};
use verified::{
    a_batch_commits_to_the_log_before_it, verification_goes_on_beside_a_writer,
    verification_holds_the_row_of_every_final_payment_to_the_log,
    verification_names_the_first_bad_entry,
};

on_both! {
    a_damaged_last_entry_is_noticed_at_the_start,
    a_log_that_lacks_its_last_entries_is_refused_where_they_were_seen,
    a_damaged_row_is_named,
    a_changed_request_is_never_paid,
    a_row_that_cannot_be_read_does_not_hold_up_the_others,
    a_request_that_was_left_out_and_mended_is_still_named,
    verification_names_the_first_bad_entry,
    verification_holds_the_row_of_every_final_payment_to_the_log,
    verification_goes_on_beside_a_writer,
    a_batch_commits_to_the_log_before_it,
}

/// Changes the store as its owner can, in SQLite's words.
fn change(location: &Location, statement: &str) {
    let Some(_) = location.server else {
        const TRIGGERS: &str = "DROP TRIGGER event_is_never_updated; DROP TRIGGER event_is_never_deleted; \
            DROP TRIGGER request_is_never_updated; DROP TRIGGER command_is_never_updated;";
        return tamper(location, &format!("{TRIGGERS} {statement}"));
    };
    const TRIGGERS: &str = "DROP TRIGGER event_is_append_only ON event; \
        DROP TRIGGER request_is_append_only ON request; DROP TRIGGER command_is_append_only ON command;";
    let words = [
        ("zeroblob(32)", "decode(repeat('00', 32), 'hex')"),
        ("zeroblob(20)", "decode(repeat('00', 20), 'hex')"),
        ("randomblob(20)", "decode(repeat('ab', 20), 'hex')"),
        ("randomblob(16)", "decode(repeat('ab', 16), 'hex')"),
        ("x'0", "'\\x0"),
    ];
    let translated = words.iter().fold(statement.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    });
    tamper(location, &format!("{TRIGGERS} {translated}"));
}

/// As if this host had not seen the store before: its note of the last entry would tell some of it first.
fn forget(location: &Location) {
    let note = location.path.with_file_name("keeper.db.high-water");
    fs::write(note, format!("{:020} {}\n", 0, LogHead::EMPTY.hash)).unwrap();
}

fn a_damaged_last_entry_is_noticed_at_the_start(kind: Kind) {
    for (statement, expected) in [
        (
            "UPDATE event SET body = replace(body, '}', ' }') WHERE seq = 10",
            "hash is not that of its body",
        ),
        (
            "UPDATE event SET hash = zeroblob(32) WHERE seq = 10",
            "hash is not that of its body",
        ),
        ("DELETE FROM event WHERE seq = 10", "ends at 9"),
        (
            "UPDATE meta SET value = replace(value, '\"seq\":10', '\"seq\":9') WHERE name = 'log'",
            "ends at 10",
        ),
        (
            "DELETE FROM meta WHERE name = 'log'",
            "though the log has entries",
        ),
        ("DELETE FROM meta WHERE name = 'identity'", "meta identity"),
        ("UPDATE meta SET value = '{' WHERE name = 'log'", "meta log"),
        (
            "UPDATE meta SET value = '99' WHERE name = 'schema'",
            "schema is 99",
        ),
        ("DELETE FROM checkpoint", "checkpoint"),
    ] {
        let (_folder, location) = place(kind);
        drop(filled(&location, 10, 1));
        forget(&location);
        change(&location, statement);
        let loaded = LogStore::open(&location).and_then(|mut store| store.load().map(drop));
        let error = loaded.unwrap_err().to_string();
        assert!(error.contains(expected), "{statement}: {error}");
    }
}

fn a_log_that_lacks_its_last_entries_is_refused_where_they_were_seen(kind: Kind) {
    let (_folder, location) = place(kind);
    drop(filled(&location, 10, 1));
    change(
        &location,
        "DELETE FROM event WHERE seq = 10; \
         UPDATE meta SET value = replace(value, '\"seq\":10', '\"seq\":9') WHERE name = 'log'",
    );
    let error = LogStore::open(&location).unwrap_err();
    let StoreError::Behind {
        found, expected, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((found, expected), (9, 10));
}

fn a_damaged_row_is_named(kind: Kind) {
    for (statement, expected) in [
        ("UPDATE payment SET amount = '-1'", "amount"),
        ("UPDATE payment SET status = 'paying'", "paying"),
        ("UPDATE payment SET recipient = x'00'", "recipient"),
        (
            "UPDATE payment SET recipient = zeroblob(20)",
            "zero address",
        ),
        (
            "UPDATE batch SET payments = substr(payments, 2)",
            "payments",
        ),
        ("UPDATE attempt SET raw = x'00'", "raw"),
        ("UPDATE slot SET job = 'x'", "job"),
    ] {
        let (_folder, location) = place(kind);
        drop(lively(&location));
        change(&location, statement);
        let read = LogStore::open(&location).unwrap().load();
        let error = match read {
            // An unknown status is none of those that are read: the log shows it.
            Ok(_) => {
                let verified = Reader::open(&location).unwrap().verify(true, |_| {});
                format!("{verified:?}")
            }
            Err(error @ StoreError::Damaged { .. }) => error.to_string(),
            Err(error) => panic!("{statement}: {error:?}"),
        };
        assert!(error.contains(expected), "{statement}: {error}");
    }
}

fn a_changed_request_is_never_paid(kind: Kind) {
    let (_folder, location) = place(kind);
    let mut store = create(&location);
    Desk::open(&location).unwrap().file(&[payment(1)]).unwrap();
    change(&location, "UPDATE request SET amount = '9'");
    let unread = store.unread_requests(0, 10).unwrap();
    assert_eq!(unread.items, []);
    assert_eq!(unread.through, 1);
    let mut reader = Reader::open(&location).unwrap();
    let waiting = reader.waiting(10).unwrap();
    assert_eq!(waiting.requests, []);
    let [damaged] = &waiting.damaged[..] else {
        panic!("{waiting:?}");
    };
    assert!(damaged.contains("body_hash"), "{damaged}");
    let reference = payment(1).reference().to_string();
    assert!(damaged.contains(&reference), "{damaged}");
}

fn a_row_that_cannot_be_read_does_not_hold_up_the_others(kind: Kind) {
    for (statement, left_out) in [
        (
            "UPDATE request SET amount = '-1' WHERE arrival = 2",
            "amount",
        ),
        (
            "UPDATE request SET amount = '9' WHERE arrival = 2",
            "body_hash",
        ),
        (
            "UPDATE request SET recipient = x'01' WHERE arrival = 2",
            "recipient",
        ),
        ("UPDATE request SET ref = x'01' WHERE arrival = 2", "ref"),
        (
            "UPDATE command SET body = '{' WHERE arrival = 1",
            "command 1",
        ),
    ] {
        leaves_out(kind, statement, left_out);
    }
}

/// What was changed is left out and named, and all else is taken.
#[track_caller]
fn leaves_out(kind: Kind, statement: &str, left_out: &str) {
    let (_folder, location) = place(kind);
    let (mut store, mut history) = filled(&location, 1, 1);
    let mut desk = Desk::open(&location).unwrap();
    desk.file(&[payment(1), payment(2), payment(3)]).unwrap();
    let note = "later".to_owned();
    let halt = Command::Halt { note };
    desk.command(&halt).unwrap();
    desk.command(&halt).unwrap();
    change(&location, statement);

    let unread = store.unread_requests(0, 10).unwrap();
    let expected = if left_out == "command 1" { 3 } else { 2 };
    assert_eq!(unread.items.len(), expected, "{statement}");
    assert_eq!(unread.through, 3, "{statement}");
    let commands = store.unread_commands(0, 1).unwrap();
    assert_eq!(commands.items.len(), 1, "{statement}");
    let accepted = Event::RequestsAccepted {
        requests: unread.items,
        through: unread.through,
    };
    let entry = history.apply(&accepted);
    store
        .commit(&[entry], &history.state.take_changes())
        .unwrap();
    let found = Reader::open(&location).unwrap().left_out().unwrap();
    assert_eq!(found.len(), 1, "{statement}: {found:?}");
    assert!(found[0].contains(left_out), "{statement}: {found:?}");
}

fn a_request_that_was_left_out_and_mended_is_still_named(kind: Kind) {
    let (_folder, location) = place(kind);
    let (mut store, mut history) = filled(&location, 1, 1);
    Desk::open(&location).unwrap().file(&[payment(1)]).unwrap();
    let accepted = Event::RequestsAccepted {
        requests: Vec::new(),
        through: 1,
    };
    let entry = history.apply(&accepted);
    store
        .commit(&[entry], &history.state.take_changes())
        .unwrap();
    let mut reader = Reader::open(&location).unwrap();
    let reference = payment(1).reference();
    let found = reader.left_out().unwrap();
    assert!(found[0].contains(&reference.to_string()), "{found:?}");
    assert!(matches!(
        reader.standing(&reference).unwrap(),
        Standing::LeftOut(_)
    ));
}
