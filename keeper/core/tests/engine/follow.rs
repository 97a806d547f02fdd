//! Following another keeper's log: the same decisions, and nothing of them written, signed or sent.

use tidelock_core::{event::Event, lifecycle::PaymentStatus, settings::Settings};

use crate::{
    bench::{Bench, is_send, is_sign},
    world::{SETTINGS, paid, reference},
};

/// Entries of the leader that the follower has not.
fn rest(leader: &Bench, from: usize) -> Vec<Event> {
    leader.events().split_off(from)
}

fn follow(follower: &mut Bench, events: &[Event]) {
    for event in events {
        follower.engine.follow(event).unwrap();
    }
}

fn sealed(events: &[Event]) -> Vec<(u64, Vec<tidelock_core::domain::PaymentRef>)> {
    let sealed = events.iter().filter_map(|event| match event {
        Event::BatchSealed { batch, refs, .. } => Some((batch.first_number.0, refs.clone())),
        _ => None,
    });
    sealed.collect()
}

#[test]
fn it_decides_what_the_leader_decides_and_does_nothing() {
    let (mut leader, mut follower) = (Bench::new(), Bench::new());
    follower.follow_another();
    let sent = leader.pay([1, 2]);
    let events = rest(&leader, 1);
    let seal = events
        .iter()
        .position(|event| matches!(event, Event::BatchSealed { .. }))
        .unwrap();
    let (before, after) = events.split_at(seal);

    // The request alone: what policy says of it is its own word, which counts only once the leader has it too.
    follow(&mut follower, &before[..1]);
    follower.wait(1_000);
    follower.settle();
    let released = Event::Released {
        refs: vec![reference(1), reference(2)],
    };
    assert!(follower.engine.take_decisions().contains(&released));
    let state = follower.engine.state();
    let row = state.open_payment(&reference(1)).unwrap();
    assert_eq!(row.status, PaymentStatus::Requested);

    follow(&mut follower, &before[1..]);
    follower.settle();
    let decided = sealed(&follower.engine.take_decisions());
    assert_eq!(decided, sealed(&leader.events()));

    // What the leader has under way is not decided again, and its numbers are not given out again.
    follow(&mut follower, after);
    follower.settle();
    assert_eq!(sealed(&follower.engine.take_decisions()), []);
    let sealed_before = leader.events().len();
    let batch = leader.live_batch();
    for bench in [&mut leader, &mut follower] {
        bench.mine(vec![paid(&batch, 3)], vec![sent.hash]);
        bench.finalise(1);
    }
    leader.pay([3]);
    let events = rest(&leader, sealed_before);
    let seal = events
        .iter()
        .position(|event| matches!(event, Event::BatchSealed { .. }))
        .unwrap();
    follow(&mut follower, &events[..seal]);
    follower.wait(1_000);
    follower.settle();
    assert_eq!(
        follower.engine.state().finalised(),
        leader.engine.state().finalised()
    );
    let decided = sealed(&follower.engine.take_decisions());
    assert_eq!(decided, sealed(&events));

    assert_eq!(follower.asked_for(is_sign), 0);
    assert_eq!(follower.asked_for(is_send), 0);
    assert_eq!(follower.events().len(), 1, "nothing is stored");
}

/// What the leader has paid for gas counts for the follower's day too.
#[test]
fn it_counts_the_gas_of_the_log_that_it_follows() {
    let settings = Settings {
        max_gas_cost_per_day: Some(u128::MAX),
        ..SETTINGS
    };
    let (mut leader, mut follower) = (Bench::with(settings), Bench::with(settings));
    follower.follow_another();
    let sent = leader.pay([1]);
    let batch = leader.live_batch();
    leader.mine(vec![paid(&batch, 1)], vec![sent.hash]);
    leader.finalise(1);
    follow(&mut follower, &rest(&leader, 1));
    let spent = |bench: &Bench| bench.engine.status().figures.budget.unwrap().spent;
    assert!(spent(&leader) > 0);
    assert_eq!(spent(&follower), spent(&leader));
}
