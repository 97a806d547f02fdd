//! One topic of Kafka, shared by the members of a group: messages are held up to a number, and of each partition the offset is committed before
//! which all are settled. What was not committed is read again, by whichever member has the partition then.

mod client;
mod held;

use std::{sync::Arc, time::Duration};

use rdkafka::{
    Message as _,
    consumer::{Consumer, StreamConsumer},
    error::KafkaError,
    message::{BorrowedMessage, Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
};
use tokio::{
    task::{JoinError, JoinSet, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, info};

use crate::{
    ConsumeError, END, Kafka,
    letter::{Letter, Message},
    taker::{Fate, Taker},
    waits::Waits,
};
use client::{Watch, consumer, producer};
use held::Held;

/// How long partitions rest at least: what was fetched of them is fetched again afterwards.
const REST: Duration = Duration::from_millis(100);
/// Bytes of a key that are kept with a dead letter.
const LONGEST_KEY: usize = 1_024;

/// Why the clients have to be made anew.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("{}", client::words(.0))]
    Broker(#[from] KafkaError),
    #[error(transparent)]
    Setting(#[from] ConsumeError),
    #[error("a message broke off: {0}")]
    Broken(#[from] JoinError),
}

/// Works until the process is asked to end.
pub(crate) async fn run(topic: Kafka, taker: Taker) {
    let mut waits = Waits::default();
    loop {
        let worked = session(&topic, &taker, &mut waits).await;
        taker.connected(false);
        let Err(cause) = worked else { return };
        if !taker
            .pause(&mut waits, &topic.topic, &cause.to_string())
            .await
        {
            return;
        }
    }
}

/// A message under way, and where it came from.
struct Taken {
    message: Message,
    key: Option<Vec<u8>>,
    partition: i32,
    offset: i64,
}

/// A message that is settled, by partition and offset; none if the process is asked to end.
type Settled = Option<(i32, i64)>;

/// As long as the clients can be used. Without an error, the process is asked to end.
async fn session(topic: &Kafka, taker: &Taker, waits: &mut Waits) -> Result<(), Interrupted> {
    let held = Arc::new(Held::default());
    let watch = Watch::new(Arc::clone(&held), taker.clone());
    let consumer: StreamConsumer<Watch> = consumer(topic, watch)?;
    let letters: FutureProducer<_> = producer(topic)?;
    consumer.subscribe(&[&topic.topic])?;
    info!(
        source = taker.source.name,
        topic = topic.topic,
        "taking requests in"
    );
    let most = usize::from(topic.source.at_once);
    let mut under_way: JoinSet<Settled> = JoinSet::new();
    // Until when partitions rest, while they do.
    let mut rests: Option<Instant> = None;
    let ended = loop {
        // What is full is asked on all the same, or the group would believe that it is gone; its partitions rest meanwhile.
        let is_full = under_way.len() >= most;
        match rests {
            None if is_full => {
                rests = Some(rest(&consumer)?);
            }
            Some(until) if !is_full && Instant::now() >= until => {
                rests = None;
                consumer.resume(&consumer.assignment()?)?;
            }
            _ => {}
        }
        let rested = rests.filter(|_| !is_full);
        tokio::select! {
            () = taker.stopped() => break Ok(()),
            () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() => {}
            received = consumer.recv() => match received {
                Ok(message) => {
                    let taken = Taken::of(&message);
                    held.begin(taken.partition, taken.offset);
                    under_way.spawn(settle(taken, topic.clone(), taker.clone(), letters.clone()));
                    if rests.is_some() {
                        // A partition that has just come.
                        rests = Some(rest(&consumer)?);
                    }
                }
                Err(KafkaError::MessageConsumptionFatal(code)) => {
                    break Err(KafkaError::MessageConsumptionFatal(code).into());
                }
                Err(cause) => {
                    // The client connects again by itself, and tells each thing that it tries: it is asked on, soon.
                    let mut waits = Waits::default();
                    if !taker.pause(&mut waits, &topic.topic, &client::words(&cause)).await {
                        break Ok(());
                    }
                }
            },
            Some(settled) = under_way.join_next() => match settled {
                Ok(Some((partition, offset))) => {
                    done(&consumer, &held, &topic.topic, partition, offset);
                    *waits = Waits::default();
                }
                Ok(None) => {}
                Err(cause) => break Err(cause.into()),
            },
        }
    };
    if ended.is_ok() {
        let last = settle_all(&mut under_way, &consumer, &held, &topic.topic);
        // What is cut off is read again.
        let _ = timeout(END, last).await;
    }
    drop(under_way);
    // Leaving the group commits what is stored, and waits for the broker.
    let left = spawn_blocking(move || drop(consumer));
    let _ = timeout(END, left).await;
    let _ = spawn_blocking(move || letters.flush(Duration::ZERO)).await;
    ended
}

/// Until nothing is under way any more.
async fn settle_all(
    under_way: &mut JoinSet<Settled>,
    consumer: &StreamConsumer<Watch>,
    held: &Held,
    topic: &str,
) {
    while let Some(settled) = under_way.join_next().await {
        if let Ok(Some((partition, offset))) = settled {
            done(consumer, held, topic, partition, offset);
        }
    }
}

/// Has what is assigned rest. Answers until when, at least.
fn rest(consumer: &StreamConsumer<Watch>) -> Result<Instant, KafkaError> {
    consumer.pause(&consumer.assignment()?)?;
    let now = Instant::now();
    Ok(now.checked_add(REST).unwrap_or(now))
}

/// Stores how far a partition is settled. It is committed soon, and when the partition is given up.
fn done(consumer: &StreamConsumer<Watch>, held: &Held, topic: &str, partition: i32, offset: i64) {
    let Some(before) = held.end(partition, offset) else {
        return; // another member has the partition
    };
    // What is stored is the last one before.
    if let Err(cause) = consumer.store_offset(topic, partition, before.saturating_sub(1)) {
        debug!(%cause, "not stored; it is read again");
    }
}

impl Taken {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let key = message
            .key()
            .map(|key| key.get(..LONGEST_KEY).unwrap_or(key));
        Self {
            message: Message::new(message.payload().unwrap_or_default().to_vec()),
            key: key.map(<[u8]>::to_vec),
            partition: message.partition(),
            offset: message.offset(),
        }
    }
}

/// Files one message, or puts it among the dead letters.
async fn settle(
    taken: Taken,
    topic: Kafka,
    taker: Taker,
    letters: FutureProducer<client::Quiet>,
) -> Settled {
    let (partition, offset) = (taken.partition, taken.offset);
    let from = format!("{}[{partition}]@{offset}", topic.topic);
    if let Fate::Refused(problem) = taker.take(&taken.message.body, &from).await? {
        let letter = Letter::new(&taken.message, &problem, &taker.source.name, &from);
        let mut waits = Waits::default();
        while let Err(why) = put(&letter, taken.key.as_deref(), &topic.dead_letters, &letters).await
        {
            if !taker.wait(&mut waits, &from, &why).await {
                return None;
            }
        }
        taker.buried(&problem, &from);
    }
    Some((partition, offset))
}

/// Until the broker has it, as its topic asks; or why it has not.
async fn put(
    letter: &Letter<'_>,
    key: Option<&[u8]>,
    topic: &str,
    letters: &FutureProducer<client::Quiet>,
) -> Result<(), String> {
    let count = letter.headers.len();
    let headers = letter.headers.iter();
    let headers = headers.fold(
        OwnedHeaders::new_with_capacity(count),
        |headers, (name, text)| {
            headers.insert(Header {
                key: name,
                value: Some(text),
            })
        },
    );
    let record = FutureRecord::to(topic)
        .payload(letter.body)
        .headers(headers);
    let record = match key {
        Some(key) => record.key(key),
        None => record,
    };
    let sent = letters.send(record, client::PATIENCE).await;
    sent.map(drop).map_err(|(cause, _)| {
        format!(
            "refused, and the topic for dead letters does not take it: {}",
            client::words(&cause)
        )
    })
}
