//! Bytecode that forge built.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use alloy_primitives::hex;

/// Creation code of a contract, `File.sol:Name`, without its constructor's arguments.
pub fn code_of(contract: &str) -> Vec<u8> {
    let (file, name) = contract.split_once(':').expect("File.sol:Name");
    code_at(&out().join(file).join(format!("{name}.json")))
}

/// Creation code in a file of this repository.
pub fn code_in(file: &str) -> Vec<u8> {
    code_at(&root().join(file))
}

fn code_at(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| {
        let hint = "build first: scripts/setup && forge build contracts/src contracts/test/mocks";
        panic!("{}: {error}; {hint}", path.display())
    });
    let artefact: serde_json::Value = serde_json::from_str(&text).expect("JSON by forge");
    let code = artefact["bytecode"]["object"].as_str().expect("code");
    hex::decode(code).expect("code without libraries to link")
}

/// Forge's output: FOUNDRY_OUT, else as foundry.toml says.
fn out() -> PathBuf {
    root().join(env::var("FOUNDRY_OUT").unwrap_or_else(|_| "target/contracts/out".into()))
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
