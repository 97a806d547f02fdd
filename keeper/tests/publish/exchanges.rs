//! Exchanges of a real RabbitMQ, counted with pika.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use alloy::hex;
use serde_json::Value;
use tidelock_keeper::store::Reader;

use super::{
    growth::Growth,
    publisher::{Publisher, until},
    rabbitmq::{PASSWORD, RabbitMq, USER},
    receiver::{Taken, judge},
    support::Kind,
};

/// The server that tests share which do not kill it.
fn shared() -> &'static RabbitMq {
    static SHARED: OnceLock<RabbitMq> = OnceLock::new();
    SHARED.get_or_init(RabbitMq::start)
}

/// An exchange of a test's own.
fn exchange(server: &RabbitMq) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("events-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server.ask(&["exchange", &name], "");
    name
}

fn configure(publisher: &mut Publisher, server: &RabbitMq, exchange: &str) {
    publisher
        .variables
        .push(("RABBITMQ_PASSWORD", PASSWORD.to_owned()));
    publisher.configure(&section(&server.url(), exchange, ""));
}

fn section(url: &str, exchange: &str, more: &str) -> String {
    format!(
        "[[publish.rabbitmq]]\nname = \"desk\"\nurl = \"{url}\"\npassword = \"env:RABBITMQ_PASSWORD\"\n\
         exchange = \"{exchange}\"\ntypes = [\"tidelock.\"]\nfirst_wait_ms = 20\n{more}"
    )
}

fn all(publisher: &Publisher) -> BTreeSet<u64> {
    let mut reader = Reader::open(&publisher.location).unwrap();
    let end = reader.end().unwrap();
    reader.close().unwrap();
    (1..=end).collect()
}

fn told(publisher: &Publisher) -> u64 {
    publisher.status("desk").map_or(0, |status| status.seq)
}

fn until_it_waits(publisher: &Publisher) {
    let waits = || {
        publisher
            .status("desk")
            .is_some_and(|desk| desk.waiting > 0)
    };
    until("nothing is said to be tried again", waits);
}

fn until_told(publisher: &Publisher) {
    let end = *all(publisher).last().unwrap();
    until("not all is told", || publisher.is_told("desk", end));
}

/// All that is in a queue, in its order.
#[track_caller]
fn taken(server: &RabbitMq, queue: &str) -> Vec<Taken> {
    let lines = server.ask(&["take", queue], "");
    let messages = lines
        .lines()
        .map(|line| -> Value { serde_json::from_str(line).unwrap() });
    let taken = messages.map(|message| {
        assert_eq!(message["persistent"], true);
        assert_eq!(
            message["kind"],
            "application/cloudevents+json; charset=UTF-8"
        );
        let event: Value =
            serde_json::from_slice(&hex::decode(message["body"].as_str().unwrap()).unwrap())
                .unwrap();
        assert_eq!(
            (&message["type"], &message["key"]),
            (&event["type"], &event["type"])
        );
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let refs = event["data"]["refs"].as_array();
        Taken {
            id: text(&message["id"]),
            // A ping has none.
            sequence: text(&event["sequence"]).parse().unwrap_or(0),
            kind: text(&event["type"]),
            refs: refs.into_iter().flatten().map(text).collect(),
        }
    });
    taken.collect()
}

pub fn a_queue_has_each_event_and_those_of_a_payment_in_order(kind: Kind) {
    let server = shared();
    let exchange = exchange(server);
    let queue = format!("{exchange}-all");
    server.ask(&["bind", &exchange, &queue, "#"], "");
    let (mut publisher, growth) = Growth::set_up(kind);
    publisher.configure("[publish]\nlease_ms = 1000\n");
    configure(&mut publisher, server, &exchange);
    // `kill -9`, again and again.
    for _ in 0..3 {
        let before = told(&publisher);
        publisher.start();
        until("nothing is told", || told(&publisher) > before);
        publisher.kill();
    }
    growth.end();
    publisher.start();
    until_told(&publisher);
    publisher.end();
    let first = judge(&taken(server, &queue));
    let found: BTreeSet<u64> = first.iter().map(|taken| taken.sequence).collect();
    assert_eq!(found, all(&publisher));
    let pinged = publisher.run(&["publish", "ping", "desk"]);
    assert!(
        pinged
            .ok()
            .contains(&format!("desk: taken by {exchange} at amqp://127.0.0.1"))
    );
    let ping = taken(server, &queue);
    assert_eq!(
        ping.iter()
            .map(|taken| taken.kind.as_str())
            .collect::<Vec<_>>(),
        ["tidelock.ping"]
    );
    // As whom it connects, and with what, is not in the log.
    for secret in [&format!("{USER}@"), PASSWORD] {
        assert!(!publisher.log().contains(secret), "{}", publisher.log());
    }
}

/// A message that is mandatory and has nowhere to go comes back: it is not lost, holds up its own payments only, and is told once
/// there is a queue for it.
pub fn what_no_queue_takes_is_told_again(kind: Kind) {
    let server = shared();
    let exchange = exchange(server);
    let some = format!("{exchange}-accepted");
    let bound = ["bind", &exchange, &some, "tidelock.withdrawal.accepted"];
    server.ask(&bound, "");
    let mut publisher = Publisher::set_up(kind);
    publisher.configure("[publish]\nlease_ms = 1000\n");
    configure(&mut publisher, server, &exchange);
    publisher.start();
    until_it_waits(&publisher);
    until("nobody is told", || {
        publisher.log().contains("came back: 312 NO_ROUTE")
    });
    let rest = format!("{exchange}-rest");
    server.ask(&["bind", &exchange, &rest, "#"], "");
    until_told(&publisher);
    publisher.end();
    let (some, rest) = (taken(server, &some), taken(server, &rest));
    assert!(
        some.iter()
            .all(|taken| taken.kind == "tidelock.withdrawal.accepted")
    );
    // In the order in which the broker took them: what went to the first queue before there was another, and then the other.
    let later: BTreeSet<u64> = rest.iter().map(|taken| taken.sequence).collect();
    let mut all_of_it: Vec<Taken> = some
        .into_iter()
        .filter(|taken| !later.contains(&taken.sequence))
        .collect();
    all_of_it.extend(rest);
    let first = judge(&all_of_it);
    let found: BTreeSet<u64> = first.iter().map(|taken| taken.sequence).collect();
    assert_eq!(found, all(&publisher));
    assert_eq!(publisher.dead(), Vec::<Value>::new());
}

/// By TLS, with the broker's authority and the right password, and in no other way; what is wrong is told without what is secret.
#[test]
fn a_broker_is_known_and_knows_who_publishes() {
    let server = shared();
    let exchange = exchange(server);
    let queue = format!("{exchange}-all");
    server.ask(&["bind", &exchange, &queue, "#"], "");
    let mut publisher = Publisher::set_up(Kind::Sqlite);
    publisher
        .variables
        .push(("RABBITMQ_PASSWORD", PASSWORD.to_owned()));
    let file = publisher.home.folder.path().join("keeper.toml");
    let before = fs::read_to_string(&file).unwrap();
    let (right, wrong) = (
        server.certificates.authority(),
        server.certificates.stranger(),
    );
    let ping = |publisher: &Publisher, url: &str, exchange: &str, authority: Option<&Path>| {
        let more = authority.map(|path| format!("ca_file = \"{}\"\n", path.display()));
        let section = section(url, exchange, &more.unwrap_or_default());
        fs::write(&file, format!("{before}\n{section}")).unwrap();
        let pinged = publisher.run(&["publish", "ping", "desk"]);
        assert!(!pinged.err.contains("horse"), "{}", pinged.err);
        pinged
    };
    let url = server.safe_url();
    for authority in [None, Some(wrong.as_path())] {
        ping(&publisher, &url, &exchange, authority).refused(1, &["not taken", "certificate"]);
    }
    // The name in the URL is what is vouched for.
    let other = url.replace("localhost", "127.0.0.2");
    ping(&publisher, &other, &exchange, Some(&right)).refused(1, &["not taken"]);
    let gone = ping(&publisher, &url, "nowhere", Some(&right));
    gone.refused(1, &["not taken", "NOT_FOUND"]);
    publisher.variables[0].1 = "wrong-horse".to_owned();
    let refused = ping(&publisher, &url, &exchange, Some(&right));
    refused.refused(1, &["not taken", "ACCESS_REFUSED"]);
    publisher.variables[0].1 = PASSWORD.to_owned();
    assert_eq!(taken(server, &queue), Vec::new());
    ping(&publisher, &url, &exchange, Some(&right)).ok();
    publisher.start();
    until_told(&publisher);
    publisher.end();
    let found = taken(server, &queue);
    let found: BTreeSet<u64> = found.iter().map(|taken| taken.sequence).collect();
    let wanted = all(&publisher);
    assert!(wanted.is_subset(&found), "{wanted:?}: {found:?}");
    let missing = publisher.home.folder.path().join("missing.pem");
    ping(&publisher, &url, &exchange, Some(&missing)).refused(2, &["certificates", "missing.pem"]);
}

/// `kill -9` of the broker, while the log grows.
#[test]
fn a_broker_that_is_killed_loses_nothing() {
    let mut server = RabbitMq::start();
    let exchange = exchange(&server);
    let queue = format!("{exchange}-all");
    server.ask(&["bind", &exchange, &queue, "#"], "");
    let (mut publisher, growth) = Growth::set_up(Kind::Sqlite);
    configure(&mut publisher, &server, &exchange);
    publisher.start();
    until("nothing is told", || told(&publisher) > 0);
    server.kill();
    until_it_waits(&publisher);
    server.start_again();
    growth.end();
    until_told(&publisher);
    publisher.end();
    let first = judge(&taken(&server, &queue));
    let found: BTreeSet<u64> = first.iter().map(|taken| taken.sequence).collect();
    assert_eq!(found, all(&publisher));
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for taken in &first {
        *kinds.entry(&taken.kind).or_default() += 1;
    }
    assert!(kinds.len() > 5, "{kinds:?}");
}
