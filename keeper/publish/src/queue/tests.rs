use super::*;

const WAITS: Waits = Waits {
    first_ms: 5_000,
    longest_ms: 43_200_000,
    give_up_ms: 259_200_000,
};

fn refs(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn queue(events: &[(u64, &[&str])]) -> Queue<()> {
    let mut queue = Queue::default();
    for (seq, names) in events {
        queue.push(*seq, &refs(names), (), None);
    }
    queue
}

/// All that may go now.
fn go(queue: &mut Queue<()>, now: u64) -> Vec<u64> {
    std::iter::from_fn(|| queue.next(now).map(|(seq, ())| seq)).collect()
}

#[test]
fn those_of_one_payment_go_one_after_the_other() {
    let mut queue = queue(&[
        (1, &["a", "b"]),
        (2, &["c"]),
        (3, &["b"]),
        (4, &["a", "c"]),
        (5, &[]),
    ]);
    assert_eq!(go(&mut queue, 0), [1, 2, 5]);
    assert!(!queue.taken(2));
    assert!(
        go(&mut queue, 0).is_empty(),
        "4 is about a, of which 1 is on its way"
    );
    assert!(!queue.taken(1));
    assert_eq!(go(&mut queue, 0), [3, 4]);
    for seq in [3, 4, 5] {
        queue.taken(seq);
    }
    assert_eq!((queue.len(), queue.lines.len()), (0, 0));
}

#[test]
fn what_is_not_taken_holds_up_its_own_payments_only() {
    let mut queue = queue(&[(1, &["a"]), (2, &["a"]), (3, &["b"])]);
    assert_eq!(go(&mut queue, 100), [1, 3]);
    let failed = queue
        .failed(1, "HTTP 500".to_owned(), None, 100, &WAITS)
        .unwrap();
    assert_eq!((failed.wait, failed.delivery.tries), (Some(5_000), 1));
    assert_eq!(queue.first_unkept(), Some(2));
    assert!(go(&mut queue, 5_099).is_empty());
    assert_eq!(queue.wakes_at(), Some(5_100));
    assert_eq!(go(&mut queue, 5_100), [1]);
    assert!(queue.taken(1), "what was kept of it is to be forgotten");
    assert_eq!(go(&mut queue, 5_100), [2]);
}

#[test]
fn what_waits_behind_a_failure_is_kept_too() {
    let mut queue = queue(&[
        (1, &["a"]),
        (2, &["a", "b"]),
        (3, &["b"]),
        (4, &["c"]),
        (5, &["d"]),
        (6, &["a", "d"]),
    ]);
    assert!(queue.park().is_empty(), "nothing has failed");
    assert_eq!(go(&mut queue, 100), [1, 4, 5]);
    queue
        .failed(1, "HTTP 500".to_owned(), None, 100, &WAITS)
        .unwrap();
    assert!(!queue.taken(4), "nothing was kept of it");
    let parked: Vec<u64> = queue.park().iter().map(|kept| kept.seq).collect();
    assert_eq!(parked, [2, 3], "3 waits for 2, which waits for 1");
    assert!(queue.park().is_empty(), "each is kept once");
    assert_eq!(queue.first_unkept(), Some(5), "the cursor goes on");
    assert!(!queue.taken(5), "nothing was kept of it");
    let parked: Vec<u64> = queue.park().iter().map(|kept| kept.seq).collect();
    assert_eq!(parked, [6], "it waited for 5 as well, which was not kept");
    assert_eq!(queue.first_unkept(), None);
    assert_eq!(go(&mut queue, 5_100), [1]);
    assert!(queue.taken(1));
    assert_eq!(go(&mut queue, 5_100), [2], "its turn has come at once");
    assert!(queue.taken(2), "what was kept of it is to be forgotten");
    assert_eq!(go(&mut queue, 5_100), [3, 6]);
}

#[test]
fn waits_grow_for_three_days_and_then_it_is_given_up() {
    let mut queue = queue(&[(1, &["a"]), (2, &["a"])]);
    let (start, mut now, mut waits) = (1_000_000, 1_000_000, Vec::new());
    let dead = loop {
        assert_eq!(go(&mut queue, now), [1]);
        let failed = queue
            .failed(1, "HTTP 500".to_owned(), None, now, &WAITS)
            .unwrap();
        match failed.wait {
            Some(wait) => waits.push(wait),
            None => break failed.delivery,
        }
        now += *waits.last().unwrap();
    };
    let seconds: Vec<u64> = waits.iter().map(|wait| wait / 1_000).collect();
    assert_eq!(
        seconds[..9],
        [5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 32_805]
    );
    assert!(
        seconds[9..seconds.len() - 1]
            .iter()
            .all(|wait| *wait == 43_200)
    );
    assert_eq!(
        now - start,
        WAITS.give_up_ms,
        "the last try is made at the end of the third day"
    );
    assert_eq!(dead.dead, Some(now));
    assert_eq!(go(&mut queue, now), [2], "it holds up the next no more");
}

#[test]
fn a_receiver_may_ask_for_a_longer_wait_and_not_for_a_shorter_one() {
    for (asked, wait) in [
        (Some(60_000), 60_000),
        (Some(1), 5_000),
        (Some(u64::MAX), 43_200_000),
    ] {
        let mut queue = queue(&[(1, &[])]);
        go(&mut queue, 0);
        let failed = queue.failed(1, String::new(), asked, 7, &WAITS).unwrap();
        assert_eq!(failed.wait, Some(wait));
    }
}

#[test]
fn what_is_sent_again_is_tried_as_if_it_were_new() {
    let mut queue = Queue::default();
    let kept = Delivery {
        seq: 3,
        tries: 0,
        first: 0,
        next: 0,
        why: "HTTP 500".to_owned(),
        dead: None,
    };
    queue.push(9, &refs(&["a"]), (), None);
    queue.push(3, &refs(&["a"]), (), Some(kept));
    assert_eq!(queue.first_unkept(), Some(9));
    assert_eq!(go(&mut queue, 1_000), [9]);
    queue.taken(9);
    assert_eq!(go(&mut queue, 1_000), [3]);
    let failed = queue.failed(3, String::new(), None, 1_000, &WAITS).unwrap();
    assert_eq!((failed.delivery.first, failed.delivery.dead), (1_000, None));
}
