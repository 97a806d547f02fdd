//! What nodes answer to a sent transaction is read as what it means: answers recorded of real nodes, and the words of
//! those that were not at hand.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{fs, path::PathBuf};

use serde_json::Value;
use tidelock_core::submit::{RefusalClass, Reply, classify};

const fn refused(class: RefusalClass) -> Reply {
    Reply::Refused(class)
}

const TOO_LOW: Reply = refused(RefusalClass::NonceTooLow);
const TOO_HIGH: Reply = refused(RefusalClass::NonceTooHigh);
const UNDERPRICED: Reply = refused(RefusalClass::Underpriced);
const FEE: Reply = refused(RefusalClass::FeeTooLow);
const FUNDS: Reply = refused(RefusalClass::InsufficientFunds);
const GAS: Reply = refused(RefusalClass::GasLimit);
const FULL: Reply = refused(RefusalClass::PoolFull);

/// What a recorded situation means, and whether a node may also accept it.
fn meaning(situation: &str) -> (Reply, bool) {
    match situation {
        "accepted"
        | "tip at the node's floor"
        | "to be replaced"
        | "replacement at +10 % of both fees"
        | "replacement at +10 % again"
        | "replacement at +10 % rounded down"
        | "first of two that fit"
        | "second of two that fit"
        | "replacement that just fits"
        | "nonce gap, waits"
        | "replacement at +10 % of what waits"
        | "more that waits"
        | "what waits does not count as queued cost"
        | "gap filled"
        | "pool full, offers more" => (Reply::Accepted, true),
        "already known" | "already known, waits" => (Reply::Known, false),
        "replacement underpriced"
        | "replacement at +9 % of both fees"
        | "replacement at +10 % of the fee only"
        | "replacement at +10 % of the tip only"
        | "replacement at +10 % and +9 %"
        | "replacement at +9 % and +10 %"
        | "replacement below +10 % rounded down"
        | "the replaced once more"
        | "replacement at +9 % of what waits" => (UNDERPRICED, false),
        "mined already" | "nonce too low" => (TOO_LOW, false),
        "nonce gap" => (TOO_HIGH, true),
        "below the base fee" => (FEE, true),
        "tip below the node's floor" | "pool full, offers no more" => (FEE, false),
        "less than intrinsic gas"
        | "less gas than the floor of its data"
        | "more gas than a block"
        | "more gas than a block, as much as a transaction may have"
        | "more gas than a transaction may have" => (GAS, false),
        "tip above the fee" | "wrong chain id" => (Reply::Ambiguous, false), // the keeper signs neither
        "insufficient funds"
        | "cost above the balance"
        | "queued cost above the balance"
        | "queued cost above the balance, nonce gap"
        | "replacement's cost above the balance" => (FUNDS, false),
        "pool full, offers more, nonce gap" => (FULL, false),
        other => panic!("situation {other}: what it means is not said here"),
    }
}

#[test]
fn recorded_answers_mean_what_happened() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test-fixtures/rpc");
    let mut answers = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let recorded: Value = serde_json::from_str(&text).unwrap();
        let node = recorded["node"].as_str().unwrap();
        for entry in recorded["answers"].as_array().unwrap() {
            let situation = entry["situation"].as_str().unwrap();
            let (expected, may_be_accepted) = meaning(situation);
            match entry["answer"]["error"]["message"].as_str() {
                Some(message) => {
                    assert_eq!(
                        classify(message),
                        expected,
                        "{node}: {situation}: {message}"
                    );
                }
                None => assert!(may_be_accepted, "{node}: {situation} was accepted"),
            }
            answers += 1;
        }
    }
    assert!(
        answers >= 71,
        "three nodes, 13 situations each, and 32 rules of geth's: {answers}"
    );
}

/// Node, its words, their meaning. Taken from the nodes' sources, named in the first column; of geth what its recording
/// does not have.
const WORDS: &[(&str, &str, Reply)] = &[
    (
        "geth before 1.15, core/txpool/validation.go",
        "transaction underpriced: gas tip cap 1, minimum needed 1000000",
        FEE,
    ),
    ("geth core/txpool/errors.go", "account limit exceeded", FULL),
    (
        "geth core/txpool/errors.go",
        "in-flight transaction limit reached for delegated accounts",
        FULL,
    ),
    (
        "geth core/txpool/errors.go",
        "invalid sender",
        Reply::Ambiguous,
    ),
    ("geth core/txpool/legacypool", "txpool is full", FULL),
    (
        "geth core/error.go",
        "nonce too high: address 0x1111111111111111111111111111111111111111, tx: 9 state: 7",
        TOO_HIGH,
    ),
    (
        "geth core/error.go",
        "max fee per gas less than block base fee",
        FEE,
    ),
    (
        "geth internal/ethapi",
        "tx fee (1.20 ether) exceeds the configured cap (1.00 ether)",
        refused(RefusalClass::AboveNodesFeeCap),
    ),
    (
        "erigon txpoolcfg.go",
        "existing txn with same hash",
        Reply::Known,
    ),
    (
        "erigon txpoolcfg.go",
        "could not replace existing tx",
        UNDERPRICED,
    ),
    ("erigon txpoolcfg.go", "underpriced", FEE),
    ("erigon txpoolcfg.go", "fee too low", FEE),
    ("erigon txpoolcfg.go", "pending sub-pool is full", FULL),
    ("erigon txpoolcfg.go", "baseFee sub-pool is full", FULL),
    ("erigon txpoolcfg.go", "queued sub-pool is full", FULL),
    ("erigon txpoolcfg.go", "IntrinsicGas", GAS),
    ("erigon txpoolcfg.go", "gas limit is too high", GAS),
    ("erigon txpoolcfg.go", "nonce too low", TOO_LOW),
    ("erigon txpoolcfg.go", "insufficient funds", FUNDS),
    ("erigon txpoolcfg.go", "spammer", Reply::Ambiguous),
    ("nethermind AcceptTxResult.cs", "AlreadyKnown", Reply::Known),
    (
        "nethermind AcceptTxResult.cs",
        "OldNonce, Current nonce: 7, nonce of rejected tx: 6",
        TOO_LOW,
    ),
    (
        "nethermind AcceptTxResult.cs",
        "NonceGap, Future nonce. Expected nonce: 7",
        TOO_HIGH,
    ),
    (
        "nethermind AcceptTxResult.cs",
        "NonceTooFarInFuture",
        TOO_HIGH,
    ),
    (
        "nethermind AcceptTxResult.cs",
        "ReplacementNotAllowed",
        UNDERPRICED,
    ),
    (
        "nethermind AcceptTxResult.cs",
        "FeeTooLow, MaxFeePerGas too low",
        FEE,
    ),
    ("nethermind AcceptTxResult.cs", "FeeTooLowToCompete", FEE),
    (
        "nethermind AcceptTxResult.cs",
        "InsufficientFunds, Account balance: 1, cumulative cost: 2",
        FUNDS,
    ),
    (
        "nethermind AcceptTxResult.cs",
        "GasLimitExceeded, Gas limit: 30000000, gas limit of rejected tx: 40000000",
        GAS,
    ),
    ("nethermind AcceptTxResult.cs", "Invalid", Reply::Ambiguous),
    ("besu RpcErrorType.java", "Known transaction", Reply::Known),
    ("besu RpcErrorType.java", "Nonce too low", TOO_LOW),
    ("besu RpcErrorType.java", "Nonce too high", TOO_HIGH),
    (
        "besu RpcErrorType.java",
        "Transaction nonce is too distant from current sender nonce",
        TOO_HIGH,
    ),
    (
        "besu RpcErrorType.java",
        "Replacement transaction underpriced",
        UNDERPRICED,
    ),
    (
        "besu RpcErrorType.java",
        "Gas price below configured minimum gas price",
        FEE,
    ),
    (
        "besu RpcErrorType.java",
        "Gas price below current base fee",
        FEE,
    ),
    (
        "besu RpcErrorType.java",
        "Upfront cost exceeds account balance",
        FUNDS,
    ),
    (
        "besu RpcErrorType.java",
        "Intrinsic gas exceeds gas limit",
        GAS,
    ),
    (
        "besu RpcErrorType.java",
        "Transaction gas limit exceeds block gas limit",
        GAS,
    ),
    (
        "besu RpcErrorType.java",
        "Transaction fee cap exceeded",
        Reply::Ambiguous,
    ),
    ("reth rpc-eth-types", "already known", Reply::Known),
    ("reth rpc-eth-types", "txpool is full", FULL),
    (
        "reth rpc-eth-types",
        "nonce too low: next nonce 7, tx nonce 6",
        TOO_LOW,
    ),
    (
        "reth rpc-eth-types",
        "replacement transaction underpriced",
        UNDERPRICED,
    ),
    ("reth rpc-eth-types", "transaction underpriced", FEE),
    (
        "reth rpc-eth-types",
        "insufficient funds for gas * price + value: have 1 want 2",
        FUNDS,
    ),
    ("reth rpc-eth-types", "exceeds block gas limit", GAS),
    // What no node must be taken to have said.
    ("any", "unknown transaction type", Reply::Ambiguous),
    ("any", "internal error", Reply::Ambiguous),
    ("any", "method handler crashed", Reply::Ambiguous),
    ("any", "too many requests", Reply::Ambiguous),
    ("any", "", Reply::Ambiguous),
];

#[test]
fn words_mean_what_their_node_means() {
    for (node, words, expected) in WORDS {
        assert_eq!(classify(words), *expected, "{node}: {words}");
    }
}
