//! What becomes of messages of a Kafka topic: as of a queue's, with partitions that change hands.

use std::{
    collections::BTreeSet,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tidelock_keeper::store::Desk;

use super::{
    consumer::{Consumers, until},
    kafka::{self, Kafka, PASSWORD},
    messages::{good, reference, refused},
    support::{Kind, payment, tamper},
};

/// The broker that the tests of this binary share. It ends with the process.
pub fn shared() -> &'static Kafka {
    static SHARED: OnceLock<Kafka> = OnceLock::new();
    SHARED.get_or_init(Kafka::start)
}

/// A topic of requests and one for dead letters.
pub struct Topics {
    pub requests: String,
    pub dead: String,
}

impl Topics {
    /// Of a test's own, the first with several partitions.
    pub fn of(broker: &Kafka) -> Self {
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

    pub fn source(&self, broker: &Kafka, consumers: &Consumers, more: &str) {
        self.source_at(&broker.server(), consumers, &format!("tls = false\n{more}"));
    }

    /// The same at that place.
    fn source_at(&self, server: &str, consumers: &Consumers, more: &str) {
        let Self { requests, dead } = self;
        consumers.configure(&format!(
            "[[consume.kafka]]\nname = \"shop\"\nfiled_by = \"the shop\"\nbrokers = \"{server}\"\ngroup = \"{requests}\"\n\
             topic = \"{requests}\"\ndead_letters = \"{dead}\"\n{more}"
        ));
    }

    /// Records without keys.
    pub fn send(&self, broker: &Kafka, bodies: &[String]) {
        let records = bodies.iter().map(|body| (None, body.as_str()));
        broker.send(&self.requests, &records.collect::<Vec<_>>());
    }

    /// Records that the group has not committed.
    pub fn behind(&self, broker: &Kafka) -> u64 {
        broker.behind(&self.requests, &self.requests)
    }
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
    topics.send(broker, &bodies);
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

#[test]
fn what_cannot_be_taken_now_is_not_committed_and_few_are_held() {
    if kafka::is_skipped() {
        return;
    }
    let (broker, topics) = (shared(), Topics::of(shared()));
    let mut consumers = Consumers::set_up(Kind::Sqlite);
    topics.source(broker, &consumers, "at_once = 16\n");
    let bodies: Vec<String> = (0..100).map(|index| good(index).text()).collect();
    topics.send(broker, &bodies);
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

/// By TLS, as a user with a password; neither wrong password nor unknown authority get further, and the password is nowhere.
#[test]
fn a_broker_of_kafka_is_known_and_knows_who_reads() {
    if kafka::is_skipped() {
        return;
    }
    let broker = Kafka::that_asks();
    let topics = Topics::of(&broker);
    topics.send(&broker, &[good(1).text()]);
    let mut consumers = Consumers::that_tell_all(Kind::Sqlite);
    let certificates = broker.certificates();
    let (right, wrong) = (certificates.authority(), certificates.stranger());
    let login =
        "user = \"keeper\"\npassword = \"file:rabbitmq.password\"\nmechanism = \"SCRAM-SHA-512\"\n";
    let authority = format!("ca_file = \"{}\"\n", wrong.display());
    let more = format!("{login}{authority}");
    topics.source_at(&broker.safe_server(), &consumers, &more);
    consumers.start();
    until("it trusts a stranger", || {
        consumers.log().contains("certificate verify failed")
    });
    consumers.end();
    let right = format!("ca_file = \"{}\"\n", right.display());
    consumers.replace(&authority, &right);
    consumers.password("wrong-horse-battery");
    consumers.start();
    until("it is let in", || {
        consumers.log().contains("Authentication failed")
    });
    consumers.end();
    assert_eq!((consumers.filed(), topics.behind(&broker)), (0, 1));
    consumers.password(PASSWORD);
    consumers.start();
    until("it is not filed", || consumers.filed() == 1);
    consumers.end();
    consumers.replace("SCRAM-SHA-512", "SCRAM-SHA-256");
    topics.send(&broker, &[good(2).text()]);
    consumers.start();
    until("it is not filed", || consumers.filed() == 2);
    consumers.end();
    let log = consumers.log();
    assert!(!log.contains("horse"), "{log}");
}
