//! The contract does what the model does, on both forks; and a model that is wrong anywhere is told from it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what must hold by panicking when it does not, in its helpers too"
)]

use tidelock_model::Rules;
use tidelock_trial::{chain::Fork, run::run};

const STEPS: u64 = 20_000;
const SEED: u64 = 1;
/// Within so many steps a wrong model must be found out.
const STEPS_OF_THE_WRONG: u64 = 20_000;

/// What must have been met, so that "no difference" says something: each verb with success, and each way to fail but those
/// that need other tokens.
const MET: [&str; 64] = [
    "pay",
    "payBySig",
    "propose",
    "proposeBySig",
    "approve",
    "approveBySig",
    "execute",
    "proposeChange",
    "proposeChangeBySig",
    "approveChange",
    "approveChangeBySig",
    "executeChange",
    "revoke",
    "cancel",
    "freeze",
    "blockRecipient",
    "revokeRole",
    "no data",
    "PolicyNotMultipleOfUnit",
    "PolicyOutOfRange",
    "TokenBalanceUnreadable",
    "TypedDataLengthInvalid",
    "VaultAddressInvalid",
    "VaultAlreadyApproved",
    "VaultAlreadyProposed",
    "VaultBalanceMismatch",
    "VaultBalanceTooLow",
    "VaultCapExceeded",
    "VaultCountInvalid",
    "VaultExpired",
    "VaultExpiryOutOfRange",
    "VaultFreezeCoolingDown",
    "VaultFrozen",
    "VaultNotApproved",
    "VaultNotExecutor",
    "VaultNotFreezer",
    "VaultNotGuardian",
    "VaultNotKeeper",
    "VaultNotProposer",
    "VaultNotSigner",
    "VaultNotVetoable",
    "VaultNothingPaid",
    "VaultNothingToPay",
    "VaultNumberOutOfRange",
    "VaultPaymentRefused",
    "VaultRoleNotGrantable",
    "VaultRoleNotHeld",
    "VaultRoleNotRevocable",
    "VaultRoleStale",
    "VaultSignatureInvalid",
    "VaultStandingStale",
    "VaultStateInvalid",
    "VaultSweepFailed",
    "VaultSweepOfToken",
    "VaultTierAutomatic",
    "VaultTierDelayed",
    "VaultTierNotAutomatic",
    "VaultTierUnknown",
    "VaultTiersCoolingDown",
    "VaultTiersStale",
    "VaultUnfreezeStale",
    "VaultVoteRevoked",
    "VaultVotesMissing",
    "VaultVotesShort",
];

/// Where they part, or what was never met.
fn complaint(fork: Fork) -> Option<String> {
    match run(fork, Rules::VAULT, SEED, STEPS) {
        Ok(coverage) => {
            let missing: Vec<_> = MET.iter().filter(|m| !coverage.contains_key(**m)).collect();
            (!missing.is_empty()).then(|| format!("never met: {missing:?}"))
        }
        Err(divergence) => Some(divergence.to_string()),
    }
}

#[test]
fn contract_and_model_agree_on_osaka() {
    if let Some(complaint) = complaint(Fork::Osaka) {
        panic!("{complaint}");
    }
}

#[test]
fn contract_and_model_agree_on_amsterdam() {
    if let Some(complaint) = complaint(Fork::Amsterdam) {
        panic!("{complaint}");
    }
}

/// A rule that is changed, in words and in place.
type Wrong = (&'static str, fn(&mut Rules));

const WRONG: [Wrong; 10] = [
    ("a charge counts in six buckets", |r| {
        (r.buckets, r.payable) = (6, 5 * 3_600)
    }),
    ("a bucket of 4 h and a second", |r| {
        (r.bucket, r.payable) = (r.bucket + 1, r.payable - 7)
    }),
    ("a second less to pay in", |r| r.payable -= 1),
    ("a second more of life", |r| r.max_life += 1),
    ("a second less of freeze", |r| r.freeze_margin -= 1),
    ("a second more of a role", |r| r.max_grant += 1),
    ("the keeper has one number more", |r| {
        r.proposal_numbers += 1
    }),
    ("signatures count after a revocation", |r| {
        r.revoking_forbids = false
    }),
    ("stricter terms leave the clock alone", |r| {
        r.stricter_terms_restart = false
    }),
    ("votes outlive their signer set", |r| {
        r.epochs_drop_votes = false
    }),
];

/// Each with one rule changed.
#[test]
fn wrong_models_are_found_out() {
    for (name, change) in WRONG {
        let mut rules = Rules::VAULT;
        change(&mut rules);
        match run(Fork::Osaka, rules, SEED, STEPS_OF_THE_WRONG) {
            Ok(_) => panic!("{name}: not found out"),
            Err(divergence) => println!("{name}: {divergence}"),
        }
    }
}
