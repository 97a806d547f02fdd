//! `kill -9` at any moment, again and again: nothing repeated, nothing lost.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};
use tidelock_core::lifecycle::PaymentStatus;

use super::{
    daemon::{Daemon, each_paid_once},
    small, start,
    world::Plan,
};

const CYCLES: u32 = 30;
const EACH: u32 = 4;

/// How many of its lives came so far as to work.
fn runs(daemon: &Daemon) -> usize {
    daemon.log().matches("keeper runs").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments() {
    let (world, mut daemon) = start(
        Plan::default(),
        "[batch]\nmax_payments = 3\nmax_wait_ms = 50",
    )
    .await;
    daemon.start();
    daemon.opened().await;
    let mut random = StdRng::seed_from_u64(0x7469_6465);
    for cycle in 0..CYCLES {
        daemon.file(&small(cycle * EACH..(cycle + 1) * EACH));
        // Every second one has begun to work; the others may be killed before they do.
        while cycle % 2 == 0 && runs(&daemon) <= usize::try_from(cycle).unwrap() / 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let life = Duration::from_millis(random.random_range(100..1_500));
        tokio::time::sleep(life).await;
        daemon.kill();
        daemon.start();
    }
    let all = CYCLES * EACH;
    daemon
        .until_count(PaymentStatus::Paid, u64::from(all))
        .await;
    each_paid_once(&world, &small(0..all)).await;
    assert!(runs(&daemon) >= usize::try_from(CYCLES).unwrap() / 2);
}
