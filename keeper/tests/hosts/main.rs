//! Two keepers on one PostgreSQL database, as on two hosts: one leads, and when it is killed, paused or cut off the other one
//! goes on. Nothing is lost, and nothing is paid twice.

#![cfg(unix)]
#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

#[path = "../keeper/daemon.rs"]
#[allow(dead_code, reason = "not every test uses all that a daemon can")]
mod daemon;
mod disaster;
mod drill;
mod gate;
mod network;
#[path = "../support/postgres.rs"]
mod postgres;
mod promotion;
#[path = "../world/mod.rs"]
mod world;

use std::{path::Path, time::Duration};

use tidelock_core::lifecycle::PaymentStatus;
use tidelock_keeper::store::{Leader, Reader, Server, leader};

use daemon::{Daemon, each_paid_once, on_thread, ready, small};
use gate::Gate;
use network::Network;
use world::{Plan, World};

/// Long enough for a busy machine to renew it in time: these tests count who led. [milliseconds]
const LEASE_MS: u64 = 10_000;

/// A keeper on a host of its own, which reaches the database by the socket of a folder; starts nothing.
fn host(world: &World, socket: &Path, database: &str) -> Daemon {
    host_with(world, socket, database, LEASE_MS)
}

/// The same with another lease. [milliseconds]
fn host_with(world: &World, socket: &Path, database: &str, lease_ms: u64) -> Daemon {
    let url = postgres::Server::url(socket, database);
    let more = format!(
        "[store]\ndatabase = \"{url}\"\nlease_ms = {lease_ms}\n[batch]\nmax_wait_ms = 100\n[operations]\nlisten = \"127.0.0.1:0\""
    );
    let mut daemon = Daemon::set_up(world, &more);
    daemon.server = Some(Server::parse(&url, None, Duration::from_millis(lease_ms)).unwrap());
    daemon
}

/// Two hosts, of which the first leads.
async fn pair(world: &World, first: &Path, second: &Path, database: &str) -> (Daemon, Daemon) {
    let (mut first, mut second) = (host(world, first, database), host(world, second, database));
    start(&mut first, &mut second).await;
    (first, second)
}

/// The first leads, and the second stands by.
async fn start(first: &mut Daemon, second: &mut Daemon) {
    first.start();
    first
        .until("the first runs", |one| one.log().contains("keeper runs"))
        .await;
    second.start();
    second
        .until("the second stands by", |one| {
            one.log().contains("stands by")
        })
        .await;
}

/// Two hosts, of which the first leads and has paid the first four of twelve; it has the others under way.
async fn at_work() -> (World, Daemon, Daemon) {
    let (world, server) = (ready(Plan::default()).await, postgres::shared());
    let (folder, database) = (server.folder(), server.database());
    let (first, second) = pair(&world, folder, folder, &database).await;
    under_way(&first).await;
    (world, first, second)
}

async fn under_way(daemon: &Daemon) {
    daemon.file(&small(0..4));
    daemon.until_count(PaymentStatus::Paid, 4).await;
    daemon.file(&small(4..12));
}

/// The second leads from then on, and pays the others.
async fn goes_on(second: &Daemon) {
    leads(second).await;
    second.until_count(PaymentStatus::Paid, 12).await;
}

/// The one that led before has noticed.
async fn stands_by(first: &Daemon) {
    let stands_by = |one: &Daemon| one.log().contains("stands by: ");
    first.until("the first stands by", stands_by).await;
}

/// What it serves.
async fn page(daemon: &Daemon, name: &str) -> String {
    let log = daemon.log();
    let (_, rest) = log.rsplit_once("/metrics address=").unwrap();
    let address = rest.lines().next().unwrap().trim();
    let client = tidelock_keeper::tls::client().build().unwrap();
    let asked = client.get(format!("http://{address}{name}")).send().await;
    asked.unwrap().text().await.unwrap()
}

/// Each is paid once, by a log that is whole, and led in turn by the two and nobody else.
async fn holds(world: &World, last: &Daemon, payments: std::ops::Range<u32>) {
    each_paid_once(world, &small(payments)).await;
    log_holds(last);
    let leader = leader_by(last);
    assert_eq!((leader.epoch, leader.holds), (2, true), "{}", last.log());
}

async fn leads(daemon: &Daemon) {
    daemon
        .until("it leads", |one| one.log().contains("this keeper leads"))
        .await;
}

/// Who leads, by the database's word.
fn leader_by(daemon: &Daemon) -> Leader {
    let location = daemon.location();
    on_thread(move || leader(&location).unwrap().unwrap())
}

/// The log is whole, and its rows are what it folds to.
fn log_holds(daemon: &Daemon) {
    let location = daemon.location();
    let verified = on_thread(move || {
        let mut reader = Reader::open(&location).unwrap();
        reader.verify(true, |_| {}).unwrap()
    });
    assert_eq!(verified.findings, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_pays_when_the_first_is_killed() {
    let (world, mut first, second) = at_work().await;
    first.kill();
    goes_on(&second).await;
    holds(&world, &second, 0..12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_start_at_once_open_one_log_and_one_hands_over_when_it_is_stopped() {
    let (world, server) = (ready(Plan::default()).await, postgres::shared());
    let database = server.database();
    let mut one = host(&world, server.folder(), &database);
    let mut other = host(&world, server.folder(), &database);
    one.start();
    other.start();
    one.opened().await;
    one.file(&small(0..4));
    one.until_count(PaymentStatus::Paid, 4).await;
    let (mut leading, waiting) = if one.log().contains("keeper runs") {
        (one, other)
    } else {
        (other, one)
    };
    assert!(!waiting.log().contains("keeper runs"), "{}", waiting.log());
    assert!(leading.stop().success());
    waiting.file(&small(4..8));
    waiting.until_count(PaymentStatus::Paid, 8).await;
    each_paid_once(&world, &small(0..8)).await;
    log_holds(&waiting);
}

/// Each command says the same of it on either host.
#[tokio::test(flavor = "multi_thread")]
async fn any_host_is_told_who_leads() {
    let (world, server) = (ready(Plan::default()).await, postgres::shared());
    let (folder, database) = (server.folder(), server.database());
    let waiting = host(&world, folder, &database);
    let (_, said) = waiting.said(&["check"]);
    assert!(said.contains("empty; `keeper run` makes the log"), "{said}");
    drop(waiting);
    let (mut first, mut second) = pair(&world, folder, folder, &database).await;
    let leader = leader_by(&first);
    assert!(
        leader.holder.ends_with(&format!("process {}", first.id())),
        "{leader:?}"
    );
    let leads = format!("{} leads since ", leader.holder);
    for daemon in [&first, &second] {
        let status = daemon.ask(&["status", "--json"]);
        assert_eq!(status["leader"]["holder"], leader.holder, "{status}");
        assert_eq!(status["leader"]["epoch"], 1, "{status}");
        assert_eq!(status["leader"]["holds"], true, "{status}");
        let check = daemon.ask(&["check", "--json"]);
        let store = check["store"].as_str().unwrap();
        assert!(
            store.contains(&leads) && store.ends_with(", in epoch 1"),
            "{store}"
        );
        for command in ["status", "check", "doctor"] {
            let (_, said) = daemon.said(&[command]);
            let line = said.lines().find(|line| line.contains(&leads));
            assert!(
                line.is_some_and(|line| line.ends_with(", in epoch 1")),
                "{said}"
            );
        }
    }
    // Nobody leads any more, and each says who did.
    second.kill();
    assert!(first.stop().success());
    let led = format!("nobody leads; {} did from ", leader.holder);
    for command in ["status", "check", "doctor"] {
        let (code, said) = second.said(&[command]);
        assert!(said.contains(&led), "{command}: {said}");
        assert_eq!(code == 0, command != "doctor", "{command}: {said}");
    }
    let status = second.ask(&["status", "--json"]);
    assert_eq!(status["leader"]["holds"], false, "{status}");
}

/// A third host, which never leads: it follows the log in the database and decides like the one that leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_follows_the_one_that_leads() {
    let (world, server) = (ready(Plan::default()).await, postgres::shared());
    let database = server.database();
    let (leader, _second) = pair(&world, server.folder(), server.folder(), &database).await;
    let canary = host(&world, server.folder(), &database);
    let watched = std::thread::spawn(move || {
        canary.ask(&["--json", "canary", "--blocks", "12", "--decisions", "2"])
    });
    let mut next = 0;
    while !watched.is_finished() {
        leader.file(&small(next..next + 2));
        next += 2;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    let report = watched.join().unwrap();
    assert_eq!(report["alike"], true, "{report}");
    leader
        .until_count(PaymentStatus::Paid, u64::from(next))
        .await;
    assert_eq!(leader_by(&leader).epoch, 1, "nobody else led");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_paused_past_its_lease_goes_on_as_second() {
    let (world, mut first, second) = at_work().await;
    first.signal("-STOP");
    goes_on(&second).await;
    first.signal("-CONT");
    stands_by(&first).await;
    // What its engine said before is over, and no sign that it hangs.
    assert_eq!(page(&first, "/healthz").await, "ok\n");
    assert!(page(&first, "/readyz").await.contains("waits: stands by"));
    let figures = page(&first, "/metrics").await;
    assert!(!figures.contains("tidelock_sends"), "{figures}");
    second.file(&small(12..16));
    second.until_count(PaymentStatus::Paid, 16).await;
    holds(&world, &second, 0..16).await;
    assert!(first.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_cut_off_stops_by_itself_and_what_it_says_late_is_refused() {
    let (world, server) = (ready(Plan::default()).await, postgres::shared());
    let gate = Gate::to(server.folder());
    let (first, second) = pair(&world, gate.folder(), server.folder(), &server.database()).await;
    under_way(&second).await;
    gate.cut();
    goes_on(&second).await;
    gate.mend();
    stands_by(&first).await;
    holds(&world, &second, 0..12).await;
}

/// The same with a network that is cut for real, where one can be made.
#[tokio::test(flavor = "multi_thread")]
async fn one_whose_network_brings_nothing_any_more_stops_by_itself() {
    let network = match Network::new() {
        Ok(network) => network,
        Err(why) => {
            println!(
                "skipped, as no network can be made here ({why}); a cut connection is tried all the same"
            );
            return;
        }
    };
    let world = ready(Plan::default()).await;
    let listen = format!("listen_addresses={}", network.database());
    let server = postgres::Server::start(&[&listen]);
    server.trust("198.18.0.0/15");
    let mut first = host(&world, server.folder(), "postgres");
    let by_socket = postgres::Server::url(server.folder(), "postgres");
    let by_network = format!(
        "postgres://keeper@{}/postgres?sslmode=disable",
        network.database()
    );
    first.change(&by_socket, &by_network);
    let node = world.node.url();
    let to_node = network.lead_to(node.port().unwrap());
    first.change(node.as_str(), &format!("http://{to_node}/"));
    first.prefix = network.prefix();
    let mut second = host(&world, server.folder(), "postgres");
    start(&mut first, &mut second).await;
    under_way(&second).await;
    network.cut();
    goes_on(&second).await;
    network.mend();
    stands_by(&first).await;
    holds(&world, &second, 0..12).await;
}
