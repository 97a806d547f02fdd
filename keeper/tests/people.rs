//! The commands of people, by the real binary on a real chain.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;
mod world;

use std::{fs, process::Output, thread};

use alloy::{primitives::U256, signers::local::PrivateKeySigner};
use serde_json::Value;
use support::payment;
use tidelock_core::abi::{Vault, VaultLens};
use world::{Office, Plan, Tether, err, expect, json_of, out};

#[tokio::test]
async fn check_agrees_or_names_the_difference() {
    let office = Office::open(Plan::default()).await;
    let good = office.keeper(&["check"]).await;
    expect(&good, 0, "warning: chain.rpc_url: one node only");
    let as_json = json_of(&office.keeper(&["check", "--json"]).await);
    assert_eq!(as_json["decimals"], 6);
    let keeper = office.world.keys.keeper.address();
    assert_eq!(
        as_json["keeper"].as_str().unwrap().to_lowercase(),
        keeper.to_string().to_lowercase()
    );

    let stranger = office.world.keys.stranger.address().to_string();
    let refused = office.keeper(&["check", "--keeper", &stranger]).await;
    expect(&refused, 3, "the role was never granted");
    expect(&refused, 3, "it must hold the keeper's role to send");
    office.configure(|text| text.replace("chain_id = 31337", "chain_id = 1"));
    let refused = office.keeper(&["check"]).await;
    expect(&refused, 2, "chain.chain_id 1: the node is on chain 31337");
    let token = office.world.token.to_string();
    let lens = office.world.lens.to_string();
    office.configure(|text| {
        text.replace(
            &format!("token = \"{token}\""),
            &format!("token = \"{lens}\""),
        )
    });
    expect(&office.keeper(&["check"]).await, 2, "vault.token");
    office.configure(|text| text.replace(&office.world.node.port().to_string(), "1"));
    expect(
        &office.keeper(&["check"]).await,
        4,
        "connection to http://127.0.0.1:1 failed",
    );
}

#[tokio::test]
async fn doctor_warns_and_fails_by_its_thresholds() {
    let office = Office::open(Plan {
        roles_last: 13 * u64::from(world::DAY),
        ..Plan::default()
    })
    .await;
    let doctor = async || json_of_any(&office.keeper(&["doctor", "--json"]).await);
    let level = |found: &Value, check: &str| {
        let findings = found.as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == check);
        finding.unwrap_or_else(|| panic!("{check} in {found}"))["level"].clone()
    };
    let (code, found) = doctor().await;
    assert_eq!(code, 0, "{found}");
    for (check, expected) in [
        ("identity", "ok"),
        ("nodes", "warning"),
        ("clock", "ok"),
        ("keeper", "warning"),
        ("proposer", "warning"),
        ("gas", "ok"),
        ("freeze", "ok"),
        ("token", "ok"),
        ("pause", "ok"),
        ("money", "ok"),
        ("log", "warning"),
    ] {
        assert_eq!(level(&found, check), expected, "{check}: {found}");
    }
    let keeper = office.world.keys.keeper.address();
    office.world.set_gas_balance(keeper, U256::ONE).await;
    let signer = office.signer(0).address();
    assert!(
        office
            .world
            .vault_call(signer, &Vault::freezeCall {})
            .await
            .success
    );
    let (code, found) = doctor().await;
    assert_eq!(code, 0);
    assert_eq!(level(&found, "gas"), "warning");
    assert_eq!(level(&found, "freeze"), "warning");
    office.world.set_gas_balance(keeper, U256::ZERO).await;
    let user = office.world.domain.vault;
    office
        .world
        .token_call(&Tether::addBlackListCall { user })
        .await;
    office.world.token_call(&Tether::pauseCall {}).await;
    let check = office.keeper(&["check"]).await;
    expect(&check, 0, "it is paused; nothing can be paid");
    office.world.skip(14 * u64::from(world::DAY)).await;
    office.world.mine(5).await; // so that no block after which a balance was set is the final one
    let (code, found) = doctor().await;
    assert_eq!(code, 1);
    for check in ["gas", "token", "pause", "keeper"] {
        assert_eq!(level(&found, check), "failed", "{check}: {found}");
    }
    assert_eq!(level(&found, "clock"), "warning");
}

fn json_of_any(output: &Output) -> (i32, Value) {
    let found = serde_json::from_str(&out(output));
    (
        output.status.code().unwrap(),
        found.unwrap_or_else(|_| panic!("{}", err(output))),
    )
}

const PAYMENTS: &str = "ref,recipient,amount\n\
    00000000000000000000000000000001,0x7171717171717171717171717171717171717171,12.5\n\
    00000000000000000000000000000002,0x7272727272727272727272727272727272727272,20000\n";

#[tokio::test]
async fn people_propose_approve_and_revoke() {
    let office = Office::open(Plan::default()).await;
    fs::write(office.path("payments.csv"), PAYMENTS).unwrap();
    let file = office.path("payments.csv");
    let propose = [
        "--json",
        "propose",
        "--yes",
        "--file",
        file.to_str().unwrap(),
    ];
    let proposed = json_of(&office.keeper_as(office.signer(0), &propose).await);
    let id = proposed["batch"].as_str().unwrap().to_owned();
    let header = &proposed["header"];
    assert_eq!(
        header["tier"], 1,
        "the lowest that is not automatic and takes all"
    );
    let names: Vec<&String> = header.as_object().unwrap().keys().collect();
    let typed = [
        "context",
        "count",
        "expiresAt",
        "firstNumber",
        "paymentsHash",
        "recipient",
        "tier",
        "total",
    ];
    assert_eq!(names, typed, "as the EIP-712 type has them");
    let first: u64 = header["firstNumber"].as_str().unwrap().parse().unwrap();
    assert!((1 << 63..(1 << 63) + (1 << 40)).contains(&first), "{first}");
    let said = office.explain(&proposed["batch"]).await;
    assert_eq!((said.state, said.votes, said.required), (1, 1, 2));

    let described = office
        .keeper_as(office.signer(1), &["approve", &id, "--yes"])
        .await;
    expect(
        &described,
        0,
        "0x7171717171717171717171717171717171717171 12.5 ref 0x00000000000000000000000000000001",
    );
    expect(&described, 0, "votes      2 of 2");
    assert_eq!(office.explain(&proposed["batch"]).await.state, 2, "queued");

    let revoked = office
        .keeper_as(office.signer(1), &["revoke", &id, "--yes"])
        .await;
    expect(&revoked, 0, &format!("revoked {id}"));
    assert_eq!(office.explain(&proposed["batch"]).await.votes, 1);
    let twice = office
        .keeper_as(office.signer(1), &["revoke", &id, "--yes"])
        .await;
    expect(&twice, 3, "the vault refuses: VaultNotApproved");
}

/// Signers are told before they vote: by the running keeper, and by their own commands from the vault's logs.
#[tokio::test]
async fn a_ref_that_is_paid_is_not_proposed_or_approved_unseen() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(10).await;
    let daemon = office.daemon().await;
    office.request(vec![payment(1)]);
    let reference = payment(1).reference().to_string();
    office
        .until("it is paid for good", async || {
            office.world.mine(1).await;
            let explained = office.keeper(&["explain", &reference, "--json"]).await;
            json_of(&explained)["payment"]["status"] == "paid"
        })
        .await;
    let file = office.path("again.csv");
    let recipient = payment(1).recipient();
    let again = format!("ref,recipient,amount\n{reference},{recipient},1200.5\n");
    fs::write(&file, again).unwrap();
    let propose = ["propose", "--yes", "--file", file.to_str().unwrap()];
    let alice = office.signer(0);
    let refused = office.keeper_as(alice, &propose).await;
    let words = format!("--yes: the vault has paid ref {reference} already");
    expect(&refused, 3, &words);
    let proposed = [&["--json"], propose.as_slice(), &["--again"]].concat();
    let proposed = json_of(&office.keeper_as(alice, &proposed).await);
    let id = proposed["batch"].as_str().unwrap().to_owned();

    let alert = format!("{reference} again, which the vault has paid under number");
    office
        .until("the running keeper says so", async || {
            let status = office.keeper(&["status"]).await;
            out(&status).contains("ALERT") && out(&status).contains(&alert)
        })
        .await;
    let (code, found) = json_of_any(&office.keeper(&["doctor", "--json"]).await);
    assert_eq!(code, 1, "{found}");
    assert!(found.to_string().contains(&alert), "{found}");
    assert!(office.log().contains(&alert), "{}", office.log());

    let approve = ["approve", &id, "--yes"];
    let bob = office.signer(1);
    let refused = office.keeper_as(bob, &approve).await;
    expect(&refused, 3, &words);
    expect(&refused, 3, "is PAID already: ");
    expect(&refused, 3, "this would pay 1200.5 to");
    assert_eq!(office.explain(&proposed["batch"]).await.votes, 1);
    let approved = [approve.as_slice(), &["--again"]].concat();
    expect(&office.keeper_as(bob, &approved).await, 0, "approved");
    daemon.stop();
}

type Case<'a> = (&'a PrivateKeySigner, &'a [&'a str], i32, &'a str);

#[tokio::test]
async fn what_people_may_not_do_is_refused_before_anything_is_sent() {
    let office = Office::open(Plan::default()).await;
    let before = office.world.head().await;
    let id = format!("0x{}", "ab".repeat(32));
    let (alice, stranger) = (office.signer(0), &office.world.keys.stranger);
    let keeper = &office.world.keys.keeper;
    let cases: [Case<'_>; 6] = [
        (
            stranger,
            &["freeze", "--yes"],
            3,
            "the vault refuses: VaultNotFreezer",
        ),
        (
            keeper,
            &["freeze", "--yes"],
            3,
            "it holds the keeper's role",
        ),
        (alice, &["freeze"], 2, "--yes: not given"),
        (
            alice,
            &["approve", &id, "--yes"],
            3,
            "the vault's logs have no such proposal",
        ),
        (
            alice,
            &["approve", "0x12", "--yes"],
            2,
            "must be 0x and 64 hexadecimal digits",
        ),
        (
            stranger,
            &["revoke", &id, "--yes"],
            3,
            "the vault refuses: VaultNotSigner",
        ),
    ];
    for (key, arguments, code, words) in cases {
        expect(&office.keeper_as(key, arguments).await, code, words);
    }
    assert_eq!(office.world.head().await, before, "nothing was mined");
}

#[tokio::test]
async fn a_proposal_that_cannot_be_is_refused_before_anything_is_sent() {
    let office = Office::open(Plan::default()).await;
    let before = office.world.head().await;
    let path = office.path("payments.csv");
    fs::write(&path, PAYMENTS).unwrap();
    let file = path.to_str().unwrap();
    let (alice, stranger) = (office.signer(0), &office.world.keys.stranger);
    let cases: [Case<'_>; 5] = [
        (
            stranger,
            &["--file", file],
            3,
            "the vault refuses: VaultNotProposer",
        ),
        (alice, &["--file", "nowhere.csv"], 2, "--file nowhere.csv"),
        (
            alice,
            &["--file", file, "--first-number", "5"],
            2,
            "the others belong to keepers",
        ),
        (
            alice,
            &["--file", file, "--tier", "0"],
            3,
            "the vault refuses: VaultTierAutomatic",
        ),
        (
            alice,
            &["--file", file, "--life", "60"],
            3,
            "the vault refuses: VaultExpiryOutOfRange",
        ),
    ];
    for (key, arguments, code, words) in cases {
        let arguments = [&["propose", "--yes"], arguments].concat();
        expect(&office.keeper_as(key, &arguments).await, code, words);
    }
    fs::write(&path, PAYMENTS.replace("12.5", "2000000")).unwrap();
    let large = office
        .keeper_as(alice, &["propose", "--yes", "--file", file])
        .await;
    expect(&large, 3, "no tier takes that amount");
    assert_eq!(office.world.head().await, before, "nothing was mined");
}

#[tokio::test]
async fn a_signer_freezes() {
    let office = Office::open(Plan::default()).await;
    let frozen = office
        .keeper_as(office.signer(2), &["freeze", "--yes"])
        .await;
    expect(&frozen, 0, " UTC, in 4 days)");
    let vault = office.world.domain.vault;
    let until = office
        .world
        .read(office.world.lens, &VaultLens::haltedUntilCall { vault })
        .await;
    assert!(until > U256::from(office.world.head().await.time.seconds()));
}

#[tokio::test]
async fn doctor_looks_at_the_log_too() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(10).await;
    let level = |found: &Value, check: &str| {
        let findings = found.as_array().unwrap();
        findings
            .iter()
            .find(|finding| finding["check"] == check)
            .unwrap()["level"]
            .clone()
    };
    let daemon = office.daemon().await;
    let (code, found) = json_of_any(&office.keeper(&["doctor", "--json"]).await);
    assert_eq!(code, 0, "{found}");
    for check in ["log", "mode", "payments"] {
        assert_eq!(level(&found, check), "ok", "{found}");
    }
    daemon.stop();
    let (_, found) = json_of_any(&office.keeper(&["doctor", "--json"]).await);
    assert_eq!(level(&found, "log"), "warning", "nobody runs");
    fs::write(office.path("keeper.db"), "not a database").unwrap();
    let (code, found) = json_of_any(&office.keeper(&["doctor", "--json"]).await);
    assert_eq!((code, level(&found, "log")), (1, "failed".into()));
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_named_and_the_others_go_on() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(10).await;
    let daemon = office.daemon().await;
    let heartbeat = office.path("keeper.db.heartbeat");
    office.until("it runs", async || heartbeat.exists()).await;
    daemon.stop();
    office.request(vec![payment(1), payment(2)]);
    let path = office.path("keeper.db");
    let damage =
        "DROP TRIGGER request_is_never_updated; UPDATE request SET amount = '-1' WHERE arrival = 1";
    thread::spawn(move || support::tamper(&path, damage))
        .join()
        .unwrap();
    let bad = payment(1).reference().to_string();
    let status = json_of(&office.keeper(&["status", "--json"]).await);
    let damaged = status["damaged"][0].as_str().unwrap();
    assert!(damaged.contains(&bad), "{status}");

    let daemon = office.daemon().await;
    let good = payment(2).reference().to_string();
    office
        .until("the other request is taken in", async || {
            let explained = json_of(&office.keeper(&["explain", &good, "--json"]).await);
            explained["payment"]["status"] != "waiting"
        })
        .await;
    let (code, found) = json_of_any(&office.keeper(&["doctor", "--json"]).await);
    let findings = found.as_array().unwrap();
    let left_out = findings
        .iter()
        .find(|finding| finding["check"] == "left out");
    let left_out = left_out.unwrap_or_else(|| panic!("{found}"));
    assert_eq!((code, &left_out["level"]), (1, &"failed".into()));
    assert!(left_out["found"].as_str().unwrap().contains(&bad));
    daemon.stop();
}
