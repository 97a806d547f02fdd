//! `keeper consume` as brokers meet it: the real binary on both databases, a real RabbitMQ and a real Kafka, and clients of others' that count.

#![cfg(all(feature = "kafka", feature = "rabbitmq"))]
#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod broker;
#[path = "../support/certificates.rs"]
mod certificates;
mod consumer;
mod document;
#[path = "../support/kafka.rs"]
mod kafka;
mod kills;
mod messages;
mod queue;
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
#[path = "../support/served.rs"]
mod served;
#[path = "../support/mod.rs"]
mod support;
mod topic;

use kills::{what_of_a_queue_is_killed_loses_nothing, what_of_a_topic_is_killed_loses_nothing};
use queue::{
    each_message_is_filed_once_or_put_away_with_its_reason,
    what_cannot_be_taken_now_is_tried_again_and_few_are_held,
};

on_both! {
    each_message_is_filed_once_or_put_away_with_its_reason,
    what_cannot_be_taken_now_is_tried_again_and_few_are_held,
    what_of_a_queue_is_killed_loses_nothing,
    what_of_a_topic_is_killed_loses_nothing,
}
