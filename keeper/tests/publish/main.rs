//! `keeper publish` as receivers meet it: the real binary on both databases, and receivers in processes of their own that check what
//! is signed with libraries of others.

#![cfg(unix)]
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

mod asyncapi;
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
#[path = "../support/certificates.rs"]
mod certificates;
mod document;
#[cfg(feature = "rabbitmq")]
mod exchanges;
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
mod growth;
#[cfg(feature = "kafka")]
#[path = "../support/kafka.rs"]
mod kafka;
mod outbox;
mod publisher;
#[cfg(feature = "rabbitmq")]
#[path = "../support/rabbitmq.rs"]
mod rabbitmq;
mod receiver;
mod refusals;
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
#[path = "../support/served.rs"]
mod served;
#[path = "../support/mod.rs"]
mod support;
mod tls;
#[cfg(feature = "kafka")]
mod topics;
#[cfg(feature = "kafka")]
mod unwritten;
mod webhooks;

use outbox::{a_cursor_only_goes_on, what_was_not_taken_is_kept};
use refusals::{
    another_log_is_refused, nothing_is_redirected_and_nothing_private_is_reached,
    one_that_never_answers_holds_up_nobody_else,
};
use webhooks::{
    a_new_receiver_is_told_from_where_it_says, each_event_is_taken_by_libraries_of_others,
    what_is_killed_loses_nothing, what_is_not_taken_is_given_up_listed_and_sent_again,
};

on_both! {
    a_cursor_only_goes_on,
    a_new_receiver_is_told_from_where_it_says,
    another_log_is_refused,
    each_event_is_taken_by_libraries_of_others,
    nothing_is_redirected_and_nothing_private_is_reached,
    one_that_never_answers_holds_up_nobody_else,
    what_is_killed_loses_nothing,
    what_is_not_taken_is_given_up_listed_and_sent_again,
    what_was_not_taken_is_kept,
}

#[cfg(feature = "kafka")]
mod of_kafka {
    use super::support;
    use super::topics::{
        a_publisher_that_is_killed_tells_a_topic_once, a_topic_has_each_event_once,
    };

    crate::on_both! {
        a_publisher_that_is_killed_tells_a_topic_once,
        a_topic_has_each_event_once,
    }
}

#[cfg(feature = "rabbitmq")]
mod of_rabbitmq {
    use super::exchanges::{
        a_queue_has_each_event_and_those_of_a_payment_in_order, what_no_queue_takes_is_told_again,
    };
    use super::support;

    crate::on_both! {
        a_queue_has_each_event_and_those_of_a_payment_in_order,
        what_no_queue_takes_is_told_again,
    }
}
