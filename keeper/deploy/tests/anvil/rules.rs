//! The rules in words are the contract's rules: both judge each of these configurations the same, at both sides of each boundary.

use alloy::primitives::{Address, aliases::U40};
use tidelock_deploy::{DeployError, Deployment, Policy, Release, Vault, chain::Chain};

use crate::support::World;

type Edit = fn(&mut Vault::Configuration);
const DAY: u32 = 86_400;
const MAX_DELAY: u32 = 523 * 3_600;

/// What is edited, how, and whether it may be.
const EDITS: &[(&str, Edit, bool)] = &[
    ("as it is", |_| (), true),
    ("unit 0", |c| c.unit = 0, false),
    (
        "unit 1 and a ceiling above 33 bits of it",
        |c| c.unit = 1,
        false,
    ),
    (
        "ceiling of the caps",
        |c| c.hardCeiling = 2_600_000_000_000,
        true,
    ),
    (
        "ceiling one unit less",
        |c| c.hardCeiling = 2_600_000_000_000 - 10_000,
        false,
    ),
    ("ceiling that is no multiple", |c| c.hardCeiling += 1, false),
    (
        "ceiling of 2^33 - 2 units",
        |c| c.hardCeiling = 10_000 * ((1 << 33) - 2),
        true,
    ),
    (
        "ceiling of one more",
        |c| c.hardCeiling = 10_000 * ((1 << 33) - 1),
        false,
    ),
    ("floor of a day", |c| c.policyDelayFloor = DAY, true),
    ("floor of less", |c| c.policyDelayFloor = DAY - 1, false),
    ("delay of the floor", |c| c.policyDelay = DAY, true),
    ("delay below the floor", |c| c.policyDelay = DAY - 1, false),
    ("longest delay", |c| c.policyDelay = MAX_DELAY, true),
    ("longer delay", |c| c.policyDelay = MAX_DELAY + 1, false),
    ("threshold 0", |c| c.threshold = 0, false),
    ("threshold of all", |c| c.threshold = 3, true),
    ("threshold of more", |c| c.threshold = 4, false),
    ("no signers", |c| c.signers.clear(), false),
    ("32 signers", |c| c.signers = many(32), true),
    ("33 signers", |c| c.signers = many(33), false),
    ("a signer twice", |c| c.signers[1] = c.signers[0], false),
    (
        "a signer that is zero",
        |c| c.signers[1] = Address::ZERO,
        false,
    ),
    (
        "a signer that is the token",
        |c| c.signers[1] = c.token,
        false,
    ),
    ("no tier", |c| c.tiers.clear(), false),
    (
        "four tiers",
        |c| c.tiers.insert(0, c.tiers[0].clone()),
        false,
    ), // their caps exceed the ceiling
    (
        "five tiers",
        |c| {
            for _ in 0..2 {
                c.hardCeiling += c.tiers[0].cap;
                c.tiers.insert(0, c.tiers[0].clone());
            }
        },
        false,
    ),
    (
        "four tiers under the ceiling",
        |c| {
            c.hardCeiling += c.tiers[0].cap;
            c.tiers.insert(0, c.tiers[0].clone());
        },
        true,
    ),
    ("a cap of zero", |c| c.tiers[0].cap = 0, false),
    ("a cap that is no multiple", |c| c.tiers[0].cap -= 1, false),
    (
        "a limit above the cap",
        |c| c.tiers[0].maxKnown = c.tiers[0].cap + 10_000,
        false,
    ),
    (
        "a limit of the cap",
        |c| c.tiers[2].maxKnown = c.tiers[2].cap,
        true,
    ),
    (
        "a limit below the tier before",
        |c| c.tiers[1].maxKnown = c.tiers[0].maxKnown - 10_000,
        false,
    ),
    (
        "others above known",
        |c| c.tiers[0].maxUnknown = c.tiers[0].maxKnown + 10_000,
        false,
    ),
    ("nothing for others", |c| c.tiers[0].maxUnknown = 0, true),
    (
        "others below the tier before",
        |c| c.tiers[1].maxUnknown = c.tiers[0].maxUnknown - 10_000,
        false,
    ),
    (
        "approvals below the tier before",
        |c| c.tiers[0].approvals = 3,
        false,
    ),
    (
        "top approvals of the threshold",
        |c| c.tiers[2].approvals = 2,
        true,
    ),
    (
        "top approvals below the threshold",
        |c| {
            c.tiers[1].approvals = 1;
            c.tiers[2].approvals = 1;
        },
        false,
    ),
    (
        "a delay below the tier before",
        |c| c.tiers[0].delay = 3_601,
        false,
    ),
    (
        "the longest delay of a tier",
        |c| c.tiers[2].delay = MAX_DELAY,
        true,
    ),
    ("a longer one", |c| c.tiers[2].delay = MAX_DELAY + 1, false),
    ("no guardians", |c| c.guardians.clear(), false),
    ("16 guardians", |c| c.guardians = many(16), true),
    ("17 guardians", |c| c.guardians = many(17), false),
    (
        "a guardian twice",
        |c| c.guardians = vec![c.guardians[0]; 2],
        false,
    ),
    (
        "guardians that ended",
        |c| c.guardiansUntil = U40::from(1),
        false,
    ),
    (
        "guardians for 500 days",
        |c| c.guardiansUntil += U40::from(500 * DAY),
        false,
    ),
    (
        "a keeper that ended",
        |c| c.grants[0].until = U40::from(1),
        false,
    ),
    (
        "a keeper that is zero",
        |c| c.grants[0].account = Address::ZERO,
        false,
    ),
    (
        "a role granted twice",
        |c| c.grants.push(c.grants[0].clone()),
        false,
    ),
    ("no hot keys", |c| c.grants.clear(), true),
    (
        "a known recipient twice",
        |c| c.known = vec![c.known[0]; 2],
        false,
    ),
    (
        "a known recipient that is the token",
        |c| c.known[0] = c.token,
        false,
    ),
    (
        "a successor that is the token",
        |c| c.successor = c.token,
        false,
    ),
    (
        "a successor",
        |c| c.successor = Address::repeat_byte(3),
        true,
    ),
];

fn many(count: u8) -> Vec<Address> {
    (1..=count).map(Address::repeat_byte).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_judge_alike() {
    let world = World::start(&[]).await;
    let policy = world.policy(&[]).await;
    let now = Chain(&world).block("latest").await.unwrap().timestamp.to();
    let release = Release::embedded().unwrap();
    for (name, edit, may) in EDITS {
        let mut edited: Policy = policy.clone();
        edit(&mut edited.configuration);
        let broken = edited.broken(now);
        assert_eq!(broken.is_empty(), *may, "{name}: in words: {broken:?}");
        let deployment = Deployment::new(edited, release.clone());
        match deployment.simulate(Chain(&world)).await {
            Ok(_) => assert!(may, "{name}: the contract takes it"),
            Err(DeployError::Refused(words)) => {
                assert!(!may, "{name}: the contract says {words}");
                assert!(!words.starts_with("revert data"), "{name}: {words}");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}
