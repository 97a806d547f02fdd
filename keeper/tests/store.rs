//! What the store promises: nothing committed is lost, nothing damaged is read, and one process writes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{path::Path, sync::mpsc, thread};

use alloy::primitives::Address;
use proptest::prelude::*;
use rand::Rng;
use support::{History, Kind, create, filled, identity, payment, place};
use tidelock_core::{
    domain::{Amount, Payment, PaymentNumber},
    event::{Command, Event},
    log::Entry,
    state::State,
    store::Store,
};
use tidelock_keeper::store::{
    Desk, Filing, Held, LogStore, Reader, Right, Session, Standing, StoreError, WriterLock,
};

on_both! {
    a_store_that_was_never_opened_is_empty,
    a_second_writer_is_refused_while_others_file_and_read,
    entries_must_follow_the_last_one,
    the_log_and_the_requests_refuse_changes,
    a_request_is_filed_once_however_often_it_is_handed_in,
    a_ref_is_for_one_payment_and_a_refusal_files_nothing,
    a_ref_that_a_foreign_proposal_brought_is_taken,
    requests_that_are_payments_already_are_not_read_again,
    arrivals_grow_without_gaps_whoever_files,
    commands_are_read_in_order,
    a_store_that_is_there_is_never_made_again,
    when_each_request_was_taken_in_is_found_wherever_it_is,
    sessions_end_and_a_person_has_few,
}

/// A place for tests of what only a file has.
fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, location) = place(Kind::Sqlite);
    (folder, location.path)
}

/// An entry that says what a nonce cost, or which block was final.
fn said_of_costs(entry: &Entry) -> Option<(u64, Event)> {
    let event: Event = serde_json::from_str(&entry.body).unwrap();
    let is_it = matches!(
        event,
        Event::SlotConsumed { .. } | Event::FinalisedAdvanced { .. }
    );
    is_it.then_some((entry.seq, event))
}

/// All of them, the newest first, a few at a time.
fn costs_told(store: &mut LogStore, last: u64) -> Vec<(u64, Event)> {
    let mut told: Vec<(u64, Event)> = Vec::new();
    loop {
        let before = told.last().map_or(last + 1, |(seq, _)| *seq);
        let page = store.costs_before(before, 3).unwrap();
        if page.is_empty() {
            return told;
        }
        told.extend(page);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any history, committed in any pieces, with a crash after any of them: what is read back is what was folded.
    #[test]
    fn what_was_committed_is_read_back(kind in prop::sample::select(vec![Kind::Sqlite, Kind::Postgres]), seed in any::<u64>(), pieces in prop::collection::vec((1_usize..25, any::<bool>()), 1..20)) {
        let (_folder, path) = place(kind);
        let mut store = create(&path);
        let (mut history, first) = History::open(seed);
        let mut entries = vec![first];
        let mut costs: Vec<(u64, Event)> = Vec::new();
        for (steps, crash) in pieces {
            entries.extend((0..steps).map(|_| history.step()));
            costs.extend(entries.iter().filter_map(said_of_costs));
            store.commit(&entries, &history.state.take_changes()).unwrap();
            entries.clear();
            if crash {
                drop(store);
                store = LogStore::open(&path).unwrap();
                let read = store.load().unwrap().unwrap();
                prop_assert_eq!(read.head, history.head);
                prop_assert_eq!(State::restore(read.rows.clone()).open_rows(), history.state.open_rows());
                // What is final was left out, or would have been forgotten anyway.
                history.state = State::restore(read.rows);
            }
        }
        costs.reverse();
        prop_assert_eq!(costs_told(&mut store, history.head.seq), costs);
        drop(store);
        let verified = Reader::open(&path).unwrap().verify(true, |_| {}).unwrap();
        prop_assert_eq!(verified.findings, vec![]);
        prop_assert_eq!(verified.head, history.head);
    }
}

#[test]
fn the_history_reaches_every_kind_of_event() {
    let (mut history, first) = History::open(3);
    let mut kinds = std::collections::BTreeSet::from([first.kind]);
    for _ in 0..2_000 {
        kinds.insert(history.step().kind);
        history.state.take_changes();
    }
    assert_eq!(kinds.len(), 21, "{kinds:?}");
}

#[test]
fn nobody_else_reads_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = file();
    let (store, _) = filled(&path, 5, 1);
    let files = std::fs::read_dir(folder.path()).unwrap();
    let of_database: Vec<_> = files
        .map(|file| file.unwrap())
        .filter(|file| !file.file_name().to_string_lossy().contains("high-water"))
        .filter(|file| !file.file_name().to_string_lossy().contains("lock"))
        .collect();
    assert!(of_database.len() >= 2, "the database and its log of writes");
    for file in of_database {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.file_name());
    }
    drop(store);
}

fn a_store_that_was_never_opened_is_empty(kind: Kind) {
    let (_folder, path) = place(kind);
    let mut store = create(&path);
    assert_eq!(store.load().unwrap(), None);
    assert_eq!(*store.identity(), identity());
    drop(store);
    let mut store = LogStore::open(&path).unwrap();
    assert_eq!(store.load().unwrap(), None);
}

fn a_store_that_is_there_is_never_made_again(kind: Kind) {
    let (_folder, path) = place(kind);
    drop(create(&path));
    let again = LogStore::create(&path, identity()).unwrap_err();
    assert!(matches!(again, StoreError::Exists { .. }), "{again}");
    let (_folder, other) = place(kind);
    let is_told = |error: &StoreError| match kind {
        Kind::Sqlite => matches!(error, StoreError::Missing { .. }),
        Kind::Postgres => matches!(error, StoreError::Empty { .. }),
    };
    let error = Reader::open(&other).unwrap_err();
    assert!(is_told(&error), "{error}");
    let error = Desk::open(&other).unwrap_err();
    assert!(is_told(&error), "{error}");
}

fn a_second_writer_is_refused_while_others_file_and_read(kind: Kind) {
    let (_folder, path) = place(kind);
    let (mut store, _) = filled(&path, 20, 1);
    let second = LogStore::open(&path).unwrap_err();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("keeper.db.lock"), "{second}");
    assert!(Reader::is_written(&path));

    let filed = Desk::open(&path)
        .unwrap()
        .file(&[payment(1 << 40)])
        .unwrap();
    assert!(matches!(filed, Filing::Filed(_)));
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.overview().unwrap().log.is_some());
    assert_eq!(store.unread_requests(0, 10).unwrap().items.len(), 1);

    drop(store);
    assert!(!Reader::is_written(&path));
    LogStore::open(&path).unwrap();
}

fn entries_must_follow_the_last_one(kind: Kind) {
    let (_folder, path) = place(kind);
    let (mut store, mut history) = filled(&path, 5, 1);
    let skipped = history.step();
    let entry = history.step();
    let rows = history.state.take_changes();
    let error = store
        .commit(std::slice::from_ref(&entry), &rows)
        .unwrap_err();
    assert!(
        matches!(error, StoreError::NotNext { seq: 7, last: 5 }),
        "{error}"
    );
    // After any error the process has to start again.
    let error = store.commit(&[skipped], &rows).unwrap_err();
    assert!(matches!(error, StoreError::Failed), "{error}");
    assert!(matches!(store.load(), Err(StoreError::Failed)));
}

fn the_log_and_the_requests_refuse_changes(kind: Kind) {
    let (_folder, path) = place(kind);
    drop(filled(&path, 5, 1));
    Desk::open(&path)
        .unwrap()
        .file(&[payment(1 << 40)])
        .unwrap();
    let halt = Command::Halt {
        note: "to look at it".to_owned(),
    };
    Desk::open(&path).unwrap().command(&halt).unwrap();
    let mut refused = vec![
        "UPDATE event SET body = '{}' WHERE seq = 2",
        "DELETE FROM event WHERE seq = 5",
        "UPDATE request SET amount = '1'",
        "DELETE FROM request",
        "UPDATE command SET body = ''",
        "DELETE FROM command",
    ];
    if kind == Kind::Postgres {
        refused.extend(["TRUNCATE event", "TRUNCATE request", "TRUNCATE command"]);
    }
    for statement in refused {
        let error = support::run(&path, statement).unwrap_err();
        assert!(
            error.to_string().contains("append-only"),
            "{statement}: {error}"
        );
    }
}

/// Holds the database as a program that keeps others from writing does, until it is let go.
struct Holding {
    runtime: tokio::runtime::Runtime,
    connection: sqlx::SqliteConnection,
}

impl Holding {
    fn hold(path: &Path) -> Self {
        use sqlx::ConnectOptions;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let connection = runtime.block_on(async {
            let mut connection = options.connect().await.unwrap();
            let begin = sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection);
            begin.await.unwrap();
            connection
        });
        Self {
            runtime,
            connection,
        }
    }

    fn let_go(mut self) {
        let end = sqlx::query("ROLLBACK").execute(&mut self.connection);
        self.runtime.block_on(end).unwrap();
    }
}

#[test]
fn the_writer_waits_for_whoever_holds_the_database_and_says_for_whom() {
    let (_folder, path) = file();
    drop(filled(&path, 5, 1));
    let (asked, questions) = mpsc::channel();
    let go_on = move |held: &Held<'_>| asked.send((held.by(), held.since)).is_ok();
    let lock = WriterLock::take(&path).unwrap();
    let mut store =
        LogStore::open_with(&(&path).into(), Right::new(lock, None), Box::new(go_on)).unwrap();
    let mut history = support::resumed(&mut store);
    let entry = history.step();
    let holding = Holding::hold(&path);
    thread::scope(|scope| {
        let committed = scope.spawn(|| store.commit(&[entry], &history.state.take_changes()));
        let asked: Vec<_> = questions.iter().take(3).collect();
        assert!(asked.is_sorted_by_key(|(_, since)| *since));
        let own = format!("process {} (", std::process::id());
        assert!(asked[0].0.starts_with(&own), "{}", asked[0].0);
        holding.let_go();
        committed.join().unwrap().unwrap();
    });
    assert_eq!(store.load().unwrap().unwrap().head, history.head);
}

#[test]
fn a_writer_that_gives_up_waiting_has_written_nothing() {
    let (_folder, path) = file();
    drop(filled(&path, 5, 1));
    let lock = WriterLock::take(&path).unwrap();
    let mut store =
        LogStore::open_with(&(&path).into(), Right::new(lock, None), Box::new(|_| false)).unwrap();
    let mut history = support::resumed(&mut store);
    let before = history.head;
    let entry = history.step();
    let holding = Holding::hold(&path);
    let error = store.commit(&[entry], &history.state.take_changes());
    let error = error.unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error}");
    let mut desk = Desk::open_with(&path, Box::new(|_| false)).unwrap();
    let error = desk.file(&[payment(1 << 40)]).unwrap_err();
    assert!(error.to_string().contains("has held it for"), "{error}");
    holding.let_go();
    drop(store);
    let mut store = LogStore::open(&path).unwrap();
    assert_eq!(store.load().unwrap().unwrap().head, before);
    assert!(store.unread_requests(0, 10).unwrap().items.is_empty());
}

// ── Requests and commands ────────────────────────────────────────────────────────────────────────────────────────────

fn a_request_is_filed_once_however_often_it_is_handed_in(kind: Kind) {
    let (_folder, path) = place(kind);
    let mut store = create(&path);
    let mut desk = Desk::open(&path).unwrap();
    let Filing::Filed(first) = desk.file(&[payment(1), payment(2), payment(1)]).unwrap() else {
        panic!("refused");
    };
    let told: Vec<_> = first
        .iter()
        .map(|filed| (filed.arrival, filed.known))
        .collect();
    assert_eq!(told, [(1, false), (2, false), (1, true)]);
    let Filing::Filed(again) = desk.file(&[payment(2), payment(3)]).unwrap() else {
        panic!("refused");
    };
    let told: Vec<_> = again
        .iter()
        .map(|filed| (filed.arrival, filed.known))
        .collect();
    assert_eq!(told, [(2, true), (3, false)]);
    let unread = store.unread_requests(0, 100).unwrap();
    assert_eq!(unread.items.len(), 3);
    assert_eq!(unread.through, 3);
    assert_eq!(store.unread_requests(2, 100).unwrap().items.len(), 1);
    assert_eq!(store.unread_requests(0, 2).unwrap().through, 2);
}

fn a_ref_is_for_one_payment_and_a_refusal_files_nothing(kind: Kind) {
    let (_folder, path) = place(kind);
    drop(create(&path));
    let mut desk = Desk::open(&path).unwrap();
    desk.file(&[payment(1)]).unwrap();
    let other = Payment::new(
        Address::repeat_byte(9),
        Amount(5_500_000),
        payment(1).reference(),
    )
    .unwrap();
    let Filing::Refused(taken) = desk.file(&[payment(2), other]).unwrap() else {
        panic!("filed");
    };
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (taken[0].index, taken[0].stored, taken[0].given),
        (1, payment(1), other)
    );
    let words = taken[0].describe(6);
    for part in [
        &payment(1).reference().to_string(),
        "1.000001",
        "5.5",
        "0x0909",
    ] {
        assert!(words.contains(part), "{words} lacks {part}");
    }
    let mut reader = Reader::open(&path).unwrap();
    let standing = reader.standing(&payment(2).reference()).unwrap();
    assert_eq!(standing, Standing::Unknown);
}

fn a_ref_that_a_foreign_proposal_brought_is_taken(kind: Kind) {
    let (_folder, path) = place(kind);
    let mut store = create(&path);
    let (mut history, first) = History::open(1);
    let (entry, adopted) = loop {
        let entry = history.step();
        let event: Event = serde_json::from_str(&entry.body).unwrap();
        if let Event::Adopted { payments, .. } = event {
            break (entry, payments[0]);
        }
        (history, _) = History::open(history.rng.random());
    };
    store
        .commit(&[first, entry], &history.state.take_changes())
        .unwrap();
    let mut desk = Desk::open(&path).unwrap();
    let Filing::Filed(filed) = desk.file(&[adopted]).unwrap() else {
        panic!("refused");
    };
    assert!(filed[0].known);
    let other = Payment::new(adopted.recipient(), Amount(1), adopted.reference()).unwrap();
    assert!(matches!(desk.file(&[other]).unwrap(), Filing::Refused(_)));
    assert!(store.has_payment(&[adopted.reference()], &[]).unwrap());
    assert!(!store.has_request(&[adopted.reference()]).unwrap());
    let (other, number) = (payment(99).reference(), PaymentNumber(5));
    assert!(!store.has_payment(&[other], &[number]).unwrap());
    let number = history
        .state
        .open_payment(&adopted.reference())
        .unwrap()
        .number
        .unwrap();
    assert!(store.has_payment(&[], &[PaymentNumber(5), number]).unwrap());
    let found = store.payments(&[other, adopted.reference()]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].payment, found[0].number), (adopted, Some(number)));
}

fn requests_that_are_payments_already_are_not_read_again(kind: Kind) {
    let (_folder, path) = place(kind);
    let mut store = create(&path);
    Desk::open(&path)
        .unwrap()
        .file(&[payment(1), payment(2), payment(3)])
        .unwrap();
    let (mut history, first) = History::open(1);
    let accepted = history.accept(2);
    let entry = history.apply(&accepted);
    store
        .commit(&[first, entry], &history.state.take_changes())
        .unwrap();
    let unread = store.unread_requests(0, 100).unwrap();
    assert_eq!(
        unread
            .items
            .iter()
            .map(|request| request.payment)
            .collect::<Vec<_>>(),
        [payment(3)]
    );
    assert_eq!(unread.through, 3);
}

fn arrivals_grow_without_gaps_whoever_files(kind: Kind) {
    let (_folder, path) = place(kind);
    let mut store = create(&path);
    let mut seen = Vec::new();
    thread::scope(|scope| {
        for clerk in 0..4_u64 {
            let path = &path;
            scope.spawn(move || {
                let mut desk = Desk::open(path).unwrap();
                for index in 0..25 {
                    desk.file(&[payment(clerk * 1_000 + index)]).unwrap();
                }
            });
        }
        // Whoever has read through one never misses a lower one.
        let mut through = 0;
        while seen.len() < 100 {
            let unread = store.unread_requests(through, 7).unwrap();
            seen.extend(unread.items.iter().map(|request| request.arrival));
            through = unread.through;
        }
    });
    assert_eq!(seen, (1..=100).collect::<Vec<_>>());
}

fn commands_are_read_in_order(kind: Kind) {
    let (_folder, path) = place(kind);
    let mut store = create(&path);
    let mut desk = Desk::open(&path).unwrap();
    let halt = Command::Halt {
        note: "a".to_owned(),
    };
    let resume = Command::Resume {
        note: "b".to_owned(),
    };
    assert_eq!(desk.command(&halt).unwrap(), 1);
    assert_eq!(desk.command(&resume).unwrap(), 2);
    let unread = store.unread_commands(0, 10).unwrap();
    assert_eq!(unread.items, [(1, halt), (2, resume.clone())]);
    assert_eq!(unread.through, 2);
    let unread = store.unread_commands(1, 10).unwrap();
    assert_eq!(unread.items, [(2, resume)]);
    assert_eq!(store.unread_commands(2, 10).unwrap().through, 2);
}

/// Held to the log, read from its beginning.
fn when_each_request_was_taken_in_is_found_wherever_it_is(kind: Kind) {
    for (seed, entries) in [(1, 2), (2, 40), (3, 400)] {
        let (_folder, location) = place(kind);
        let (mut store, mut history) = filled(&location, entries, seed);
        if seed == 3 {
            // Then many at once, after a long time without any.
            let quiet = (0..300_u64).map(|_| {
                let next = support::block(history.state.finalised().number + 1);
                history.apply(&Event::FinalisedAdvanced { block: next })
            });
            let mut entries: Vec<Entry> = quiet.collect();
            let many = history.accept(500);
            entries.push(history.apply(&many));
            let rows = history.state.take_changes();
            store.commit(&entries, &rows).unwrap();
        }
        store.close().unwrap();
        let mut reader = Reader::open(&location).unwrap();
        let (mut time, mut expected) = (None, Vec::new());
        for logged in reader.events_after(0, 10_000).unwrap() {
            match logged.event {
                Event::LogOpened(opening) => time = Some(opening.start.time),
                Event::FinalisedAdvanced { block } => time = Some(block.time),
                Event::RequestsAccepted { through, .. } => {
                    let first = u64::try_from(expected.len()).unwrap() + 1;
                    expected.extend((first..=through).map(|_| time));
                }
                _ => {}
            }
        }
        assert!(entries < 400 || expected.len() > 500, "{expected:?}");
        for (arrival, expected) in (1..).zip(expected.iter().chain([&None])) {
            let found = reader.accepted_at(arrival).unwrap();
            assert_eq!(found, *expected, "arrival {arrival} of {entries} entries");
        }
    }
}

fn sessions_end_and_a_person_has_few(kind: Kind) {
    let (_folder, location) = place(kind);
    drop(create(&location));
    let mut desk = Desk::open(&location).unwrap();
    let session = |number: u8, person: &str, ends_at| Session {
        hash: [number; 32],
        person: person.to_owned(),
        body: format!("{{\"number\":{number}}}"),
        ends_at,
    };
    let (ben, short) = (session(200, "ben", 1_000), session(201, "ben", 50));
    for each in [&ben, &short] {
        desk.open_session(each, 1).unwrap();
    }
    let annas: Vec<Session> = (1..=20)
        .map(|number| session(number, "anna", 100 + u64::from(number)))
        .collect();
    for each in &annas {
        desk.open_session(each, 10).unwrap();
    }
    let mut reader = Reader::open(&location).unwrap();
    let mut found = |one: &Session| reader.session(&one.hash).unwrap();
    assert_eq!(found(&ben), Some(ben.clone()));
    assert_eq!(found(&short), Some(short.clone()));
    // Those that end first made room.
    let left: Vec<bool> = annas.iter().map(|one| found(one).is_some()).collect();
    assert_eq!(left, [[false; 4].to_vec(), [true; 16].to_vec()].concat());
    let newest = reader.session_of("anna").unwrap();
    assert_eq!(newest.as_ref(), annas.last());
    // What is over goes with the next that is opened, whoever's it is.
    desk.open_session(&session(202, "carl", 1_000), 50).unwrap();
    assert_eq!(reader.session(&short.hash).unwrap(), None);
    desk.end_sessions("anna").unwrap();
    assert_eq!(reader.session_of("anna").unwrap(), None);
    assert_eq!(reader.session_of("ben").unwrap(), Some(ben));
}
