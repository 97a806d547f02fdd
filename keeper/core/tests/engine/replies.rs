//! What a node answers to a transaction steers when it is sent again, and nothing else.

use tidelock_core::{
    lifecycle::{PaymentStatus, SlotStatus},
    port::Outcome,
    submit::{RefusalClass, Reply},
};

use crate::{
    bench::{Bench, is_send},
    world::paid,
};

const REPLIES: [Reply; 10] = [
    Reply::Accepted,
    Reply::Known,
    Reply::Ambiguous,
    Reply::Refused(RefusalClass::NonceTooLow),
    Reply::Refused(RefusalClass::NonceTooHigh),
    Reply::Refused(RefusalClass::Underpriced),
    Reply::Refused(RefusalClass::FeeTooLow),
    Reply::Refused(RefusalClass::InsufficientFunds),
    Reply::Refused(RefusalClass::GasLimit),
    Reply::Refused(RefusalClass::PoolFull),
];

#[test]
fn no_reply_decides_anything() {
    for reply in REPLIES {
        let mut bench = Bench::new();
        bench.request([1]);
        bench.settle();
        let before = bench.events();
        let sent = bench.send(reply).unwrap();
        bench.settle();
        assert_eq!(bench.events(), before, "{reply:?}");
        assert_eq!(bench.status(1), PaymentStatus::Sealed, "{reply:?}");
        let slot = bench.slot(0);
        assert_eq!(slot.status, SlotStatus::Occupied, "{reply:?}");
        assert_eq!(slot.attempts[0].hash, sent.hash, "{reply:?}");
        assert_eq!(bench.engine.state().next_nonce(), 1, "{reply:?}");
    }
}

#[test]
fn whatever_the_reply_was_a_block_decides() {
    for reply in REPLIES {
        let mut bench = Bench::new();
        bench.request([1]);
        bench.settle();
        let sent = bench.send(reply).unwrap();
        bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
        bench.finalise(1);
        assert_eq!(bench.status(1), PaymentStatus::Paid, "{reply:?}");
        assert_eq!(bench.slot(0).status, SlotStatus::Consumed, "{reply:?}");
    }
}

#[test]
fn an_unclear_answer_sends_the_same_bytes_again_at_once() {
    let failed = Outcome::Failed("connection reset".to_owned());
    for outcome in [Outcome::Sent(Reply::Ambiguous), failed] {
        let mut bench = Bench::new();
        bench.request([1]);
        bench.settle();
        let send = bench.take(is_send).unwrap();
        bench.turn(vec![(send.key(), outcome)]);
        bench.turn(Vec::new());
        assert_eq!(bench.take(is_send), Some(send));
    }
}

#[test]
fn a_clear_answer_is_not_asked_for_again_in_the_same_block() {
    for reply in REPLIES {
        if reply == Reply::Ambiguous {
            continue;
        }
        let mut bench = Bench::new();
        bench.request([1]);
        bench.settle();
        bench.send(reply);
        bench.settle();
        assert_eq!(bench.take(is_send), None, "{reply:?}");
    }
}

#[test]
fn a_refusal_is_shown_until_the_next_answer() {
    let mut bench = Bench::new();
    bench.request([1]);
    bench.settle();
    bench.send(Reply::Refused(RefusalClass::InsufficientFunds));
    let failure = bench.engine.status().failure.unwrap();
    assert!(failure.contains("InsufficientFunds"), "{failure}");
    bench.mine_quiet(1);
    assert_eq!(bench.engine.status().failure, None);
}
