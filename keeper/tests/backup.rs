//! Backups as files: what is copied, and what is refused as one.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use alloy::primitives::Address;
use support::{History, home::Home, identity, payment, tamper};
use tidelock_core::store::Store;
use tidelock_keeper::store::{Desk, Identity, LogStore, Reader};

const RESTORE: [&str; 3] = ["restore", "--from", "copy.db"];

/// What somebody with the file may do.
const CHANGED: &str = "DROP TRIGGER event_is_never_updated; \
    UPDATE event SET body = replace(body, '1', '2') WHERE seq = 7";

/// An installation whose log has an opening and that many random entries, of a store made for this.
fn home(identity: Identity, entries: u32) -> (Home, LogStore, History) {
    let home = Home::empty();
    home.init(&["--allow-single-node"]).ok();
    let mut store = LogStore::create(&home.database(), identity).unwrap();
    let (mut history, first) = History::open(3);
    let mut log = vec![first];
    log.extend((0..entries).map(|_| history.step()));
    store.commit(&log, &history.state.take_changes()).unwrap();
    (home, store, history)
}

fn copy(home: &Home) -> PathBuf {
    home.folder.path().join("copy.db")
}

#[test]
fn a_copy_is_whole_private_and_replaces_nothing() {
    // Written meanwhile: the store stays open.
    let (home, _store, history) = home(identity(), 0);
    let filed = Desk::open(&home.database()).unwrap().file(&[payment(900)]);
    filed.unwrap();
    let said = home.run(&["backup", "--to", "copy.db", "--json"]).json();
    assert_eq!(said["entries"], history.head.seq);
    assert_eq!(said["head"], history.head.hash.to_string());
    assert_eq!(said["not_taken_in"], 1);
    let file = copy(&home);
    let before = fs::read(&file).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    home.run(&["backup", "--to", "copy.db"])
        .refused(3, &["copy.db", "exists already"]);
    let mut read = Reader::open_copy(&file).unwrap();
    assert!(read.verify(true, |_| {}).unwrap().findings.is_empty());
    drop(read);
    assert_eq!(before, fs::read(&file).unwrap());
    let names = fs::read_dir(home.folder.path()).unwrap();
    let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
    let copies: Vec<String> = names
        .filter(|it| it.contains("copy") || it.contains("backup"))
        .collect();
    assert_eq!(copies, ["copy.db"]);
}

#[test]
fn a_damaged_store_is_not_copied() {
    let (home, store, _) = home(identity(), 40);
    store.close().unwrap();
    tamper(&home.database(), CHANGED);
    home.run(&["backup", "--to", "copy.db"])
        .refused(5, &["entry 7", "hash"]);
    assert!(!copy(&home).exists());
}

#[test]
fn what_is_no_backup_of_this_vault_is_refused() {
    let (home, store, _) = home(identity(), 40);
    home.run(&RESTORE)
        .refused(2, &["--from copy.db", "there is no such file"]);
    home.run(&["restore", "--from", "keeper.db"])
        .refused(2, &["--from keeper.db", "is the store itself"]);
    home.run(&["restore", "--from", "."])
        .refused(2, &["--from .", "must be a file"]);
    fs::write(copy(&home), "no database".repeat(1_000)).unwrap();
    home.run(&RESTORE)
        .refused(5, &["--from copy.db", "damaged"]);

    home.run(&["backup", "--to", "good.db"]).ok();
    let good = home.folder.path().join("good.db");
    fs::copy(&good, copy(&home)).unwrap();
    home.run(&RESTORE).ok(); // everything is known
    tamper(&copy(&home), CHANGED);
    home.run(&RESTORE)
        .refused(5, &["--from copy.db", "entry 7", "nothing was filed"]);
    fs::copy(&good, copy(&home)).unwrap();
    fs::write(home.folder.path().join("copy.db-wal"), "more").unwrap();
    home.run(&RESTORE).refused(2, &["--from copy.db", "-wal"]);
    fs::remove_file(home.folder.path().join("copy.db-wal")).unwrap();
    store.close().unwrap();

    let others = [
        (
            Identity {
                token: Address::repeat_byte(9),
                ..identity()
            },
            "vault.token",
        ),
        (
            Identity {
                decimals: 18,
                ..identity()
            },
            "decimals",
        ),
    ];
    for (other, field) in others {
        let (other, store, _) = self::home(other, 40);
        store.close().unwrap();
        let made = Reader::open(&other.database())
            .unwrap()
            .copy_to(&other.folder.path().join("o.db"));
        made.unwrap();
        fs::copy(other.folder.path().join("o.db"), copy(&home)).unwrap();
        home.run(&RESTORE).refused(2, &["--from copy.db", field]);
    }
}

/// Nothing is filed where no keeper was halted first, nor before the log is opened.
#[test]
fn it_is_restored_into_an_opened_log_whose_keeper_runs() {
    let (old, store, _) = home(identity(), 0);
    let filed = Desk::open(&old.database()).unwrap().file(&[payment(900)]);
    filed.unwrap();
    old.run(&["backup", "--to", "copy.db"]).ok();
    drop(store);
    let home = Home::empty();
    home.init(&["--allow-single-node"]).ok();
    fs::copy(copy(&old), copy(&home)).unwrap();
    home.run(&RESTORE).refused(5, &["keeper.db", "keeper run"]);
    let mut store = LogStore::create(&home.database(), identity()).unwrap();
    home.run(&RESTORE)
        .refused(3, &["keeper.db", "is not opened yet"]);
    let (mut history, first) = History::open(1);
    store
        .commit(&[first], &history.state.take_changes())
        .unwrap();
    store.close().unwrap();
    home.run(&RESTORE)
        .refused(3, &["keeper.db", "no keeper runs on it"]);
    let would = home.run(&["restore", "--from", "copy.db", "--dry-run", "--json"]);
    assert_eq!(would.json()["to_file"], 1);
    let requests = Reader::open(&home.database()).unwrap().overview().unwrap();
    assert_eq!(requests.waiting, 0);
}
