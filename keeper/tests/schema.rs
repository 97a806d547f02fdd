//! Stores of every version that a keeper has written: each is brought to the present one and goes on; a newer one is refused.
//!
//! test-fixtures/schema has one of each version and database. `UPDATE_FIXTURES=1 cargo test -p tidelock-keeper --test schema` writes
//! that of the present version, if there is none.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use alloy::primitives::{Address, Bytes, U256, keccak256};
use sqlx::{
    ConnectOptions, PgConnection, Row, SqliteConnection, TypeInfo, ValueRef,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use support::{History, Kind, lively_log, payment, place, run, tamper};
use tempfile::TempDir;
use tidelock_core::{
    domain::{BatchId, PaymentRef},
    event::{Command, Event, Fees, Job, Route},
    lifecycle::PaymentStatus,
    log::{Entry, LogHead},
    store::Store,
};
use tidelock_keeper::store::{
    Desk, Location, LogStore, Noted, Reader, Session, Standing, StoreError, Vote,
};

on_both! {
    the_present_version_has_its_fixture,
    a_store_of_each_version_is_upgraded_and_goes_on,
    an_upgraded_store_has_the_tables_of_a_new_one,
    a_newer_version_is_refused_by_name,
}

/// The tables with rows of a keeper's own, those that others refer to before these.
const TABLES: [&str; 13] = [
    "request",
    "command",
    "event",
    "payment",
    "batch",
    "slot",
    "attempt",
    "checkpoint",
    "meta",
    "act",
    "vote",
    "metadata",
    "session",
];

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
    }
}

/// What makes the tables of the present version.
fn tables(kind: Kind) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("store/src");
    let read = |file: String| fs::read_to_string(folder.join(file)).unwrap();
    read("schema.sql".to_owned()) + &read(format!("{}.sql", name(kind)))
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-fixtures/schema")
}

fn fixture(version: u32, kind: Kind) -> PathBuf {
    fixtures().join(format!("{version}.{}.sql", name(kind)))
}

/// Every version that a store of that kind has had.
fn versions(kind: Kind) -> Vec<u32> {
    let ending = format!(".{}.sql", name(kind));
    let files = fs::read_dir(fixtures()).unwrap();
    let mut versions: Vec<u32> = files
        .filter_map(|file| {
            let file = file.unwrap().file_name().into_string().unwrap();
            Some(file.strip_suffix(&ending)?.parse().unwrap())
        })
        .collect();
    versions.sort_unstable();
    versions
}

/// The version of a store that is made now.
fn present() -> u32 {
    let (_folder, location) = place(Kind::Sqlite);
    drop(support::create(&location));
    let found = answers(&location, "SELECT value FROM meta WHERE name = 'schema'");
    found[0][0].parse().unwrap()
}

/// A store with every kind of row.
fn example(kind: Kind) -> (TempDir, Location) {
    let (folder, location) = place(kind);
    drop(lively_log(&location, 80));
    // As if all that the log has taken in had been filed.
    tamper(&location, "UPDATE arrivals SET last = 1000");
    let mut desk = Desk::open(&location).unwrap();
    let mut noted = Noted::from(payment(1 << 40));
    noted.note = Some("{\"order\":\"A-1\"}".to_owned());
    desk.file_noted(&[noted]).unwrap();
    let note = "to look at it".to_owned();
    desk.command(&Command::Halt { note }).unwrap();
    desk.act(None, |_| None, |_| "{\"act\":\"resume\"}".to_owned())
        .unwrap();
    desk.act(
        Some(1),
        |_| None,
        |_| "{\"act\":\"resume\",\"step\":\"refused\"}".to_owned(),
    )
    .unwrap();
    let vote = Vote {
        batch: BatchId(keccak256("batch")),
        signer: Address::repeat_byte(0x21),
        epoch: 1,
        signature: Bytes::from(vec![7; 65]),
    };
    assert!(desk.keep_vote(&vote).unwrap() && !desk.keep_vote(&vote).unwrap());
    let session = Session {
        hash: [9; 32],
        person: "person_0123456789abcdef".to_owned(),
        body: "{\"name\":\"Anna\",\"scopes\":[\"read\"],\"people\":[\"anna\"]}".to_owned(),
        ends_at: 1 << 40,
    };
    desk.open_session(&session, 1).unwrap();
    (folder, location)
}

/// What a statement on a SQLite store answers, each value as SQL has it, or as PostgreSQL does.
fn literals(location: &Location, statement: &str, kind: Kind) -> Vec<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let options = SqliteConnectOptions::new().filename(&location.path);
    let rows = runtime.block_on(async {
        let mut connection: SqliteConnection = options.connect().await.unwrap();
        let asked = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()));
        asked.fetch_all(&mut connection).await.unwrap()
    });
    let literal = |row: &SqliteRow, column: usize| {
        let raw = row.try_get_raw(column).unwrap();
        let of = raw.type_info().name().to_owned();
        match (of.as_str(), kind) {
            _ if raw.is_null() => "NULL".to_owned(),
            ("INTEGER", _) => row.get::<i64, _>(column).to_string(),
            ("BLOB", kind) => {
                let hex = alloy::hex::encode(row.get::<Vec<u8>, _>(column));
                match kind {
                    Kind::Sqlite => format!("x'{hex}'"),
                    Kind::Postgres => format!("'\\x{hex}'"),
                }
            }
            _ => format!("'{}'", row.get::<String, _>(column).replace('\'', "''")),
        }
    };
    let values = |row: &SqliteRow| {
        let columns = 0..row.columns().len();
        columns.map(|column| literal(row, column)).collect()
    };
    rows.iter().map(values).collect()
}

/// The same for text.
fn answers(location: &Location, statement: &str) -> Vec<Vec<String>> {
    let mut rows = literals(location, statement, Kind::Sqlite);
    for value in rows.iter_mut().flatten() {
        *value = value.trim_matches('\'').to_owned();
    }
    rows
}

/// The example of the present version, as statements that make it anew.
fn dump(kind: Kind) -> String {
    let (_folder, location) = example(Kind::Sqlite);
    let mut text = tables(kind);
    text.push_str("\n-- What a keeper wrote.\n");
    for table in TABLES {
        for row in literals(&location, &format!("SELECT * FROM {table}"), kind) {
            text.push_str(&format!(
                "INSERT INTO {table} VALUES ({});\n",
                row.join(", ")
            ));
        }
    }
    for row in literals(&location, "SELECT last, kind FROM arrivals", kind) {
        let (last, of) = (&row[0], &row[1]);
        text.push_str(&format!(
            "UPDATE arrivals SET last = {last} WHERE kind = {of};\n"
        ));
    }
    text
}

/// A store of that version, on a host that has not seen it before.
fn of_version(version: u32, kind: Kind) -> (TempDir, Location) {
    let (folder, location) = place(kind);
    if kind == Kind::Sqlite {
        fs::write(&location.path, "").unwrap();
        let note = location.path.with_file_name("keeper.db.high-water");
        fs::write(note, format!("{:020} {}\n", 0, LogHead::EMPTY.hash)).unwrap();
    }
    let statements = fs::read_to_string(fixture(version, kind)).unwrap();
    run(&location, &statements).unwrap();
    (folder, location)
}

fn the_present_version_has_its_fixture(kind: Kind) {
    let version = present();
    let path = fixture(version, kind);
    if env::var("UPDATE_FIXTURES").is_ok_and(|set| set == "1") && !path.exists() {
        fs::create_dir_all(fixtures()).unwrap();
        fs::write(&path, dump(kind)).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found.starts_with(&tables(kind)),
        "{}: its tables are not those of keeper/store/src: tables that differ are another version, which schema.rs leads to, and \
         which has a fixture of its own",
        path.display()
    );
    assert_eq!(versions(kind), (1..=version).collect::<Vec<_>>());
}

fn a_store_of_each_version_is_upgraded_and_goes_on(kind: Kind) {
    for version in versions(kind) {
        let (_folder, location) = of_version(version, kind);
        let mut store = LogStore::open(&location).unwrap();
        let mut history = support::resumed(&mut store);
        let (entries, reference) = pays(&mut history);
        let rows = history.state.take_changes();
        store.commit(&entries, &rows).unwrap();
        store.close().unwrap();
        let mut reader = Reader::open(&location).unwrap();
        let verified = reader.verify(true, |_| {}).unwrap();
        assert_eq!(verified.findings, vec![], "version {version}");
        assert_eq!(verified.head, history.head, "version {version}");
        let Standing::Taken(paid) = reader.standing(&reference).unwrap() else {
            panic!("version {version}: it is not there");
        };
        assert_eq!(paid.row.status, PaymentStatus::Paid, "version {version}");
        assert_eq!(reader.waiting(10).unwrap().requests.len(), 1);
        Desk::open(&location)
            .unwrap()
            .file(&[payment(2 << 40)])
            .unwrap();
    }
}

/// A payment from its request to its end.
fn pays(history: &mut History) -> (Vec<Entry>, PaymentRef) {
    // What waits in the fixture is not read again.
    let accepted = history.accept(1);
    let Event::RequestsAccepted { requests, .. } = &accepted else {
        panic!("no request");
    };
    let payment = requests[0].payment;
    let (refs, nonce) = (vec![payment.reference()], history.state.next_nonce());
    let mut entries = vec![
        history.apply(&accepted),
        history.apply(&Event::Released { refs: refs.clone() }),
    ];
    let counter = history.state.next_counters().of(Route::Direct);
    let namespace = history.state.opening().namespace;
    let first = namespace.number(Route::Direct, counter).unwrap();
    let batch = history.batch(first, &[payment]);
    let id = batch.id(&history.state.opening().domain);
    let (job, raw) = (Job::Pay { batch: id }, Bytes::from_static(b"signed"));
    let anchor = history.head.seq;
    for event in [
        Event::BatchSealed {
            anchor,
            batch,
            refs,
            route: Route::Direct,
        },
        Event::SlotReserved { nonce, job },
        Event::AttemptSigned {
            nonce,
            job,
            hash: keccak256(&raw),
            raw: raw.clone(),
            fees: Fees { max_fee: 2, tip: 1 },
        },
        Event::OutcomeFinal {
            batch: id,
            first_number: first,
            paid: U256::from(1),
            block: 3,
        },
        Event::SlotConsumed {
            nonce,
            by: Some(keccak256(&raw)),
            reverted: false,
            block: 3,
            cost: None,
        },
    ] {
        entries.push(history.apply(&event));
    }
    (entries, payment.reference())
}

fn an_upgraded_store_has_the_tables_of_a_new_one(kind: Kind) {
    let (_folder, fresh) = place(kind);
    drop(support::create(&fresh));
    for version in versions(kind) {
        let (_folder, location) = of_version(version, kind);
        LogStore::open(&location).unwrap().close().unwrap();
        assert_eq!(columns(&location), columns(&fresh), "version {version}");
    }
}

/// Every column of every table.
fn columns(location: &Location) -> Vec<String> {
    let Some(server) = &location.server else {
        let all = "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || c.pk \
            FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1";
        return answers(location, all).concat();
    };
    let all = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns \
        WHERE table_schema = current_schema() ORDER BY 1";
    let name = server.to_string();
    let (_, database) = name.rsplit_once('/').unwrap();
    let options = PgConnectOptions::new_without_pgpass()
        .socket(support::postgres::shared().folder())
        .username("keeper")
        .database(database);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection: PgConnection = options.connect().await.unwrap();
        sqlx::query_scalar(all)
            .fetch_all(&mut connection)
            .await
            .unwrap()
    })
}

fn a_newer_version_is_refused_by_name(kind: Kind) {
    let (_folder, location) = example(kind);
    tamper(
        &location,
        "UPDATE meta SET value = '99' WHERE name = 'schema'",
    );
    let errors = [
        LogStore::open(&location).unwrap_err(),
        Reader::open(&location).unwrap_err(),
        Desk::open(&location).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::Schema { .. }), "{error}");
        let words = error.to_string();
        assert!(words.contains("schema is 99"), "{words}");
        assert!(words.contains("a newer keeper"), "{words}");
    }
}
