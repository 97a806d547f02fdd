//! Quotes and fees, by the real binary on a real chain.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "support/postgres.rs"]
mod postgres;
mod world;

use alloy::primitives::Address;
use world::{FINAL, Mining, Office, Plan, expect, json_of, out};

const REF: &str = "0x00000000000000000000000000000007";

fn wei(value: &serde_json::Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_kept_and_held_to_what_happens() {
    a_quote_is_kept(Office::open(Plan::default()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_too() {
    let office = Office::open(Plan::default()).await;
    let server = postgres::shared();
    let url = postgres::Server::url(server.folder(), &server.database());
    let store = format!("[store]\ndatabase = \"{url}\"\nlease_ms = 3000\n[chain]");
    office.change("[chain]", &store);
    a_quote_is_kept(office).await;
}

#[allow(clippy::too_many_lines, reason = "one story, in its order")]
async fn a_quote_is_kept(office: Office) {
    // Two payments in a batch: a few payments are many batches.
    office.change("max_wait_ms = 100", "max_wait_ms = 100\nmax_payments = 2");
    office.world.mine(FINAL).await;
    let recipient = Address::repeat_byte(0x71).to_string();
    let quote = ["--json", "quote", &recipient, "100", "--ref", REF];
    office.world.set_mining(Mining::Every(1)).await;
    let daemon = office.start_daemon();
    office
        .until("it runs", async || office.log().contains("keeper runs"))
        .await;

    let quoted = json_of(&office.keeper(&quote).await);
    assert_eq!((&quoted["ref"], &quoted["ahead"]), (&REF.into(), &0.into()));
    assert_eq!(
        (&quoted["approvals"], &quoted["waits"]),
        (&0.into(), &serde_json::json!([]))
    );
    let (fee, most) = (wei(&quoted["fee_expected"]), wei(&quoted["fee_most"]));
    assert!(0 < fee && fee < most, "{quoted}");
    let said = out(&office.keeper(&quote[1..]).await);
    for part in [
        "pays      100 to",
        "alone in its transaction, at most",
        "arrives   in",
        "final     half of such payments are in",
        "too few recent payments are known",
    ] {
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
    let scores = json_of(&office.keeper(&["--json", "quote", "--scores"]).await);
    assert_eq!(scores["quotes"][0]["status"], "not filed");
    assert_eq!(scores["sum"]["quotes"], 1, "the last quote of a ref counts");

    expect(
        &office
            .keeper(&["request", &recipient, "100", "--ref", REF])
            .await,
        0,
        "filed",
    );
    office
        .until("it is paid", async || {
            let scores = json_of(&office.keeper(&["--json", "quote", "--scores"]).await);
            scores["quotes"][0]["status"] == "paid"
        })
        .await;
    let scores = json_of(&office.keeper(&["--json", "quote", "--scores"]).await);
    let score = &scores["quotes"][0];
    assert!(
        score["took_s"].is_u64() && score["in_time"].is_boolean(),
        "{score}"
    );
    assert_eq!(score["within_fee"], true, "{score}");
    // Simulated beforehand, the same gas but for a margin; base fees fall while blocks are empty.
    assert!(wei(&score["gas_paid"]) <= fee, "{score}, quoted {fee}");
    assert_eq!(scores["sum"]["paid"], 1);
    let took = score["took_s"].as_u64().unwrap();
    for part in ["p50", "p95"] {
        let quoted = score[format!("{part}_s")].as_u64().unwrap();
        assert_eq!(score[format!("within_{part}")], took <= quoted, "{score}");
    }
    let said = out(&office.keeper(&["quote", "--scores"]).await);
    assert!(said.contains("of 1 paid ones"), "{said}");

    // Once enough are known, a quote rests on what they took.
    let rows = (0x80..0x94).map(|index: u8| {
        let reference = format!("{index:02x}").repeat(16);
        format!("{reference},{},1\n", Address::repeat_byte(index))
    });
    let list = rows.fold("ref,recipient,amount\n".to_owned(), |list, row| list + &row);
    std::fs::write(office.path("list.csv"), list).unwrap();
    let list = office.path("list.csv").to_str().unwrap().to_owned();
    expect(&office.keeper(&["request", "--file", &list]).await, 0, "");
    office
        .until("they are paid", async || {
            let status = json_of(&office.keeper(&["status", "--json"]).await);
            status["counts"]["paid"] == 21
        })
        .await;
    let quoted = json_of(&office.keeper(&["--json", "quote", &recipient, "100"]).await);
    assert!(quoted["recent"].as_u64().unwrap() >= 20, "{quoted}");
    let said = out(&office.keeper(&["quote", &recipient, "100"]).await);
    assert!(
        said.contains("recent payments and what it waits for beside"),
        "{said}"
    );
    daemon.stop();

    // What the vault cannot pay is said before it is asked for.
    let most = ["quote", &recipient, "99999999999", "--json"];
    let refused = office.keeper(&most).await;
    expect(&refused, 3, "no tier takes that amount");
}

#[tokio::test]
async fn fees_are_shown_and_a_history_is_replayed() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(FINAL).await;
    let said = out(&office.keeper(&["fees"]).await);
    for part in [
        "too little of the last day is known",
        "waits     no: everything is paid at once",
        "the node's blocks",
        "the history is too short to tell",
    ] {
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
    // Made up, from seeds: keeper/core/tests/fees.rs pins the rule on it too.
    let daily = world::repository().join("test-fixtures/fees/daily.csv");
    let path = daily.to_str().unwrap().to_owned();
    let shown = json_of(&office.keeper(&["--json", "fees", "--history", &path]).await);
    let saved = |index: usize| shown["replays"][index]["saved"].as_i64().unwrap();
    assert_eq!([0, 1, 2, 3].map(saved), [216, 233, 229, 966], "{shown}");
    assert_eq!(shown["waits_s"], serde_json::Value::Null);

    office.configure(|text| text + "\n[fees]\nwait_s = 86400\n");
    let said = out(&office.keeper(&["fees", "--history", &path]).await);
    assert!(said.contains("wait 1 d: saves"), "{said}");
    std::fs::write(office.path("wrong.csv"), "5,1\n4,1\n").unwrap();
    let wrong = office.path("wrong.csv").to_str().unwrap().to_owned();
    let refused = office.keeper(&["fees", "--history", &wrong]).await;
    expect(&refused, 2, "line 2: \"4,1\" must be a time in seconds");
}
