//! Chains by their profiles, on anvils that are started with their ids: what `check`, `doctor` and `init` say, and a payment in
//! tokens of 6 and of 18 decimals. None of these is the chain itself.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod world;

use std::process::Output;

use alloy::primitives::{Address, U256};
use serde_json::{Value, json};
use tidelock_keeper::chain::GAS_PRICE_ORACLE;
use world::{FINAL, Mining, Office, Plan, expect, json_of, out};

/// A contract that answers whatever is asked with the size of the question in gwei.
const ORACLE: &str = "0x36633b9aca00025f5260205ff3";

/// An office on a chain of that id.
async fn on_chain(id: u64, plan: Plan, more: &[&str]) -> Office {
    let id = id.to_string();
    let arguments = [&["--chain-id", &id], more].concat();
    let office = Office::open(Plan {
        arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        ..plan
    })
    .await;
    office.world.mine(FINAL).await;
    office
}

/// What `check` says of a rule: the profile's word, the node's, and whether they agree.
fn rule<'a>(checked: &'a Value, rule: &str) -> [&'a str; 3] {
    let rules = checked["profile"]["rules"].as_array().unwrap();
    let found = rules.iter().find(|row| row["rule"] == rule).unwrap();
    ["profile", "node", "verdict"].map(|field| found[field].as_str().unwrap())
}

fn warnings(checked: &Value) -> String {
    checked["warnings"].to_string()
}

#[tokio::test]
async fn check_holds_the_node_to_the_profile() {
    let office = on_chain(31_337, Plan::default(), &[]).await;
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    assert_eq!(checked["profile"]["name"], "development chain");
    assert_eq!(
        rule(&checked, "block checks"),
        ["receipts", "receipts", "ok"]
    );
    assert_eq!(rule(&checked, "state proofs"), ["yes", "yes", "ok"]);
    assert_eq!(rule(&checked, "finality")[2], "ok");
    let gas = rule(&checked, "gas of a transaction");
    assert_eq!(gas[0], "16777216 up to Osaka, 50000000 after");
    assert_eq!(
        gas[1],
        "block by the rules of Osaka or earlier: 16777216 is used"
    );
    assert!(!warnings(&checked).contains("the profile of"), "{checked}");
    let text = out(&office.keeper(&["check"]).await);
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = ["block", "checks", "receipts", "receipts", "ok"];
    assert!(lines.any(|line| line == row), "{text}");

    // Deep enough is final, where an operator says so.
    office.configure(|text| text.replace("[vault]", "final_depth = 3\n[vault]"));
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    let number = |block: &str| checked[block]["number"].as_u64().unwrap();
    assert_eq!(number("finalised"), number("head") - 3);
    assert!(
        warnings(&checked).contains("chain.final_depth 3: "),
        "{checked}"
    );

    // More than the rules allow would be refused by every node.
    office.configure(|text| format!("{text}[gas]\nmax_transaction_gas = 20000000\n"));
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    assert_eq!(rule(&checked, "gas of a transaction")[2], "differs");
    assert!(warnings(&checked).contains("gas of a transaction: the profile of"));
}

/// This anvil has a base fee, another token, and checks that BSC has too.
#[tokio::test]
async fn what_differs_is_warned_about() {
    let office = on_chain(56, Plan::default(), &[]).await;
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    assert_eq!(checked["profile"]["coin"], "BNB");
    assert_eq!(rule(&checked, "block checks")[2], "ok");
    assert_eq!(rule(&checked, "price of gas")[2], "differs");
    let [profile, node, verdict] = rule(&checked, "token");
    assert_eq!(
        profile,
        "0x55d398326f99059fF775485246999027B3197955 with 18 decimals"
    );
    assert!(
        node.ends_with("with 6 decimals") && verdict == "differs",
        "{node}"
    );
    let said = warnings(&checked);
    assert!(
        said.contains("price of gas: the profile of BNB Smart Chain says tip, base fee 0"),
        "{said}"
    );
    assert!(
        said.contains("token: the profile of BNB Smart Chain"),
        "{said}"
    );
}

#[tokio::test]
async fn an_unknown_chain_is_said_to_be_unknown() {
    let office = on_chain(4_242, Plan::default(), &[]).await;
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    assert_eq!(checked["profile"]["name"], "unknown chain");
    assert!(warnings(&checked).contains("chain.chain_id 4242: no profile is known"));
}

/// The oracle is a stand-in, placed where the OP Stack has its own.
#[tokio::test]
async fn what_a_rollup_takes_for_data_is_told() {
    let office = on_chain(10, Plan::default(), &[]).await;
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    let differs = [
        "beside gas, by GasPriceOracle",
        "no GasPriceOracle",
        "differs",
    ];
    assert_eq!(rule(&checked, "fee for data"), differs);

    let params = json!([GAS_PRICE_ORACLE, ORACLE]);
    office.world.ask::<Value>("anvil_setCode", params).await;
    office.world.mine(1).await;
    let checked = json_of(&office.keeper(&["--json", "check"]).await);
    // Selector, offset and length, and 12,800 bytes.
    let told = [
        "beside gas, by GasPriceOracle",
        "0.000012868000000000 ETH for a full batch",
        "ok",
    ];
    assert_eq!(rule(&checked, "fee for data"), told);
    let doctor = office.keeper(&["doctor"]).await;
    let said = out(&doctor);
    assert!(
        said.contains("each with 0.000012868000000000 for its data"),
        "{said}"
    );
    fees_and_quotes_have_it(&office).await;
}

/// Of a full batch, of a payment alone by its own bytes, and of what was paid in the end.
async fn fees_and_quotes_have_it(office: &Office) {
    let fees = json_of(&office.keeper(&["--json", "fees"]).await);
    assert_eq!(fees["data_fee"], "12868000000000", "{fees}");
    let said = out(&office.keeper(&["fees"]).await);
    for part in [
        "data      0.000012868 ETH for a full batch, beside gas",
        "full      ",
    ] {
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
    let daemon = office.daemon().await;
    let recipient = Address::repeat_byte(0x71).to_string();
    let reference = "0x00000000000000000000000000000007";
    let quote = ["quote", &recipient, "100", "--ref", reference];
    let quoted = json_of(&office.keeper(&[&["--json"], &quote[..]].concat()).await);
    let wei = |field: &str| quoted[field].as_str().unwrap().parse::<u128>().unwrap();
    let data: u128 = parse_coins(quoted["data_fee"].as_str().unwrap());
    // The stand-in takes a gwei for each byte that it is asked with: a transaction with one payment, and some.
    assert!((300..1_000).contains(&(data / 1_000_000_000)), "{quoted}");
    let gas = u128::from(quoted["gas"].as_u64().unwrap());
    assert!(
        wei("fee_expected") > data && wei("fee_most") >= gas * 10_000_000_000 + 2 * data,
        "{quoted}"
    );
    let said = out(&office.keeper(&quote).await);
    assert!(
        said.contains("as the chain's GasPriceOracle has it now"),
        "{said}"
    );
    daemon.stop();
}

/// [wei]
fn parse_coins(text: &str) -> u128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<18}").parse().unwrap()
}

#[tokio::test]
async fn what_is_in_the_gas_is_said_to_be_there() {
    let office = on_chain(42_161, Plan::default(), &[]).await;
    let daemon = office.daemon().await;
    let said = out(&office.keeper(&["fees"]).await);
    assert!(
        said.contains("data      part of the gas that a transaction uses"),
        "{said}"
    );
    let recipient = Address::repeat_byte(0x71).to_string();
    let said = out(&office.keeper(&["quote", &recipient, "100"]).await);
    assert!(
        said.contains("data      part of the gas, as the node counts it now"),
        "{said}"
    );
    daemon.stop();
}

async fn init(office: &Office, chain: &str) -> Output {
    let vault = ["--vault", "0x00000000000000000000000000000000000000a1"];
    let lens = ["--lens", "0x00000000000000000000000000000000000000a2"];
    let token = ["--token", "0x00000000000000000000000000000000000000a3"];
    let node = ["--rpc-url", "http://127.0.0.1:1", "--allow-single-node"];
    let chain = ["init", "--chain-id", chain];
    office
        .keeper(&[&chain[..], &node, &vault, &lens, &token].concat())
        .await
}

#[tokio::test]
async fn init_writes_the_chains_defaults_and_refuses_what_is_refused() {
    let office = Office::open(Plan::default()).await;
    let path = office.path("keeper.toml");
    std::fs::remove_file(&path).unwrap();
    expect(
        &init(&office, "988").await,
        2,
        "chain 988: Stable is refused",
    );
    assert!(!path.exists());
    expect(&init(&office, "56").await, 0, "wrote");
    let text = std::fs::read_to_string(&path).unwrap();
    for line in [
        "# The keeper's configuration for BNB Smart Chain.",
        "# min_tip_gwei = \"0.05\"",
        "# replace_blocks = 27",
        "# max_transaction_gas = 16777216",
        "# block_checks = \"receipts\"",
    ] {
        assert!(text.contains(line), "{line:?} not in: {text}");
    }
    let is_name = |part: &str| part.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'_'));
    let left = text
        .split('@')
        .find(|part| !part.is_empty() && is_name(part));
    assert_eq!(left, None, "{text}");

    // Written by hand, it is refused all the same.
    std::fs::write(&path, text.replace("chain_id = 56", "chain_id = 988")).unwrap();
    for command in ["check", "doctor", "run"] {
        let refused = office.keeper(&[command]).await;
        expect(&refused, 2, "chain.chain_id = 988: Stable is refused");
    }
}

/// The same request pays the same, whatever the token counts in. The one of 18 decimals is on an anvil that has BSC's id and its base
/// fee of 0, so that BSC's profile is what the keeper works by.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_paid_in_tokens_of_6_and_of_18_decimals() {
    let no_base_fee = ["--block-base-fee-per-gas", "0"];
    for (chain, decimals, more) in [(31_337, 6, &[][..]), (56, 18, &no_base_fee[..])] {
        let plan = Plan {
            decimals,
            mining: Mining::Auto,
            ..Plan::default()
        };
        let office = on_chain(chain, plan, more).await;
        office.world.set_mining(Mining::Every(1)).await;
        let daemon = office.daemon().await;
        let recipient = Address::repeat_byte(0x77);
        let to = recipient.to_string();
        expect(&office.keeper(&["request", &to, "12.5"]).await, 0, "12.5");
        let finest = office.keeper(&["request", &to, "0.0000005"]).await;
        let is_fine = finest.status.success();
        assert_eq!(is_fine, decimals == 18, "{}", out(&finest));
        let one = U256::from(10).pow(U256::from(decimals));
        let mut expected = one * U256::from(125) / U256::from(10);
        if is_fine {
            expected += one / U256::from(2_000_000);
        }
        office
            .until("it is paid", async || {
                office.world.token_balance(recipient).await == expected
            })
            .await;
        let counted = async || {
            let status = json_of(&office.keeper(&["--json", "status"]).await);
            status["counts"]["paid"] == json!(1 + u64::from(is_fine))
        };
        office.until("it is paid for good", counted).await;
        assert_eq!(office.world.token_balance(recipient).await, expected);
        daemon.stop();
    }
}
