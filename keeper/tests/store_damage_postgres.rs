//! The damage of store_damage.rs in a PostgreSQL database, as far as it can be done there: columns have types. It is noticed and named
//! likewise, and nothing damaged is acted on.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::fs;

use support::{Kind, create, filled, lively, payment, place, tamper};
use tempfile::TempDir;
use tidelock_core::{
    event::{Command, Event},
    log::{Entry, LogHead},
    store::Store,
};
use tidelock_keeper::store::{Desk, Location, LogStore, Reader, StoreError};

/// What the database's owner can do.
const WITHOUT_TRIGGERS: &str = "DROP TRIGGER event_is_append_only ON event; \
    DROP TRIGGER request_is_append_only ON request; DROP TRIGGER command_is_append_only ON command;";

fn database() -> (TempDir, Location) {
    place(Kind::Postgres)
}

/// As if this host had not seen the store before: its note of the last entry would tell some of it first.
fn forget(location: &Location) {
    let note = location.path.with_file_name("keeper.db.high-water");
    fs::write(note, format!("{:020} {}\n", 0, LogHead::EMPTY.hash)).unwrap();
}

#[test]
fn a_damaged_last_entry_is_noticed_at_the_start() {
    for (statement, expected) in [
        (
            "UPDATE event SET body = replace(body, '}', ' }') WHERE seq = 10",
            "hash is not that of its body",
        ),
        (
            "UPDATE event SET hash = sha256('another') WHERE seq = 10",
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
        let (_folder, location) = database();
        drop(filled(&location, 10, 1));
        forget(&location);
        tamper(&location, &format!("{WITHOUT_TRIGGERS} {statement}"));
        let loaded = LogStore::open(&location).and_then(|mut store| store.load().map(drop));
        let error = loaded.unwrap_err().to_string();
        assert!(error.contains(expected), "{statement}: {error}");
    }
}

#[test]
fn a_log_that_lacks_its_last_entries_is_refused_where_they_were_seen() {
    let (_folder, location) = database();
    drop(filled(&location, 10, 1));
    tamper(
        &location,
        &format!(
            "{WITHOUT_TRIGGERS} DELETE FROM event WHERE seq = 10; \
             UPDATE meta SET value = replace(value, '\"seq\":10', '\"seq\":9') WHERE name = 'log'"
        ),
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

#[test]
fn a_damaged_row_is_named() {
    for (statement, expected) in [
        ("UPDATE payment SET amount = '-1'", "amount"),
        ("UPDATE payment SET status = 'paying'", "paying"),
        ("UPDATE payment SET recipient = '\\x00'", "recipient"),
        (
            "UPDATE payment SET recipient = decode(repeat('00', 20), 'hex')",
            "zero address",
        ),
        (
            "UPDATE batch SET payments = substr(payments, 2)",
            "payments",
        ),
        ("UPDATE attempt SET raw = '\\x00'", "raw"),
        ("UPDATE slot SET job = 'x'", "job"),
    ] {
        let (_folder, location) = database();
        drop(lively(&location));
        tamper(&location, statement);
        let loaded = LogStore::open(&location).unwrap().load();
        let error = match loaded {
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

#[test]
fn a_changed_request_is_never_paid() {
    let (_folder, location) = database();
    let mut store = create(&location);
    let filed = Desk::open(&location).unwrap().file(&[payment(1)]);
    filed.unwrap();
    tamper(
        &location,
        &format!("{WITHOUT_TRIGGERS} UPDATE request SET amount = '9'"),
    );
    let unread = store.unread_requests(0, 10).unwrap();
    assert_eq!((unread.items.len(), unread.through), (0, 1));
    let waiting = Reader::open(&location).unwrap().waiting(10).unwrap();
    assert_eq!(waiting.requests, []);
    let [damaged] = &waiting.damaged[..] else {
        panic!("{waiting:?}");
    };
    assert!(damaged.contains("body_hash"), "{damaged}");
}

#[test]
fn a_row_that_cannot_be_read_does_not_hold_up_the_others() {
    for (statement, left_out) in [
        (
            "UPDATE request SET amount = '-1' WHERE arrival = 2",
            "amount",
        ),
        (
            "UPDATE request SET recipient = '\\x01' WHERE arrival = 2",
            "recipient",
        ),
        ("UPDATE request SET ref = '\\x01' WHERE arrival = 2", "ref"),
        (
            "UPDATE command SET body = '{' WHERE arrival = 1",
            "command 1",
        ),
    ] {
        let (_folder, location) = database();
        let (mut store, mut history) = filled(&location, 1, 1);
        let mut desk = Desk::open(&location).unwrap();
        desk.file(&[payment(1), payment(2), payment(3)]).unwrap();
        let halt = Command::Halt {
            note: "later".to_owned(),
        };
        desk.command(&halt).unwrap();
        desk.command(&halt).unwrap();
        tamper(&location, &format!("{WITHOUT_TRIGGERS} {statement}"));

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
}

#[test]
fn verification_names_the_first_thing_that_was_changed() {
    for (statement, seq, expected) in [
        (
            "UPDATE event SET body = replace(body, '}', ' }') WHERE seq IN (41, 60)",
            41,
            "hash is not that of its body",
        ),
        (
            "UPDATE event SET hash = sha256('another') WHERE seq = 41",
            41,
            "hash is not that of its body",
        ),
        (
            "UPDATE event SET prev = sha256('another') WHERE seq = 41",
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
            "UPDATE payment SET amount = amount || '0' WHERE status = 'paid'",
            0,
            "amount: Amount",
        ),
        (
            "DELETE FROM payment WHERE status = 'paid'",
            0,
            "is Paid by the log, but not stored",
        ),
        (
            "INSERT INTO payment SELECT decode(repeat('ab', 16), 'hex'), arrival, recipient, amount, status, reason, NULL, batch, tries \
             FROM payment WHERE status = 'paid' LIMIT 1",
            0,
            "payments Paid, but",
        ),
        (
            "UPDATE meta SET value = replace(value, '\"next_nonce\":', '\"next_nonce\":1') WHERE name = 'log'",
            0,
            "next_nonce",
        ),
    ] {
        let (_folder, location) = database();
        drop(lively(&location));
        tamper(&location, &format!("{WITHOUT_TRIGGERS} {statement}"));
        let verified = Reader::open(&location).unwrap().verify(true, |_| {});
        let findings = verified.unwrap().findings;
        let finding = findings
            .first()
            .unwrap_or_else(|| panic!("{statement}: nothing found"));
        assert_eq!(finding.seq.unwrap_or(0), seq, "{statement}: {finding:?}");
        assert!(finding.why.contains(expected), "{statement}: {finding:?}");
    }
}

#[test]
fn verification_goes_on_beside_a_writer() {
    let (_folder, location) = database();
    let (mut store, mut history) = filled(&location, 50, 1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..50 {
                let entry: Entry = history.step();
                let rows = history.state.take_changes();
                store.commit(&[entry], &rows).unwrap();
            }
        });
        let mut reader = Reader::open(&location).unwrap();
        while !writer.is_finished() {
            assert_eq!(reader.verify(true, |_| {}).unwrap().findings, vec![]);
        }
    });
    let verified = Reader::open(&location).unwrap().verify(true, |_| {});
    assert_eq!(verified.unwrap().head, history.head);
}
