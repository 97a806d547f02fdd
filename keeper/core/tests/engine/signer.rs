//! The signer is not trusted: what it answers is checked, and asked for again.

use alloy_primitives::{Address, keccak256};
use tidelock_core::{
    lifecycle::SlotStatus,
    port::{Effect, Key, Outcome},
};

use crate::{
    bench::{Bench, is_sign},
    world::{key, sign},
};

/// Whether the keeper says that its key does not sign.
fn is_said(bench: &Bench) -> bool {
    let waits = bench.engine.status().waits;
    waits
        .iter()
        .any(|wait| wait.starts_with("the key has not signed: "))
}

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
    assert!(is_said(&bench));
    assert!(failure.contains(&Address::from_private_key(&key(2)).to_string()));

    bench.settle();
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
    assert!(!is_said(&bench));
}

#[test]
fn a_signer_that_fails_is_asked_for_the_same_again() {
    let mut bench = Bench::new();
    bench.request([1]);
    let first = bench.settle_until(is_sign).unwrap();
    bench.turn(vec![(first.key(), Outcome::Failed("timeout".to_owned()))]);
    assert!(is_said(&bench));
    let again = bench.settle_until(is_sign);
    assert!(
        is_said(&bench),
        "until there is a signature, whatever else is answered"
    );
    assert_eq!(again, Some(first));
    assert_eq!(bench.jobs().len(), 1);
    let Some(Effect::Sign { nonce, digest, .. }) = again else {
        panic!("{again:?}");
    };
    let signed = Outcome::Signed(sign(1, digest));
    bench.turn(vec![(Key::Sign(nonce), signed)]);
    assert!(!is_said(&bench));
}

#[test]
fn what_is_signed_is_the_hash_of_what_travels_with_it() {
    let mut bench = Bench::new();
    bench.request([1]);
    let Some(Effect::Sign {
        digest, preimage, ..
    }) = bench.settle_until(is_sign)
    else {
        panic!("nothing to sign");
    };
    assert_eq!(keccak256(preimage), digest);
}
