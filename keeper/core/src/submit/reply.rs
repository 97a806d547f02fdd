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
}

/// Patterns in the answers of geth, its forks, erigon, nethermind, besu, reth, anvil and hardhat; lower case, first match
/// wins. Not yet held to recorded answers.
const PATTERNS: &[(&str, Reply)] = &[
    ("already known", Reply::Known),
    ("alreadyknown", Reply::Known),
    ("already imported", Reply::Known),
    ("nonce too low", Reply::Refused(RefusalClass::NonceTooLow)),
    (
        "nonce is too low",
        Reply::Refused(RefusalClass::NonceTooLow),
    ),
    ("oldnonce", Reply::Refused(RefusalClass::NonceTooLow)),
    ("nonce too high", Reply::Refused(RefusalClass::NonceTooHigh)),
    ("nonce gap", Reply::Refused(RefusalClass::NonceTooHigh)),
    (
        "nonce too distant",
        Reply::Refused(RefusalClass::NonceTooHigh),
    ),
    (
        "replacement transaction underpriced",
        Reply::Refused(RefusalClass::Underpriced),
    ),
    (
        "replacement fee too low",
        Reply::Refused(RefusalClass::Underpriced),
    ),
    (
        "replacementnotallowed",
        Reply::Refused(RefusalClass::Underpriced),
    ),
    (
        "could not replace",
        Reply::Refused(RefusalClass::Underpriced),
    ),
    (
        "insufficient funds",
        Reply::Refused(RefusalClass::InsufficientFunds),
    ),
    (
        "insufficientfunds",
        Reply::Refused(RefusalClass::InsufficientFunds),
    ),
    (
        "upfront cost exceeds account balance",
        Reply::Refused(RefusalClass::InsufficientFunds),
    ),
    (
        "doesn't have enough funds",
        Reply::Refused(RefusalClass::InsufficientFunds),
    ),
    (
        "less than block base fee",
        Reply::Refused(RefusalClass::FeeTooLow),
    ),
    (
        "transaction underpriced",
        Reply::Refused(RefusalClass::FeeTooLow),
    ),
    ("feetoolow", Reply::Refused(RefusalClass::FeeTooLow)),
    ("fee too low", Reply::Refused(RefusalClass::FeeTooLow)),
    ("gas price below", Reply::Refused(RefusalClass::FeeTooLow)),
    (
        "is too low for the next block",
        Reply::Refused(RefusalClass::FeeTooLow),
    ),
    (
        "intrinsic gas too low",
        Reply::Refused(RefusalClass::GasLimit),
    ),
    (
        "exceeds block gas limit",
        Reply::Refused(RefusalClass::GasLimit),
    ),
    ("gas limit too high", Reply::Refused(RefusalClass::GasLimit)),
    (
        "exceeds transaction gas",
        Reply::Refused(RefusalClass::GasLimit),
    ),
    (
        "intrinsic gas too high",
        Reply::Refused(RefusalClass::GasLimit),
    ),
    ("txpool is full", Reply::Refused(RefusalClass::PoolFull)),
    (
        "transaction pool is full",
        Reply::Refused(RefusalClass::PoolFull),
    ),
];

/// Reads the message of a JSON-RPC error. What is not recognised is `Ambiguous`.
pub fn classify(message: &str) -> Reply {
    let message = message.to_lowercase();
    PATTERNS
        .iter()
        .find(|(pattern, _)| message.contains(pattern))
        .map_or(Reply::Ambiguous, |(_, reply)| *reply)
}
