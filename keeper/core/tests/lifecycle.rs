//! The lifecycles as tables: what is listed is allowed, all else is forbidden, and the documents draw the same tables.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{collections::BTreeMap, path::PathBuf};

use tidelock_core::{
    lifecycle::{AttemptStatus, BatchStatus, PaymentStatus, SlotStatus},
    machine::Machine,
};

/// Every state and every step that a table names.
fn states_and_steps<M: Machine>() -> (Vec<M>, Vec<M::Step>) {
    let mut states = Vec::new();
    let mut steps = Vec::new();
    for edge in M::EDGES {
        for state in edge.from.into_iter().chain([edge.to]) {
            if !states.contains(&state) {
                states.push(state);
            }
        }
        if !steps.contains(&edge.by) {
            steps.push(edge.by);
        }
    }
    (states, steps)
}

fn only_listed_steps_are_allowed<M: Machine>() {
    let (states, steps) = states_and_steps::<M>();
    for state in &states {
        for step in &steps {
            let listed: Vec<M> = M::EDGES
                .iter()
                .filter(|edge| edge.from == Some(*state) && edge.by == *step)
                .map(|edge| edge.to)
                .collect();
            assert!(
                listed.len() <= 1,
                "{}: {step:?} in {state:?} is ambiguous",
                M::NAME
            );
            match (state.after(*step), listed.first()) {
                (Ok(next), Some(expected)) => assert_eq!(next, *expected),
                (Err(error), None) => {
                    let expected = format!(
                        "{}: step {step:?} is not possible in state {state:?}",
                        M::NAME
                    );
                    assert_eq!(error.to_string(), expected);
                }
                (given, _) => panic!("{}: {step:?} in {state:?} gives {given:?}", M::NAME),
            }
        }
    }
}

/// The rows that scripts/diagrams draws. `UPDATE_FIXTURES=1 cargo test` writes them.
fn table_is_that_of_the_documents<M: Machine>() {
    let text = |state: Option<M>| state.map_or("None".to_owned(), |state| format!("{state:?}"));
    let rows: Vec<BTreeMap<&str, String>> = M::EDGES
        .iter()
        .map(|edge| {
            BTreeMap::from([
                ("by", format!("{:?}", edge.by).to_lowercase()),
                ("from", text(edge.from)),
                ("to", text(Some(edge.to))),
                ("when", edge.when.to_owned()),
            ])
        })
        .collect();
    let written = format!("{}\n", serde_json::to_string_pretty(&rows).unwrap());
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../test-fixtures")
        .join(format!("keeper-{}-lifecycle.json", M::NAME));
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&file, &written).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, written, "{} is stale", file.display());
}

fn final_states_are_final<M: Machine>(finals: &[M]) {
    let (states, _) = states_and_steps::<M>();
    let ends: Vec<M> = states
        .into_iter()
        .filter(|state| M::EDGES.iter().all(|edge| edge.from != Some(*state)))
        .collect();
    assert_eq!(ends, finals);
}

#[test]
fn payments() {
    only_listed_steps_are_allowed::<PaymentStatus>();
    table_is_that_of_the_documents::<PaymentStatus>();
    final_states_are_final(&[
        PaymentStatus::Paid,
        PaymentStatus::Rejected,
        PaymentStatus::Cancelled,
        PaymentStatus::Displaced,
    ]);
}

#[test]
fn batches() {
    only_listed_steps_are_allowed::<BatchStatus>();
    table_is_that_of_the_documents::<BatchStatus>();
    final_states_are_final(&[BatchStatus::Final, BatchStatus::Dead]);
}

#[test]
fn slots() {
    only_listed_steps_are_allowed::<SlotStatus>();
    table_is_that_of_the_documents::<SlotStatus>();
    final_states_are_final(&[SlotStatus::Consumed]);
}

#[test]
fn attempts() {
    only_listed_steps_are_allowed::<AttemptStatus>();
    table_is_that_of_the_documents::<AttemptStatus>();
    final_states_are_final(&[AttemptStatus::Consumed, AttemptStatus::Superseded]);
}

#[test]
fn a_payment_that_was_never_in_a_batch_is_not_paid() {
    let into_paid: Vec<_> = PaymentStatus::EDGES
        .iter()
        .filter(|edge| edge.to == PaymentStatus::Paid)
        .map(|edge| edge.from)
        .collect();
    let been_in_a_batch = [
        None, // of an earlier log
        Some(PaymentStatus::Sealed),
        Some(PaymentStatus::Open),
        Some(PaymentStatus::Held),
    ];
    assert_eq!(into_paid, been_in_a_batch);
}
