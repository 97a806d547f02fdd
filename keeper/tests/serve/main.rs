//! `keeper serve` as integrators meet it: the real binary, on both databases, beside a real keeper on a real chain.

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

mod act_chain;
mod acts;
mod api;
mod chain;
mod changes;
mod clients;
#[path = "../keeper/daemon.rs"]
#[allow(dead_code, reason = "not every test uses all that a daemon can")]
mod daemon;
mod doors;
mod events;
mod keys;
#[path = "../chain/liar.rs"]
#[allow(dead_code, reason = "here it tells the truth, or nothing")]
mod liar;
mod lookout;
mod made_keys;
mod metadata;
mod people;
mod refusals;
#[cfg(feature = "xlsx")]
mod sheets;
#[cfg(feature = "oidc")]
mod sign_in;
mod slow;
mod soak;
mod stolen;
#[path = "../support/mod.rs"]
mod support;
mod tried;
mod vault;
mod votes;
mod withdrawals;
#[path = "../world/mod.rs"]
mod world;

use act_chain::acts_and_the_log_are_held_to_their_hashes;
use acts::{
    what_is_confirmed_is_what_stood_when_it_was_asked_for, what_lets_money_flow_takes_two_people,
};
use doors::a_key_is_refused_from_elsewhere;
use events::{
    a_socket_tells_the_same_and_ends_with_its_key_and_with_the_server,
    a_stream_goes_on_where_it_broke_off_and_ends_with_the_server,
    events_have_no_gaps_and_no_secrets,
};
use keys::what_a_key_may_do_is_what_it_was_made_for;
use made_keys::{
    a_key_is_made_by_two_people_and_ended_by_one, what_was_refused_or_came_too_late_waits_no_more,
    whoever_asked_for_a_key_is_not_two_people_with_it,
};
use metadata::metadata_stays_beside_the_log_and_can_be_forgotten;
use slow::{
    a_reader_that_takes_nothing_is_cut_off_and_goes_on_without_a_gap,
    streams_end_when_the_server_does_also_those_that_nobody_reads,
};
use soak::{nothing_is_lost_and_nothing_is_there_twice, what_is_lost_or_there_twice_is_found};
use tidelock_core::lifecycle::PaymentStatus;
use tried::the_document_holds_for_whatever_is_asked;
use withdrawals::{
    a_list_is_filed_as_a_whole_and_once, a_list_with_a_bad_line_is_not_filed,
    a_request_is_durable_before_it_is_answered, of_many_at_once_one_is_filed, pages_show_each_once,
};

/// What becomes of what is filed.
const PAID: PaymentStatus = PaymentStatus::Paid;

on_both! {
    nothing_is_lost_and_nothing_is_there_twice,
    what_is_lost_or_there_twice_is_found,
    a_socket_tells_the_same_and_ends_with_its_key_and_with_the_server,
    a_key_is_made_by_two_people_and_ended_by_one,
    a_key_is_refused_from_elsewhere,
    acts_and_the_log_are_held_to_their_hashes,
    metadata_stays_beside_the_log_and_can_be_forgotten,
    what_is_confirmed_is_what_stood_when_it_was_asked_for,
    what_lets_money_flow_takes_two_people,
    what_was_refused_or_came_too_late_waits_no_more,
    whoever_asked_for_a_key_is_not_two_people_with_it,
    a_list_is_filed_as_a_whole_and_once,
    a_list_with_a_bad_line_is_not_filed,
    a_reader_that_takes_nothing_is_cut_off_and_goes_on_without_a_gap,
    streams_end_when_the_server_does_also_those_that_nobody_reads,
    a_request_is_durable_before_it_is_answered,
    a_stream_goes_on_where_it_broke_off_and_ends_with_the_server,
    events_have_no_gaps_and_no_secrets,
    of_many_at_once_one_is_filed,
    pages_show_each_once,
    the_document_holds_for_whatever_is_asked,
    what_a_key_may_do_is_what_it_was_made_for,
}
