//! A database that is lost while its keeper pays: how much is lost with it, and how long until the next one pays, from a backup and
//! from the chain alone. Printed, and judged by whoever reads it: `scripts/drill restore`.

use std::time::{Duration, Instant};

use tidelock_core::{domain::Payment, lifecycle::PaymentStatus};
use tidelock_keeper::store::{Reader, Server, Standing};

use super::{
    LEASE_MS,
    daemon::{Daemon, each_paid_once, on_thread, payment, ready},
    host, log_holds, postgres,
    world::{Plan, USDT, World},
};

/// Longest life of what a keeper signs, `batch.attempt_ttl_s`: the next one waits for as long. [seconds]
const LIFE_S: u64 = 7_200;

#[derive(Debug, Clone, Copy)]
enum Database {
    Sqlite,
    Postgres,
}

/// What there is to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Backup,
    Chain,
}

/// Requests that are filed before and after the backup is made, and the time between two.
#[derive(Debug, Clone, Copy)]
struct Pace {
    before: u32,
    after: u32,
    pause: Duration,
}

/// Of five requests one is more than any tier takes: it is held, and the chain never hears of it.
fn asked(ids: std::ops::Range<u32>) -> Vec<Payment> {
    let amount = |id: u32| match id % 5 {
        4 => 2_000_000 * USDT,
        _ => USDT * (1 + u128::from(id % 9)),
    };
    ids.map(|id| payment(id, amount(id))).collect()
}

fn can_be_paid(payment: &Payment) -> bool {
    payment.amount().0 < 1_000_000 * USDT
}

/// What was lost, and how long it took.
#[derive(Debug)]
struct Outcome {
    filed: usize,
    /// Held, as no tier takes them.
    held: usize,
    /// Paid before the loss, by the chain's word.
    paid: usize,
    /// Requests that the next keeper does not know.
    lost: usize,
    /// How long before the loss the oldest of these was filed.
    since: Duration,
    /// How old the backup was.
    age: Option<Duration>,
    /// From the start of the next keeper until its log is open, until what was restored is taken in, until it has paid one that is final,
    /// and until it has paid all.
    opened: Duration,
    restored: Duration,
    first: Duration,
    all: Duration,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: scripts/drill restore"]
async fn restore() {
    let pace = Pace {
        before: 100,
        after: 100,
        pause: Duration::from_millis(100),
    };
    println!(
        "What is asked for: {} requests, one each {} ms, of which a fifth cannot be paid; a block a second, final when four are on top of it",
        pace.before + pace.after,
        pace.pause.as_millis()
    );
    for database in [Database::Sqlite, Database::Postgres] {
        for from in [Source::Backup, Source::Chain] {
            round(database, from, pace).await.print(database, from);
        }
    }
    println!(
        "The wait of {LIFE_S} s of the chain's clock, for what the lost keeper may have signed, is in none of these times: the clock was set \
         forward. No design text names a target for either."
    );
}

const SOME: Pace = Pace {
    before: 6,
    after: 4,
    pause: Duration::from_millis(200),
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_of_postgresql_holds_is_paid_once_by_the_next_keeper() {
    let outcome = round(Database::Postgres, Source::Backup, SOME).await;
    assert_eq!((outcome.filed, outcome.held), (10, 2));
    assert!((1..=4).contains(&outcome.lost), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backup_the_chain_alone_keeps_a_payment_from_being_made_twice() {
    let outcome = round(Database::Sqlite, Source::Chain, SOME).await;
    assert!(
        outcome.lost >= 2,
        "nobody told the chain of what was held: {outcome:?}"
    );
}

/// Requests are filed at that pace, the keeper is killed and its database is gone; another takes over, and everything is asked for
/// again.
async fn round(database: Database, from: Source, pace: Pace) -> Outcome {
    let world = ready(Plan::default()).await;
    let mut daemon = keeper(&world, database);
    daemon.start();
    daemon.opened().await;
    let mut filed = file(&daemon, 0..pace.before, pace.pause).await;
    let backup = daemon.store().with_file_name("backup.db");
    let backup = backup.to_str().unwrap();
    let made = (from == Source::Backup).then(|| {
        let copied = daemon.ask(&["backup", "--to", backup, "--json"]);
        assert!(copied["entries"].as_u64() > Some(0), "{copied}");
        Instant::now()
    });
    filed.extend(file(&daemon, pace.before..pace.before + pace.after, pace.pause).await);
    daemon.kill();
    let killed = Instant::now();
    let paid = arrived(&world, &filed).await;
    lose_database(&mut daemon, database);

    let start = Instant::now();
    daemon.start_with(&["run"]);
    daemon.opened().await;
    let opened = start.elapsed();
    daemon.waited(&world, LIFE_S).await;
    let after_wait = Instant::now();
    if from == Source::Backup {
        daemon.ask(&["restore", "--from", backup, "--json"]);
    }
    let restored = opened + after_wait.elapsed();
    let lost = unknown(&daemon, &filed);
    if let Some(made) = made {
        let is_later = lost.iter().all(|filed| *filed > made);
        assert!(is_later, "what the backup had is lost");
    }
    let before = daemon.count(PaymentStatus::Paid);
    daemon.ask(&["resume", "--reason", "looked at", "--json"]);
    // Whoever asked does so again, for all of it, and for one more.
    let mut payments = asked(0..pace.before + pace.after + 1);
    assert!(payments.last().is_some_and(can_be_paid));
    daemon.file(&payments);
    payments.retain(can_be_paid);
    daemon
        .until("one more is paid", |daemon| {
            daemon.count(PaymentStatus::Paid) > before
        })
        .await;
    let first = opened + after_wait.elapsed();
    let count = u64::try_from(payments.len()).unwrap();
    daemon.until_count(PaymentStatus::Paid, count).await;
    let all = opened + after_wait.elapsed();
    each_paid_once(&world, &payments).await;
    log_holds(&daemon);
    let oldest = lost.iter().min();
    Outcome {
        filed: filed.len(),
        held: filed.iter().filter(|(it, _)| !can_be_paid(it)).count(),
        paid,
        lost: lost.len(),
        since: oldest.map_or(Duration::ZERO, |oldest| killed - *oldest),
        age: made.map(|made| killed - made),
        opened,
        restored,
        first,
        all,
    }
}

fn keeper(world: &World, database: Database) -> Daemon {
    match database {
        Database::Sqlite => Daemon::set_up(world, "[batch]\nmax_wait_ms = 100"),
        Database::Postgres => {
            let server = postgres::shared();
            host(world, server.folder(), &server.database())
        }
    }
}

/// Each with the moment at which it was filed.
async fn file(
    daemon: &Daemon,
    ids: std::ops::Range<u32>,
    pause: Duration,
) -> Vec<(Payment, Instant)> {
    let mut filed = Vec::new();
    for payment in asked(ids) {
        daemon.file(&[payment]);
        filed.push((payment, Instant::now()));
        tokio::time::sleep(pause).await;
    }
    filed
}

async fn arrived(world: &World, filed: &[(Payment, Instant)]) -> usize {
    let mut arrived = 0;
    for (payment, _) in filed {
        let balance = world.token_balance(payment.recipient()).await;
        arrived += usize::from(!balance.is_zero());
    }
    arrived
}

fn lose_database(daemon: &mut Daemon, database: Database) {
    daemon.lose_file();
    if let Database::Postgres = database {
        let server = postgres::shared();
        let before = daemon.server.as_ref().unwrap().to_string();
        let (_, before) = before.rsplit_once('/').unwrap();
        let after = server.database();
        let url = postgres::Server::url(server.folder(), &after);
        daemon.change(&format!("/{before}?"), &format!("/{after}?"));
        let lease = Duration::from_millis(LEASE_MS);
        daemon.server = Some(Server::parse(&url, None, lease).unwrap());
    }
}

/// When what the keeper does not know was filed.
fn unknown(daemon: &Daemon, filed: &[(Payment, Instant)]) -> Vec<Instant> {
    let (location, mut filed) = (daemon.location(), filed.to_vec());
    on_thread(move || {
        let mut reader = Reader::open(&location).unwrap();
        filed.retain(|(payment, _)| {
            let standing = reader.standing(&payment.reference());
            standing.unwrap() == Standing::Unknown
        });
        filed.into_iter().map(|(_, filed)| filed).collect()
    })
}

impl Outcome {
    fn print(&self, database: Database, from: Source) {
        let database = match database {
            Database::Sqlite => "SQLite",
            Database::Postgres => "PostgreSQL",
        };
        let from = match (from, self.age) {
            (Source::Backup, Some(age)) => {
                format!("from a backup that is {:.1} s old", age.as_secs_f64())
            }
            _ => "from the chain alone".to_owned(),
        };
        println!("\n{database}, {from}");
        row("filed before the loss", self.filed);
        row("  held, as no tier takes them", self.held);
        row("  paid by then", self.paid);
        row(
            "  unknown to the next keeper: to be filed again (RPO)",
            self.lost,
        );
        row("    the oldest of them, before the loss", shown(self.since));
        row(
            "next keeper started, until its log is open",
            shown(self.opened),
        );
        row("  until what is known is taken in", shown(self.restored));
        row(
            "  until it has paid one that is final (RTO)",
            shown(self.first),
        );
        row("  until it has paid all, each once", shown(self.all));
    }
}

fn row(what: &str, value: impl std::fmt::Display) {
    println!("  {what:<58}{value:>8}");
}

fn shown(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
