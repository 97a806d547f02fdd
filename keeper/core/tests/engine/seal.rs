//! Two commits for every transaction: header, numbers and nonce first; then its bytes; then it is sent.

use tidelock_core::{
    domain::Amount,
    event::Event,
    lifecycle::{PaymentStatus, SlotStatus},
    log::LogHead,
    port::Simulation,
    submit::Reply,
};

use alloy_primitives::B256;

use crate::{
    bench::{Bench, is_send, is_sign, is_simulate},
    world::{GWEI, SETTINGS, number, one_by_one, payment, transaction},
};

#[test]
fn numbers_and_nonce_are_stored_before_anything_is_signed() {
    let mut bench = Bench::new();
    bench.request([1, 2]);
    bench.settle_until(is_sign).unwrap();
    let batch = bench.live_batch();
    assert_eq!(batch.payments, [payment(1), payment(2)]);
    assert_eq!(bench.row(1).number, Some(number(0)));
    assert_eq!(bench.row(2).number, Some(number(1)));
    let slot = bench.slot(0);
    assert_eq!(slot.status, SlotStatus::Reserved);
    assert_eq!(slot.job.batch(), Some(batch.id));
    bench.turn(Vec::new());
    assert_eq!(bench.asked_for(is_send), 0);
}

#[test]
fn bytes_are_stored_before_they_are_sent() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    let slot = bench.slot(0);
    assert_eq!(slot.status, SlotStatus::Occupied);
    assert_eq!(
        (slot.attempts[0].hash, &slot.attempts[0].raw),
        (sent.hash, &sent.raw)
    );
    assert_eq!(transaction(&sent.raw).nonce, 0);
    let signed = bench.count(|event| matches!(event, Event::AttemptSigned { .. }));
    assert_eq!(signed, 1);
}

#[test]
fn a_payment_keeps_its_number_for_life() {
    let mut settings = SETTINGS;
    settings.lane.max_unincluded = 3;
    let mut bench = Bench::with(settings);
    bench.pay([1, 2]);
    let first = bench.live_batch();
    bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
    bench.finalise(0);
    bench.request([3]);
    bench.settle();
    println!(
        "{:?} {:?} {:#?}",
        bench.engine.status(),
        bench.row(1),
        bench.events()
    );
    let again = bench.batch_of(1);
    assert_ne!(again.id, first.id);
    assert_eq!(again.header.first_number, number(0));
    assert_eq!(again.payments, first.payments);
    bench.settle();
    assert_eq!(bench.row(3).number, Some(number(2)));
}

#[test]
fn a_header_commits_to_the_log_as_it_was_stored() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let sealed = bench.events().into_iter().find_map(|event| match event {
        Event::BatchSealed { anchor, batch, .. } => Some((anchor, batch)),
        _ => None,
    });
    let (anchor, batch) = sealed.unwrap();
    let tables = bench.store.0.borrow();
    let entry = tables.entries.iter().find(|entry| entry.seq == anchor);
    let head = entry.unwrap().head();
    assert_eq!(batch.context, head.context(B256::ZERO));
    // Everything that led to it is covered: only its own sealing follows.
    let next = &tables.entries[usize::try_from(anchor).unwrap()];
    assert_eq!(next.kind, "batch_sealed");
    assert_ne!(head, LogHead::EMPTY);
}

#[test]
fn a_header_lives_as_long_as_the_operator_says() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let expires_at = bench.live_batch().header.expires_at.seconds();
    let life = expires_at - bench.tip().id.time.seconds();
    assert_eq!(life, SETTINGS.batch.attempt_ttl_s);
}

#[test]
fn no_more_than_a_few_transactions_are_in_no_block() {
    let mut bench = Bench::new();
    bench.request(1..=9);
    bench.settle();
    assert_eq!(bench.jobs().len(), SETTINGS.lane.max_unincluded);
    assert_eq!(bench.status(7), PaymentStatus::Open);

    let first = bench.send(Reply::Accepted).unwrap();
    bench.mine(Vec::new(), vec![first.hash]);
    bench.settle();
    assert_eq!(bench.jobs().len(), 3);
    assert_eq!(bench.status(7), PaymentStatus::Sealed);
}

#[test]
fn only_one_nonce_waits_for_its_signature() {
    let mut bench = Bench::with(one_by_one());
    bench.request([1, 2]);
    let sign = bench.settle_until(is_sign).unwrap();
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(bench.jobs().len(), 1);
    assert_eq!(bench.asked_for(is_simulate), 1);

    bench.answer(&sign);
    bench.settle();
    assert_eq!(bench.jobs().len(), 2);
}

#[test]
fn too_much_gas_makes_smaller_batches() {
    let mut bench = Bench::new();
    bench.gas_per_payment = 8_000_000; // two payments are just not too much
    bench.request([1, 2, 3]);
    bench.settle();
    assert_eq!(bench.batch_of(1).payments, [payment(1), payment(2)]);
    assert_eq!(bench.batch_of(3).payments, [payment(3)]);
}

/// Ten payments have 12.7 of the block's 30 million gas: two such batches fill it badly, three of seven payments well.
#[test]
fn batches_are_cut_so_that_a_whole_number_of_them_fills_a_block() {
    let mut settings = one_by_one();
    settings.batch.max_payments = 10;
    let mut bench = Bench::with(settings);
    bench.gas_per_payment = 1_250_000;
    bench.vault.tiers[0].headroom = Amount(10_000);
    bench.request(1..=24);
    bench.settle();
    let sizes = [1, 11, 18].map(|id| bench.batch_of(id).payments.len());
    assert_eq!(sizes, [10, 7, 7]);
}

#[test]
fn a_little_more_gas_than_was_simulated_but_never_more_than_allowed() {
    for (gas, limit) in [
        (100_000, 100_000 + 1_563 + 20_000),
        (15_999_999, SETTINGS.transaction_gas.osaka),
        (
            SETTINGS.transaction_gas.osaka,
            SETTINGS.transaction_gas.osaka,
        ),
    ] {
        let mut bench = Bench::new();
        bench.gas_per_payment = gas;
        let sent = bench.pay([1]);
        assert_eq!(transaction(&sent.raw).gas_limit, limit);
    }
}

#[test]
fn above_the_fee_cap_nothing_is_sealed_until_it_falls() {
    let mut bench = Bench::new();
    bench.base_fee = SETTINGS.fees.max_fee;
    bench.mine_quiet(1);
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.asked_for(is_simulate), 0);
    let waits = bench.engine.status().waits;
    assert!(waits.iter().any(|why| why.contains("max_fee")), "{waits:?}");

    bench.base_fee = GWEI;
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert!(bench.send(Reply::Accepted).is_some());
}

#[test]
fn one_that_only_observes_says_what_it_would_do() {
    let mut settings = SETTINGS;
    settings.sends = false;
    let mut bench = Bench::with(settings);
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.jobs(), []);
    let waits = bench.engine.status().waits;
    assert!(
        waits.iter().any(|why| why.contains("would send Pay")),
        "{waits:?}"
    );
}

#[test]
fn an_answer_about_a_block_that_is_gone_seals_nothing() {
    let mut bench = Bench::new();
    bench.request([1]);
    let simulate = bench.settle_until(is_simulate).unwrap();
    bench.fork(1);
    bench.mine_quiet(2);
    bench.answer(&simulate);
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.jobs(), []);
}

#[test]
fn an_answer_that_is_none_of_the_vault_seals_nothing() {
    let mut bench = Bench::new();
    bench.simulation = Some(Simulation::Succeeds {
        returned: Default::default(),
        gas: 100_000,
    });
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.jobs(), []);
}

#[test]
fn it_works_where_every_block_is_final_at_once() {
    let mut bench = Bench::new();
    bench.finalise(0);
    bench.request([1]);
    bench.settle();
    assert!(bench.send(Reply::Accepted).is_some());
}
