//! Traces for others to replay: test-fixtures/vectors/vault-traces.json, an array of flat objects, a line each.

use std::fmt::Write as _;

use alloy_primitives::{Address, B256, Bytes, LogData, hex, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use tidelock_model::Rules;

use crate::{
    chain::Fork,
    run::begin,
    setting::BIRTH,
    trial::{Answer, Step, Trial, verb},
};

/// Worlds that are recorded, and the steps of each.
const SEEDS: [u64; 3] = [3, 8, 11];
const STEPS: u64 = 90;

/// One line.
struct Line {
    /// What is created, from `data` as its constructor's arguments; else empty.
    contract: &'static str,
    name: String,
    time: u64,
    from: Address,
    to: Address,
    data: Bytes,
    success: bool,
    output: Bytes,
    logs_hash: B256,
}

impl Line {
    fn created(contract: &'static str, to: Address, arguments: Vec<u8>) -> Self {
        Self {
            contract,
            name: "create".into(),
            time: BIRTH,
            from: Address::ZERO,
            to,
            data: arguments.into(),
            success: true,
            output: Bytes::new(),
            logs_hash: B256::ZERO,
        }
    }

    fn taken(step: &Step, answer: &Answer) -> Self {
        Self {
            contract: "",
            name: verb(&step.data),
            time: step.time,
            from: step.from,
            to: step.to,
            data: step.data.clone(),
            success: answer.success,
            output: answer.output.clone(),
            logs_hash: logs_hash(&answer.logs),
        }
    }

    fn write(&self, text: &mut String) {
        let _ = write!(
            text,
            r#"{{"creates":"{}","data":"0x{}","from":"{}","logsHash":"{}","name":"{}","output":"0x{}","success":{},"time":{},"to":"{}"}}"#,
            self.contract,
            hex::encode(&self.data),
            self.from,
            self.logs_hash,
            self.name,
            hex::encode(&self.output),
            self.success,
            self.time,
            self.to
        );
    }
}

/// Of what the vault logged: each log's topics and data, hashed onto what came before.
fn logs_hash(logs: &[LogData]) -> B256 {
    logs.iter().fold(B256::ZERO, |hash, log| {
        let topics = log.topics().to_vec();
        keccak256((hash, topics, log.data.clone()).abi_encode_params())
    })
}

/// The file.
pub fn traces() -> String {
    let mut lines = Vec::new();
    for seed in SEEDS {
        lines.extend(world(seed));
    }
    let mut text = String::from("[\n");
    for (i, line) in lines.iter().enumerate() {
        line.write(&mut text);
        text.push_str(if i + 1 == lines.len() { "\n" } else { ",\n" });
    }
    text.push_str("]\n");
    text
}

fn world(seed: u64) -> Vec<Line> {
    let (mut trial, mut author) = begin(Fork::Osaka, Rules::VAULT, seed);
    let mut lines = created(&trial);
    let mut steps = author.opening(&trial.place);
    for i in 0..STEPS {
        let step = if steps.is_empty() {
            author.next(&trial.model, &trial.place)
        } else {
            steps.remove(0)
        };
        let answer = trial.take(&step).unwrap_or_else(|what| panic!("{what}"));
        lines.push(Line::taken(&step, &answer));
        if i + 1 == STEPS {
            lines.push(watched(&mut trial, step.time));
        }
    }
    lines
}

fn created(trial: &Trial) -> Vec<Line> {
    let place = &trial.place;
    let arguments = (trial.configuration.clone(),).abi_encode_params();
    vec![
        Line::created("ModeToken.sol:ModeToken", place.token, Vec::new()),
        Line::created("ModeToken.sol:ModeToken", place.other, Vec::new()),
        Line::created("Intruder.sol:Intruder", place.intruder, Vec::new()),
        Line::created(
            "TrialSigner.sol:TrialSigner",
            place.contract_signer,
            Vec::new(),
        ),
        Line::created("Watcher.sol:Watcher", place.watcher, Vec::new()),
        Line::created("Vault.sol:Vault", place.vault, arguments),
    ]
}

/// All that the vault shows in the end, of which the line has the hash.
fn watched(trial: &mut Trial, time: u64) -> Line {
    let (look, words) = trial.look(time);
    Line {
        contract: "",
        name: "watch".into(),
        time,
        from: Address::ZERO,
        to: trial.place.watcher,
        data: look.abi_encode().into(),
        success: true,
        output: keccak256(words.abi_encode()).to_vec().into(),
        logs_hash: B256::ZERO,
    }
}
