//! What a topic of Kafka does not take, and what its partitions never heard of.

use alloy::{hex, primitives::B256};
use serde_json::{Value, json};
use tidelock_api::Told;
use tidelock_core::{
    event::{Event, HoldReason},
    store::Store,
};
use tidelock_keeper::store::{Location, LogStore, Reader};

use super::{
    growth::append,
    kafka::{Kafka, is_skipped},
    publisher::{Publisher, until},
    support::{self, History, Kind},
    topics::{configure, end_of, judge, judge_but, shared, told, topic},
};

/// What a topic is to have of some entries, and of how far it has come.
fn records_after(location: &Location, topic: &str, after: u64) -> (String, Vec<Value>, B256) {
    let mut reader = Reader::open(location).unwrap();
    let told = Told::after(&mut reader, after, 500).unwrap();
    let last = told.last().unwrap();
    let key = format!("{}/lake", last.source());
    let hash = reader.hash_of(last.sequence).unwrap().unwrap();
    reader.close().unwrap();
    let headers = json!({ "content-type": "application/cloudevents+json; charset=UTF-8" });
    let events = told.iter().flat_map(Told::keyed);
    let mut records: Vec<Value> = events
        .map(|event| {
            let value = serde_json::to_string(&event).unwrap();
            json!({ "topic": topic, "key": event.key(), "value": value, "headers": headers })
        })
        .collect();
    let cursor = json!({ "sequence": last.sequence, "hash": hash.to_string() }).to_string();
    records.push(json!({ "topic": format!("{topic}.cursors"), "key": key, "value": cursor }));
    (key, records, hash)
}

/// A broker that is killed may have said that a transaction is committed, and never tell its partitions. What it said counts: the publisher goes on
/// behind it, and with the next transaction readers see both, each event once.
#[test]
fn what_was_said_to_be_committed_is_not_told_again() {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (Kafka::that_believes(), topic());
    broker.make(&topic, 3);
    let mut publisher = Publisher::set_up(Kind::Sqlite);
    configure(&publisher, &broker, &topic);
    publisher.start();
    let before = end_of(&publisher.location);
    until("not all is told", || told(&publisher) == before);
    publisher.end();
    let more = |publisher: &Publisher, entries: u64| {
        let mut store = LogStore::open(publisher.location.clone()).unwrap();
        let mut history = support::resumed(&mut store);
        append(&mut store, &mut history, entries);
        store.close().unwrap();
        end_of(&publisher.location)
    };
    let said = more(&publisher, 20);
    let (key, records, hash) = records_after(&publisher.location, &topic, before);
    broker.leave_open(&format!("tidelock-publish/{key}"), &records);
    let mut outbox = publisher.location.clone();
    outbox.path = tidelock_keeper::store::beside(&outbox.path, ".publish");
    let noted = format!(
        "UPDATE publish_sink SET seq = {said}, hash = x'{}'",
        hex::encode(hash)
    );
    support::run(&outbox, &noted).unwrap();
    let end = more(&publisher, 60);
    publisher.start();
    until("it does not go on", || told(&publisher) == end);
    publisher.end();
    judge(&broker.read(&topic), &publisher.location);
}

/// Adds an entry to a log whose one event is larger than the topic of the next test takes.
fn append_large(store: &mut LogStore, history: &mut History) -> u64 {
    let accepted = history.accept(1);
    let Event::RequestsAccepted { requests, .. } = &accepted else {
        panic!("{accepted:?}");
    };
    let held = Event::Held {
        refs: vec![requests[0].payment.reference()],
        reason: HoldReason::Operator {
            note: "x".repeat(8_000),
        },
    };
    let entries = [history.apply(&accepted), history.apply(&held)];
    let changes = history.state.take_changes();
    store.commit(&entries, &changes).unwrap();
    history.head.seq
}

/// An event that is larger than its topic takes holds up no other: it is left out, kept for people with its reason, and told once, when the
/// topic takes it and somebody has it sent again.
#[test]
fn what_is_too_large_is_left_out_and_the_others_are_there_once() {
    if is_skipped() {
        return;
    }
    let (broker, topic) = (shared(), topic());
    broker.make_with(&topic, 3, &["max.message.bytes=6000"]);
    let mut large = Vec::new();
    let mut publisher = Publisher::with(Kind::Sqlite, |location| {
        let (mut store, mut history) = support::lively(location);
        for _ in 0..2 {
            large.push(append_large(&mut store, &mut history));
            append(&mut store, &mut history, 20);
        }
        store
    });
    configure(&publisher, broker, &topic);
    let end = end_of(&publisher.location);
    let left_out = |publisher: &Publisher| publisher.status("lake").map_or(0, |lake| lake.dead);
    publisher.start();
    until("nothing is left out", || left_out(&publisher) > 0);
    publisher.kill();
    publisher.start();
    until("not all is told", || {
        publisher.is_told("lake", end) && left_out(&publisher) == 2
    });
    publisher.end();
    judge_but(&broker.read(&topic), &publisher.location, &large);
    for (dead, seq) in publisher.dead().iter().zip(&large) {
        assert_eq!(
            (&dead["sink"], &dead["seq"]),
            (&"lake".into(), &(*seq).into())
        );
        let why = dead["why"].as_str().unwrap();
        let rule = format!("it must be at most max.message.bytes of topic {topic}");
        assert!(
            why.starts_with("a record of 8") && why.contains(&rule),
            "{why}"
        );
    }
    // The topic takes it now.
    broker.set(&topic, &["max.message.bytes=100000"]);
    publisher.start();
    publisher.run(&["publish", "replay", "lake"]).ok();
    let is_done =
        |publisher: &Publisher| publisher.is_told("lake", end) && left_out(publisher) == 0;
    until("it is not sent again", || is_done(&publisher));
    // One who was killed before that was noted.
    publisher.kill();
    let mut outbox = publisher.location.clone();
    outbox.path = tidelock_keeper::store::beside(&outbox.path, ".publish");
    let again = format!(
        "INSERT INTO publish_delivery VALUES ('lake', {}, 0, 0, 0, '', -1)",
        large[0]
    );
    support::run(&outbox, &again).unwrap();
    publisher.start();
    until("it is not sent again", || is_done(&publisher));
    publisher.end();
    let records = broker.read(&topic);
    let is_large = |record: &Value| record["value"].as_str().unwrap().len() > 6_000;
    let (late, others): (Vec<Value>, Vec<Value>) = records.into_iter().partition(is_large);
    assert_eq!(late.len(), large.len());
    judge_but(&others, &publisher.location, &large);
}
