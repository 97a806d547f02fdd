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

mod document;
mod outbox;
mod publisher;
mod receiver;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

use outbox::{a_cursor_only_goes_on, what_was_not_taken_is_kept};
use refusals::{
    another_log_is_refused, nothing_is_redirected_and_nothing_private_is_reached,
    one_that_never_answers_holds_up_nobody_else,
};
use webhooks::{
    each_event_is_taken_by_libraries_of_others, what_is_killed_loses_nothing,
    what_is_not_taken_is_given_up_listed_and_sent_again,
};

on_both! {
    a_cursor_only_goes_on,
    another_log_is_refused,
    each_event_is_taken_by_libraries_of_others,
    nothing_is_redirected_and_nothing_private_is_reached,
    one_that_never_answers_holds_up_nobody_else,
    what_is_killed_loses_nothing,
    what_is_not_taken_is_given_up_listed_and_sent_again,
    what_was_not_taken_is_kept,
}
