//! Damage to the store is noticed and named; nothing damaged is acted on.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{fs, path::Path, thread};

use support::{create, filled, lively, payment, place, tamper};
use tidelock_core::{
    log::{Entry, LogHead},
    store::Store,
};
use tidelock_keeper::store::{Desk, Reader, SqliteStore, StoreError};

const WITHOUT_TRIGGERS: &str = "DROP TRIGGER event_is_never_updated; DROP TRIGGER event_is_never_deleted; \
    DROP TRIGGER request_is_never_updated;";

fn load_error(path: &Path) -> StoreError {
    SqliteStore::open(path)
        .and_then(|mut store| store.load().map(|_| ()))
        .unwrap_err()
}

#[test]
fn an_old_copy_is_refused() {
    let (_folder, path) = place();
    let (mut store, mut history) = filled(&path, 10, 1);
    store.close().unwrap();
    let old = fs::read(&path).unwrap();
    store = SqliteStore::open(&path).unwrap();
    let more: Vec<Entry> = (0..5).map(|_| history.step()).collect();
    store.commit(&more, &history.state.take_changes()).unwrap();
    store.close().unwrap();
    let new = fs::read(&path).unwrap();
    fs::write(&path, old).unwrap();

    let error = SqliteStore::open(&path).unwrap_err();
    let StoreError::Behind {
        found, expected, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((*found, *expected), (10, 15));
    assert!(
        error.to_string().contains("keeper.db.high-water"),
        "{error}"
    );

    // The right file is accepted again; one that went on differently is not; nor one whose note is gone.
    fs::write(&path, &new).unwrap();
    SqliteStore::open(&path).unwrap().close().unwrap();
    let note = path.with_file_name("keeper.db.high-water");
    let noted = fs::read_to_string(&note).unwrap();
    fs::write(&note, format!("{:020} {}\n", 15, LogHead::EMPTY.hash)).unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Forked { seq: 15, .. })
    ));
    fs::write(&note, "15").unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Damaged { .. })
    ));
    fs::remove_file(&note).unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::HighWaterMissing { .. })
    ));
    // A note that is older than the database says nothing wrong.
    fs::write(&note, format!("{:020} {}\n", 0, LogHead::EMPTY.hash)).unwrap();
    SqliteStore::open(&path).unwrap();
    assert!(noted.starts_with("00000000000000000015 0x"), "{noted}");
}

#[test]
fn a_truncated_file_is_refused() {
    let (_folder, path) = place();
    let (store, _) = lively(&path);
    store.close().unwrap();
    let whole = fs::read(&path).unwrap();
    for length in [0, 100, 4_096, whole.len() / 2] {
        fs::write(&path, whole.get(..length).unwrap()).unwrap();
        let error = load_error(&path);
        assert!(
            matches!(
                error,
                StoreError::Broken { .. } | StoreError::Schema { .. } | StoreError::Damaged { .. }
            ),
            "{length}: {error:?}"
        );
    }
    fs::write(
        &path,
        "not a database, but long enough to have been one".repeat(100),
    )
    .unwrap();
    assert!(matches!(load_error(&path), StoreError::Broken { .. }));
}

#[test]
fn a_damaged_last_entry_is_noticed_at_the_start() {
    for (statement, expected) in [
        (
            "UPDATE event SET body = replace(body, '}', ' }') WHERE seq = 10",
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
            "UPDATE meta SET value = '2' WHERE name = 'schema'",
            "schema is 2",
        ),
        ("DELETE FROM checkpoint", "checkpoint"),
    ] {
        let (_folder, path) = place();
        drop(filled(&path, 10, 1));
        // The note of the last commit would tell some of these first.
        let note = path.with_file_name("keeper.db.high-water");
        fs::write(note, format!("{:020} {}\n", 0, LogHead::EMPTY.hash)).unwrap();
        tamper(&path, &format!("{WITHOUT_TRIGGERS} {statement}"));
        let error = load_error(&path).to_string();
        assert!(error.contains(expected), "{statement}: {error}");
    }
}

#[test]
fn a_damaged_row_is_named() {
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
        let (_folder, path) = place();
        drop(lively(&path));
        tamper(&path, statement);
        let read = SqliteStore::open(&path).unwrap().load();
        let error = match read {
            // An unknown status is none of those that are read: the log shows it.
            Ok(_) => {
                let verified = Reader::open(&path).unwrap().verify(true, |_| {});
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
    let (_folder, path) = place();
    let mut store = create(&path);
    Desk::open(&path).unwrap().file(&[payment(1)]).unwrap();
    tamper(
        &path,
        &format!("{WITHOUT_TRIGGERS} UPDATE request SET amount = '9'"),
    );
    let error = store.unread_requests(0, 10).unwrap_err();
    assert!(error.to_string().contains("body_hash"), "{error}");
    assert!(
        error
            .to_string()
            .contains(&payment(1).reference().to_string()),
        "{error}"
    );
}

#[test]
fn verification_names_the_first_bad_entry() {
    for (statement, seq, expected) in [
        (
            "UPDATE event SET body = replace(body, '}', ' }') WHERE seq IN (41, 60)",
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
        let (_folder, path) = place();
        drop(lively(&path));
        tamper(&path, &format!("{WITHOUT_TRIGGERS} {statement}"));
        let verified = Reader::open(&path).unwrap().verify(true, |_| {}).unwrap();
        let finding = verified
            .findings
            .first()
            .unwrap_or_else(|| panic!("{statement}: nothing found"));
        assert_eq!(finding.seq.unwrap_or(0), seq, "{statement}: {finding:?}");
        assert!(finding.why.contains(expected), "{statement}: {finding:?}");
    }
}

#[test]
fn verification_goes_on_beside_a_writer() {
    let (_folder, path) = place();
    let (mut store, mut history) = filled(&path, 50, 1);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..100 {
                let entry = history.step();
                store
                    .commit(&[entry], &history.state.take_changes())
                    .unwrap();
            }
        });
        let mut reader = Reader::open(&path).unwrap();
        while !writer.is_finished() {
            assert_eq!(reader.verify(true, |_| {}).unwrap().findings, vec![]);
        }
    });
    let verified = Reader::open(&path).unwrap().verify(true, |_| {}).unwrap();
    assert_eq!(verified.head, history.head);
}

#[test]
fn a_batch_commits_to_the_log_before_it() {
    let (_folder, path) = place();
    drop(lively(&path));
    let anchors = Reader::open(&path).unwrap().anchors().unwrap().unwrap();
    assert!(!anchors.sealed.is_empty());
    assert_eq!(anchors.findings, vec![]);
    let first = *anchors.sealed.values().min().unwrap();
    tamper(
        &path,
        &format!("{WITHOUT_TRIGGERS} UPDATE event SET hash = zeroblob(32) WHERE seq = {first}"),
    );
    let anchors = Reader::open(&path).unwrap().anchors().unwrap().unwrap();
    let finding = anchors.findings.first().unwrap();
    assert!(
        finding.why.contains(&format!("entry {first} as it is now")),
        "{finding:?}"
    );
}
