//! `keeper canary` beside a keeper that leads: the real binary on a real chain, and what differs on purpose is caught.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod world;

use std::{path::PathBuf, process::Output, time::Duration};

use alloy::primitives::Address;
use serde_json::Value;
use tidelock_core::domain::{Amount, Payment, PaymentRef};
use world::{DAY, FINAL, Mining, Office, Plan, Tether, USDT, err, expect, out, tier};

/// On the token's list.
const FROZEN: Address = Address::repeat_byte(0x66);

async fn office() -> Office {
    // The second tier needs no approvals and two seconds: what is proposed in it is executed by itself.
    let office = Office::open(Plan {
        tiers: vec![
            tier(10_000, 1_000, 100_000, 0, 0),
            tier(100_000, 20_000, 500_000, 0, 2),
            tier(1_000_000, 1_000_000, 2_000_000, 3, DAY),
        ],
        ..Plan::default()
    })
    .await;
    office.world.mine(FINAL).await;
    let list = Tether::addBlackListCall { user: FROZEN };
    office.world.token_call(&list).await;
    office.world.set_mining(Mining::Every(1)).await;
    office
}

/// Small ones, one that is proposed, and one that is held.
fn payments(round: u32) -> Vec<Payment> {
    let payment = |place: u8, recipient: Address, tokens: u128| {
        let mut reference = [place; 16];
        reference[..4].copy_from_slice(&round.to_be_bytes());
        Payment::new(recipient, Amount(tokens * USDT), PaymentRef(reference)).unwrap()
    };
    let small = (1..=5).map(|place| payment(place, Address::repeat_byte(place), 10));
    let others = [(6, Address::repeat_byte(6), 15_000), (7, FROZEN, 10)];
    let others = others.map(|(place, to, tokens)| payment(place, to, tokens));
    small.chain(others).collect()
}

/// Runs it while payments are filed again and again.
async fn canary(office: &Office, arguments: &[&str]) -> (Output, Value) {
    let arguments = [&["--json", "canary"], arguments].concat();
    let watched = office.keeper(&arguments);
    tokio::pin!(watched);
    let mut round = 0;
    let ended = loop {
        tokio::select! {
            ended = &mut watched => break ended,
            () = tokio::time::sleep(Duration::from_millis(1_500)) => {}
        }
        round += 1;
        office.request(payments(round));
    };
    let report = serde_json::from_str(&out(&ended));
    let report = report.unwrap_or_else(|_| panic!("{}{}", out(&ended), err(&ended)));
    (ended, report)
}

fn with(office: &mut Office, name: &'static str, value: &str) {
    office.variables.push((name, PathBuf::from(value)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_keeper_decides_alike() {
    let office = office().await;
    let daemon = office.daemon().await;
    let (ended, report) = canary(&office, &["--blocks", "25", "--decisions", "8"]).await;
    expect(&ended, 0, "\"alike\":true");
    assert_eq!(report["differences"], serde_json::json!([]), "{report}");
    assert!(report["payments_judged"].as_u64() > Some(12), "{report}");
    assert!(report["executions"].as_u64() > Some(0), "{report}");
    daemon.stop();
    // Nobody leads any more.
    expect(
        &office.keeper(&["canary"]).await,
        3,
        "a canary follows one that leads",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_batches_are_a_difference() {
    let mut office = office().await;
    let daemon = office.daemon().await;
    with(&mut office, "KEEPER_BATCH__MAX_PAYMENTS", "3");
    let (ended, report) = canary(&office, &["--blocks", "8"]).await;
    expect(&ended, 1, "\"alike\":false");
    let first = report["differences"][0].as_str();
    let first = first.unwrap_or_else(|| panic!("{report}"));
    assert!(
        first.contains("the leader pays 5") && first.contains("this one pays "),
        "{report}"
    );
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_wait_is_a_difference() {
    let mut office = office().await;
    let daemon = office.daemon().await;
    with(&mut office, "KEEPER_BATCH__MAX_WAIT_MS", "600000");
    let (ended, report) = canary(&office, &["--blocks", "8"]).await;
    expect(&ended, 1, "\"alike\":false");
    let first = report["differences"][0].as_str();
    let first = first.unwrap_or_else(|| panic!("{report}"));
    assert!(
        first.contains("the leader p") && first.contains("this one waits"),
        "{report}"
    );
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_wait_is_a_difference() {
    let mut office = office().await;
    office.configure(|text| text.replace("max_wait_ms = 100", "max_wait_ms = 600000"));
    let daemon = office.daemon().await;
    with(&mut office, "KEEPER_BATCH__MAX_WAIT_MS", "100");
    let (ended, report) = canary(&office, &["--blocks", "30"]).await;
    expect(&ended, 1, "\"alike\":false");
    let first = report["differences"][0].as_str();
    let first = first.unwrap_or_else(|| panic!("{report}"));
    assert!(first.contains("the leader has not by block"), "{report}");
    daemon.stop();
}
