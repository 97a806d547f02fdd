//! What other programs learn of a running keeper: health, readiness, figures, and what systemd is told. The real binary on a real
//! chain.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

#[cfg(feature = "otlp")]
mod traces;
#[path = "../world/mod.rs"]
mod world;

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

use alloy::primitives::Address;
use tidelock_core::domain::{Amount, Payment, PaymentRef};
use tidelock_keeper::{
    operations::METRICS,
    store::{Desk, Quote},
};
use world::{FINAL, Mining, Office, Plan, Tether, USDT, json_of};

/// An office whose keeper serves on a free port.
async fn serving(plan: Plan) -> Office {
    let office = Office::open(plan).await;
    office.configure(serves);
    office.world.mine(FINAL).await;
    office
}

fn serves(text: String) -> String {
    text + "[fees]\nmax_gas_cost_per_day = \"5\"\n[operations]\nlisten = \"127.0.0.1:0\"\n"
}

/// Where it listens, as its log says.
async fn address(office: &Office) -> String {
    let find = || {
        let log = office.log();
        let (_, rest) = log.rsplit_once("/metrics address=")?;
        Some(rest.lines().next()?.trim().to_owned())
    };
    office.until("it serves", async || find().is_some()).await;
    find().unwrap()
}

async fn get(address: &str, page: &str) -> (u16, String) {
    let client = tidelock_keeper::tls::client().build().unwrap();
    let asked = client.get(format!("http://{address}{page}"));
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Samples by name and labels.
async fn figures(address: &str) -> BTreeMap<String, String> {
    let (status, text) = get(address, "/metrics").await;
    assert_eq!(status, 200, "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| line.rsplit_once(' ').unwrap());
    samples
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn payment(byte: u8, recipient: Address, tokens: u128) -> Payment {
    Payment::new(recipient, Amount(tokens * USDT), PaymentRef([byte; 16])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one story, in its order")]
async fn figures_say_what_status_says() {
    let office = serving(Plan::default()).await;
    let frozen = Address::repeat_byte(0x66);
    let world = &office.world;
    world
        .token_call(&Tether::addBlackListCall { user: frozen })
        .await;
    world.set_mining(Mining::Every(1)).await;
    let daemon = office.daemon().await;
    let address = address(&office).await;
    office
        .until("it is ready", async || {
            get(&address, "/readyz").await.0 == 200
        })
        .await;
    assert_eq!(get(&address, "/healthz").await, (200, "ok\n".to_owned()));
    counts_begin_with_0(&figures(&address).await);
    let mut payments: Vec<Payment> = (1..=5)
        .map(|byte| payment(byte, Address::repeat_byte(byte), 10))
        .collect();
    payments.push(payment(6, frozen, 10));
    let long = 1_000_000;
    let quoted = [Some((long, long)), Some((0, long)), Some((0, 0)), None];
    let quotes = payments.iter().zip(quoted).map(|(payment, quoted)| Quote {
        reference: payment.reference(),
        made_at: 1,
        expected_s: 1,
        most_s: 1,
        finality_s: 1,
        p50_s: quoted.map(|(half, _)| half),
        p95_s: quoted.map(|(_, most)| most),
        fee_expected: Amount(1),
        fee_most: Amount(1),
    });
    let (path, quotes): (_, Vec<Quote>) = (office.path("keeper.db"), quotes.collect());
    let kept = std::thread::spawn(move || {
        let mut desk = Desk::open(&path).unwrap();
        quotes
            .iter()
            .for_each(|quote| desk.keep_quote(quote).unwrap());
    });
    kept.join().unwrap();
    office.request(payments);
    let settled = "tidelock_payments_settled_total{state=\"paid\"}";
    office
        .until("all is final", async || {
            figures(&address).await[settled] == "5"
        })
        .await;
    let status = json_of(&office.keeper(&["status", "--json"]).await);
    let figures = figures(&address).await;
    for (state, name) in [
        ("held", "tidelock_payments{state=\"held\"}"),
        ("open", "tidelock_payments{state=\"open\"}"),
        ("paid", settled),
    ] {
        assert_eq!(figures[name], status["counts"][state].to_string(), "{name}");
    }
    for (name, value) in [
        ("tidelock_requests_accepted_total", "6"),
        ("tidelock_payments_paid_total{trail=\"whole\"}", "5"),
        ("tidelock_payments_paid_total{trail=\"broken\"}", "0"),
        (
            "tidelock_payments_stopped_total{class=\"policy\",reason=\"token blacklist\"}",
            "1",
        ),
        ("tidelock_arrival_seconds_count", "5"),
        ("tidelock_quotes_scored_total{arrived=\"p50\"}", "1"),
        ("tidelock_quotes_scored_total{arrived=\"p95\"}", "1"),
        ("tidelock_quotes_scored_total{arrived=\"later\"}", "1"),
        ("tidelock_arrival_seconds_bucket{le=\"604800\"}", "5"),
        ("tidelock_sends", "1"),
        ("tidelock_failing", "0"),
        ("tidelock_halted{cause=\"operator\"}", "0"),
        ("tidelock_node_disagreements_total", "0"),
        ("tidelock_fee_gwei{what=\"cap\"}", "100"),
        ("tidelock_gas_day_coins{what=\"budget\"}", "5"),
        ("tidelock_data_fee_coins", "0"),
        ("tidelock_tier_cap_tokens{tier=\"0\"}", "100000"),
        ("tidelock_tier_headroom_tokens{tier=\"0\"}", "99950"),
    ] {
        let found = figures.get(name).map(|found| found.trim_end_matches(".0"));
        assert_eq!(found, Some(value), "{name} of {figures:#?}");
    }
    for metric in METRICS {
        let is_it = |name: &&String| {
            name.strip_prefix(metric.name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['{', '_']))
        };
        assert!(figures.keys().any(|name| is_it(&name)), "{}", metric.name);
    }
    judged(&get(&address, "/metrics").await.1);
    daemon.stop();
}

/// Counting begins with the first question, and each count with 0: one that is born at 1 never rises to it.
fn counts_begin_with_0(first: &BTreeMap<String, String>) {
    let begins = |name: &&String| name.starts_with("tidelock_payments_stopped_total");
    let stopped: Vec<&String> = first.keys().filter(begins).collect();
    assert_eq!(stopped.len(), 13, "{stopped:?}");
    assert!(stopped.iter().all(|name| first[*name] == "0"), "{first:?}");
}

/// Prometheus's own tool finds nothing wrong with the text.
fn judged(text: &str) {
    let note = world::repository().join("target/prometheus/promtool.path");
    let promtool = std::fs::read_to_string(note).expect("no promtool; run scripts/promtool");
    let mut command = Command::new(promtool.trim());
    command
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut judge = command.spawn().unwrap();
    let mut input = judge.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let said = judge.wait_with_output().unwrap();
    let words = format!("{}{}", world::out(&said), world::err(&said));
    assert!(said.status.success(), "{words}of {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_it_from_paying_is_named() {
    let mut office = serving(Plan::default()).await;
    let daemon = office.daemon().await;
    let at = address(&office).await;
    let ready = async |words: &str| {
        office
            .until(words, async || get(&at, "/readyz").await.1.contains(words))
            .await;
        get(&at, "/readyz").await.0
    };
    assert_eq!(ready("ready").await, 200);
    let halted = office.keeper(&["halt", "--reason", "a drill"]).await;
    world::expect(&halted, 0, "done");
    assert_eq!(
        ready("mode: halted: an operator stopped it: a drill").await,
        503
    );
    let halts = figures(&at).await;
    assert_eq!(halts["tidelock_halted{cause=\"operator\"}"], "1");
    assert_eq!(halts["tidelock_sends"], "0");
    office.keeper(&["resume", "--reason", "over"]).await;
    assert_eq!(ready("ready").await, 200);
    // No answer is no reason to start it anew: it lives.
    let _port = office.world.node.stop();
    let failing = async || get(&at, "/readyz").await.1.contains("chain: ");
    office.until("the node is missed", failing).await;
    assert_eq!(get(&at, "/healthz").await.0, 200);
    assert_eq!(figures(&at).await["tidelock_failing"], "1");
    daemon.stop();

    // Before the engine turns.
    let started = office.start_daemon();
    let port = address_after(&office, &at).await;
    office
        .until("it waits", async || {
            get(&port, "/readyz").await.1.contains("waits: the chain")
        })
        .await;
    assert_eq!(get(&port, "/readyz").await.0, 503);
    assert_eq!(get(&port, "/healthz").await.0, 200);
    assert_eq!(
        figures(&port).await.get("tidelock_sends"),
        None,
        "not known"
    );
    started.stop();
}

/// Where the next one listens.
async fn address_after(office: &Office, before: &str) -> String {
    office
        .until("another serves", async || address(office).await != before)
        .await;
    address(office).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_outlives_a_store_that_cannot_be_read() {
    let office = serving(Plan::default()).await;
    let daemon = office.daemon().await;
    let at = address(&office).await;
    figures(&at).await;
    office.request(vec![payment(1, Address::repeat_byte(1), 10)]);
    let is = async |name: &str, value: &str| {
        let all = figures(&at).await;
        all.get(name).is_some_and(|found| found == value)
    };
    let accepted = "tidelock_requests_accepted_total";
    // Without another block its row stays as it is.
    office
        .until("it is signed", async || is("tidelock_attempts", "1").await)
        .await;
    // What the store says may be a second old.
    office
        .until("it is counted", async || is(accepted, "1").await)
        .await;
    for (change, readable) in [
        ("UPDATE payment SET status = upper(status)", "0"),
        ("UPDATE payment SET status = lower(status)", "1"),
    ] {
        changed(&office, change).await;
        office
            .until(change, async || {
                is("tidelock_store_readable", readable).await
            })
            .await;
    }
    assert!(is(accepted, "1").await, "{:?}", figures(&at).await);
    daemon.stop();
}

/// The store, as somebody with its file may change it.
async fn changed(office: &Office, statement: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(office.path("keeper.db"));
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_changed_and_a_taken_port_is_said() {
    let office = serving(Plan::default()).await;
    let daemon = office.daemon().await;
    let address = address(&office).await;
    let client = tidelock_keeper::tls::client().build().unwrap();
    for page in ["/metrics", "/healthz", "/readyz"] {
        let asked = client.post(format!("http://{address}{page}")).body("x");
        assert_eq!(asked.send().await.unwrap().status().as_u16(), 405);
    }
    assert_eq!(get(&address, "/").await.0, 404);
    assert_eq!(get(&address, "/metrics/x").await.0, 404);
    let (_, text) = get(&address, "/metrics").await;
    assert!(!text.contains("open sesame"), "{text}");
    // Another one on the same port.
    let other = Office::open(Plan::default()).await;
    other.configure(|text| format!("{text}[operations]\nlisten = {address:?}\n"));
    let ended = other.keeper(&["run"]).await;
    world::expect(&ended, 2, &format!("operations.listen = {address}"));
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_when_it_has_started_that_it_lives_and_that_it_ends() {
    let mut office = serving(Plan::default()).await;
    let path = office.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    office.variables.push(("NOTIFY_SOCKET", path));
    let told = move || {
        let mut buffer = [0; 4_096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let daemon = office.daemon().await;
    let first = told();
    assert!(
        first.contains("READY=1") && first.contains("WATCHDOG=1"),
        "{first}"
    );
    assert!(first.contains("STATUS=block "), "{first}");
    for _ in 0..3 {
        assert!(told().contains("WATCHDOG=1"));
    }
    daemon.stop();
    let mut rest = std::iter::from_fn(|| Some(told()));
    assert!(rest.any(|words| words.contains("STOPPING=1")));
}
