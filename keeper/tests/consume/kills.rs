//! Consumers and brokers that are killed in the middle.

use std::collections::BTreeSet;

use super::{
    broker::{self, Queues},
    consumer::{Consumers, until},
    messages::{bad, good, reference},
    support::Kind,
};

/// Requests, every fifth of which is sent twice.
const GOOD: u64 = 1_200;
/// Messages that nobody will ever take.
const BAD: u64 = 60;

pub fn what_is_killed_loses_nothing(kind: Kind) {
    // Starting one takes its time: on one of the databases it is killed too.
    let mut own = (kind == Kind::Sqlite).then(broker::start);
    let queues = Queues::of(own.as_ref().unwrap_or(&broker::shared().broker));
    let mut consumers = Consumers::set_up(kind);
    consumers.source(&queues, "at_once = 64\nmessages_per_second = 100\n");
    let mut messages = Vec::new();
    for index in 0..GOOD {
        messages.push(good(index));
        if index % 5 == 0 {
            messages.push(good(index));
        }
        if index % (GOOD / BAD) == 0 {
            messages.push(bad(1_000_000 + index));
        }
    }
    queues.send(&messages);
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
    // What is held without being acknowledged comes back once they have ended.
    loop {
        until("some are skipped", || queues.ready(&queues.requests) == 0);
        consumers.end();
        if queues.ready(&queues.requests) == 0 {
            break;
        }
        consumers.start();
    }
    let refs: BTreeSet<_> = consumers.requests().into_keys().collect();
    assert_eq!(refs, (0..GOOD).map(reference).collect());
    let letters: BTreeSet<_> = queues
        .dead_letters()
        .into_iter()
        .map(|letter| letter.body)
        .collect();
    let wanted = (0..BAD).map(|index| bad(1_000_000 + index * (GOOD / BAD)).body);
    assert_eq!(letters, wanted.collect());
}
