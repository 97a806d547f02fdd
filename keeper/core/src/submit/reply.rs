//! What a node's answer to a sent transaction means. An answer steers retries, never outcomes: only blocks say what
//! happened.

/// What sending the bytes led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The node took them.
    Accepted,
    /// The node has them already.
    Known,
    /// The node refused them, for now.
    Refused(RefusalClass),
    /// Nobody knows: a timeout, a broken connection, an answer that says nothing.
    Ambiguous,
}

/// Why a node refused a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalClass {
    /// The nonce is used up: look at every hash of the slot.
    NonceTooLow,
    /// An earlier nonce is missing.
    NonceTooHigh,
    /// Another transaction with the nonce is in the pool, and this one offers too little more.
    Underpriced,
    /// It offers less than the base fee, or than the node's floor.
    FeeTooLow,
    /// The key cannot pay for the gas.
    InsufficientFunds,
    /// Its gas limit is beyond what a block or a transaction may use, or below what it needs at least.
    GasLimit,
    /// The pool is full.
    PoolFull,
    /// Its gas limit times its highest fee is above the most that the node passes on: a setting of the node's own.
    AboveNodesFeeCap,
}

const TOO_LOW: Reply = Reply::Refused(RefusalClass::NonceTooLow);
const TOO_HIGH: Reply = Reply::Refused(RefusalClass::NonceTooHigh);
const UNDERPRICED: Reply = Reply::Refused(RefusalClass::Underpriced);
const FUNDS: Reply = Reply::Refused(RefusalClass::InsufficientFunds);
const FEE: Reply = Reply::Refused(RefusalClass::FeeTooLow);
const GAS: Reply = Reply::Refused(RefusalClass::GasLimit);
const CAP: Reply = Reply::Refused(RefusalClass::AboveNodesFeeCap);
const FULL: Reply = Reply::Refused(RefusalClass::PoolFull);

/// Patterns in the answers of geth, its forks, erigon, nethermind, besu, reth, anvil and hardhat; lower case, first match
/// wins. `tests/replies.rs` holds them to what these nodes say.
const PATTERNS: &[(&str, Reply)] = &[
    ("unknown transaction", Reply::Ambiguous),
    ("already known", Reply::Known),
    ("alreadyknown", Reply::Known),
    ("already imported", Reply::Known),
    ("known transaction", Reply::Known),
    ("existing txn with same hash", Reply::Known),
    ("existing tx with same hash", Reply::Known),
    ("nonce too low", TOO_LOW),
    ("nonce is too low", TOO_LOW),
    ("oldnonce", TOO_LOW),
    ("nonce too high", TOO_HIGH),
    ("nonce gap", TOO_HIGH),
    ("noncegap", TOO_HIGH),
    ("nonce too distant", TOO_HIGH),
    ("nonce is too distant", TOO_HIGH),
    ("nonce too far in", TOO_HIGH),
    ("noncetoofarinfuture", TOO_HIGH),
    ("replacement transaction underpriced", UNDERPRICED),
    ("replacement fee too low", UNDERPRICED),
    ("replacementnotallowed", UNDERPRICED),
    ("could not replace", UNDERPRICED),
    ("insufficient funds", FUNDS),
    ("insufficientfunds", FUNDS),
    ("upfront cost exceeds account balance", FUNDS),
    ("doesn't have enough funds", FUNDS),
    ("less than block base fee", FEE),
    ("underpriced", FEE),
    ("feetoolow", FEE),
    ("fee too low", FEE),
    ("gas price below", FEE),
    ("gas price too low", FEE),
    ("is too low for the next block", FEE),
    ("intrinsic gas", GAS),
    ("intrinsicgas", GAS),
    ("floor data gas", GAS),
    ("requires at least", GAS),
    ("exceeds block gas limit", GAS),
    ("gas limit reached", GAS),
    ("gas limit too high", GAS),
    ("gas limit is too high", GAS),
    ("exceeds transaction gas", GAS),
    ("gaslimitexceeded", GAS),
    ("exceeds the configured cap", CAP),
    ("txpool is full", FULL),
    ("transaction pool is full", FULL),
    ("sub-pool is full", FULL),
    ("account limit exceeded", FULL),
    ("in-flight transaction limit", FULL),
    ("future transaction tries to replace pending", FULL),
];

/// Reads the message of a JSON-RPC error. What is not recognised is `Ambiguous`.
pub fn classify(message: &str) -> Reply {
    let message = message.to_lowercase();
    PATTERNS
        .iter()
        .find(|(pattern, _)| message.contains(pattern))
        .map_or(Reply::Ambiguous, |(_, reply)| *reply)
}
