//! Room under a cap and balance: what the vault says, less what is in flight and not part of that yet.

use tidelock_core::{
    domain::Amount,
    lifecycle::PaymentStatus,
    port::{Advice, Effect, ProposalState},
    settings::Settings,
    submit::Reply,
};

use crate::{
    bench::{Bench, is_advise, is_look, is_simulate},
    world::{AMOUNT, one_by_one, paid, payment_of, reference, tier},
};

/// A vault with so much headroom in tier 0.
fn with_headroom(settings: Settings, headroom: u128) -> Bench {
    let mut bench = Bench::with(settings);
    bench.vault.tiers[0].headroom = Amount(headroom);
    bench.mine_quiet(1);
    bench
}

fn sealed(bench: &Bench, ids: impl IntoIterator<Item = u8>) -> Vec<bool> {
    let is_sealed = |id| bench.status(id) == PaymentStatus::Sealed;
    ids.into_iter().map(is_sealed).collect()
}

#[test]
fn what_is_in_flight_counts_against_the_cap() {
    for (headroom, second) in [(2 * AMOUNT - 10, false), (2 * AMOUNT, true)] {
        let mut bench = with_headroom(one_by_one(), headroom);
        bench.request([1, 2]);
        bench.settle();
        assert_eq!(sealed(&bench, 1..=2), [true, second], "{headroom}");
    }
}

#[test]
fn what_the_block_looked_at_includes_is_part_of_its_headroom() {
    for is_included in [false, true] {
        let mut bench = with_headroom(one_by_one(), AMOUNT);
        let sent = bench.pay([1]);
        bench.request([2]);
        let (facts, hashes) = if is_included {
            (vec![paid(&bench.live_batch(), 1)], vec![sent.hash])
        } else {
            (Vec::new(), Vec::new())
        };
        // The vault says that so much may leave still.
        bench.mine(facts, hashes);
        bench.settle();
        assert_eq!(sealed(&bench, [2]), [is_included]);
    }
}

#[test]
fn what_was_included_after_the_block_looked_at_counts() {
    let mut bench = with_headroom(one_by_one(), AMOUNT);
    let sent = bench.pay([1]);
    bench.request([2]);
    bench.mine_quiet(1);
    let look = bench.settle_until(is_look).unwrap();
    bench.mine(vec![paid(&bench.live_batch(), 1)], vec![sent.hash]);
    let simulations = bench.asked_for(is_simulate);
    bench.answer(&look);
    assert_eq!(bench.asked_for(is_simulate), simulations);
    // The block after it has its say.
    bench.vault.tiers[0].headroom = Amount(0);
    bench.settle();
    assert_eq!(sealed(&bench, [2]), [false]);
    bench.vault.tiers[0].headroom = Amount(AMOUNT);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(sealed(&bench, [2]), [true]);
}

#[test]
fn what_is_in_flight_counts_against_the_balance() {
    for (balance, second) in [(2 * AMOUNT - 1, false), (2 * AMOUNT, true)] {
        let mut bench = Bench::with(one_by_one());
        bench.vault.balance = Amount(balance);
        bench.mine_quiet(1);
        bench.request([1, 2]);
        bench.settle();
        assert_eq!(sealed(&bench, 1..=2), [true, second], "{balance}");
    }
}

#[test]
fn sums_in_flight_are_charged_in_whole_units() {
    // The unit is 10: a batch of 95 takes 100 of the cap.
    for (headroom, second) in [(190, false), (200, true)] {
        let mut bench = with_headroom(one_by_one(), headroom);
        for id in 1..=2 {
            bench.store.0.borrow_mut().file_request(payment_of(id, 95));
        }
        bench.settle();
        assert_eq!(sealed(&bench, 1..=2), [true, second], "{headroom}");
    }
}

#[test]
fn what_has_no_room_goes_when_there_is_some() {
    let mut bench = with_headroom(one_by_one(), 0);
    bench.request([1]);
    bench.settle();
    assert_eq!(sealed(&bench, [1]), [false]);
    bench.vault.tiers[0].headroom = Amount(AMOUNT);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(sealed(&bench, [1]), [true]);
}

#[test]
fn a_proposal_takes_no_room_before_it_is_executed() {
    let mut bench = Bench::with(one_by_one());
    bench.vault.tiers[1].headroom = Amount(0);
    bench.vault.balance = Amount(AMOUNT);
    bench.mine_quiet(1);
    bench.advice.insert(reference(1), Advice::Tier(tier(1)));
    bench.request([1]);
    bench.settle();
    bench.send(Reply::Accepted);
    bench.request([2]);
    bench.settle();
    assert_eq!(sealed(&bench, 1..=2), [true, true]);
}

#[test]
fn nothing_is_paid_while_the_vault_is_frozen_or_the_role_is_gone() {
    let now = Bench::new().tip().id.time.seconds() + 12;
    for (halted_until, keeper_until, pays) in [
        (now, now + 1, true),
        (now + 1, now + 1, false),
        (now, now, false),
    ] {
        let mut bench = Bench::new();
        bench.vault.halted_until = halted_until;
        bench.vault.keeper_until = keeper_until;
        bench.mine_quiet(1);
        bench.request([1]);
        bench.settle();
        assert_eq!(sealed(&bench, [1]), [pays]);
        assert_eq!(bench.engine.status().waits.is_empty(), pays);
    }
}

#[test]
fn nothing_is_proposed_without_the_proposers_role() {
    let now = Bench::new().tip().id.time.seconds() + 12;
    for (proposer_until, proposes) in [(now + 1, true), (now, false)] {
        let mut bench = Bench::new();
        bench.vault.proposer_until = proposer_until;
        bench.mine_quiet(1);
        bench.advice.insert(reference(1), Advice::Tier(tier(1)));
        bench.request([1]);
        bench.settle();
        assert_eq!(sealed(&bench, [1]), [proposes]);
    }
}

#[test]
fn the_vault_is_looked_at_in_every_block_while_something_waits() {
    let mut bench = Bench::new();
    bench.vault.balance = Amount(0);
    bench.request([1]);
    bench.settle();
    bench.mine_quiet(1);
    bench.settle();
    let tip = bench.tip().id;
    let looked = |effect: &Effect| matches!(effect, Effect::Look { at, .. } if *at == tip);
    assert_eq!(bench.asked_for(looked), 1);
}

#[test]
fn what_the_vault_said_at_a_block_that_is_gone_is_not_used() {
    let mut bench = Bench::new();
    bench.settle();
    bench.request([1]);
    bench.mine_quiet(1);
    bench.fork(2);
    bench.mine_quiet(3);
    let advise = bench.settle_until(is_advise).unwrap();
    let look = bench.take(is_look);
    bench.answer(&advise);
    assert_eq!(bench.asked_for(is_simulate), 0);
    bench.answer(&look.unwrap());
    bench.settle();
    assert_eq!(sealed(&bench, [1]), [true]);
}

#[test]
fn what_waits_for_room_approvals_or_time_is_said() {
    let mut bench = Bench::new();
    bench.vault.tiers[0].headroom = Amount(AMOUNT - 1);
    bench.mine_quiet(1);
    bench.request([1, 2]);
    bench.settle();
    let waits = bench.engine.status().waits.join("; ");
    assert!(waits.contains("no room now: 2"), "{waits}");

    let batch = bench.propose([3]);
    for (state, words) in [
        (ProposalState::Proposed, "has 1 of 1 approvals"),
        (ProposalState::Queued, "its delay ends at"),
    ] {
        bench.stands(batch.id, state);
        bench.settle();
        let waits = bench.engine.status().waits.join("; ");
        assert!(waits.contains(&format!("{}", batch.id)), "{waits}");
        assert!(waits.contains(words), "{waits}");
    }
}
