//! A vault that nothing waits for is looked at seldom, and always before anything is decided.

use tidelock_core::{abi::Fact, domain::Amount, port::Outcome};

use crate::bench::{Bench, is_advise, is_look, is_simulate};

/// A keeper that has looked at the newest block and has nothing to do.
fn idle() -> Bench {
    let mut bench = Bench::new();
    bench.settle();
    bench.history.clear();
    bench
}

fn looks_after(bench: &mut Bench, seconds: u64, facts: Vec<Fact>) -> usize {
    let before = bench.asked_for(is_look);
    bench.mine_after(seconds, facts, Vec::new());
    bench.settle();
    bench.asked_for(is_look) - before
}

#[test]
fn nothing_waits_and_nothing_was_logged() {
    let mut bench = idle();
    assert_eq!(looks_after(&mut bench, 12, Vec::new()), 0);
    assert_eq!(looks_after(&mut bench, 12, Vec::new()), 0);
    assert_eq!(looks_after(&mut bench, 12, Vec::new()), 1, "after 36 s");
    assert_eq!(looks_after(&mut bench, 12, Vec::new()), 0);
    assert_eq!(
        looks_after(&mut bench, 1, vec![Fact::Other]),
        1,
        "a freeze, a vote, a grant"
    );
    assert_eq!(looks_after(&mut bench, 1, Vec::new()), 0);
}

/// The vault at the block that was looked at belongs to another fork.
#[test]
fn a_fork_ends_the_rest() {
    let mut bench = idle();
    bench.fork(1);
    bench.mine_quiet(2);
    bench.settle();
    assert_eq!(bench.asked_for(is_look), 1);
}

#[test]
fn what_comes_is_decided_by_a_new_look() {
    let mut bench = idle();
    bench.vault.balance = Amount(0); // without a word: a token may do that
    assert_eq!(looks_after(&mut bench, 12, Vec::new()), 0);
    bench.request([1]);
    let look = bench.take(is_look).unwrap();
    while let Some(advise) = bench.take(is_advise) {
        bench.answer(&advise);
    }
    bench.turn(Vec::new());
    assert_eq!(
        bench.asked_for(is_simulate),
        0,
        "by what was seen before the rest"
    );
    // Nor after a look that failed.
    bench.turn(vec![(look.key(), Outcome::Failed("no answer".to_owned()))]);
    bench.turn(Vec::new());
    assert_eq!(bench.asked_for(is_simulate), 0);
    bench.wait(60_000);
    bench.settle();
    assert_eq!(bench.asked_for(is_simulate), 0, "the vault is empty");
    bench.vault.balance = Amount(1_000_000);
    bench.mine_quiet(1);
    bench.settle();
    assert_eq!(bench.asked_for(is_simulate), 1);
}
