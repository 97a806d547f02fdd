//! What receivers are told, and what becomes of what they do not take.

use std::collections::BTreeSet;

use tidelock_core::store::Store;
use tidelock_keeper::store::{LogStore, Reader};

use super::{
    publisher::{Publisher, until},
    receiver::{Library, Receiver, judge},
    support::{self, Kind},
};

const LOCAL: &str =
    "[publish]\nlisten = \"127.0.0.1:0\"\nlease_ms = 1000\nprivate_hosts = [\"127.0.0.1\"]\n";
const ALL: &str = "types = [\"tidelock.\"]\n";

fn all(publisher: &Publisher) -> BTreeSet<u64> {
    let mut reader = Reader::open(&publisher.location).unwrap();
    let end = reader.end().unwrap();
    reader.close().unwrap();
    (1..=end).collect()
}

pub fn each_event_is_taken_by_libraries_of_others(kind: Kind) {
    let mut publisher = Publisher::set_up(kind);
    // While a secret changes, both count: one receiver still has the old one, the other has the new one already.
    let (old, new) = (
        publisher.secret("old.secret"),
        publisher.secret("new.secret"),
    );
    let node = Receiver::start(Library::Npm, &old);
    let python = Receiver::start(Library::PyPi, &new);
    publisher.configure(LOCAL);
    for (name, receiver) in [("node", &node), ("python", &python)] {
        publisher.configure(&format!(
            "[[publish.webhook]]\nname = \"{name}\"\nurl = \"{}\"\ntimeout_ms = 60000\n\
             secrets = [\"file:old.secret\", \"env:NEW_SECRET\"]\nfrom = \"start\"\n{ALL}",
            receiver.url()
        ));
    }
    // The environment is the other place for a secret.
    publisher.variables.push(("NEW_SECRET", new.clone()));
    publisher.start();
    let wanted = all(&publisher);
    for receiver in [&node, &python] {
        until("not all came", || receiver.sequences() == wanted);
    }
    publisher.kill();
    for receiver in [&node, &python] {
        let taken = receiver.taken();
        let first = judge(&taken);
        assert_eq!(taken.len(), first.len(), "told twice though all was well");
        assert_eq!(first.len(), wanted.len());
    }
    // Nothing secret is in the log: no secret, and no path or query of a URL.
    let log = publisher.log();
    assert!(log.contains("publishing"), "{log}");
    for secret in [&old, &new, "very-secret", "/hooks"] {
        assert!(!log.contains(secret), "{log}");
    }
    // A ping is signed like everything else.
    let pinged = publisher.run(&["publish", "ping", "node"]);
    assert!(pinged.ok().contains("node: taken by http://127.0.0.1"));
    assert_eq!(node.taken().last().unwrap().kind, "tidelock.ping");
}

/// `kill -9`, again and again, at a receiver that refuses now and then; what it noted is counted by its own journal.
pub fn what_is_killed_loses_nothing(kind: Kind) {
    let mut publisher = Publisher::set_up(kind);
    let receiver = Receiver::start(Library::Npm, &publisher.secret("shop.secret"));
    publisher.configure(LOCAL);
    publisher.webhook(
        "shop",
        &receiver.url(),
        &format!("{ALL}first_wait_ms = 20\nat_once = 4\n"),
    );
    receiver.order(r#"{"every": 7}"#);
    let wanted = all(&publisher);
    for _ in 0..5 {
        let next = (receiver.sequences().len() + 30).min(wanted.len());
        publisher.start();
        until("nothing comes", || receiver.sequences().len() >= next);
        publisher.kill();
    }
    publisher.start();
    until("not all came", || receiver.sequences() == wanted);
    // Others may have taken all of it to the receiver before, and not have noted it; what was refused then is tried again.
    let last = *wanted.last().unwrap();
    until("it is not noted", || publisher.is_told("shop", last));
    publisher.end();
    assert_eq!(judge(&receiver.taken()).len(), wanted.len());
    assert_eq!(publisher.dead(), Vec::<serde_json::Value>::new());
    // What was noted as done is not told again.
    let before = receiver.taken().len();
    let starts =
        |publisher: &Publisher| publisher.log().matches("publishing sink=\"shop\"").count();
    let started = starts(&publisher);
    publisher.start();
    until("it does not work", || starts(&publisher) > started);
    publisher.end();
    assert_eq!(receiver.taken().len(), before);
}

pub fn what_is_not_taken_is_given_up_listed_and_sent_again(kind: Kind) {
    let mut publisher = Publisher::set_up(kind);
    let receiver = Receiver::start(Library::Npm, &publisher.secret("shop.secret"));
    publisher.configure(LOCAL);
    let more = format!("{ALL}first_wait_ms = 20\ngive_up_after_s = 1\n");
    publisher.webhook("shop", &receiver.url(), &more);
    let wanted = all(&publisher);
    receiver.order(r#"{"refuse": [3, 40]}"#);
    publisher.start();
    let but: BTreeSet<u64> = wanted
        .iter()
        .copied()
        .filter(|seq| ![3, 40].contains(seq))
        .collect();
    until("not all came", || {
        receiver.sequences() == but && publisher.dead().len() == 2
    });
    for (dead, seq) in publisher.dead().iter().zip([3, 40]) {
        assert_eq!((&dead["sink"], &dead["seq"]), (&"shop".into(), &seq.into()));
        assert_eq!(dead["why"], "HTTP 500");
        assert!(dead["tries"].as_u64().unwrap() >= 2, "{dead}");
    }
    judge(&receiver.taken());
    // Waits grow: each time at least three times the first wait, of which a second has room for few.
    let tries = receiver
        .journal()
        .iter()
        .filter(|line| line["refused"] == 3)
        .count();
    assert!((2..=8).contains(&tries), "{tries}");
    let log = publisher.log();
    assert!(log.contains("given up"), "{log}");
    // What is given up holds up nothing, and the receiver is not given up.
    let last = *wanted.last().unwrap();
    until("it is not noted", || publisher.is_told("shop", last));
    publisher
        .run(&["publish", "replay", "shop", "--seq", "4"])
        .refused(3, &["no entry 4"]);
    receiver.order("{}");
    publisher
        .run(&["publish", "replay", "shop", "--seq", "40"])
        .ok();
    until("40 does not come", || receiver.sequences().contains(&40));
    publisher.run(&["publish", "replay", "shop"]).ok();
    until("3 does not come", || receiver.sequences() == wanted);
    until("something is dead", || publisher.dead().is_empty());
    publisher.end();
}

/// On PostgreSQL several hosts publish, one at a time.
#[test]
fn another_host_takes_over() {
    let mut one = Publisher::set_up(Kind::Postgres);
    let receiver = Receiver::start(Library::Npm, &one.secret("shop.secret"));
    // A busy machine may be a second late.
    one.configure(&LOCAL.replace("lease_ms = 1000", "lease_ms = 5000"));
    one.webhook(
        "shop",
        &receiver.url(),
        &format!("{ALL}first_wait_ms = 20\nat_once = 2\n"),
    );
    // One is not taken for as long as the first works, so that there is something left to take over.
    receiver.order(r#"{"refuse": [200]}"#);
    let wanted = all(&one);
    one.start();
    until("nothing comes", || receiver.sequences().len() >= 50);
    let mut other = one.beside();
    other.start();
    // On a machine that stands still for longer than the lease the other one works already, and the first stands by.
    let stands_by = |one: &Publisher| one.log().contains("standing by");
    until("none stands by", || stands_by(&other) || stands_by(&one));
    one.kill();
    receiver.order(r#"{"every": 7}"#);
    until("not all came", || receiver.sequences() == wanted);
    until("it does not work", || {
        other.log().contains("publishing sink=\"shop\"")
    });
    other.end();
    assert_eq!(judge(&receiver.taken()).len(), wanted.len());
}

pub fn a_new_receiver_is_told_from_where_it_says(kind: Kind) {
    let mut publisher = Publisher::set_up(kind);
    let receivers = ["now", "late", "start"]
        .map(|name| Receiver::start(Library::Npm, &publisher.secret(&format!("{name}.secret"))));
    let [now, late, start] = &receivers;
    publisher.configure(LOCAL);
    publisher.webhook_from("now", &now.url(), ALL);
    publisher.webhook_from("late", &late.url(), &format!("from = 290\n{ALL}"));
    publisher.webhook_from("start", &start.url(), &format!("from = \"start\"\n{ALL}"));
    publisher.start();
    let begins = "publishing sink=\"now\" after=300";
    until("it does not begin", || publisher.log().contains(begins));
    let mut store = LogStore::open(publisher.location.clone()).unwrap();
    let mut history = support::resumed(&mut store);
    let entries: Vec<_> = (0..5).map(|_| history.step()).collect();
    let changes = history.state.take_changes();
    store.commit(&entries, &changes).unwrap();
    store.close().unwrap();
    for (receiver, first) in [(now, 301), (late, 290), (start, 1)] {
        let wanted: BTreeSet<u64> = (first..=305).collect();
        until("not all came", || receiver.sequences() == wanted);
    }
    // Only its cursor counts from then on.
    let noted = |publisher: &Publisher| publisher.status("now").is_some_and(|now| now.seq == 305);
    until("it is not noted", || noted(&publisher));
    publisher.end();
    let file = publisher.home.folder.path().join("keeper.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let from = |text: &str, said: &str| {
        let text = text.replacen(
            "secrets = [\"file:now.secret\"]",
            &format!("secrets = [\"file:now.secret\"]\nfrom = {said}"),
            1,
        );
        std::fs::write(&file, text).unwrap();
    };
    from(&text, "\"start\"");
    let begins = "publishing sink=\"now\" after=305";
    publisher.start();
    until("it does not begin", || publisher.log().contains(begins));
    publisher.end();
    assert_eq!(now.sequences(), (301..=305).collect());
    // There is nothing yet behind the entry that comes next.
    let text = text.replacen("name = \"now\"", "name = \"new\"", 1);
    from(&text, "307");
    publisher
        .run(&["publish"])
        .refused(2, &["new: from = 307: must be at most 306"]);
    for bad in ["0", "-1", "\"never\""] {
        from(&text, bad);
        let words =
            format!("publish.webhook.from = {bad}: must be \"now\", \"start\", or the number");
        publisher.run(&["publish"]).refused(2, &[&words]);
    }
}
