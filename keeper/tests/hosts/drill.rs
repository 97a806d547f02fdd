//! How long nobody pays when the leader is killed. Printed, and judged by whoever reads it: `scripts/drill failover`.

use std::time::{Duration, Instant};

use super::{
    Daemon, host_with, postgres, ready, small,
    world::{Plan, World},
};

const RUNS: u32 = 20;
/// As short as it may be. [milliseconds]
const LEASE_MS: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: scripts/drill failover"]
async fn failover() {
    let (world, server) = (ready(Plan::default()).await, postgres::shared());
    let database = server.database();
    let mut leading = host_with(&world, server.folder(), &database, LEASE_MS);
    let mut waiting = host_with(&world, server.folder(), &database, LEASE_MS);
    leading.start();
    leading.opened().await;
    leading
        .until("it runs", |one| one.log().contains("keeper runs"))
        .await;
    let mut taken = Vec::new();
    for run in 0..RUNS {
        let told = waiting.log().matches("stands by: ").count();
        waiting.start();
        waiting
            .until("it stands by", |one| {
                one.log().matches("stands by: ").count() > told
            })
            .await;
        leading.kill();
        let killed = Instant::now();
        waiting.file(&small(run..run + 1));
        paid(&world, run, &waiting).await;
        taken.push(killed.elapsed());
        std::mem::swap(&mut leading, &mut waiting);
    }
    taken.sort();
    let shown = |index: usize| format!("{:.1} s", taken[index].as_secs_f64());
    println!(
        "lease                                       {:>8} ms",
        LEASE_MS
    );
    println!("leader killed, until a block pays the next request, {RUNS} runs");
    println!(
        "  median                                    {:>8}",
        shown(taken.len() / 2)
    );
    println!(
        "  p95                                       {:>8}   target 10 s",
        shown(taken.len() * 95 / 100 - 1)
    );
    println!(
        "  longest                                   {:>8}",
        shown(taken.len() - 1)
    );
}

async fn paid(world: &World, id: u32, keeper: &Daemon) {
    let payment = small(id..id + 1)[0];
    let begin = Instant::now();
    while world.token_balance(payment.recipient()).await.is_zero() {
        assert!(
            begin.elapsed() < super::daemon::PATIENCE,
            "{}",
            keeper.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
