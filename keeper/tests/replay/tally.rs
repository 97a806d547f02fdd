use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::LogData;
use alloy_sol_types::{SolEventInterface, SolInterface};
use tidelock_core::abi::Vault::{VaultCalls, VaultErrors, VaultEvents};

use crate::trace::{Act, Call, Outcome, Probe};

/// What was played, by kind.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls made: those that went through, and those that were refused.
    pub calls: BTreeMap<&'static str, (u64, u64)>,
    /// Logs of the vault, by event.
    pub events: BTreeMap<String, u64>,
    /// Reverts by error, of calls and of probes.
    pub errors: BTreeMap<String, u64>,
    /// States in which proposals were seen.
    pub states: BTreeSet<u8>,
    /// Calls asked about and not made: those that would go through, and those that would not.
    pub probes: (u64, u64),
    /// Looks at the vault.
    pub looks: u64,
    /// Numbers asked about in the end.
    pub numbers: usize,
    /// Calls that ran out of gas in the simulation.
    pub left_out: u64,
}

/// Every kind of call that the simulation makes: each must go through at least once.
const KINDS: &[&str] = &[
    "pay",
    "propose",
    "approve",
    "revoke",
    "execute",
    "execute with a skip",
    "cancel",
    "freeze",
    "blockRecipient",
    "unblock",
    "unfreeze",
    "change of signers",
    "change of tiers",
    "tightening of tiers",
    "deposit",
    "pause",
    "unpause",
];
/// Every event that the model logs.
const EVENTS: &[&str] = &[
    "BatchProposed",
    "Approved",
    "Queued",
    "Revoked",
    "Unqueued",
    "Cancelled",
    "BatchPaid",
    "BatchExecuted",
    "PaymentFailed",
    "PaymentRefused",
    "Frozen",
    "Unfrozen",
    "RecipientSet",
    "SignersSet",
    "TierSet",
];
/// Every error that the model reverts with.
const ERRORS: &[&str] = &[
    "VaultNotKeeper",
    "VaultNotGuardian",
    "VaultNotSigner",
    "VaultNotProposer",
    "VaultNotExecutor",
    "VaultNotFreezer",
    "VaultFrozen",
    "VaultFreezeCoolingDown",
    "VaultUnfreezeStale",
    "VaultExpired",
    "VaultExpiryOutOfRange",
    "VaultCountInvalid",
    "VaultNumberOutOfRange",
    "VaultTierUnknown",
    "VaultTierNotAutomatic",
    "VaultTierAutomatic",
    "VaultPaymentRefused",
    "VaultNothingToPay",
    "VaultNothingPaid",
    "VaultCapExceeded",
    "VaultBalanceTooLow",
    "VaultAlreadyProposed",
    "VaultStateInvalid",
    "VaultAlreadyApproved",
    "VaultNotApproved",
    "VaultTiersCoolingDown",
    "VaultStandingStale",
];
/// Proposed, Queued, Ready, Executed, Cancelled, Expired.
const STATES: [u8; 6] = [1, 2, 3, 4, 5, 6];

impl Tally {
    /// The kind of a call.
    pub fn kind(act: &Act) -> &'static str {
        let data = match act {
            Act::Vault(data) => data,
            Act::Unblock(..) => return "unblock",
            Act::Unfreeze(_) => return "unfreeze",
            Act::Signers(_) => return "change of signers",
            Act::Tiers(_) => return "change of tiers",
            Act::Tighten(_) => return "tightening of tiers",
            Act::Deposit(_) => return "deposit",
            Act::Pause(true) => return "pause",
            Act::Pause(false) => return "unpause",
        };
        match VaultCalls::abi_decode(data) {
            Ok(VaultCalls::execute(call)) if !call.skipMask.is_zero() => "execute with a skip",
            Ok(VaultCalls::pay(_)) => "pay",
            Ok(VaultCalls::propose(_)) => "propose",
            Ok(VaultCalls::approve(_)) => "approve",
            Ok(VaultCalls::revoke(_)) => "revoke",
            Ok(VaultCalls::execute(_)) => "execute",
            Ok(VaultCalls::cancel(_)) => "cancel",
            Ok(VaultCalls::freeze(_)) => "freeze",
            Ok(VaultCalls::blockRecipient(_)) => "blockRecipient",
            _ => "no call of the vault",
        }
    }

    /// A call that came out as the model says.
    pub fn count(&mut self, call: &Call) {
        let (made, refused) = self.calls.entry(Self::kind(&call.act)).or_default();
        match &call.outcome {
            Outcome::Made(logs) => {
                *made += 1;
                for log in logs {
                    *self.events.entry(name(&words_of_log(log))).or_default() += 1;
                }
            }
            Outcome::Reverted(data) => {
                *refused += 1;
                *self.errors.entry(name(&words_of_error(data))).or_default() += 1;
            }
            Outcome::OutOfGas => {}
        }
    }

    pub fn count_probe(&mut self, probe: &Probe) {
        match &probe.answer {
            Ok(_) => self.probes.0 += 1,
            Err(data) => {
                self.probes.1 += 1;
                *self.errors.entry(name(&words_of_error(data))).or_default() += 1;
            }
        }
    }

    pub fn add(&mut self, other: Self) {
        for (kind, (made, refused)) in other.calls {
            let count = self.calls.entry(kind).or_default();
            *count = (count.0 + made, count.1 + refused);
        }
        for (event, times) in other.events {
            *self.events.entry(event).or_default() += times;
        }
        for (error, times) in other.errors {
            *self.errors.entry(error).or_default() += times;
        }
        self.states.extend(other.states);
        self.probes = (
            self.probes.0 + other.probes.0,
            self.probes.1 + other.probes.1,
        );
        self.looks += other.looks;
        self.numbers += other.numbers;
        self.left_out += other.left_out;
    }

    pub fn total(&self) -> u64 {
        let calls = self.calls.values();
        calls.map(|(made, refused)| made + refused).sum()
    }

    pub fn print(&self) {
        println!("\n{:>9} {:>9}  call", "made", "refused");
        for (kind, (made, refused)) in &self.calls {
            println!("{made:>9} {refused:>9}  {kind}");
        }
        let (made, refused) = self.probes;
        println!("{made:>9} {refused:>9}  asked about and not made");
        for (what, counts) in [("log", &self.events), ("revert", &self.errors)] {
            println!("\n{:>9}  {what}", "times");
            for (name, times) in counts {
                println!("{times:>9}  {name}");
            }
        }
        println!(
            "\n{} looks, {} numbers; left out, because the model ran out of gas: {} calls",
            self.looks, self.numbers, self.left_out
        );
    }

    /// What was never played.
    pub fn missing(&self) -> Vec<String> {
        let made = |kind: &&&str| self.calls.get(**kind).is_none_or(|(made, _)| *made == 0);
        let kinds = KINDS.iter().filter(made).map(|kind| format!("call {kind}"));
        let events = EVENTS.iter().filter(|e| !self.events.contains_key(**e));
        let errors = ERRORS.iter().filter(|e| !self.errors.contains_key(**e));
        let states = STATES.iter().filter(|s| !self.states.contains(s));
        kinds
            .chain(events.map(|event| format!("event {event}")))
            .chain(errors.map(|error| format!("error {error}")))
            .chain(states.map(|state| format!("state {state} of a proposal")))
            .collect()
    }
}

/// The first word.
fn name(words: &str) -> String {
    let end = words.find(|c: char| !c.is_alphanumeric());
    words[..end.unwrap_or(words.len())].to_owned()
}

pub fn words_of_error(data: &[u8]) -> String {
    match VaultErrors::abi_decode(data) {
        Ok(error) => inner(&format!("{error:?}")),
        Err(_) if data.is_empty() => "nothing".to_owned(),
        Err(_) => format!("0x{}", alloy::primitives::hex::encode(data)),
    }
}

pub fn words_of_log(log: &LogData) -> String {
    match VaultEvents::decode_raw_log(log.topics(), &log.data) {
        Ok(event) => inner(&format!("{event:?}")),
        Err(_) => format!("{log:?}"),
    }
}

/// `Kind(Kind { … })` without the outer name.
fn inner(words: &str) -> String {
    let start = words.find('(').map_or(0, |at| at + 1);
    words[start..].trim_end_matches(')').to_owned()
}
