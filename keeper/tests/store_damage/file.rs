//! Damage that only a file can have, or columns without types.

use std::{fs, path::Path};

use tidelock_core::{
    event::{Command, Event},
    log::{Entry, LogHead},
    store::Store,
};
use tidelock_keeper::store::{Desk, LogStore, StoreError};

use super::{
    leaves_out,
    support::{self, Kind, create, filled, lively, payment, tamper},
    verified::finds,
};

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, location) = support::place(Kind::Sqlite);
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
fn a_value_of_another_type_does_not_hold_up_the_others() {
    for (statement, left_out) in [
        (
            "UPDATE request SET arrival = 'soon' WHERE arrival = 2",
            "arrival",
        ),
        (
            "UPDATE request SET ref = CAST(ref AS TEXT) WHERE arrival = 2",
            "must be bytes",
        ),
    ] {
        leaves_out(Kind::Sqlite, statement, left_out);
    }
}

#[test]
fn verification_tells_entries_apart_that_read_alike() {
    for (statement, seq, expected) in [
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
    ] {
        finds(Kind::Sqlite, statement, seq, expected);
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
