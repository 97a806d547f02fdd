//! Damage to the store is noticed and named; nothing damaged is acted on.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{fs, path::Path, thread};

use support::{create, filled, lively, payment, tamper};
use tidelock_core::{
    event::{Command, Event},
    log::{Entry, LogHead},
    store::Store,
};
use tidelock_keeper::store::{Desk, LogStore, Reader, Standing, StoreError};

const WITHOUT_TRIGGERS: &str = "DROP TRIGGER event_is_never_updated; DROP TRIGGER event_is_never_deleted; \
    DROP TRIGGER request_is_never_updated; DROP TRIGGER command_is_never_updated;";

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, location) = support::place(support::Kind::Sqlite);
    (folder, location.path)
}

fn load_error(path: &Path) -> StoreError {
    LogStore::open(path)
        .and_then(|mut store| store.load().map(|_| ()))
        .unwrap_err()
}

#[test]
fn an_old_copy_is_refused() {
    let (_folder, path) = file();
    let (mut store, mut history) = filled(&path, 10, 1);
    store.close().unwrap();
    let old = fs::read(&path).unwrap();
    store = LogStore::open(&path).unwrap();
    let more: Vec<Entry> = (0..5).map(|_| history.step()).collect();
    store.commit(&more, &history.state.take_changes()).unwrap();
    store.close().unwrap();
    let new = fs::read(&path).unwrap();
    fs::write(&path, old).unwrap();

    let error = LogStore::open(&path).unwrap_err();
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
    LogStore::open(&path).unwrap().close().unwrap();
    let note = path.with_file_name("keeper.db.high-water");
    let noted = fs::read_to_string(&note).unwrap();
    fs::write(&note, format!("{:020} {}\n", 15, LogHead::EMPTY.hash)).unwrap();
    assert!(matches!(
        LogStore::open(&path),
        Err(StoreError::Forked { seq: 15, .. })
    ));
    fs::write(&note, "15").unwrap();
    assert!(matches!(
        LogStore::open(&path),
        Err(StoreError::Damaged { .. })
    ));
    fs::remove_file(&note).unwrap();
    assert!(matches!(
        LogStore::open(&path),
        Err(StoreError::HighWaterMissing { .. })
    ));
    // A note that is older than the database says nothing wrong.
    fs::write(&note, format!("{:020} {}\n", 0, LogHead::EMPTY.hash)).unwrap();
    LogStore::open(&path).unwrap();
    assert!(noted.starts_with("00000000000000000015 0x"), "{noted}");
}

#[test]
fn a_truncated_file_is_refused() {
    let (_folder, path) = file();
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
            "UPDATE meta SET value = '99' WHERE name = 'schema'",
            "schema is 99",
        ),
        ("DELETE FROM checkpoint", "checkpoint"),
    ] {
        let (_folder, path) = file();
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
        let (_folder, path) = file();
        drop(lively(&path));
        tamper(&path, statement);
        let read = LogStore::open(&path).unwrap().load();
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
    let (_folder, path) = file();
    let mut store = create(&path);
    Desk::open(&path).unwrap().file(&[payment(1)]).unwrap();
    tamper(
        &path,
        &format!("{WITHOUT_TRIGGERS} UPDATE request SET amount = '9'"),
    );
    let unread = store.unread_requests(0, 10).unwrap();
    assert_eq!(unread.items, []);
    assert_eq!(unread.through, 1);
    let mut reader = Reader::open(&path).unwrap();
    let waiting = reader.waiting(10).unwrap();
    assert_eq!(waiting.requests, []);
    let [damaged] = &waiting.damaged[..] else {
        panic!("{waiting:?}");
    };
    assert!(damaged.contains("body_hash"), "{damaged}");
    let reference = payment(1).reference().to_string();
    assert!(damaged.contains(&reference), "{damaged}");
}

#[test]
fn a_row_that_cannot_be_read_does_not_hold_up_the_others() {
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
            "UPDATE request SET arrival = 'soon' WHERE arrival = 2",
            "arrival",
        ),
        (
            "UPDATE request SET ref = CAST(ref AS TEXT) WHERE arrival = 2",
            "must be bytes",
        ),
        (
            "UPDATE command SET body = '{' WHERE arrival = 1",
            "command 1",
        ),
    ] {
        let (_folder, path) = file();
        let (mut store, mut history) = filled(&path, 1, 1);
        let mut desk = Desk::open(&path).unwrap();
        desk.file(&[payment(1), payment(2), payment(3)]).unwrap();
        let note = "later".to_owned();
        let halt = Command::Halt { note };
        desk.command(&halt).unwrap();
        desk.command(&halt).unwrap();
        tamper(&path, &format!("{WITHOUT_TRIGGERS} {statement}"));

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
        let found = Reader::open(&path).unwrap().left_out().unwrap();
        assert_eq!(found.len(), 1, "{statement}: {found:?}");
        assert!(found[0].contains(left_out), "{statement}: {found:?}");
    }
}

/// SQLite tells text from bytes, and so do its keys: the same ref could be there twice.
#[test]
fn a_ref_of_another_type_is_no_second_request() {
    let (_folder, path) = file();
    let (mut store, mut history) = filled(&path, 1, 1);
    Desk::open(&path).unwrap().file(&[payment(1)]).unwrap();
    tamper(
        &path,
        "INSERT INTO request SELECT CAST(ref AS TEXT), 2, body_hash, recipient, amount FROM request",
    );
    let unread = store.unread_requests(0, 10).unwrap();
    let refs: Vec<_> = unread.items.iter().map(|r| r.payment).collect();
    assert_eq!(refs, [payment(1)]);
    let accepted = Event::RequestsAccepted {
        requests: unread.items,
        through: 1,
    };
    let entry = history.apply(&accepted);
    store
        .commit(&[entry], &history.state.take_changes())
        .unwrap();
    assert_eq!(store.unread_requests(1, 10).unwrap().items, []);
}

#[test]
fn any_number_of_rows_without_a_place_holds_up_nothing() {
    let (_folder, path) = file();
    let mut store = create(&path);
    let mut desk = Desk::open(&path).unwrap();
    desk.file(&[payment(1)]).unwrap();
    let note = "drill".to_owned();
    desk.command(&Command::Halt { note }).unwrap();
    tamper(
        &path,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) \
         INSERT INTO request SELECT randomblob(16), i / 100.0, x'', x'', '' FROM n; \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) \
         INSERT INTO command SELECT i / 100.0, '' FROM n",
    );
    let requests = store.unread_requests(0, 10).unwrap();
    assert_eq!((requests.items.len(), requests.through), (1, 1));
    let commands = store.unread_commands(0, 10).unwrap();
    assert_eq!((commands.items.len(), commands.through), (1, 1));
}

#[test]
fn a_request_that_was_left_out_and_mended_is_still_named() {
    let (_folder, path) = file();
    let (mut store, mut history) = filled(&path, 1, 1);
    Desk::open(&path).unwrap().file(&[payment(1)]).unwrap();
    let accepted = Event::RequestsAccepted {
        requests: Vec::new(),
        through: 1,
    };
    let entry = history.apply(&accepted);
    store
        .commit(&[entry], &history.state.take_changes())
        .unwrap();
    let mut reader = Reader::open(&path).unwrap();
    let reference = payment(1).reference();
    let found = reader.left_out().unwrap();
    assert!(found[0].contains(&reference.to_string()), "{found:?}");
    assert!(matches!(
        reader.standing(&reference).unwrap(),
        Standing::LeftOut(_)
    ));
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
        (
            "UPDATE event SET body = body || char(10) || (SELECT seq || ' ' || kind || ' ' || hex(prev) || ' ' || hex(hash) \
             || ' ' || body FROM event WHERE seq = 42) WHERE seq = 41; DELETE FROM event WHERE seq = 42",
            0,
            "each must have its own",
        ),
        (
            "CREATE TABLE copy AS SELECT * FROM event; DROP TABLE event; ALTER TABLE copy RENAME TO event; \
             UPDATE event SET body = body || char(10) || (SELECT seq || ' ' || kind || ' ' || hex(prev) || ' ' || hex(hash) \
             || ' ' || body FROM event WHERE seq = 42) WHERE seq = 41; UPDATE event SET body = NULL WHERE seq = 42",
            0,
            "each must have its own",
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
        finds(statement, seq, expected);
    }
}

/// What was changed is the first thing that a verification finds.
#[track_caller]
fn finds(statement: &str, seq: u64, expected: &str) {
    let (_folder, path) = file();
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

#[test]
fn verification_holds_the_row_of_every_final_payment_to_the_log() {
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
        finds(statement, 0, expected);
    }
}

#[test]
fn verification_goes_on_beside_a_writer() {
    let (_folder, path) = file();
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
    let (_folder, path) = file();
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
