//! What was sent to a real geth is sent to the pool: it takes what geth took, and refuses the rest in the same words, to the
//! last number.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::*;
use crate::world::chain;

const RECORDED: &str = include_str!("../../../../test-fixtures/rpc/geth.json");

/// What the pool does not know of: the keeper never does it, or the pool has room for all.
const BEYOND: [&str; 7] = [
    "less than intrinsic gas",
    "less gas than the floor of its data",
    "tip above the fee",
    "wrong chain id",
    "pool full, offers no more",
    "pool full, offers more, nonce gap",
    "pool full, offers more",
];

#[derive(Deserialize)]
struct Recording {
    answers: Vec<Entry>,
    block_gas_limit: u64,
}

#[derive(Deserialize)]
struct Entry {
    situation: String,
    account: Account,
    sent: Sent,
    answer: Answer,
}

#[derive(Deserialize)]
struct Account {
    address: Address,
    nonce: u64,
    funded_wei: String,
}

#[derive(Deserialize)]
struct Sent {
    raw: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Result(B256),
    Error { message: String },
}

impl Answer {
    fn as_ours(&self) -> Result<B256, String> {
        match self {
            Self::Result(hash) => Ok(*hash),
            Self::Error { message } => Err(message.clone()),
        }
    }
}

/// A kind of refusal that geth has too.
fn kind(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AlreadyKnown => "already known",
        Refusal::TransactionGas { .. } => "transaction gas",
        Refusal::BlockGas => "block gas",
        Refusal::Tip { .. } => "tip",
        Refusal::NonceTooLow { .. } => "nonce too low",
        Refusal::NonceTooHigh { .. } => panic!("geth lets it wait: {refusal}"),
        Refusal::Cost { .. } => "cost",
        Refusal::QueuedCost { .. } => "queued cost",
        Refusal::BumpedCost { .. } => "bumped cost",
        Refusal::Underpriced => "underpriced",
    }
}
const KINDS: usize = 9;

#[test]
fn it_answers_as_geth_did() {
    let recording: Recording = serde_json::from_str(RECORDED).unwrap();
    let mut pools: BTreeMap<Address, Pool> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for entry in &recording.answers {
        if BEYOND.contains(&entry.situation.as_str()) {
            continue;
        }
        let key = entry.account.address;
        let account = chain::Account {
            nonce: entry.account.nonce,
            gas_wei: entry.account.funded_wei.parse().unwrap(),
        };
        let pool = pools.entry(key).or_insert_with(|| Pool::new(key));
        pool.prune(&account);
        let ours = pool.add(&entry.sent.raw, &account, recording.block_gas_limit);
        kinds.extend(ours.as_ref().err().map(kind));
        let ours = ours.map_err(|refusal| refusal.to_string());
        assert_eq!(ours, entry.answer.as_ours(), "{}", entry.situation);
    }
    assert_eq!(kinds.len(), KINDS, "refused for {kinds:?} only");
}
