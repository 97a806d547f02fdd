//! The Solidity vault's bytecode on the pallet's EVM takes the recorded traces (test-fixtures/vectors/vault-traces.json), and answers, logs and
//! shows what the model says.
#![allow(missing_docs, reason = "tests")]

use std::{env, fs, path::PathBuf};

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_sol_types::SolValue;
use pallet_revive::H160;
use serde_json::Value;
use tidelock_hub::{chain::Chain, direct::Outcome, receipts::Log};

/// Who creates what the traces begin with.
const CREATOR: &str = "1111111111111111111111110000000000000000";

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Creation code that forge built: FOUNDRY_OUT, else as foundry.toml says.
fn code_of(contract: &str) -> Vec<u8> {
    let (file, name) = contract.split_once(':').expect("File.sol:Name");
    let out = env::var("FOUNDRY_OUT").unwrap_or_else(|_| "target/contracts/out".into());
    let path = root().join(out).join(file).join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; build first: scripts/setup && forge build",
            path.display()
        )
    });
    let artefact: Value = serde_json::from_str(&text).expect("JSON by forge");
    let code = artefact["bytecode"]["object"].as_str().expect("code");
    hex::decode(code.trim_start_matches("0x")).expect("code without libraries to link")
}

/// One line of the traces.
struct Step(Value);

impl Step {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().expect("a text")
    }

    fn bytes(&self, field: &str) -> Vec<u8> {
        hex::decode(self.text(field).trim_start_matches("0x")).expect("bytes")
    }

    fn address(&self, field: &str) -> H160 {
        H160::from_slice(&self.bytes(field))
    }

    fn time(&self) -> u64 {
        self.0["time"].as_u64().expect("a time")
    }
}

fn steps() -> Vec<Step> {
    let path = root().join("test-fixtures/vectors/vault-traces.json");
    let text = fs::read_to_string(path).expect("the traces");
    let lines: Vec<Value> = serde_json::from_str(&text).expect("an array");
    lines.into_iter().map(Step).collect()
}

/// Of what the vault logged: each log's topics and data, hashed onto what came before.
fn logs_hash(logs: &[Log], vault: H160) -> B256 {
    let own = logs.iter().filter(|log| log.address == vault);
    own.fold(B256::ZERO, |hash, log| {
        let topics: Vec<B256> = log.topics.iter().map(|topic| B256::from(topic.0)).collect();
        let data = Bytes::from(log.data.clone());
        keccak256((hash, topics, data).abi_encode_params())
    })
}

fn create(chain: &mut Chain, step: &Step) {
    let creator = CREATOR.parse().expect("an address");
    let contract = step.text("creates");
    let code = code_of(contract);
    let (created, outcome) = chain.create_at(creator, step.address("to"), code, step.bytes("data"));
    assert_eq!(
        created,
        Some(step.address("to")),
        "{contract} is not created: {:?} 0x{}",
        outcome.trapped,
        hex::encode(&outcome.output)
    );
}

fn take(chain: &mut Chain, step: &Step, vault: H160, place: &str) {
    let (to, data) = (step.address("to"), step.bytes("data"));
    let watches = step.text("name") == "watch";
    let mut done: Outcome = if watches {
        chain.view(to, data)
    } else {
        chain.call(step.address("from"), to, data)
    };
    if watches {
        done.output = keccak256(&done.output).to_vec();
    }
    let told = format!("{place}: {:?}", done.trapped);
    let succeeds = step.0["success"].as_bool().expect("yes or no");
    let seen = (done.success, hex::encode(&done.output));
    assert_eq!(
        seen,
        (succeeds, hex::encode(step.bytes("output"))),
        "{told}"
    );
    let hash = logs_hash(&done.logs, vault);
    assert_eq!(hash.to_vec(), step.bytes("logsHash"), "logs of {told}");
}

#[test]
fn the_solidity_vault_takes_the_traces_on_the_evm() {
    let mut chain: Option<Chain> = None;
    let (mut vault, mut began, mut worlds, mut taken) = (H160::zero(), false, 0, 0);
    for (i, step) in steps().iter().enumerate() {
        let creates = !step.text("creates").is_empty();
        if creates && !began {
            chain = Some(Chain::new(&[], 1, None));
            worlds += 1;
        }
        began = creates;
        let chain = chain.as_mut().expect("a world begins with what is created");
        chain.set_next_time(step.time());
        if creates {
            create(chain, step);
            vault = step.address("to");
        } else {
            take(
                chain,
                step,
                vault,
                &format!("step {i} {}", step.text("name")),
            );
            taken += 1;
        }
    }
    assert!(
        worlds >= 3 && taken >= 200,
        "{worlds} worlds, {taken} steps"
    );
}
