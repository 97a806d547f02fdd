//! A transaction of the keeper's that a block holds and that did nothing is told of, with its cause.

use alloy_primitives::Bytes;
use tidelock_core::{
    abi::Revert,
    event::Event,
    lifecycle::PaymentStatus,
    port::{Effect, Outcome, Simulation},
};

use crate::{
    bench::{Bench, Sent, is_replay},
    world::{paid, proposed, transaction},
};

/// A transaction that pays, in a block in which the vault says nothing.
fn reverted() -> (Bench, Sent) {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(Vec::new(), vec![sent.hash]);
    (bench, sent)
}

fn answer(bench: &mut Bench, again: Simulation) {
    let effect = bench.settle_until(is_replay).unwrap();
    bench.turn(vec![(effect.key(), Outcome::Simulated(again))]);
}

fn alert(bench: &Bench) -> String {
    let alerts = bench.engine.status().alerts;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    alerts[0].clone()
}

/// Whether the nonces that are used up were used up by transactions that reverted.
fn logged(bench: &Bench) -> Vec<bool> {
    let events = bench.events().into_iter();
    let reverted = events.filter_map(|event| match event {
        Event::SlotConsumed { reverted, .. } => Some(reverted),
        _ => None,
    });
    reverted.collect()
}

#[test]
fn it_is_an_alert_with_its_cause_and_an_entry_of_the_log() {
    let (mut bench, sent) = reverted();
    assert!(alert(&bench).contains(&sent.hash.to_string()));
    assert!(alert(&bench).contains("why is not known yet"));
    let limit = transaction(&sent.raw).gas_limit;
    let Some(Effect::Replay {
        at,
        data,
        gas_limit,
        ..
    }) = bench.settle_until(is_replay)
    else {
        panic!("the cause is not asked for");
    };
    assert_eq!((at, gas_limit), (bench.tip().id, limit));
    assert_eq!(data, transaction(&sent.raw).input);

    let (mut bench, sent) = reverted();
    let frozen = Simulation::Reverts(Revert::Frozen);
    answer(&mut bench, frozen);
    assert!(alert(&bench).contains("the vault refuses it: Frozen"));
    bench.settle();
    assert_eq!(bench.asked_for(is_replay), 1);
    assert_eq!(bench.engine.status().reverted, 1);
    bench.finalise(1);
    assert_eq!(logged(&bench), [true]);
    assert!(alert(&bench).contains(&sent.hash.to_string()));
    // It is paid by another transaction all the same.
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.slot(1).attempts.len(), 1);
}

#[test]
fn too_little_gas_is_a_cause() {
    let (mut bench, sent) = reverted();
    let limit = transaction(&sent.raw).gas_limit;
    let returned = Bytes::new();
    let gas = limit + 1;
    answer(&mut bench, Simulation::Succeeds { returned, gas });
    let words = format!("it needs {gas} gas, and had a limit of {limit}");
    assert!(alert(&bench).contains(&words), "{}", alert(&bench));
}

#[test]
fn what_did_its_job_is_none() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.settle();
    bench.finalise(1);
    let batch = bench.propose([2]);
    bench.mine(vec![proposed(&batch)], Vec::new());
    bench.settle();
    assert_eq!(bench.asked_for(is_replay), 0);
    assert_eq!(bench.engine.status().alerts, [""; 0]);
    assert_eq!(logged(&bench), [false, false]);
}

#[test]
fn what_a_reorganisation_takes_back_did_not_revert() {
    let (mut bench, sent) = reverted();
    bench.fork(1);
    bench.mine_quiet(2);
    assert_eq!(bench.engine.status().alerts, [""; 0]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.finalise(1);
    assert_eq!(logged(&bench), [false]);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

/// A block that was dropped held it, and the one in its place does.
#[test]
fn it_is_counted_once_whichever_block_holds_it() {
    let (mut bench, sent) = reverted();
    bench.fork(1);
    bench.mine(Vec::new(), vec![sent.hash]);
    bench.mine_quiet(1);
    alert(&bench);
    assert_eq!(bench.engine.status().reverted, 1);
    bench.finalise(1);
    alert(&bench);
    assert_eq!(bench.engine.status().reverted, 1);
}

#[test]
fn it_is_told_for_a_day() {
    let (mut bench, _) = reverted();
    bench.mine_after(86_399, Vec::new(), Vec::new());
    alert(&bench);
    bench.mine_after(1, Vec::new(), Vec::new());
    assert_eq!(bench.engine.status().alerts, [""; 0]);
}
