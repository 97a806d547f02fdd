//! Exchanges of a real RabbitMQ, counted with pika.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tidelock_keeper::store::Reader;

use super::{
    growth::Growth,
    publisher::{Publisher, until},
    rabbitmq::RabbitMq,
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
    ask(server, &["declare", &name]);
    name
}

fn ask(server: &RabbitMq, arguments: &[&str]) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here
        .parent()
        .unwrap()
        .join("target/rabbitmq/client/bin/python");
    assert!(
        python.exists(),
        "scripts/rabbitmq makes {}",
        python.display()
    );
    let done = Command::new(python)
        .arg(here.join("tests/publish/exchange.py"))
        .arg(server.port().to_string())
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

fn configure(publisher: &mut Publisher, server: &RabbitMq, exchange: &str, more: &str) {
    publisher
        .variables
        .push(("RABBITMQ_PASSWORD", "guest".to_owned()));
    publisher.configure(&format!(
        "[[publish.rabbitmq]]\nname = \"desk\"\nurl = \"{}\"\npassword = \"env:RABBITMQ_PASSWORD\"\n\
         exchange = \"{exchange}\"\ntypes = [\"tidelock.\"]\nfirst_wait_ms = 20\n{more}",
        server.url()
    ));
}

fn all(publisher: &Publisher) -> BTreeSet<u64> {
    let mut reader = Reader::open(&publisher.location).unwrap();
    let end = reader.end().unwrap();
    reader.close().unwrap();
    (1..=end).collect()
}

fn status(publisher: &Publisher, field: &str) -> u64 {
    let status = publisher.status("desk");
    status.map_or(0, |status| status[field].as_u64().unwrap())
}

fn until_told(publisher: &Publisher) {
    let end = *all(publisher).last().unwrap();
    until("not all is told", || {
        status(publisher, "seq") == end && status(publisher, "retrying") == 0
    });
}

/// All that is in a queue, in its order.
#[track_caller]
fn taken(server: &RabbitMq, queue: &str) -> Vec<Taken> {
    let lines = ask(server, &["take", queue]);
    let messages = lines
        .lines()
        .map(|line| -> Value { serde_json::from_str(line).unwrap() });
    let taken = messages.map(|message| {
        assert_eq!(message["persistent"], true);
        assert_eq!(
            message["kind"],
            "application/cloudevents+json; charset=UTF-8"
        );
        let event: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
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
    ask(server, &["bind", &exchange, &queue, "#"]);
    let (mut publisher, growth) = Growth::set_up(kind);
    publisher.configure("[publish]\nlease_ms = 1000\n");
    configure(&mut publisher, server, &exchange, "");
    // `kill -9`, again and again.
    for _ in 0..3 {
        let before = status(&publisher, "seq");
        publisher.start();
        until("nothing is told", || status(&publisher, "seq") > before);
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
    assert!(!publisher.log().contains("guest"), "{}", publisher.log());
}

/// A message that is mandatory and has nowhere to go comes back: it is not lost, holds up its own payments only, and is told once
/// there is a queue for it.
pub fn what_no_queue_takes_is_told_again(kind: Kind) {
    let server = shared();
    let exchange = exchange(server);
    let some = format!("{exchange}-accepted");
    ask(
        server,
        &["bind", &exchange, &some, "tidelock.withdrawal.accepted"],
    );
    let mut publisher = Publisher::set_up(kind);
    publisher.configure("[publish]\nlease_ms = 1000\n");
    configure(&mut publisher, server, &exchange, "");
    publisher.start();
    until("nothing comes back", || status(&publisher, "retrying") > 0);
    until("nobody is told", || {
        publisher.log().contains("came back: 312 NO_ROUTE")
    });
    let rest = format!("{exchange}-rest");
    ask(server, &["bind", &exchange, &rest, "#"]);
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

/// `kill -9` of the broker, while the log grows.
#[test]
fn a_broker_that_is_killed_loses_nothing() {
    let mut server = RabbitMq::start();
    let exchange = exchange(&server);
    let queue = format!("{exchange}-all");
    ask(&server, &["bind", &exchange, &queue, "#"]);
    let (mut publisher, growth) = Growth::set_up(Kind::Sqlite);
    configure(&mut publisher, &server, &exchange, "timeout_ms = 2000\n");
    publisher.start();
    until("nothing is told", || status(&publisher, "seq") > 0);
    server.kill();
    until("nobody is told", || status(&publisher, "retrying") > 0);
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
