//! Another key: the old one's nonces end before the new one sends.

use alloy_primitives::Address;
use tidelock_core::{
    engine::{EngineError, JournalError, change_key},
    event::Event,
    lifecycle::{PaymentStatus, SlotStatus},
    port::{Effect, Key, Outcome},
};

use crate::{
    bench::{Bench, is_send, is_sign, is_simulate},
    world::{key, paid, sign},
};

/// The new key's first nonce: it was used before.
const FIRST: u64 = 40;

fn next_keeper() -> Address {
    Address::from_private_key(&key(2))
}

#[test]
fn a_key_that_retires_sees_its_nonces_through_and_takes_no_new_one() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.engine.retire_key();
    assert!(!bench.engine.is_drained());
    bench.request([2]);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.status(2), PaymentStatus::Open);
    let waits = bench.engine.status().waits;
    assert!(
        waits
            .iter()
            .any(|wait| wait.starts_with("the key retires: 1 nonces")),
        "{waits:?}"
    );

    let batch = bench.live_batch();
    bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    assert!(!bench.engine.is_drained(), "in a block, but not final");
    bench.finalise(1);
    assert!(bench.engine.is_drained());
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.status(2), PaymentStatus::Open);
    assert_eq!(
        bench.count(|event| matches!(event, Event::SlotReserved { .. })),
        1
    );
}

/// Its answer comes after the key was told to retire.
#[test]
fn what_is_being_simulated_takes_no_nonce_of_a_key_that_retires() {
    let mut bench = Bench::new();
    bench.request([1]);
    let simulate = bench.settle_until(is_simulate).unwrap();
    bench.engine.retire_key();
    assert!(bench.engine.is_drained());
    bench.answer(&simulate);
    bench.mine_quiet(1);
    bench.settle();
    assert!(bench.engine.is_drained());
    assert_eq!(bench.status(1), PaymentStatus::Open);
}

#[test]
fn a_stuck_transaction_of_a_key_that_retires_is_replaced_as_ever() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.engine.retire_key();
    bench.mine_quiet(5);
    bench.settle();
    assert_eq!(bench.slot(0).attempts.len(), 2);
    assert!(bench.take(is_send).is_some());
}

#[test]
fn no_other_key_sends_before_every_nonce_is_used_up() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let refused = change_key(&mut bench.store.clone(), next_keeper(), FIRST);
    let Err(EngineError::Journal(JournalError::Contradiction { source: error, .. })) = refused
    else {
        panic!("{refused:?}");
    };
    let expected = "nonce 0: must be used up before another key sends";
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        bench.engine.state().opening().keeper,
        Address::from_private_key(&key(1))
    );
}

#[test]
fn the_next_key_goes_on_where_the_old_one_ended() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.engine.retire_key();
    bench.request([2]);
    let batch = bench.live_batch();
    bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    bench.finalise(1);

    change_key(&mut bench.store.clone(), next_keeper(), FIRST).unwrap();
    bench.store.0.borrow_mut().slots.clear(); // as the store does
    bench.call_final(bench.tip().id, FIRST);
    bench.restart();
    let opening = *bench.engine.state().opening();
    assert_eq!(
        (opening.keeper, opening.first_nonce),
        (next_keeper(), FIRST)
    );
    bench.mine_quiet(1);
    let Some(Effect::Sign { nonce, digest, .. }) = bench.settle_until(is_sign) else {
        panic!("the open payment is not signed for");
    };
    assert_eq!(nonce, FIRST);
    bench.turn(vec![(Key::Sign(nonce), Outcome::Signed(sign(2, digest)))]);
    assert_eq!(bench.slot(FIRST).status, SlotStatus::Occupied);
    assert_eq!(bench.halted(), None);
}

#[test]
fn a_role_that_ends_is_announced_thirty_seven_and_one_day_before() {
    const DAY: u64 = 86_400;
    for (left, expected) in [
        (30 * DAY + 1, None),
        (30 * DAY, Some("within 30 days")),
        (7 * DAY + 1, Some("within 30 days")),
        (7 * DAY, Some("within 7 days")),
        (DAY + 1, Some("within 7 days")),
        (DAY, Some("within 1 day,")),
        (1, Some("within 1 day,")),
        (0, None),
    ] {
        let mut bench = Bench::new();
        bench.vault.keeper_until = bench.tip().id.time.seconds() + left;
        bench.follow();
        bench.settle();
        let alerts = bench.engine.status().alerts;
        let said = alerts.first().map(String::as_str);
        match expected {
            Some(words) => assert!(said.unwrap().contains(words), "{left}: {alerts:?}"),
            None => assert_eq!(said, None, "{left}"),
        }
    }
}
