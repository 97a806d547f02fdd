//! Backups as files: what is copied, and what is refused as one.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use alloy::primitives::{Address, B256};
use support::{History, Kind, home::Home, identity, payment, tamper};
use tidelock_core::{
    domain::{Amount, BatchId, ChainId, VaultDomain},
    store::Store,
};
use tidelock_keeper::store::{
    Acting, Desk, Identity, Location, LogStore, Noted, Quote, Reader, Server, Session, Vote,
};

on_both! {
    a_copy_is_whole_private_and_replaces_nothing,
    a_damaged_store_is_not_copied,
    the_store_of_another_vault_is_not_copied,
    it_is_restored_into_an_opened_log_whose_keeper_runs,
}

const RESTORE: [&str; 3] = ["restore", "--from", "copy.db"];

/// What somebody with the file may do.
const CHANGED: &str = "DROP TRIGGER event_is_never_updated; \
    UPDATE event SET body = replace(body, '1', '2') WHERE seq = 7";

/// An installation without a store, and where that is to be.
fn empty(kind: Kind) -> (Home, Location) {
    let home = Home::empty();
    home.init(&["--allow-single-node"]).ok();
    let server = (kind == Kind::Postgres).then(|| {
        let server = support::postgres::shared();
        let url = support::postgres::Server::url(server.folder(), &server.database());
        let file = home.folder.path().join("keeper.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("[store]\n"), "{text}");
        let text = text.replace("[store]\n", &format!("[store]\ndatabase = \"{url}\"\n"));
        fs::write(file, text).unwrap();
        Server::parse(&url, None, Duration::from_secs(600)).unwrap()
    });
    let path = home.database();
    (home, Location { path, server })
}

/// An installation whose log has an opening and that many random entries, of a store made for this.
fn home(kind: Kind, identity: Identity, entries: u32) -> (Home, LogStore, History, Location) {
    let (home, location) = empty(kind);
    let mut store = LogStore::create(&location, identity).unwrap();
    let (mut history, first) = History::open(3);
    let mut log = vec![first];
    log.extend((0..entries).map(|_| history.step()));
    store.commit(&log, &history.state.take_changes()).unwrap();
    (home, store, history, location)
}

fn copy(home: &Home) -> PathBuf {
    home.folder.path().join("copy.db")
}

fn a_copy_is_whole_private_and_replaces_nothing(kind: Kind) {
    // Written meanwhile: the store stays open.
    let (home, _store, history, location) = home(kind, identity(), 40);
    let mut desk = Desk::open(&location).unwrap();
    desk.file(&[payment(900)]).unwrap();
    desk.keep_quote(&quote()).unwrap();
    beside_the_log(&mut desk);
    let said = home.run(&["backup", "--to", "copy.db", "--json"]).json();
    assert_eq!(said["entries"], history.head.seq);
    assert_eq!(said["head"], history.head.hash.to_string());
    let file = copy(&home);
    let before = fs::read(&file).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    home.run(&["backup", "--to", "copy.db"])
        .refused(3, &["copy.db", "exists already"]);
    let mut read = Reader::open_copy(&file).unwrap();
    assert!(read.verify(true, |_| {}).unwrap().findings.is_empty());
    let whole = Reader::open(&location).unwrap().overview().unwrap();
    assert_eq!(read.overview().unwrap(), whole);
    let acts = read.acts(0, 10).unwrap();
    assert_eq!(acts.len(), 2);
    let mut original = Reader::open(&location).unwrap();
    assert_eq!(acts, original.acts(0, 10).unwrap());
    assert_eq!(read.votes(&vote().batch).unwrap(), [vote()]);
    // Nobody is signed in by a copy that is put back.
    assert_eq!(read.session(&[7; 32]).unwrap(), None);
    assert_eq!(original.session(&[7; 32]).unwrap(), Some(session()));
    assert!(
        !before
            .windows(23)
            .any(|bytes| bytes == session().person.as_bytes())
    );
    let refs = [payment(901).reference()];
    assert_eq!(read.metadata(&refs).unwrap()[&refs[0]], NOTED);
    drop((read, original));
    assert_eq!(before, fs::read(&file).unwrap());
    let names = fs::read_dir(home.folder.path()).unwrap();
    let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
    let copies: Vec<String> = names
        .filter(|it| it.contains("copy") || it.contains("backup"))
        .collect();
    assert_eq!(copies, ["copy.db"]);
    assert_eq!(Desk::open(&file).unwrap().quotes().unwrap(), [quote()]);
}

const NOTED: &str = r#"{"order":"A-1"}"#;

/// Acts, the second of which answers the first; a vote; metadata.
fn beside_the_log(desk: &mut Desk) {
    for answers in [None, Some(1)] {
        let done = desk.act(answers, |_| None, |_| "{}".to_owned()).unwrap();
        assert!(matches!(done, Acting::Done { .. }), "{done:?}");
    }
    assert!(desk.keep_vote(&vote()).unwrap());
    desk.open_session(&session(), 1).unwrap();
    let mut noted = Noted::from(payment(901));
    noted.note = Some(NOTED.to_owned());
    desk.file_noted(&[noted]).unwrap();
}

fn session() -> Session {
    Session {
        hash: [7; 32],
        person: "person_0123456789abcdef".to_owned(),
        body: "{}".to_owned(),
        ends_at: 1 << 40,
    }
}

fn vote() -> Vote {
    Vote {
        batch: BatchId(B256::repeat_byte(1)),
        signer: Address::repeat_byte(2),
        epoch: 3,
        signature: vec![4; 65].into(),
    }
}

fn quote() -> Quote {
    Quote {
        reference: payment(900).reference(),
        made_at: 1,
        expected_s: 2,
        most_s: 3,
        finality_s: 4,
        p50_s: Some(6),
        p95_s: Some(7),
        fee_expected: Amount(5),
        fee_most: Amount(6),
    }
}

fn a_damaged_store_is_not_copied(kind: Kind) {
    let (home, store, _, location) = home(kind, identity(), 40);
    store.close().unwrap();
    let changed = match kind {
        Kind::Sqlite => CHANGED,
        Kind::Postgres => {
            "DROP TRIGGER event_is_append_only ON event; \
             UPDATE event SET body = replace(body, '1', '2') WHERE seq = 7"
        }
    };
    tamper(&location, changed);
    home.run(&["backup", "--to", "copy.db"])
        .refused(5, &["entry 7", "hash"]);
    assert!(!copy(&home).exists());
}

fn the_store_of_another_vault_is_not_copied(kind: Kind) {
    for (other, field) in others() {
        let (home, store, _, _) = home(kind, other, 1);
        store.close().unwrap();
        home.run(&["backup", "--to", "copy.db"])
            .refused(2, &[field, "a store belongs to one vault"]);
        assert!(!copy(&home).exists());
    }
}

/// What the configuration does not say.
fn others() -> [(Identity, &'static str); 3] {
    let of = |domain| Identity {
        domain,
        ..identity()
    };
    let VaultDomain { chain_id, vault } = identity().domain;
    [
        (
            of(VaultDomain {
                vault: Address::repeat_byte(9),
                chain_id,
            }),
            "vault.address",
        ),
        (
            of(VaultDomain {
                chain_id: ChainId(1),
                vault,
            }),
            "chain.chain_id",
        ),
        (
            Identity {
                token: Address::repeat_byte(9),
                ..identity()
            },
            "vault.token",
        ),
    ]
}

#[test]
fn what_is_no_backup_of_this_vault_is_refused() {
    let (home, store, _, _) = home(Kind::Sqlite, identity(), 40);
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

    let decimals = Identity {
        decimals: 18,
        ..identity()
    };
    let others = others().into_iter().chain([(decimals, "decimals")]);
    for (other, field) in others {
        let (other, store, _, _) = self::home(Kind::Sqlite, other, 40);
        store.close().unwrap();
        let made = Reader::open(&other.database())
            .unwrap()
            .copy_to(&other.folder.path().join("o.db"));
        made.unwrap();
        fs::copy(other.folder.path().join("o.db"), copy(&home)).unwrap();
        home.run(&RESTORE).refused(2, &["--from copy.db", field]);
    }
}

/// Nothing is filed where no keeper was halted first, nor before the log is opened. Which database the backup was made of is all the
/// same.
fn it_is_restored_into_an_opened_log_whose_keeper_runs(kind: Kind) {
    for of in [Kind::Sqlite, Kind::Postgres] {
        let (old, store, _, location) = home(of, identity(), 0);
        let filed = Desk::open(&location).unwrap().file(&[payment(900)]);
        filed.unwrap();
        old.run(&["backup", "--to", "copy.db"]).ok();
        drop(store);
        let (home, location) = empty(kind);
        fs::copy(copy(&old), copy(&home)).unwrap();
        home.run(&RESTORE).refused(5, &["store", "keeper run"]);
        let mut store = LogStore::create(&location, identity()).unwrap();
        home.run(&RESTORE)
            .refused(3, &["store", "is not opened yet"]);
        let (mut history, first) = History::open(1);
        store
            .commit(&[first], &history.state.take_changes())
            .unwrap();
        store.close().unwrap();
        home.run(&RESTORE)
            .refused(3, &["store", "no keeper runs on it"]);
        let would = home.run(&["restore", "--from", "copy.db", "--dry-run", "--json"]);
        assert_eq!(would.json()["to_file"], 1);
        let requests = Reader::open(&location).unwrap().overview().unwrap();
        assert_eq!(requests.waiting, 0);
    }
}
