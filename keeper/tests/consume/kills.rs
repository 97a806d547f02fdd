//! Consumers and brokers that are killed in the middle: one story, of a queue and of a topic.

use std::collections::BTreeSet;

use super::{
    broker::{self, Message, Queues},
    consumer::{Consumers, until},
    kafka::{self, Kafka},
    messages::{bad, good, reference},
    rabbitmq::RabbitMq,
    support::Kind,
    topic::{self, Topics},
};

/// Requests, every fifth of which is sent twice.
const GOOD: u64 = 1_200;
/// Messages that nobody will ever take.
const BAD: u64 = 60;
/// So slowly while something is killed that all is never over before.
const SLOW: &str = "at_once = 64\nmessages_per_second = 25\n";
const FAST: &str = "at_once = 64\nmessages_per_second = 1000\n";

/// Where the messages come from, which may be killed too.
trait Place {
    fn source(&self, consumers: &Consumers, more: &str);
    fn send(&self, messages: &[Message]);
    /// SIGKILL, and on with its data.
    fn kill(&mut self);
    /// Until nothing is left, and all consumers have ended.
    fn end(&self, consumers: &mut Consumers);
    /// The bodies of what was put away.
    fn dead_letters(&self) -> BTreeSet<Vec<u8>>;
}

/// A broker that the tests share, or one of a test's own.
enum Broker<T: 'static> {
    Shared(&'static T),
    Own(T),
}

impl<T> Broker<T> {
    fn get(&self) -> &T {
        match self {
            Self::Shared(broker) => broker,
            Self::Own(broker) => broker,
        }
    }

    fn own(&mut self) -> Option<&mut T> {
        match self {
            Self::Shared(_) => None,
            Self::Own(broker) => Some(broker),
        }
    }
}

struct OfQueue {
    broker: Broker<RabbitMq>,
    queues: Queues,
}

impl Place for OfQueue {
    fn source(&self, consumers: &Consumers, more: &str) {
        consumers.source(&self.queues, more);
    }

    fn send(&self, messages: &[Message]) {
        self.queues.send(messages);
    }

    fn kill(&mut self) {
        if let Some(broker) = self.broker.own() {
            broker.kill();
            broker.start_again();
        }
    }

    fn end(&self, consumers: &mut Consumers) {
        consumers.end_when_all_is_taken(&self.queues);
    }

    fn dead_letters(&self) -> BTreeSet<Vec<u8>> {
        let letters = self.queues.dead_letters().into_iter();
        letters.map(|letter| letter.body).collect()
    }
}

struct OfTopic {
    broker: Broker<Kafka>,
    topics: Topics,
}

impl Place for OfTopic {
    fn source(&self, consumers: &Consumers, more: &str) {
        self.topics.source(self.broker.get(), consumers, more);
    }

    fn send(&self, messages: &[Message]) {
        let bodies: Vec<String> = messages.iter().map(Message::text).collect();
        self.topics.send(self.broker.get(), &bodies);
    }

    fn kill(&mut self) {
        if let Some(broker) = self.broker.own() {
            broker.kill();
            broker.start_again();
        }
    }

    fn end(&self, consumers: &mut Consumers) {
        let broker = self.broker.get();
        until("some are skipped", || self.topics.behind(broker) == 0);
        consumers.end();
    }

    fn dead_letters(&self) -> BTreeSet<Vec<u8>> {
        let letters = self.broker.get().read(&self.topics.dead);
        let bodies = letters.iter().filter_map(|letter| letter["value"].as_str());
        bodies.map(|body| body.as_bytes().to_vec()).collect()
    }
}

/// Starting a broker takes its time: on one of the databases it is killed too.
fn is_own(kind: Kind) -> bool {
    kind == Kind::Sqlite
}

pub fn what_of_a_queue_is_killed_loses_nothing(kind: Kind) {
    let broker = match is_own(kind) {
        true => Broker::Own(RabbitMq::start()),
        false => Broker::Shared(broker::shared()),
    };
    let queues = Queues::of(broker.get());
    tell(kind, OfQueue { broker, queues });
}

pub fn what_of_a_topic_is_killed_loses_nothing(kind: Kind) {
    if kafka::is_skipped() {
        return;
    }
    let broker = match is_own(kind) {
        true => Broker::Own(Kafka::start()),
        false => Broker::Shared(topic::shared()),
    };
    let topics = Topics::of(broker.get());
    tell(kind, OfTopic { broker, topics });
}

fn tell(kind: Kind, mut place: impl Place) {
    let mut consumers = Consumers::set_up(kind);
    place.source(&consumers, SLOW);
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
    place.send(&messages);
    consumers.start();
    consumers.start();
    until("it stands still", || consumers.filed() > 60);
    consumers.kill();
    consumers.start();
    until("it stands still", || consumers.filed() > 150);
    place.kill();
    until("it stands still", || consumers.filed() > 200);
    consumers.kill();
    consumers.kill();
    let filed = consumers.filed();
    assert!(filed < GOOD, "all was over before it could be killed");
    consumers.replace(SLOW, FAST);
    consumers.start();
    consumers.start();
    place.end(&mut consumers);
    let refs: BTreeSet<_> = consumers.requests().into_keys().collect();
    assert_eq!(refs, (0..GOOD).map(reference).collect());
    let wanted = (0..BAD).map(|index| bad(1_000_000 + index * (GOOD / BAD)).body);
    assert_eq!(place.dead_letters(), wanted.collect());
}
