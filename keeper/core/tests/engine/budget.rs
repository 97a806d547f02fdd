//! A day's budget for gas: what was paid and what is under way stay within it, whatever is replaced and whenever the process dies.

use tidelock_core::{
    engine::Budget,
    event::{Cost, Event},
    lifecycle::PaymentStatus,
    port::{Effect, Key, Outcome},
    settings::Settings,
    submit::{Call, RefusalClass, Reply},
};

use crate::{
    bench::{Bench, Sent, is_look},
    world::{GWEI, SETTINGS, paid},
};

const DAY: u64 = 86_400;
/// As the settings have it.
const REPLACE: usize = 5;

fn with(budget: u128) -> Bench {
    Bench::with(Settings {
        max_gas_cost_per_day: Some(budget),
        ..SETTINGS
    })
}

/// The most that a payment alone may cost by its first transaction, as this world is.
fn one() -> u128 {
    let mut bench = Bench::new();
    bench.pay([1]);
    most(&bench, 0)
}

/// The most that what is signed with a nonce may cost.
fn most(bench: &Bench, nonce: u64) -> u128 {
    let attempts = bench.slot(nonce).attempts.into_iter();
    let each = attempts.map(|attempt| {
        let gas = Call::read(&attempt.raw).unwrap().gas_limit;
        u128::from(gas) * attempt.fees.max_fee
    });
    each.max().unwrap()
}

/// What is under way is paid, by a final block.
fn finalise(bench: &mut Bench, sent: &Sent, nonce: u64) {
    let batch = bench.live_batch();
    bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    bench.finalise(nonce + 1);
}

fn costs(bench: &Bench) -> Vec<Cost> {
    let cost = |event| match event {
        Event::SlotConsumed { cost, .. } => cost,
        _ => None,
    };
    bench.events().into_iter().filter_map(cost).collect()
}

fn budget(bench: &Bench) -> Budget {
    bench.engine.status().figures.budget.unwrap()
}

fn waits(bench: &Bench) -> bool {
    let waits = bench.engine.status().waits;
    let words = "the day's budget for gas: of ";
    waits.iter().any(|wait| wait.starts_with(words))
}

/// It is not sent, and that is said.
fn is_held(bench: &mut Bench, id: u8) {
    bench.settle();
    assert_eq!(bench.send(Reply::Accepted), None, "{id}");
    assert_eq!(bench.status(id), PaymentStatus::Open, "{id}");
    assert!(waits(bench), "{:?}", bench.engine.status().waits);
}

#[test]
fn what_is_under_way_counts_at_its_most() {
    let mut bench = with(2 * one() - 1);
    let first = bench.pay([1]);
    assert_eq!(budget(&bench).under_way, one());
    bench.request([2]);
    is_held(&mut bench, 2);
    // Once it is final it counts for what it cost, which is less.
    finalise(&mut bench, &first, 0);
    bench.settle();
    let second = bench.send(Reply::Accepted).unwrap();
    assert!(!waits(&bench));
    let cost = costs(&bench)[0].wei;
    assert!(0 < cost && cost < one(), "{cost}");
    let now = budget(&bench);
    assert_eq!((now.spent, now.under_way), (cost, one()));
    assert!(now.spent + now.under_way <= now.most);
    finalise(&mut bench, &second, 1);
    assert_eq!(budget(&bench).spent, 2 * cost);
}

#[test]
fn a_day_later_there_is_room_again_and_a_restart_changes_nothing() {
    let mut bench = with(one());
    let first = bench.pay([1]);
    finalise(&mut bench, &first, 0);
    let paid_at = costs(&bench)[0].time.seconds();
    bench.request([2]);
    is_held(&mut bench, 2);
    let before = budget(&bench);
    bench.restart();
    assert_eq!(budget(&bench), before);
    bench.mine_quiet(1);
    is_held(&mut bench, 2);

    let left = paid_at + DAY - bench.tip().id.time.seconds();
    bench.mine_after(left - 1, Vec::new(), Vec::new());
    bench.finalise(1);
    is_held(&mut bench, 2);
    bench.restart();
    assert_eq!(budget(&bench), before);
    bench.mine_after(1, Vec::new(), Vec::new());
    bench.finalise(1);
    bench.settle();
    assert!(bench.send(Reply::Accepted).is_some());
    assert_eq!(budget(&bench).spent, 0);
    bench.restart();
    bench.look();
    bench.follow();
    assert_eq!(budget(&bench).spent, 0);
}

/// A replacement costs more than what it replaces, by its terms.
#[test]
fn a_replacement_fits_the_budget_or_is_not_made() {
    for (budgeted, attempts) in [(one(), 1), (2 * one(), 7)] {
        let mut bench = with(budgeted);
        bench.pay([1]);
        for _ in 0..20 {
            bench.mine_quiet(REPLACE);
            bench.settle();
            bench.send(Reply::Accepted);
            let now = budget(&bench);
            assert!(now.under_way <= now.most, "{now:?}");
        }
        let made = bench.slot(0).attempts.len();
        assert!(made >= attempts && (made == 1) == (attempts == 1), "{made}");
        assert!(waits(&bench), "{:?}", bench.engine.status().waits);
        assert!(
            bench
                .slot(0)
                .attempts
                .iter()
                .all(|a| a.fees.max_fee < 100 * GWEI)
        );
    }
}

/// Three payments go by themselves if a day's budget does not pay for them together.
#[test]
fn a_batch_is_cut_to_what_a_day_pays_for() {
    let mut bench = with(2 * one());
    bench.request([1, 2, 3]);
    bench.settle();
    assert!(
        bench.send(Reply::Accepted).is_some(),
        "{:?}",
        bench.engine.status().waits
    );
    assert!(budget(&bench).under_way <= 2 * one());
}

/// Data that a rollup takes beside gas is part of it: twice while it is under way, once when it is paid.
#[test]
fn data_counts_beside_gas() {
    let data = one() / 4;
    let mut bench = with(3 * one());
    bench.vault.data_fee = Some(data);
    let first = bench.pay([1]);
    assert_eq!(budget(&bench).under_way, one() + 2 * data);
    finalise(&mut bench, &first, 0);
    let spent = budget(&bench).spent;
    assert_eq!(spent, costs(&bench)[0].wei);
    assert!(data < spent && spent < one() + data, "{spent}");
    // With what it may cost, data would take this one beyond the budget.
    bench.vault.data_fee = Some(one());
    bench.mine_quiet(1);
    bench.request([2]);
    is_held(&mut bench, 2);
}

/// A start that finds the nonce used up has not seen yet what data costs.
#[test]
fn what_is_final_before_the_first_look_has_its_data() {
    let cost_with = |data: Option<u128>| {
        let mut bench = with(10 * one());
        bench.vault.data_fee = data;
        let sent = bench.pay([1]);
        let batch = bench.live_batch();
        bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
        bench.call_final(bench.tip().id, 1);
        bench.restart();
        bench.settle();
        bench.follow();
        assert_eq!(bench.status(1), PaymentStatus::Paid);
        costs(&bench)[0].wei
    };
    let data = one() / 4;
    assert_eq!(cost_with(Some(data)), cost_with(None) + data);
}

/// It waits for the first look no longer than until that has failed.
#[test]
fn a_first_look_that_fails_holds_nothing_up() {
    let mut bench = with(10 * one());
    let sent = bench.pay([1]);
    let batch = bench.live_batch();
    bench.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    bench.call_final(bench.tip().id, 1);
    bench.restart();
    assert_eq!(bench.status(1), PaymentStatus::Sealed);
    let look = bench.take(|effect| effect.key() == Key::Look).unwrap();
    let failed = Outcome::Failed("no answer".to_owned());
    bench.turn(vec![(look.key(), failed)]);
    bench.follow();
    assert_eq!(bench.status(1), PaymentStatus::Paid);
}

/// A node without old states refuses looks at the blocks that were missed, and tells what data costs at the end of them.
#[test]
fn a_first_look_at_an_old_block_is_not_the_last_word() {
    let cost_with = |data: Option<u128>| {
        let mut bench = with(10 * one());
        bench.vault.data_fee = data;
        let sent = bench.pay([1]);
        let batch = bench.live_batch();
        bench.mine_unseen(1);
        let block = bench.chain.last_mut().unwrap();
        (block.facts, block.transactions) = (vec![paid(&batch, 1)], vec![sent.hash]);
        bench.call_final(bench.tip().id, 1);
        bench.mine_unseen(100); // more than one answer holds
        bench.restart();
        let look = bench.take(is_look).unwrap();
        let newest = bench.tip().id;
        assert!(matches!(&look, Effect::Look { at, .. } if at.number < newest.number));
        bench.turn(vec![(
            look.key(),
            Outcome::Failed("no such state".to_owned()),
        )]);
        bench.follow();
        assert_eq!(bench.status(1), PaymentStatus::Sealed);
        bench.wait(60_000);
        bench.settle();
        bench.follow();
        assert_eq!(bench.status(1), PaymentStatus::Paid);
        costs(&bench)[0].wei
    };
    let data = one() / 4;
    assert_eq!(cost_with(Some(data)), cost_with(None) + data);
}

/// Where the node's own cap is known too, what binds is what is named.
#[test]
fn the_budget_is_named_where_it_binds() {
    let dear = |budget: Option<u128>| {
        let mut settings = SETTINGS;
        settings.fees.max_fee = 400 * GWEI;
        settings.batch.max_payments = 1;
        settings.max_gas_cost_per_day = budget;
        let mut bench = Bench::with(settings);
        bench.gas_per_payment = 10_000_000;
        bench.base_fee = 40 * GWEI;
        bench.mine_quiet(1);
        bench.request([1]);
        bench.settle();
        bench
    };
    let just_one = most(&dear(None), 0);
    let mut bench = dear(Some(just_one));
    let refusal = Reply::Refused(RefusalClass::AboveNodesFeeCap);
    bench.send(refusal).unwrap();
    bench.mine_quiet(1);
    bench.settle();
    let sent = bench.send(Reply::Accepted).unwrap();
    finalise(&mut bench, &sent, 0);
    bench.base_fee = 60 * GWEI;
    bench.mine_after(DAY, Vec::new(), Vec::new());
    bench.finalise(1);
    bench.request([2]);
    bench.settle();
    let waits = bench.engine.status().waits;
    let words = "a day's budget for gas pays for at most ";
    assert!(
        waits.iter().any(|wait| wait.starts_with(words)),
        "{waits:?}"
    );
}

/// Entries of before costs were kept count for nothing.
#[test]
fn an_old_entry_is_read_and_its_cost_is_not_known() {
    let old = r#"{"kind":"slot_consumed","nonce":7,"by":null,"block":9}"#;
    let event: Event = serde_json::from_str(old).unwrap();
    assert!(matches!(
        event,
        Event::SlotConsumed {
            cost: None,
            reverted: false,
            ..
        }
    ));
    assert_eq!(serde_json::to_string(&event).unwrap(), old);
}
