//! The contract does what the model does, on both forks; and a model that is wrong anywhere is told from it.

use tidelock_model::Rules;
use tidelock_trial::{chain::Fork, run::run};

const STEPS: u64 = 20_000;
const SEED: u64 = 1;
/// Within so many steps a wrong model must be found out.
const STEPS_OF_THE_WRONG: u64 = 20_000;

/// What must have been met, so that "no difference" says something: each verb with success, and each way to fail but those
/// that need other tokens.
const MET: [&str; 63] = [
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
    "VaultUnfreezeStale",
    "VaultVoteRevoked",
    "VaultVotesMissing",
    "VaultVotesShort",
];

fn agree(fork: Fork) {
    match run(fork, Rules::VAULT, SEED, STEPS) {
        Ok(coverage) => {
            let missing: Vec<_> = MET.iter().filter(|m| !coverage.contains_key(**m)).collect();
            assert!(missing.is_empty(), "never met: {missing:?}");
        }
        Err(divergence) => panic!("{divergence}"),
    }
}

#[test]
fn contract_and_model_agree_on_osaka() {
    agree(Fork::Osaka);
}

#[test]
fn contract_and_model_agree_on_amsterdam() {
    agree(Fork::Amsterdam);
}

/// Each with one rule changed.
#[test]
fn wrong_models_are_found_out() {
    let right = Rules::VAULT;
    let wrong = [
        (
            "a charge counts in six buckets",
            Rules {
                buckets: 6,
                payable: right.payable + right.bucket,
                ..right
            },
        ),
        (
            "buckets of 4 h and a second",
            Rules {
                bucket: right.bucket + 1,
                payable: right.payable - 7,
                ..right
            },
        ),
        (
            "a second less to pay in",
            Rules {
                payable: right.payable - 1,
                ..right
            },
        ),
        (
            "a second more of life",
            Rules {
                max_life: right.max_life + 1,
                ..right
            },
        ),
        (
            "a second less of freeze",
            Rules {
                freeze_margin: right.freeze_margin - 1,
                ..right
            },
        ),
        (
            "a second more of a role",
            Rules {
                max_grant: right.max_grant + 1,
                ..right
            },
        ),
        (
            "the keeper has one number more",
            Rules {
                proposal_numbers: right.proposal_numbers + 1,
                ..right
            },
        ),
        (
            "signatures count after a revocation",
            Rules {
                revoking_forbids: false,
                ..right
            },
        ),
        (
            "stricter terms leave the clock alone",
            Rules {
                stricter_terms_restart: false,
                ..right
            },
        ),
        (
            "votes outlive their signer set",
            Rules {
                epochs_drop_votes: false,
                ..right
            },
        ),
    ];
    for (name, rules) in wrong {
        match run(Fork::Osaka, rules, SEED, STEPS_OF_THE_WRONG) {
            Ok(_) => panic!("{name}: not found out"),
            Err(divergence) => println!("{name}: {divergence}"),
        }
    }
}
