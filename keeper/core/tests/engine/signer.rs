//! The signer is not trusted: what it answers is checked, and asked for again.

use alloy_primitives::Address;
use tidelock_core::{
    lifecycle::SlotStatus,
    port::{Effect, Outcome},
};

use crate::{
    bench::{Bench, is_sign},
    world::{key, sign},
};

#[test]
fn a_signature_of_another_key_is_not_used() {
    let mut bench = Bench::new();
    bench.request([1]);
    let effect = bench.settle_until(is_sign).unwrap();
    let Effect::Sign { digest, .. } = &effect else {
        panic!("{effect:?}");
    };
    bench.turn(vec![(effect.key(), Outcome::Signed(sign(2, *digest)))]);
    assert_eq!(bench.slot(0).status, SlotStatus::Reserved);
    let failure = bench.engine.status().failure.unwrap();
    assert!(failure.contains(&Address::from_private_key(&key(2)).to_string()));

    bench.settle();
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
}

#[test]
fn a_signer_that_fails_is_asked_for_the_same_again() {
    let mut bench = Bench::new();
    bench.request([1]);
    let first = bench.settle_until(is_sign).unwrap();
    bench.turn(vec![(first.key(), Outcome::Failed("timeout".to_owned()))]);
    let again = bench.settle_until(is_sign);
    assert_eq!(again, Some(first));
    assert_eq!(bench.jobs().len(), 1);
}
