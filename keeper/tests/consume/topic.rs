//! What becomes of messages of a Kafka topic: as of a queue's, with partitions that change hands.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tidelock_keeper::store::Desk;

use super::{
    consumer::{Consumers, until},
    kafka::{self, Kafka},
    messages::{bad, good, reference, refused},
    support::{Kind, payment, tamper},
};

/// The broker that the tests of this binary share. It ends with the process.
fn shared() -> &'static Kafka {
    static SHARED: OnceLock<Kafka> = OnceLock::new();
    SHARED.get_or_init(Kafka::start)
}

/// A topic of requests and one for dead letters.
struct Topics {
    requests: String,
    dead: String,
}

impl Topics {
    /// Of a test's own, the first with several partitions.
    fn of(broker: &Kafka) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let topics = Self {
            requests: format!("withdrawals-{number}"),
            dead: format!("withdrawals-{number}.dead"),
        };
        broker.make(&topics.requests, 4);
        broker.make(&topics.dead, 1);
        topics
    }

    fn source(&self, broker: &Kafka, consumers: &Consumers, more: &str) {
        let Self { requests, dead } = self;
        consumers.configure(&format!(
            "[[consume.kafka]]\nname = \"shop\"\nfiled_by = \"the shop\"\nbrokers = \"{}\"\ntls = false\ngroup = \"{requests}\"\n\
             topic = \"{requests}\"\ndead_letters = \"{dead}\"\n{more}",
            broker.server()
        ));
    }

    /// Records that the group has not committed.
    fn behind(&self, broker: &Kafka) -> u64 {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = manifest
            .parent()
            .unwrap()
            .join("target/kafka/python/bin/python");
        let done = Command::new(python)
            .arg(manifest.join("tests/consume/kafka_group.py"))
            .args([&broker.server(), &self.requests, &self.requests])
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }
}

fn records(bodies: &[String]) -> Vec<(Option<&str>, &str)> {
    bodies.iter().map(|body| (None, body.as_str())).collect()
}

#[test]
fn each_record_is_filed_once_or_put_away_with_its_reason() {
    if kafka::is_skipped() {
        return;
    }
    let (broker, topics) = (shared(), Topics::of(shared()));
    let mut consumers = Consumers::set_up(Kind::Postgres);
    topics.source(broker, &consumers, "");
    // One of those that are refused has its ref.
    let mut desk = Desk::open(&consumers.location).unwrap();
    desk.file(&[payment(1)]).unwrap();
    desk.close().unwrap();
    let mut bodies: Vec<String> = (0..100).map(|index| good(index).text()).collect();
    // The broker itself takes none that is as long as the longest of these, and this client sends text.
    let mut refused = refused();
    refused.retain(|(message, ..)| {
        message.body.len() < 900_000 && std::str::from_utf8(&message.body).is_ok()
    });
    bodies.extend(refused.iter().map(|(message, ..)| message.text()));
    bodies.extend((0..100).map(|index| good(index).text()));
    broker.send(&topics.requests, &records(&bodies));
    broker.send(&topics.requests, &[(Some("a key"), "pay him")]);
    consumers.start();
    consumers.start();
    until("not all are committed", || topics.behind(broker) == 0);
    consumers.end();
    let requests = consumers.requests();
    let refs: BTreeSet<_> = requests.keys().copied().collect();
    assert_eq!(refs, (0..100).map(reference).collect());
    for (of, (_, _, note)) in &requests {
        let wanted = (*of != reference(1)).then_some("{\"@filed_by\":\"the shop\"}");
        assert_eq!(note.as_deref(), wanted);
    }
    let letters = broker.read(&topics.dead);
    let of = |body: &str| -> &Value {
        let mut found = letters.iter().filter(|letter| letter["value"] == body);
        found
            .next()
            .unwrap_or_else(|| panic!("{body:.200}: {letters:?}"))
    };
    for (message, field, rule) in &refused {
        let headers = &of(&message.text())["headers"];
        let header = |name: &str| headers[name].as_str().unwrap_or_default();
        assert!(header("tidelock-field").starts_with(field), "{headers}");
        assert!(header("tidelock-rule").contains(rule), "{headers}");
        assert_eq!(header("tidelock-source"), "shop");
        assert!(
            header("tidelock-from").starts_with(&format!("{}[", topics.requests)),
            "{headers}"
        );
    }
    assert_eq!(of("pay him")["key"], "a key");
    let distinct: BTreeSet<&str> = letters
        .iter()
        .filter_map(|letter| letter["value"].as_str())
        .collect();
    assert_eq!(distinct.len(), refused.len() + 1);
}

pub fn what_of_kafka_is_killed_loses_nothing(kind: Kind) {
    const GOOD: u64 = 1_200;
    const BAD: u64 = 60;
    if kafka::is_skipped() {
        return;
    }
    // Starting one takes its time: on one of the databases it is killed too.
    let mut own = (kind == Kind::Sqlite).then(Kafka::start);
    let broker = own.as_ref().unwrap_or_else(|| shared());
    let topics = Topics::of(broker);
    let mut consumers = Consumers::set_up(kind);
    topics.source(
        broker,
        &consumers,
        "at_once = 64\nmessages_per_second = 100\n",
    );
    let mut bodies = Vec::new();
    for index in 0..GOOD {
        bodies.push(good(index).text());
        if index % 5 == 0 {
            bodies.push(good(index).text());
        }
        if index % (GOOD / BAD) == 0 {
            bodies.push(bad(1_000_000 + index).text());
        }
    }
    broker.send(&topics.requests, &records(&bodies));
    consumers.start();
    consumers.start();
    until("it stands still", || consumers.filed() > 100);
    consumers.kill();
    consumers.start();
    until("it stands still", || consumers.filed() > 400);
    if let Some(broker) = &mut own {
        broker.kill();
        broker.start_again();
    }
    until("it stands still", || consumers.filed() > 450);
    consumers.kill();
    consumers.kill();
    assert!(
        consumers.filed() < GOOD,
        "all was over before it could be killed"
    );
    consumers.start();
    consumers.start();
    let broker = own.as_ref().unwrap_or_else(|| shared());
    until("some are skipped", || topics.behind(broker) == 0);
    consumers.end();
    let refs: BTreeSet<_> = consumers.requests().into_keys().collect();
    assert_eq!(refs, (0..GOOD).map(reference).collect());
    let letters = broker.read(&topics.dead);
    let letters: BTreeSet<&str> = letters
        .iter()
        .filter_map(|letter| letter["value"].as_str())
        .collect();
    let wanted: Vec<String> = (0..BAD)
        .map(|index| bad(1_000_000 + index * (GOOD / BAD)).text())
        .collect();
    assert_eq!(letters, wanted.iter().map(String::as_str).collect());
}

#[test]
fn what_cannot_be_taken_now_is_not_committed_and_few_are_held() {
    if kafka::is_skipped() {
        return;
    }
    let (broker, topics) = (shared(), Topics::of(shared()));
    let mut consumers = Consumers::set_up(Kind::Sqlite);
    topics.source(broker, &consumers, "at_once = 16\n");
    let bodies: Vec<String> = (0..100).map(|index| good(index).text()).collect();
    broker.send(&topics.requests, &records(&bodies));
    tamper(
        &consumers.location,
        "ALTER TABLE request RENAME TO request_away",
    );
    consumers.start();
    until("it does not try again", || {
        consumers.log().matches("not now").count() > 60
    });
    let log = consumers.log();
    let held = log.lines().filter(|line| line.contains("not now"));
    let held: BTreeSet<&str> = held
        .filter_map(|line| line.split("from=").nth(1)?.split(' ').next())
        .filter(|from| from.contains('@')) // a record, and not the client
        .collect();
    assert!((1..=16).contains(&held.len()), "{held:?}");
    assert_eq!(topics.behind(broker), 100);
    consumers.kill();
    tamper(
        &consumers.location,
        "ALTER TABLE request_away RENAME TO request",
    );
    consumers.start();
    until("some are skipped", || topics.behind(broker) == 0);
    consumers.end();
    assert_eq!(consumers.requests().len(), 100);
    assert_eq!(broker.read(&topics.dead), Vec::<Value>::new());
}
