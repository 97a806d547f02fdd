//! What a configuration may say, and what a refusal says.

use super::*;

const LEAST: &str = r#"
[chain]
rpc_url = "http://user:hunter2@127.0.0.1:8545/secret"
chain_id = 1

[vault]
address = "0x00000000000000000000000000000000000000a1"
lens = "0x00000000000000000000000000000000000000a2"
token = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
"#;

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.toml");
    std::fs::write(&path, text).unwrap();
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::read(&path, Environment(variables))
}

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    match read(text, variables) {
        Ok(config) => panic!("accepted: {config:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_database_is_shown_without_what_is_secret() {
    let text = format!(
        "{LEAST}[store]\ndatabase = \"postgres://keeper@db.example:6432/withdrawals?sslmode=verify-full\"\npassword_file = \"p\""
    );
    let config = Config::parse(Path::new("/etc/keeper/keeper.toml"), &text).unwrap();
    let server = config.store.server.unwrap();
    assert_eq!(
        server.to_string(),
        "postgres://keeper@db.example:6432/withdrawals"
    );
    assert_eq!(server.lease, std::time::Duration::from_secs(5));
    let debug = format!("{server:?}");
    assert!(!debug.contains("assword"), "{debug}");
}

#[test]
fn chain_and_vault_are_enough() {
    let config = read(LEAST, &[]).unwrap();
    assert_eq!(config.chain.chain_id, ChainId(1));
    assert!(!config.chain.allow_single_node);
    assert_eq!(config.batch.max_payments, 256);
    assert_eq!(config.batch.attempt_ttl_s, 7_200);
    assert_eq!(config.fees.max_fee, 100_000_000_000);
    assert_eq!(config.fees.min_tip, 10_000_000);
    let most = config.gas.transaction;
    assert_eq!((most.osaka, most.amsterdam), (16_777_216, 50_000_000));
    assert_eq!(config.chain.block_checks, BlockChecks::Receipts);
    assert!(config.store.path.is_absolute());
    assert!(config.store.path.ends_with("keeper.db"));
}

#[test]
fn it_listens_where_it_is_told_and_nowhere_else() {
    assert_eq!(read(LEAST, &[]).unwrap().operations.listen, None);
    let section = |value: &str| format!("{LEAST}[operations]\nlisten = {value:?}\n");
    let config = read(&section("[::1]:9464"), &[]).unwrap();
    assert_eq!(config.operations.listen, "[::1]:9464".parse().ok());
    let variables = [("KEEPER_OPERATIONS__LISTEN", "127.0.0.1:7")];
    let config = read(&section("[::1]:9464"), &variables).unwrap();
    assert_eq!(config.operations.listen, "127.0.0.1:7".parse().ok());
    for bad in ["", "9464", "localhost:9464", "127.0.0.1", "127.0.0.1:99999"] {
        let refused = refusal(&section(bad), &[]);
        let words = format!("operations.listen = {bad}: must be an address and a port");
        assert!(refused.contains(&words), "{refused}");
    }
}

#[test]
fn the_environment_is_above_the_file() {
    let variables = [
        ("KEEPER_CHAIN__CHAIN_ID", "56"),
        ("KEEPER_CHAIN__ALLOW_SINGLE_NODE", "true"),
        ("KEEPER_CHAIN__BLOCK_CHECKS", "none"),
        ("KEEPER_FEES__MAX_TIP_GWEI", "0.123456789"),
        ("KEEPER_STORE__PATH", "7"),
        ("KEEPER_CONFIG", "elsewhere.toml"),
        ("KEEPER_PASSWORD", "never a field"),
    ];
    let config = read(LEAST, &variables).unwrap();
    assert_eq!(config.chain.chain_id, ChainId(56));
    assert!(config.chain.allow_single_node);
    assert_eq!(config.chain.block_checks, BlockChecks::None);
    assert_eq!(config.fees.max_tip, 123_456_789);
    assert!(config.store.path.ends_with("7"));
}

/// Section, line, and what the refusal must contain.
const REFUSED_LINES: &[[&str; 3]] = &[
    [
        "[batch]",
        "max_payments = 257",
        "batch.max_payments = 257: must be 1 to 256",
    ],
    [
        "[batch]",
        "max_payments = 0",
        "batch.max_payments = 0: must be 1 to 256",
    ],
    [
        "[batch]",
        "max_payments = -1",
        "batch.max_payments: found signed int `-1`, must be u64",
    ],
    [
        "[batch]",
        "max_payments = 1.5",
        "batch.max_payments: found float `1.5`, must be u64",
    ],
    [
        "[batch]",
        "max_payment = 5",
        "batch.max_payment: no such field; known here: max_payments",
    ],
    [
        "[batches]",
        "max_payments = 5",
        "batches: no such field; known here: chain, vault",
    ],
    [
        "[fees]",
        "max_fee_gwei = 30",
        "fees.max_fee_gwei: found signed int `30`, must be a string",
    ],
    [
        "[fees]",
        "max_fee_gwei = \"0\"",
        "fees.max_fee_gwei = 0: must be more than 0",
    ],
    [
        "[fees]",
        "max_fee_gwei = \"1e3\"",
        "fees.max_fee_gwei = 1e3: must be gwei",
    ],
    [
        "[fees]",
        "max_fee_gwei = \"-1\"",
        "fees.max_fee_gwei = -1: must be gwei",
    ],
    ["[fees]", "min_tip_gwei = \"0.0000000001\"", "more decimals"],
    [
        "[fees]",
        "min_tip_gwei = \"6\"",
        "fees.min_tip_gwei = 6: must not be above fees.max_tip_gwei",
    ],
    [
        "[fees]",
        "max_tip_gwei = \"101\"",
        "fees.max_tip_gwei = 101: must not be above fees.max_fee_gwei",
    ],
    [
        "[fees]",
        "bump_percent = 9",
        "fees.bump_percent = 9: must be 10 to 1000",
    ],
    [
        "[key]",
        "signer = \"hsm\"",
        "key.signer = hsm: must be keystore, pkcs11, aws-kms or web3signer",
    ],
    [
        "[key]",
        "timeout_ms = 99",
        "key.timeout_ms = 99: must be 100 to 600000",
    ],
    [
        "[key]",
        "address = \"0x0000000000000000000000000000000000000000\"",
        "key.address = 0x0000000000000000000000000000000000000000: must not be the zero address",
    ],
    [
        "[key]",
        "pin_file = \"pin\"",
        "key.pin_file = (given): goes with key.signer = \"pkcs11\" only, which is \"keystore\"",
    ],
    [
        "[key]",
        "signer = \"pkcs11\"\nkeystore = \"k\"\nmodule = \"m\"\ntoken = \"t\"\nid = \"01\"",
        "key.keystore = (given): goes with key.signer = \"keystore\" only, which is \"pkcs11\"",
    ],
    [
        "[key]",
        "signer = \"pkcs11\"\ntoken = \"t\"\nid = \"01\"",
        "key.module = \"\": must be given with key.signer = \"pkcs11\"",
    ],
    [
        "[key]",
        "signer = \"pkcs11\"\nmodule = \"m\"\nid = \"01\"",
        "key.token = \"\": must be given with key.signer = \"pkcs11\"",
    ],
    [
        "[key]",
        "signer = \"pkcs11\"\nmodule = \"m\"\ntoken = \"t\"",
        "key.label = \"\": key.label or key.id must be given",
    ],
    [
        "[key]",
        "signer = \"pkcs11\"\nmodule = \"m\"\ntoken = \"t\"\nid = \"1\"",
        "key.id = 1: must be 1 to 255 bytes in hexadecimal",
    ],
    [
        "[key]",
        "signer = \"web3signer\"\nurl = \"http://127.0.0.1:9000\"",
        "key.address = \"\": must be given with key.signer = \"web3signer\"",
    ],
    [
        "[key]",
        "signer = \"web3signer\"\naddress = \"0x00000000000000000000000000000000000000a3\"",
        "key.url = \"\": must be given with key.signer = \"web3signer\"",
    ],
    [
        "[key]",
        "signer = \"web3signer\"\nurl = \"127.0.0.1:9000\"",
        "key.url = (not shown): must be an http:// or https:// URL",
    ],
    [
        "[key]",
        "signer = \"aws-kms\"",
        "key.kms_key = \"\": must be given with key.signer = \"aws-kms\"",
    ],
    [
        "[key]",
        "signer = \"aws-kms\"\nkms_key = \"alias/keeper\"\nkms_region = \"\"",
        "key.kms_region = \"\": must name a region",
    ],
    [
        "[store]",
        "path = \"\"",
        "store.path = \"\": must name a file",
    ],
    [
        "[store]",
        "database = \"mysql://keeper@localhost/keeper\"",
        "store.database = (not shown): must be a URL such as postgres://",
    ],
    [
        "[store]",
        "database = \"postgres://keeper:hunter2@localhost/keeper\"",
        "store.database = (not shown): must hold no password: give store.password_file",
    ],
    [
        "[store]",
        "database = \"postgres://keeper@localhost/keeper?password=hunter2\"",
        "store.database = (not shown): must hold no password: give store.password_file",
    ],
    [
        "[store]",
        "database = \"postgres://keeper@localhost\"",
        "store.database = (not shown): must name a database",
    ],
    [
        "[store]",
        "database = \"postgres://keeper@db.example/keeper\"",
        "store.database = (not shown): must say sslmode for another host",
    ],
    [
        "[store]",
        "database = \"postgres://keeper@db.example/keeper?sslmode=prefer\"",
        "store.database = (not shown): must say sslmode for another host",
    ],
    [
        "[store]",
        "database = \"postgres://keeper@localhost/keeper\"\nlease_ms = 2999",
        "store.lease_ms = 2999: must be 3000 to 600000",
    ],
    [
        "[store]",
        "password_file = \"p\"",
        "store.password_file = (given): goes with store.database only",
    ],
];

/// What is replaced in the least configuration, by what, and what the refusal must contain.
const REFUSED_CHANGES: &[[&str; 3]] = &[
    [
        "chain_id = 1",
        "chain_id = \"one\"",
        "chain.chain_id: found string \"one\", must be u64",
    ],
    [
        "chain_id = 1",
        "chain_id = 0",
        "chain.chain_id = 0: must be 1 to",
    ],
    ["chain_id = 1", "", "chain.chain_id: must be given"],
    [
        "chain_id = 1",
        "chain_id = 1\nblock_checks = \"full\"",
        "chain.block_checks = full: must be one of none, header, receipts",
    ],
    [
        "chain_id = 1",
        "chain_id = 1\nblock_checks = true",
        "chain.block_checks: found bool true, must be a string",
    ],
    ["chain_id = 1", "chain_id = ", "keeper.toml: "],
    [
        "1ec7",
        "1eC7",
        "vault.token = 0xdAC17F958D2ee523a2206206994597C13D831eC7: the checksum",
    ],
    [
        "00a2",
        "00a1",
        "vault.lens = 0x00000000000000000000000000000000000000a1: must be another",
    ],
    [
        "00a1",
        "0000",
        "vault.address = 0x0000000000000000000000000000000000000000: must not be the zero",
    ],
    ["0xdAC1", "dAC1", "must start with 0x"],
    ["[vault]", "[vaults]", "vaults: no such field"],
];

#[test]
fn a_refusal_names_field_value_and_rule() {
    let lines = REFUSED_LINES
        .iter()
        .map(|[section, line, expected]| (format!("{LEAST}\n{section}\n{line}\n"), expected));
    let changes = REFUSED_CHANGES
        .iter()
        .map(|[before, after, expected]| (LEAST.replace(before, after), expected));
    for (text, expected) in lines.chain(changes) {
        let message = refusal(&text, &[]);
        assert!(message.contains(expected), "{message}\nlacks {expected}");
    }
}

#[test]
fn every_broken_rule_is_named_at_once() {
    let text = LEAST
        .replace("00a1", "0000")
        .replace("chain_id = 1", "chain_id = 0");
    let message = refusal(&text, &[]);
    assert!(message.contains("vault.address"), "{message}");
    assert!(message.contains("chain.chain_id"), "{message}");
}

#[test]
fn a_variable_is_blamed_by_its_own_name() {
    let message = refusal(LEAST, &[("KEEPER_CHAIN__CHAIN_ID", "one")]);
    assert!(
        message.contains("KEEPER_CHAIN__CHAIN_ID: found string \"one\""),
        "{message}"
    );
    let message = refusal(LEAST, &[("KEEPER_CHAIN__CHAIN", "1")]);
    assert!(
        message.contains("KEEPER_CHAIN__CHAIN: no such field"),
        "{message}"
    );
}

#[test]
fn a_url_is_never_shown_with_its_secrets() {
    let config = read(LEAST, &[]).unwrap();
    assert_eq!(
        config.chain.rpc_url.expose(),
        "http://user:hunter2@127.0.0.1:8545/secret"
    );
    let shown = format!("{config:?} {}", config.chain.rpc_url);
    assert!(
        !shown.contains("hunter2") && !shown.contains("secret"),
        "{shown}"
    );
    assert!(shown.contains("http://127.0.0.1:8545"), "{shown}");

    let message = refusal(&LEAST.replace("http://", "ftp://"), &[]);
    assert!(message.contains("chain.rpc_url"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn another_node_is_above_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.toml");
    std::fs::write(&path, LEAST).unwrap();
    let config = Config::load(&path, Some("http://127.0.0.1:9")).unwrap();
    assert_eq!(config.chain.rpc_url.expose(), "http://127.0.0.1:9/");
    let refused = Config::load(&path, Some("ftp://user:hunter2@x")).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("chain.rpc_url"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(Path::new("/nowhere/keeper.toml"), None).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }));
    assert!(
        error.to_string().contains("/nowhere/keeper.toml"),
        "{error}"
    );
}

#[test]
fn one_node_is_trusted_only_if_the_operator_says_so() {
    let mut config = read(LEAST, &[]).unwrap();
    let refused = config.chain.check_nodes().unwrap_err().to_string();
    assert!(
        refused.contains("chain.allow_single_node = false"),
        "{refused}"
    );
    config.chain.allow_single_node = true;
    assert_eq!(config.chain.check_nodes(), Ok(()));
}

#[test]
fn a_second_node_is_another_one_and_is_enough() {
    let second = [("KEEPER_CHAIN__SECOND_RPC_URL", "http://127.0.0.1:8546")];
    let config = read(LEAST, &second).unwrap();
    assert_eq!(config.chain.check_nodes(), Ok(()));
    assert!(config.chain.nodes_beside().is_some());
    for same in [
        "http://user:hunter2@127.0.0.1:8545/secret",
        "HTTP://localhost:8545/secret/",
    ] {
        let refused = refusal(LEAST, &[("KEEPER_CHAIN__SECOND_RPC_URL", same)]);
        let words = "chain.second_rpc_url = (not shown): must be another node";
        assert!(refused.contains(words), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    let elsewhere = [("KEEPER_CHAIN__SECOND_RPC_URL", "http://node.example:8545")];
    let config = read(LEAST, &elsewhere).unwrap();
    assert_eq!(config.chain.nodes_beside(), None);
}

#[test]
fn a_line_that_is_no_toml_is_not_shown() {
    for line in [
        "rpc_url = \"http://user:hunter2@127.0.0.1:8545/secret",
        "rpc_url = http://user:hunter2@127.0.0.1:8545/secret",
        "rpc_url = \"http://user:hunter2@127.0.0.1:8545/secret\" x",
        "rpc_url = \"http://user:hunter2@127.0.0.1:8545/secret\"\nrpc_url = \"http://user:hunter2@127.0.0.1:8545/secret\"",
        "rpc_url = [\"http://user:hunter2@127.0.0.1:8545/secret\"]",
        "rpc_url = \"http://h\"\nchain_id = \"http://user:hunter2@127.0.0.1:8545/secret\"",
    ] {
        let text = format!("[chain]\n{line}\n");
        let error = Config::parse(Path::new("keeper.toml"), &text).unwrap_err();
        let shown = error.to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
        let is_named = shown.contains("line ") || shown.contains("chain.");
        assert!(is_named, "{shown}");
    }
}

// ── What is not set is the chain's ───────────────────────────────────────────────────────────────────────────────────

fn on_chain(id: u64, more: &str) -> Result<Config, ConfigError> {
    let text = LEAST.replace("chain_id = 1", &format!("chain_id = {id}"));
    Config::parse(Path::new("keeper.toml"), &format!("{text}{more}"))
}

#[test]
fn what_is_not_set_is_the_chains_and_what_is_set_holds() {
    let bsc = on_chain(56, "").unwrap();
    assert_eq!(bsc.profile.name, "BNB Smart Chain");
    assert_eq!(bsc.fees.min_tip, 50_000_000);
    assert_eq!(bsc.lane.replace_blocks, 27);
    assert_eq!(bsc.gas.transaction, TransactionGas::always(16_777_216));
    assert_eq!(
        on_chain(43_114, "").unwrap().chain.block_checks,
        BlockChecks::None
    );

    let set = "[fees]\nmin_tip_gwei = \"1\"\n[lane]\nreplace_blocks = 4\n[gas]\nmax_transaction_gas = 1000000\n";
    let ethereum = on_chain(1, set).unwrap();
    assert_eq!(ethereum.fees.min_tip, 1_000_000_000);
    assert_eq!(ethereum.lane.replace_blocks, 4);
    // A bound that is set holds under Amsterdam too.
    assert_eq!(ethereum.gas.transaction, TransactionGas::always(1_000_000));

    let unknown = on_chain(4_242, "").unwrap();
    assert!(unknown.profile.is_unknown());
    assert_eq!(unknown.gas.transaction, TransactionGas::always(16_777_216));
}

#[test]
fn a_chain_that_is_refused_is_no_configuration() {
    let error = on_chain(988, "").unwrap_err().to_string();
    assert!(
        error.contains("chain.chain_id = 988: Stable is refused"),
        "{error}"
    );
}
