use std::path::{Path, PathBuf};

use alloy::primitives::Bytes;
use serde_json::Value;

/// The repository's top directory.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Creation code of a contract. The vault's comes from where this run of the checks built it, or else from a developer's
/// own build.
pub fn bytecode(name: &str) -> Bytes {
    let path = path_of(name);
    let read = std::fs::read_to_string(&path);
    let text = read.unwrap_or_else(|error| {
        panic!(
            "{}: {error}; build it with: scripts/setup && . scripts/lib/foundry.sh && \
             forge build --skip 'contracts/test/**'",
            path.display()
        )
    });
    let artifact: Value = serde_json::from_str(&text).unwrap();
    let code = &artifact["bytecode"]["object"];
    code.as_str().expect("no bytecode.object").parse().unwrap()
}

fn path_of(name: &str) -> PathBuf {
    if name == "TetherLike" {
        return repository().join("target/contracts/tether/TetherLike.json");
    }
    let file = format!("{name}.sol/{name}.json");
    let of_checks = std::env::var("FOUNDRY_OUT").map(|out| repository().join(out).join(&file));
    match of_checks {
        Ok(path) if path.exists() => path,
        _ => repository().join("target/contracts/out").join(file),
    }
}
