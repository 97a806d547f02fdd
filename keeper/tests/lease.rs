//! Several hosts on one PostgreSQL database, seen from the store: one writes, and who was deposed writes nothing.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{fs, time::Duration};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use support::{Kind, create, filled, payment, place, postgres, tamper};
use tempfile::TempDir;
use tidelock_core::store::Store;
use tidelock_keeper::store::{
    Candidate, Desk, Filing, Lease, Location, LogStore, Reader, Server, StoreError, Taking, leader,
};

/// The same database, from another host.
fn other_host(location: &Location) -> (TempDir, Location) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.db");
    let server = location.server.clone();
    (folder, Location { path, server })
}

fn name(location: &Location) -> String {
    let shown = location.to_string();
    shown.rsplit_once('/').unwrap().1.to_owned()
}

#[test]
fn another_host_is_told_who_leads() {
    let (_one, location) = place(Kind::Postgres);
    let (store, _) = filled(&location, 5, 1);
    let (_other, other) = other_host(&location);
    let error = LogStore::open(&other).unwrap_err();
    let StoreError::Led { by, epoch } = &error else {
        panic!("{error}");
    };
    assert_eq!(*by, Candidate::this_process().name);
    assert!(Reader::is_written(&other));
    let led = leader(&other).unwrap().unwrap();
    assert_eq!((led.epoch, led.holds), (*epoch, true));
    // Given back, it is taken at once.
    drop(store);
    assert!(!Reader::is_written(&other));
    let store = LogStore::open(&other).unwrap();
    assert_eq!(leader(&location).unwrap().unwrap().epoch, epoch + 1);
    assert!(store.leadership().holds());
}

#[test]
fn who_was_deposed_commits_nothing() {
    let (_one, location) = place(Kind::Postgres);
    let (mut deposed, mut history) = filled(&location, 5, 1);
    let (_other, other) = other_host(&location);
    tamper(&location, "UPDATE lease SET expires = 0"); // or the server's clock jumped
    let mut leading = LogStore::open(&other).unwrap();
    let entry = history.step();
    let rows = history.state.take_changes();
    let error = deposed
        .commit(std::slice::from_ref(&entry), &rows)
        .unwrap_err();
    assert!(matches!(error, StoreError::Deposed { .. }), "{error}");
    assert!(!deposed.leadership().holds());
    // Nothing of it is there, and the next entry is the new leader's to make.
    assert_eq!(leading.load().unwrap().unwrap().head.seq, 5);
    leading.commit(&[entry], &rows).unwrap();
    drop(deposed); // gives nothing back that is not its own
    assert!(leader(&location).unwrap().unwrap().holds);
    let verified = Reader::open(&other).unwrap().verify(true, |_| {}).unwrap();
    assert_eq!(verified.findings, vec![]);
}

/// A session of somebody else's, with a transaction that these statements have begun.
struct Session {
    runtime: tokio::runtime::Runtime,
    connection: PgConnection,
}

impl Session {
    fn begin(location: &Location, statements: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let options = PgConnectOptions::new_without_pgpass()
            .socket(postgres::shared().folder())
            .username("keeper")
            .database(&name(location));
        let connection = runtime.block_on(async {
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            let begun = sqlx::raw_sql("BEGIN").execute(&mut connection).await;
            begun.unwrap();
            let done = sqlx::raw_sql(statements).execute(&mut connection).await;
            done.unwrap();
            connection
        });
        Self {
            runtime,
            connection,
        }
    }

    fn end(mut self, how: &'static str) {
        let ended = sqlx::raw_sql(how).execute(&mut self.connection);
        self.runtime.block_on(ended).unwrap();
    }
}

/// A leader that was paused within a commit holds its lock until the server ends its session.
#[test]
fn a_commit_under_way_is_waited_for_by_who_would_lead() {
    let (_one, location) = place(Kind::Postgres);
    let (store, _) = filled(&location, 5, 1);
    let (_other, other) = other_host(&location);
    let committing = Session::begin(
        &location,
        "SELECT epoch FROM lease WHERE name = 'engine' FOR KEY SHARE",
    );
    // It is renewed, and given back, beside the commit.
    drop(store);
    assert!(!leader(&location).unwrap().unwrap().holds);
    let error = Lease::take(&other, &Candidate::this_process()).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.passes(), "{error}");
    committing.end("COMMIT");
    let taking = Lease::take(&other, &Candidate::this_process()).unwrap();
    assert!(matches!(taking, Taking::Taken(_)), "{taking:?}");
}

#[test]
fn who_would_lead_is_waited_for_by_a_commit() {
    let (_one, location) = place(Kind::Postgres);
    let (mut leading, mut history) = filled(&location, 5, 1);
    let taking = Session::begin(
        &location,
        "SELECT epoch FROM lease WHERE name = 'engine' FOR UPDATE; UPDATE lease SET epoch = epoch + 1, holder = 'another'",
    );
    let entry = history.step();
    let rows = history.state.take_changes();
    let commit = std::thread::spawn(move || leading.commit(&[entry], &rows).unwrap_err());
    let waits = format!(
        "DO $$ BEGIN ASSERT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'); END $$",
        name(&location)
    );
    while !commit.is_finished() && postgres::shared().run("postgres", &waits).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    taking.end("COMMIT");
    let error = commit.join().unwrap();
    assert!(matches!(error, StoreError::Deposed { .. }), "{error}");
}

#[test]
fn a_host_that_stands_by_knows_an_old_copy() {
    let (_one, location) = place(Kind::Postgres);
    let (store, mut history) = filled(&location, 5, 1);
    store.close().unwrap();
    let copy = format!("{}_copy", name(&location));
    let make = format!("CREATE DATABASE {copy} TEMPLATE {}", name(&location));
    while postgres::shared().run("postgres", &make).is_err() {
        // A session that was closed just now is still about to end.
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut store = LogStore::open(&location).unwrap();
    let entries: Vec<_> = (0..5).map(|_| history.step()).collect();
    store
        .commit(&entries, &history.state.take_changes())
        .unwrap();
    let (_other, mut other) = other_host(&location);
    let taking = Lease::take(&other, &Candidate::this_process()).unwrap();
    assert!(matches!(taking, Taking::Led(_)), "{taking:?}");
    let url = postgres::Server::url(postgres::shared().folder(), &copy);
    other.server = Some(Server::parse(&url, None, Duration::from_secs(600)).unwrap());
    let error = LogStore::open(&other).unwrap_err();
    let StoreError::Behind {
        found, expected, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((found, expected), (5, 10));
}

#[test]
fn filing_waits_for_whoever_files_and_gives_up_when_told() {
    let (_one, location) = place(Kind::Postgres);
    drop(create(&location));
    let mut desk = Desk::open_with(&location, Box::new(|_| false)).unwrap();
    let holding = Session::begin(
        &location,
        "SELECT last FROM arrivals WHERE kind = 'request' FOR UPDATE",
    );
    let error = desk.file(&[payment(1)]).unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error}");
    holding.end("ROLLBACK");
    let filed = desk.file(&[payment(1)]).unwrap();
    assert!(matches!(filed, Filing::Filed(_)));
}

#[test]
fn a_server_that_is_away_passes_and_a_wrong_password_does_not() {
    let away = tempfile::tempdir().unwrap();
    let (_one, mut location) = place(Kind::Postgres);
    let url = postgres::Server::url(away.path(), "keeper");
    location.server = Some(Server::parse(&url, None, Duration::from_secs(5)).unwrap());
    let error = Reader::open(&location).unwrap_err();
    assert!(error.passes(), "{error}");

    let server = postgres::Server::start(&[]);
    let rules = server.folder().join("data/pg_hba.conf");
    let own = "ALTER ROLE keeper PASSWORD 'open sesame'; CREATE ROLE boss SUPERUSER LOGIN";
    server.run("postgres", own).unwrap();
    fs::write(
        rules,
        "local all boss trust\nlocal all keeper scram-sha-256\n",
    )
    .unwrap();
    server.run("postgres", "SELECT pg_reload_conf()").unwrap();
    let password = away.path().join("password");
    let url = postgres::Server::url(server.folder(), "postgres");
    let told = Server::parse(&url, Some(password.clone()), Duration::from_secs(5));
    location.server = Some(told.unwrap());
    let error = Reader::open(&location).unwrap_err();
    assert!(error.to_string().contains("password"), "{error}"); // there is no such file
    fs::write(&password, "abracadabra\n").unwrap();
    // The server takes its rules up a moment later.
    let error = loop {
        match Reader::open(&location).unwrap_err() {
            StoreError::Empty { .. } => std::thread::sleep(Duration::from_millis(20)),
            error => break error,
        }
    };
    assert!(
        !error.passes() && !error.to_string().contains("abracadabra"),
        "{error}"
    );
    fs::write(&password, "open sesame\n").unwrap();
    drop(create(&location));
    Reader::open(&location).unwrap();
}
