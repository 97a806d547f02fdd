//! The configurations that come with the keeper are ones that it takes.

use super::*;

const COMPOSE: &str = include_str!("../../operations/compose.yaml");
const LEAST: &str = r#"
[chain]
rpc_url = "http://127.0.0.1:8545"
chain_id = 1
allow_single_node = true

[vault]
address = "0x00000000000000000000000000000000000000a1"
lens = "0x00000000000000000000000000000000000000a2"
token = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
"#;

/// A database that is reached by name is on another host, for which sslmode must be chosen.
#[test]
fn what_the_compose_file_sets_is_taken() {
    let lines = COMPOSE.lines().map(str::trim);
    let variables = lines.filter(|line| line.starts_with("KEEPER_"));
    let variables: Vec<(String, String)> = variables
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let database = variables
        .iter()
        .find(|(name, _)| name == "KEEPER_STORE__DATABASE");
    assert!(database.is_some(), "{variables:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.toml");
    std::fs::write(&path, LEAST).unwrap();
    let config = Config::read(&path, Environment(variables)).unwrap();
    assert!(config.store.server.is_some() && config.operations.listen.is_some());
}
