//! Only a final block says what happened for good.

use alloy_primitives::B256;
use tidelock_core::{
    abi::Fact,
    domain::{Amount, BatchId, Payment},
    event::{BlockRef, Command, DeathCause, Event, HaltReason, HoldReason, Job, Mode},
    lifecycle::{BatchStatus, PaymentStatus, SlotStatus},
    observe::Block,
    submit::Reply,
};

use crate::{
    bench::{Bench, is_send},
    world::{
        SETTINGS, first_block, foreign_number, foreign_payment, number, one_by_one, paid, payment,
        payment_of, reference, time, transaction,
    },
};

const TTL: u64 = SETTINGS.batch.attempt_ttl_s;

fn deaths(bench: &Bench) -> Vec<DeathCause> {
    let events = bench.events().into_iter();
    let causes = events.filter_map(|event| match event {
        Event::BatchDied { cause, .. } => Some(cause),
        _ => None,
    });
    causes.collect()
}

fn checkpoints(bench: &Bench) -> Vec<BlockRef> {
    let events = bench.events().into_iter();
    let blocks = events.filter_map(|event| match event {
        Event::FinalisedAdvanced { block } => Some(block),
        _ => None,
    });
    blocks.collect()
}

/// A batch that pays some of its payments; its block is final.
fn pay_some(bench: &mut Bench, nonce: u64, mask: u64) {
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    let fact = paid(&bench.live_batch(), mask);
    bench.mine(vec![fact], vec![sent.hash]);
    bench.finalise(nonce + 1);
}

#[test]
fn a_payment_is_paid_when_its_block_is_final_and_not_before() {
    let mut bench = Bench::new();
    let sent = bench.pay([1, 2]);
    let batch = bench.live_batch();
    bench.mine(vec![paid(&batch, 0b11)], vec![sent.hash]);
    bench.mine_quiet(3);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);

    bench.finalise(1);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.status(2), PaymentStatus::Paid);
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Final);
    assert_eq!(bench.slot(0).status, SlotStatus::Consumed);
}

#[test]
fn what_a_fork_said_is_forgotten_with_it() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    bench.fork(1);
    bench.mine_quiet(2);
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
}

#[test]
fn a_final_block_of_another_fork_takes_nothing_in() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    let mut other: Block = bench.tip().clone();
    other.id.hash = B256::repeat_byte(0xee);
    bench.call_final(other.id, 1);
    bench.follow();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    assert_eq!(bench.slot(0).status, SlotStatus::Occupied);
}

#[test]
fn a_node_that_lags_behind_is_not_followed_back() {
    let mut bench = Bench::new();
    bench.mine_quiet(2);
    bench.finalise(0);
    let tip = bench.tip().id;
    bench.call_final(first_block().id, 0);
    bench.mine_quiet(1);
    assert_eq!(
        bench.engine.status().finalised.number,
        first_block().id.number
    );
    assert!(bench.engine.status().tip.number > tip.number);
    assert_eq!(bench.halted(), None);
}

#[test]
fn another_body_under_our_number_is_an_incident() {
    let wrong: [Payment; 3] = [
        payment_of(1, 99),
        Payment::new(payment(2).recipient(), Amount(100), payment(1).reference()).unwrap(),
        Payment::new(payment(1).recipient(), Amount(100), payment(2).reference()).unwrap(),
    ];
    for payment in wrong {
        let mut bench = Bench::new();
        bench.pay([1]);
        bench.mine(vec![foreign_payment(number(0), payment)], Vec::new());
        bench.finalise(0);
        let number = number(0);
        assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
        // The vault pays nothing under that number any more, so the payment has ended, and with it the batch and its nonce.
        assert_eq!(bench.status(1), PaymentStatus::Displaced);
        assert_eq!(bench.batch_of(1).status, BatchStatus::Final);
        bench.resume();
        bench.mine_quiet(5);
        bench.settle();
        assert_eq!(bench.jobs(), [Job::Void]);
    }
}

#[test]
fn what_is_displaced_ends_wherever_it_stands_and_the_rest_of_its_batch_goes_on() {
    for held in [false, true] {
        let mut bench = Bench::new();
        bench.pay([1, 2]);
        bench.mine_after(SETTINGS.batch.attempt_ttl_s, Vec::new(), Vec::new());
        bench.halt();
        bench.finalise(0);
        assert_eq!(bench.status(1), PaymentStatus::Open);
        if held {
            let (reference, note) = (reference(1), "wait".to_owned());
            bench.command(Command::Hold { reference, note });
        }
        bench.mine(
            vec![foreign_payment(number(0), payment_of(9, 1))],
            Vec::new(),
        );
        bench.finalise(0);
        assert_eq!(bench.status(1), PaymentStatus::Displaced);
        bench.restart();
        bench.resume();
        bench.mine_quiet(1);
        bench.settle();
        assert_eq!(bench.status(2), PaymentStatus::Sealed);
        assert_eq!(bench.row(2).number, Some(number(1)));
        let (reference, note) = (reference(1), "go".to_owned());
        bench.command(Command::Release { reference, note });
        assert_eq!(bench.status(1), PaymentStatus::Displaced);
    }
}

#[test]
fn what_is_paid_under_the_number_of_another_is_held() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.vault.halted_until = u64::MAX;
    bench.mine_quiet(1);
    bench.request([2]);
    bench.settle();
    assert_eq!(bench.status(2), PaymentStatus::Open);
    bench.mine(vec![foreign_payment(number(0), payment(2))], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Displaced);
    let number = number(0);
    assert_eq!(
        bench.hold_reason(2),
        Some(HoldReason::PaidElsewhere { number })
    );
}

#[test]
fn an_executed_batch_that_is_not_known_pays_nothing_of_ours() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    let mut unknown = batch.clone();
    unknown.id = BatchId(B256::repeat_byte(0xee));
    bench.mine(vec![paid(&unknown, 1)], Vec::new());
    bench.finalise(1);
    let number = batch.header.first_number;
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn the_right_body_is_paid_whoever_sent_it() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine(vec![foreign_payment(number(0), payment(1))], Vec::new());
    bench.finalise(0);
    assert_eq!(bench.halted(), None);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

#[test]
fn a_number_of_ours_that_was_never_given_out_is_an_incident() {
    for (number, reason) in [
        (
            number(1),
            Some(HaltReason::ForeignNumber { number: number(1) }),
        ),
        (foreign_number(1), None),
    ] {
        let mut bench = Bench::new();
        bench.pay([1]);
        bench.mine(vec![foreign_payment(number, payment(9))], Vec::new());
        bench.finalise(0);
        assert_eq!(bench.halted(), reason);
        assert_eq!(
            bench.count(|event| matches!(event, Event::ForeignSeen { .. })),
            usize::from(reason.is_none())
        );
    }
}

#[test]
fn a_number_of_ours_that_is_paid_twice_is_an_incident() {
    let mut bench = Bench::new();
    bench.request([1]);
    pay_some(&mut bench, 0, 1);
    bench.mine(vec![foreign_payment(number(0), payment(1))], Vec::new());
    bench.finalise(1);
    let number = number(0);
    assert_eq!(bench.halted(), Some(HaltReason::ForeignNumber { number }));
}

#[test]
fn what_expires_is_open_again_once_that_is_final() {
    let mut bench = Bench::new();
    bench.pay([1]);
    let batch = bench.live_batch();
    bench.mine_after(TTL - 1, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    bench.mine_after(1, Vec::new(), Vec::new());
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    bench.finalise(0);
    assert_eq!(bench.status(1), PaymentStatus::Open);
    assert_eq!(bench.batch(batch.id).status, BatchStatus::Dead);
    assert_eq!(deaths(&bench), [DeathCause::Expired]);
    assert_eq!(bench.row(1).number, Some(number(0)));
}

#[test]
fn what_expired_and_was_paid_in_the_same_block_is_paid() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    let fact = paid(&bench.live_batch(), 1);
    bench.mine(vec![fact], vec![sent.hash]);
    bench.mine_after(TTL, Vec::new(), Vec::new());
    bench.finalise(1);
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

#[test]
fn what_a_batch_leaves_behind_is_sealed_again_under_its_number() {
    let mut bench = Bench::new();
    bench.request([1, 2, 3]);
    pay_some(&mut bench, 0, 0b101);
    assert_eq!(deaths(&bench), [DeathCause::Leftover]);
    assert_eq!(bench.status(2), PaymentStatus::Open);
    assert_eq!(bench.status(3), PaymentStatus::Paid);
    bench.settle();
    assert_eq!(bench.batch_of(2).header.first_number, number(1));
    assert_eq!(bench.batch_of(2).payments, [payment(2)]);
}

#[test]
fn what_is_left_behind_too_often_waits_for_a_person() {
    let mut bench = Bench::new();
    bench.request([1, 2, 3]);
    pay_some(&mut bench, 0, 0b001);
    assert_eq!(bench.status(3), PaymentStatus::Open);
    pay_some(&mut bench, 1, 0b01);
    assert_eq!(bench.status(2), PaymentStatus::Paid);
    assert_eq!(bench.hold_reason(3), Some(HoldReason::KeepsFailing));
}

#[test]
fn a_nonce_that_somebody_else_used_is_gone_and_its_payments_are_not() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine(Vec::new(), vec![B256::repeat_byte(0xee)]);
    bench.finalise(1);
    let is_foreign = |event: &Event| {
        matches!(
            event,
            Event::SlotConsumed {
                nonce: 0,
                by: None,
                ..
            }
        )
    };
    assert_eq!(bench.count(is_foreign), 1);
    assert_eq!(bench.status(1), PaymentStatus::Open);
    // Whoever that was has the key.
    let reason = HaltReason::ForeignTransaction { nonce: 0 };
    assert_eq!(bench.halted(), Some(reason));
    bench.resume();
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    assert_eq!(transaction(&sent.raw).nonce, 1);
    assert_eq!(bench.row(1).number, Some(number(0)));
}

#[test]
fn a_nonce_beyond_ours_halts_and_is_passed_when_resumed() {
    let mut bench = Bench::new();
    bench.pay([1]);
    bench.mine_quiet(1);
    bench.finalise(3);
    let (on_chain, next) = (3, 1);
    let reason = HaltReason::ForeignNonce { on_chain, next };
    assert_eq!(bench.halted(), Some(reason));

    bench.resume();
    assert_eq!(bench.halted(), None);
    assert_eq!(bench.jobs()[1..], [Job::Void, Job::Void]);
    bench.mine_quiet(1);
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    assert_eq!(transaction(&sent.raw).nonce, 3);
}

#[test]
fn the_nonce_that_follows_ours_does_not_halt() {
    let mut bench = Bench::new();
    bench.request([1]);
    pay_some(&mut bench, 0, 1);
    assert_eq!(bench.halted(), None);
}

#[test]
fn a_chain_that_lost_a_final_block_halts() {
    let mut bench = Bench::new();
    let sent = bench.pay([1]);
    bench.mine_quiet(1);
    bench.finalise(0);
    let was = bench.tip().id;
    bench.fork(1);
    bench.mine_quiet(2);
    let now = bench.chain[bench.chain.len() - 2].id.hash;
    let reason = HaltReason::FinalityBroken {
        number: was.number,
        was: was.hash,
        now,
    };
    assert_eq!(bench.halted(), Some(reason));
    assert!(bench.engine.status().failure.is_some());
    bench.mine(Vec::new(), vec![sent.hash]);
    assert_eq!(bench.engine.status().tip, was);
}

#[test]
fn after_a_lost_database_it_waits_until_nothing_old_can_land() {
    let start = first_block().id.time.seconds();
    let until = time(start + TTL);
    let reason = HaltReason::Restored { until };
    let mode = Mode::Halted { reason };
    let past = vec![Event::ModeChanged { mode }];
    let mut bench = Bench::opened(SETTINGS, past);
    bench.request([1]);
    let seconds = until.seconds() - 1 - bench.tip().id.time.seconds();
    bench.mine_after(seconds, Vec::new(), Vec::new());
    bench.finalise(0);
    bench.settle();
    assert!(bench.halted().is_some());
    assert_eq!(bench.asked_for(is_send), 0);

    bench.mine_after(1, Vec::new(), Vec::new());
    bench.settle();
    assert!(bench.halted().is_some());
    bench.finalise(0);
    assert_eq!(bench.halted(), None);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 1);
}

fn reopened() -> (Bench, HaltReason) {
    let until = time(first_block().id.time.seconds() + TTL);
    let reason = HaltReason::Reopened { until };
    let mode = Mode::Halted {
        reason: reason.clone(),
    };
    let bench = Bench::opened(SETTINGS, vec![Event::ModeChanged { mode }]);
    (bench, reason)
}

#[test]
fn a_log_that_was_opened_after_a_loss_is_armed_by_a_person_only() {
    let (mut bench, reason) = reopened();
    bench.request([1]);
    bench.mine_after(TTL + 1, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(checkpoints(&bench), [bench.tip().id]); // `keeper restore` waits for it
    bench.settle();
    assert_eq!(bench.halted(), Some(reason));
    assert_eq!(bench.asked_for(is_send), 0);
    bench.resume();
    assert_eq!(bench.halted(), None);
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 1);
}

#[test]
fn a_persons_word_does_not_cut_the_wait_short() {
    let (mut bench, reason) = reopened();
    let HaltReason::Reopened { until } = reason else {
        panic!("{reason:?}");
    };
    bench.request([1]);
    bench.resume();
    assert_eq!(bench.halted(), Some(HaltReason::Restored { until }));
    bench.settle();
    assert_eq!(bench.asked_for(is_send), 0);
    bench.mine_after(TTL + 1, Vec::new(), Vec::new());
    bench.finalise(0);
    assert_eq!(bench.halted(), None);
}

#[test]
fn an_operators_halt_hides_nothing_that_is_graver() {
    let (mut bench, reason) = reopened();
    bench.halt();
    assert_eq!(bench.halted(), Some(reason));

    let mut bench = Bench::new();
    bench.finalise(3);
    let (on_chain, next) = (3, 0);
    let reason = HaltReason::ForeignNonce { on_chain, next };
    bench.halt();
    assert_eq!(bench.halted(), Some(reason));
}

#[test]
fn what_is_graver_is_told_in_place_of_an_operators_halt() {
    let mut bench = Bench::new();
    bench.halt();
    bench.mine_quiet(1);
    bench.finalise(3);
    let (on_chain, next) = (3, 0);
    let reason = HaltReason::ForeignNonce { on_chain, next };
    assert_eq!(bench.halted(), Some(reason.clone()));
    // And stays, whatever comes that weighs no more.
    bench.mine(vec![foreign_payment(number(5), payment(1))], Vec::new());
    bench.finalise(3);
    assert_eq!(bench.halted(), Some(reason));
}

#[test]
fn what_an_operator_halted_no_time_arms() {
    let mut bench = Bench::new();
    bench.halt();
    bench.mine_after(TTL * 10, Vec::new(), Vec::new());
    bench.finalise(0);
    assert!(bench.halted().is_some());
}

#[test]
fn quiet_blocks_are_noted_now_and_then() {
    let mut bench = Bench::new(); // one quiet block
    bench.mine_quiet(30);
    bench.finalise(0);
    assert_eq!(checkpoints(&bench), []);
    bench.mine_quiet(1);
    bench.finalise(0);
    assert_eq!(checkpoints(&bench), [bench.tip().id]);
}

#[test]
fn a_block_that_says_something_is_noted_with_what_it_says() {
    let mut bench = Bench::new();
    bench.request([1]);
    pay_some(&mut bench, 0, 1);
    assert_eq!(checkpoints(&bench), [bench.tip().id]);
    assert_eq!(
        bench.events().last(),
        Some(&Event::FinalisedAdvanced {
            block: bench.tip().id
        })
    );
}

#[test]
fn a_veto_is_a_persons_to_undo() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    bench.mine(vec![Fact::Cancelled { id: batch.id }], Vec::new());
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    bench.finalise(1);
    assert_eq!(deaths(&bench), [DeathCause::Vetoed]);
    assert_eq!(bench.hold_reason(1), Some(HoldReason::Vetoed));
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.jobs().len(), 1);
}

#[test]
fn a_proposal_that_expires_is_proposed_again_under_its_number() {
    let mut bench = Bench::new();
    let batch = bench.propose([1]);
    let life = SETTINGS.batch.proposal_life(u32::MAX);
    bench.mine_after(life, Vec::new(), Vec::new());
    bench.finalise(1);
    assert_eq!(deaths(&bench), [DeathCause::Expired]);
    bench.settle();
    let again = bench.live_batch();
    assert_ne!(again.id, batch.id);
    assert_eq!(again.header.first_number, batch.header.first_number);
}

#[test]
fn while_finality_stands_still_memory_is_bounded_and_nothing_new_is_sent() {
    let mut bench = Bench::new();
    let first = bench.tip().id.number;
    bench.mine_quiet(4_096 + 4);
    let last_seen = bench.engine.status().tip;
    assert_eq!(last_seen.number, first + 4_095);
    bench.request([1]);
    bench.settle();
    assert_eq!(bench.status(1), PaymentStatus::Open);
    let waits = bench.engine.status().waits.join(" ");
    assert!(waits.contains("finality stands still"), "{waits}");

    bench.call_final(last_seen, 0);
    bench.follow();
    bench.settle();
    assert_eq!(bench.engine.status().tip, bench.tip().id);
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
}

#[test]
fn without_the_nonce_a_slot_is_used_up_by_its_own_attempt_only() {
    let mut bench = Bench::with(one_by_one());
    let sent = bench.pay([1]);
    let batch = bench.live_batch();
    bench.pay([2]);
    bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    bench.finalise_without_state();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
    assert_eq!(bench.slot(0).status, SlotStatus::Consumed);
    assert_eq!(bench.slot(1).status, SlotStatus::Occupied);

    let waits = bench.engine.status().waits.join(" ");
    assert!(waits.contains("does not tell the key's nonce"), "{waits}");
    // Somebody else used the second, and another beyond it: known as soon as the node has a state again.
    bench.mine_quiet(1);
    bench.finalise_without_state();
    assert_eq!(bench.slot(1).status, SlotStatus::Occupied);
    assert_eq!(bench.halted(), None);
    bench.mine_quiet(1);
    bench.finalise(3);
    assert_eq!(bench.slot(1).status, SlotStatus::Consumed);
    let (on_chain, next) = (3, 2);
    let reason = HaltReason::ForeignNonce { on_chain, next };
    assert_eq!(bench.halted(), Some(reason));
}
