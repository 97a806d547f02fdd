//! `keeper deploy`, by the real binary on a real chain: from a policy to a keeper that may pay.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod world;

use std::fs;

use serde_json::{Value, json};
use tidelock_deploy::{policy::EXAMPLE, units::time_shown};
use world::{DAY, Office, Plan, expect, json_of, out};

/// The example for this world: its token, its keeper's key, and roles that last 300 days from now.
async fn write_policy(office: &Office) -> String {
    let now = office.world.head().await.time.seconds();
    let keeper = office.world.keys.keeper.address().to_string();
    let text = EXAMPLE
        .replace(
            "0x5FbDB2315678afecb367f032d93F642f64180aa3",
            &office.world.token.to_string(),
        )
        .replace("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", &keeper)
        .replace("2027-06-01", &time_shown(now + 300 * u64::from(DAY)));
    let path = office.path("policy.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is said before anything is sent.
async fn expect_plan(office: &Office, policy: &str, url: &str) {
    let plan = office.keeper(&["deploy", "plan", "--policy", policy]).await;
    expect(&plan, 0, "with a keeper's key: 100,000\n");
    expect(
        &plan,
        0,
        "with 2 signers' keys: 500,000; with a keeper's too: 600,000\n",
    );
    expect(
        &plan,
        0,
        "with 2 signers' keys, once a change of the policy has waited 2 days: 2,600,000, and never more",
    );
    expect(&plan, 0, "a freeze lasts 4 days");

    let with_node = ["--policy", policy, "--rpc-url", url];
    let on_chain = office
        .keeper(&[&["deploy", "plan"], &with_node[..]].concat())
        .await;
    expect(
        &on_chain,
        0,
        "on this chain the deterministic deployer is there",
    );
    expect(&on_chain, 0, "on this chain the vault is missing");
    let simulated = office
        .keeper(&[&["deploy", "simulate"], &with_node[..]].concat())
        .await;
    expect(
        &simulated,
        0,
        "the code that it leaves has the release's hash",
    );
}

#[tokio::test]
async fn from_a_policy_to_a_keeper() {
    let office = Office::open(Plan::default()).await;
    let policy = write_policy(&office).await;
    let url = office.world.node.url().to_string();
    let payer = &office.world.keys.stranger;

    expect_plan(&office, &policy, &url).await;
    let with_node = ["--policy", &policy, "--rpc-url", &url];
    let record = office.path("deployment.json");
    let verify = [
        &["deploy", "verify", "--out", record.to_str().unwrap()],
        &with_node[..],
    ]
    .concat();
    expect(&office.keeper(&verify).await, 1, "vault at 0x");
    assert!(!record.exists(), "nothing is proven");

    let apply = [&["deploy", "apply"], &with_node[..]].concat();
    let applied = office.keeper_as(payer, &apply).await;
    expect(&applied, 0, "vault is at 0x");
    expect(&applied, 0, "the vault is 0x");
    let again = office.keeper_as(payer, &apply).await;
    expect(&again, 0, "nothing was sent");

    expect(&office.keeper(&verify).await, 0, "not final yet");
    let config = office.path("keeper.toml");
    fs::remove_file(&config).unwrap();
    let init = [
        "init",
        "--allow-single-node",
        "--rpc-url",
        &url,
        "--deployment",
        record.to_str().unwrap(),
    ];
    expect(
        &office.keeper(&init).await,
        3,
        "was not final when it was verified",
    );
    office.world.mine(16).await;
    expect(
        &office.keeper(&verify).await,
        0,
        "every field that it answers is the policy's",
    );
    expect(&office.keeper(&init).await, 0, "wrote");
    let as_read: Value = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    let vault = as_read["vault"].as_str().unwrap();
    assert!(text.to_lowercase().contains(vault), "{text}");

    let check = [
        "check",
        "--keeper",
        &office.world.keys.keeper.address().to_string(),
    ];
    let checked = office.keeper(&check).await;
    expect(&checked, 0, "");
}

#[tokio::test]
async fn refusals_have_their_exit_codes() {
    let office = Office::open(Plan::default()).await;
    let policy = write_policy(&office).await;
    let url = office.world.node.url().to_string();
    let text = fs::read_to_string(&policy).unwrap();
    let with_node = ["--policy", &policy, "--rpc-url", &url];
    let simulate = [&["deploy", "simulate"], &with_node[..]].concat();

    fs::write(&policy, text.replace("threshold = 2", "threshold = 7")).unwrap();
    let words = "vault.threshold = 7: must be 1 to the number of signers, 3";
    expect(&office.keeper(&simulate).await, 2, words);
    fs::write(&policy, text.replace("id = 31337", "id = 10")).unwrap();
    let words = "chain.id = 10: the node is on chain 31337; nothing was sent";
    expect(&office.keeper(&simulate).await, 2, words);
    // On that chain the coin for gas is the token. Nothing is asked of a node before that is said, or while proving what is there.
    fs::write(&policy, text.replace("id = 31337", "id = 988")).unwrap();
    let words = "policy: chain.id = 988: Stable is refused";
    let plan = ["deploy", "plan", "--policy", &policy];
    expect(&office.keeper(&plan).await, 2, words);
    for part in ["plan", "simulate", "verify"] {
        let with_node = [&["deploy", part], &with_node[..]].concat();
        expect(&office.keeper(&with_node).await, 2, words);
    }
    let payer = &office.world.keys.stranger;
    let apply = [&["deploy", "apply"], &with_node[..]].concat();
    expect(&office.keeper_as(payer, &apply).await, 2, words);
    fs::write(&policy, &text).unwrap();
    let frugal = [&["deploy", "apply", "--max-fee-gwei", "0"], &with_node[..]].concat();
    expect(
        &office.keeper_as(payer, &frugal).await,
        3,
        "at most 0 are allowed (--max-fee-gwei)",
    );
    let nowhere = [
        "deploy",
        "simulate",
        "--policy",
        &policy,
        "--rpc-url",
        "http://127.0.0.1:1",
    ];
    expect(
        &office.keeper(&nowhere).await,
        4,
        "connection to http://127.0.0.1:1 failed",
    );
    let none = ["deploy", "plan", "--policy", "/nonexistent"];
    expect(&office.keeper(&none).await, 2, "--policy /nonexistent");

    let planned = json_of(
        &office
            .keeper(&[&["deploy", "plan", "--json"], &with_node[..]].concat())
            .await,
    );
    let code = json!([planned["vault"], "0x6000"]);
    office.world.ask::<Value>("anvil_setCode", code).await;
    expect(
        &office.keeper(&simulate).await,
        1,
        "this is not what the release deploys",
    );
}

#[tokio::test]
async fn another_account_sends_what_was_written() {
    let office = Office::open(Plan::default()).await;
    let policy = write_policy(&office).await;
    let url = office.world.node.url().to_string();
    let file = office.path("unsigned.json");
    let apply = [
        "deploy",
        "apply",
        "--policy",
        &policy,
        "--rpc-url",
        &url,
        "--unsigned",
        file.to_str().unwrap(),
    ];
    expect(&office.keeper(&apply).await, 0, "wrote 1 transaction to");
    let transactions: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let anybody = office.world.keys.treasurer.address();
    // The world has factory and lens.
    for transaction in transactions.as_array().unwrap() {
        let to = transaction["to"].as_str().unwrap().parse().unwrap();
        let data = transaction["data"].as_str().unwrap().parse().unwrap();
        assert!(office.world.send(anybody, Some(to), data).await.success);
    }
    let record = office.path("deployment.json");
    let verify = [
        "deploy",
        "verify",
        "--json",
        "--policy",
        &policy,
        "--rpc-url",
        &url,
        "--out",
        record.to_str().unwrap(),
    ];
    let verified = office.keeper(&verify).await;
    assert_eq!(
        json_of(&verified)["chain_id"],
        json!(31_337),
        "{}",
        out(&verified)
    );
}
