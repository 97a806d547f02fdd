//! Topics of a real Kafka, read by a client that shares no code with the keeper's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tidelock_api::Told;
use tidelock_keeper::store::{Location, LogStore, Reader};
use tidelock_publish::MECHANISMS;

use super::{
    growth::{Growth, append},
    kafka::{Kafka, PASSWORD, is_skipped},
    publisher::{Publisher, until},
    support::{self, Kind},
};

/// The broker that tests share which do not kill it.
pub fn shared() -> &'static Kafka {
    static SHARED: OnceLock<Kafka> = OnceLock::new();
    SHARED.get_or_init(Kafka::start)
}

/// A topic of a test's own.
pub fn topic() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("events-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn configure(publisher: &Publisher, broker: &Kafka, topic: &str) {
    publisher.configure("[publish]\nlease_ms = 1000\n");
    publisher.configure(&section(&broker.server(), topic, ""));
}

fn section(server: &str, topic: &str, more: &str) -> String {
    let unless = |field: &str, line: &'static str| if more.contains(field) { "" } else { line };
    let tls = unless("tls =", "tls = false\n");
    let timeout = unless("timeout_ms =", "timeout_ms = 30000\n");
    format!(
        "[[publish.kafka]]\nname = \"lake\"\nbrokers = \"{server}\"\ntopic = \"{topic}\"\n\
         types = [\"tidelock.\"]\nfirst_wait_ms = 50\n{tls}{timeout}{more}"
    )
}

/// How far the publisher says that it has come.
pub fn told(publisher: &Publisher) -> u64 {
    publisher.status("lake").map_or(0, |status| status.seq)
}

pub fn end_of(location: &Location) -> u64 {
    let mut reader = Reader::open(location).unwrap();
    let end = reader.end().unwrap();
    reader.close().unwrap();
    end
}

/// Each entry for each of its withdrawals, or for the vault: what must be in the topic, once.
fn wanted(location: &Location) -> BTreeSet<(u64, String)> {
    let mut reader = Reader::open(location).unwrap();
    let end = reader.end().unwrap();
    let mut wanted = BTreeSet::new();
    let mut last = 0;
    while last < end {
        for told in Told::after(&mut reader, last, 500).unwrap() {
            last = told.sequence;
            wanted.extend(told.refs().iter().map(|key| (last, key.clone())));
            if told.refs().is_empty() {
                wanted.insert((last, told.source().to_owned()));
            }
        }
    }
    reader.close().unwrap();
    wanted
}

/// Counts what is in a topic: each once, those of one key one after the other, and in the form that CloudEvents has.
#[track_caller]
pub fn judge(records: &[Value], location: &Location) {
    judge_but(records, location, &[]);
}

/// The same but for some entries, of which nothing may be there.
#[track_caller]
pub fn judge_but(records: &[Value], location: &Location, left_out: &[u64]) {
    let (mut found, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let mut last: BTreeMap<&str, (u64, i64, u64)> = BTreeMap::new();
    for record in records {
        let key = record["key"].as_str().unwrap();
        let event: Value = serde_json::from_str(record["value"].as_str().unwrap()).unwrap();
        assert_eq!(event["partitionkey"], key);
        assert_eq!(event["specversion"], "1.0");
        let sequence: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
        let id = event["id"].as_str().unwrap().to_owned();
        assert!(
            found.insert((sequence, key.to_owned())),
            "{record} is there twice"
        );
        assert!(ids.insert(id), "{record} has the id of another");
        let refs = event["data"]["refs"].as_array().unwrap();
        assert!(refs.is_empty() || *refs == [Value::from(key)], "{record}");
        let content = &record["headers"]["content-type"];
        assert_eq!(content, "application/cloudevents+json; charset=UTF-8");
        let place = (
            record["partition"].as_u64().unwrap(),
            record["offset"].as_i64().unwrap(),
            sequence,
        );
        if let Some(before) = last.insert(key, place) {
            let is_after = before.0 == place.0 && before.1 < place.1 && before.2 < place.2;
            assert!(is_after, "{key}: {before:?} is before {place:?}");
        }
    }
    let mut wanted = wanted(location);
    wanted.retain(|(sequence, _)| !left_out.contains(sequence));
    let missing: Vec<_> = wanted.difference(&found).take(3).collect();
    assert_eq!((found.len(), missing), (wanted.len(), Vec::new()));
}

pub fn a_topic_has_each_event_once(kind: Kind) {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (shared(), topic());
    broker.make(&topic, 3);
    let mut publisher = Publisher::set_up(kind);
    configure(&publisher, broker, &topic);
    publisher.start();
    let end = end_of(&publisher.location);
    until("not all is told", || told(&publisher) == end);
    publisher.end();
    let records = broker.read(&topic);
    judge(&records, &publisher.location);
    let partitions = records.iter().map(|record| record["partition"].as_u64());
    assert_eq!(
        partitions.collect::<BTreeSet<_>>().len(),
        3,
        "keys are spread"
    );
    // What is told is not told again, nor by one that has lost what it noted on its side.
    if kind == Kind::Sqlite {
        fs::remove_file(publisher.home.folder.path().join("keeper.db.publish")).unwrap();
    }
    let starts =
        |publisher: &Publisher| publisher.log().matches("publishing sink=\"lake\"").count();
    let before = starts(&publisher);
    publisher.start();
    until("it does not work", || {
        starts(&publisher) > before && told(&publisher) == end
    });
    publisher.end();
    assert_eq!(broker.read(&topic).len(), records.len());
    // A ping is in the topic, and nobody's event.
    let pinged = publisher.run(&["publish", "ping", "lake"]);
    assert!(pinged.ok().contains(&format!("lake: taken by {topic} at")));
    let after = broker.read(&topic);
    assert_eq!(after.len(), records.len() + 1);
    let is_ping = |record: &Value| record["value"].as_str().unwrap().contains("tidelock.ping");
    assert_eq!(after.iter().filter(|record| is_ping(record)).count(), 1);
}

/// `kill -9` of the publisher, again and again, while the log grows.
pub fn a_publisher_that_is_killed_tells_a_topic_once(kind: Kind) {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (shared(), topic());
    broker.make(&topic, 3);
    let (mut publisher, growth) = Growth::set_up(kind);
    configure(&publisher, broker, &topic);
    for _ in 0..4 {
        let before = told(&publisher);
        publisher.start();
        until("nothing is told", || told(&publisher) > before);
        publisher.kill();
    }
    growth.end();
    publisher.start();
    let end = end_of(&publisher.location);
    until("not all is told", || told(&publisher) == end);
    publisher.end();
    judge(&broker.read(&topic), &publisher.location);
}

/// `kill -9` of the broker, twice, while the log grows.
#[test]
fn a_broker_that_is_killed_has_each_event_once() {
    if is_skipped() {
        return;
    }
    let (mut broker, topic) = (Kafka::start(), topic());
    broker.make(&topic, 3);
    let (mut publisher, growth) = Growth::set_up(Kind::Sqlite);
    publisher.configure("[publish]\nlisten = \"127.0.0.1:0\"\n");
    publisher.configure(&section(&broker.server(), &topic, ""));
    publisher.start();
    for _ in 0..2 {
        let before = told(&publisher);
        until("nothing is told", || told(&publisher) > before);
        broker.kill();
        // It is told to people, and tried again.
        until("nobody is told", || {
            publisher
                .status("lake")
                .is_some_and(|lake| lake.waiting > 0)
        });
        broker.start_again();
    }
    growth.end();
    let end = end_of(&publisher.location);
    until("not all is told", || publisher.is_told("lake", end));
    publisher.end();
    assert!(publisher.log().contains("not taken"), "{}", publisher.log());
    judge(&broker.read(&topic), &publisher.location);
}

/// One that stood still while another, on a copy of the log, took its place: what it goes on to write, no reader ever sees.
#[test]
fn one_of_two_publishers_with_copies_of_a_log_writes() {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (shared(), topic());
    broker.make(&topic, 3);
    let mut first = Publisher::set_up(Kind::Sqlite);
    configure(&first, broker, &topic);
    let mut second = first.beside();
    let path = second.home.folder.path().join("keeper.db");
    second.location = Location::from(path.as_path());
    let (store, _) = support::lively(second.location.clone());
    store.close().unwrap();
    first.start();
    let end = end_of(&first.location);
    until("not all is told", || told(&first) == end);
    first.signal("STOP");
    second.start();
    until("the second has not taken over", || told(&second) == end);
    // The same entries, and of the first some more: what it writes next is not what the second has written.
    for (publisher, entries) in [(&first, 30), (&second, 20)] {
        let mut store = LogStore::open(publisher.location.clone()).unwrap();
        let mut history = support::resumed(&mut store);
        append(&mut store, &mut history, entries);
        store.close().unwrap();
    }
    let end = end_of(&second.location);
    until("the second does not go on", || told(&second) == end);
    first.signal("CONT");
    assert_eq!(first.ended(), 5, "{}", first.log());
    let words = "another publisher has written up to entry";
    assert!(first.log().contains(words), "{}", first.log());
    second.end();
    judge(&broker.read(&topic), &second.location);
}

/// Where it is not sure what was told, nothing is.
#[test]
fn a_topic_that_forgets_is_not_told() {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (shared(), topic());
    broker.make(&topic, 1);
    let mut publisher = Publisher::set_up(Kind::Sqlite);
    configure(&publisher, broker, &topic);
    let file = publisher.home.folder.path().join("keeper.toml");
    let before = fs::read_to_string(&file).unwrap();
    // One that keeps nothing for good cannot have cursors.
    let other = format!("{topic}-deletes");
    broker.make(&other, 1);
    fs::write(&file, format!("{before}cursors = \"{other}\"\n")).unwrap();
    publisher.start();
    until("nobody is told", || {
        publisher.log().contains("must be compact")
    });
    publisher.end();
    assert_eq!(broker.read(&topic).len(), 0);
    // One whose cursor is gone would be told everything twice.
    fs::write(&file, &before).unwrap();
    publisher.start();
    let end = end_of(&publisher.location);
    until("not all is told", || told(&publisher) == end);
    publisher.end();
    let records = broker.read(&topic).len();
    fs::write(&file, format!("{before}cursors = \"{topic}-lost\"\n")).unwrap();
    publisher.start();
    assert_eq!(publisher.ended(), 5, "{}", publisher.log());
    assert!(
        publisher.log().contains("its cursor there says 0"),
        "{}",
        publisher.log()
    );
    assert_eq!(broker.read(&topic).len(), records);
}

/// Over TLS, as a user with a password, however it is shown; neither wrong password nor unknown authority get further, and the password is
/// nowhere.
#[test]
fn a_broker_is_known_and_knows_who_writes() {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (Kafka::that_asks(), topic());
    broker.make(&topic, 1);
    let mut publisher = Publisher::set_up(Kind::Sqlite);
    publisher
        .variables
        .push(("KAFKA_PASSWORD", PASSWORD.to_owned()));
    let file = publisher.home.folder.path().join("keeper.toml");
    let before = fs::read_to_string(&file).unwrap();
    let certificates = broker.certificates();
    let (right, wrong) = (certificates.authority(), certificates.stranger());
    let configure = |mechanism: &str, authority: &Path, timeout: u32| {
        let more = format!(
            "tls = true\nuser = \"keeper\"\npassword = \"env:KAFKA_PASSWORD\"\nmechanism = \"{mechanism}\"\nca_file = \"{}\"\n\
             timeout_ms = {timeout}\n",
            authority.display()
        );
        let section = section(&broker.safe_server(), &topic, &more);
        fs::write(&file, format!("{before}\n{section}")).unwrap();
    };
    let ping = ["publish", "ping", "lake"];
    let is_refused = |publisher: &Publisher, words: &str| {
        let refused = publisher.run(&ping);
        assert!(!refused.err.contains("wrong-password"), "{}", refused.err);
        assert_eq!(refused.code, 1, "{}", refused.err);
        refused.err.contains("lake: not taken") && refused.err.contains(words)
    };
    // The library waits for as long as it may, whatever it hears.
    configure("SCRAM-SHA-512", &wrong, 4_000);
    until("an unknown authority is believed", || {
        is_refused(&publisher, "certificate verify failed")
    });
    publisher.variables[0].1 = "wrong-password".to_owned();
    for mechanism in MECHANISMS {
        configure(mechanism, &right, 4_000);
        until("a wrong password is taken", || {
            is_refused(&publisher, "Authentication failed")
        });
    }
    // The publisher itself says the same, and goes on once it is set right.
    publisher.start();
    until("a wrong password is taken", || {
        publisher.log().contains("Authentication failed")
    });
    publisher.end();
    assert_eq!(broker.read(&topic).len(), 0);
    publisher.variables[0].1 = PASSWORD.to_owned();
    let [first, others @ ..] = MECHANISMS;
    configure(first, &right, 30_000);
    publisher.start();
    let end = end_of(&publisher.location);
    until("not all is told", || told(&publisher) == end);
    publisher.end();
    judge(&broker.read(&topic), &publisher.location);
    for mechanism in others {
        configure(mechanism, &right, 30_000);
        publisher.run(&ping).ok();
    }
    let log = publisher.log();
    assert!(
        !log.contains(PASSWORD) && !log.contains("wrong-password"),
        "{log}"
    );
}
