//! Which configurations a vault is created with: the contract and the rules refuse the same ones, with the same error.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what must hold by panicking when it does not, in its helpers too"
)]

use alloy_primitives::{Address, Bytes, aliases::U40};
use alloy_sol_types::SolValue;
use tidelock_model::{Rules, abi::Configuration, check_configuration};
use tidelock_trial::{
    artefacts,
    author::Author,
    chain::{Chain, Fork},
    run::begin,
    setting::{self, BIRTH, DAY, UNIT, account, grant},
};

type Change = fn(&mut Configuration);

/// Both sides of each boundary, where there are two.
const CHANGES: &[Change] = &[
    |_| {},
    |c| c.unit = 0,
    |c| c.unit = 1,
    |c| c.unit = 1 << 96,
    |c| c.hardCeiling = UNIT * ((1 << 33) - 2),
    |c| c.hardCeiling = UNIT * ((1 << 33) - 1),
    |c| c.hardCeiling = u128::MAX,
    |c| c.hardCeiling += 1,
    |c| c.hardCeiling = c.unit - 1,
    |c| c.policyDelayFloor = 86_399,
    |c| c.policyDelayFloor = 86_401,
    |c| c.policyDelayFloor = u32::MAX,
    |c| c.policyDelay = 86_399,
    |c| c.policyDelay = u32::MAX,
    |c| c.threshold = 0,
    |c| c.threshold = 200,
    |c| c.signers.clear(),
    |c| c.signers = (1..=32).map(account).collect(),
    |c| c.signers = (1..=33).map(account).collect(),
    |c| c.signers.push(Address::ZERO),
    |c| c.signers.push(c.token),
    |c| c.signers.push(*c.signers.first().expect("a signer")),
    |c| c.tiers.clear(),
    |c| c.tiers.extend(c.tiers.clone()),
    |c| c.tiers.push(c.tiers.last().expect("a tier").clone()),
    |c| c.tiers.reverse(),
    |c| first(c).maxKnown += 1,
    |c| first(c).maxUnknown += 1,
    |c| first(c).cap += 1,
    |c| first(c).cap = 0,
    |c| first(c).cap = c.hardCeiling + c.unit,
    |c| first(c).cap = c.hardCeiling,
    |c| first(c).maxKnown = 0,
    |c| first(c).maxUnknown = 0,
    |c| first(c).maxUnknown = c.hardCeiling,
    |c| first(c).approvals = 33,
    |c| first(c).delay = u32::MAX,
    |c| {
        c.tiers
            .iter_mut()
            .for_each(|tier| tier.cap = u128::MAX / UNIT * UNIT)
    },
    |c| c.guardians.clear(),
    |c| c.guardians = (1..=17).map(account).collect(),
    |c| c.guardians.push(*c.guardians.first().expect("a guardian")),
    |c| c.guardiansUntil = U40::from(BIRTH),
    |c| c.guardiansUntil = U40::from(BIRTH + 1),
    |c| c.guardiansUntil = U40::from(BIRTH + 400 * DAY),
    |c| c.guardiansUntil = U40::from(BIRTH + 400 * DAY + 1),
    |c| c.grants.push(grant(account(7), 2)),
    |c| c.grants.push(grant(account(7), 3)),
    |c| c.grants.push(grant(Address::ZERO, 0)),
    |c| c.grants.push(c.grants.first().expect("a grant").clone()),
    |c| c.grants.push(grant(account(7), 0)),
    |c| c.grants.iter_mut().for_each(|g| g.until = U40::from(BIRTH)),
    |c| c.known.push(account(9)),
    |c| c.known.extend([account(9), account(9)]),
    |c| c.known.push(c.token),
    |c| c.successor = c.token,
    |c| c.successor = account(9),
];

fn first(c: &mut Configuration) -> &mut tidelock_model::abi::Tier {
    c.tiers.first_mut().expect("a tier")
}

/// What the contract says.
fn created(chain: &mut Chain, configuration: &Configuration) -> Result<Address, Bytes> {
    let mut code = artefacts::code_of("Vault.sol:Vault");
    code.extend_from_slice(&(configuration.clone(),).abi_encode_params());
    chain
        .create(account(0), code.into())
        .map_err(|outcome| outcome.output)
}

#[test]
fn the_rules_refuse_what_the_contract_refuses() {
    let mut refused = 0;
    for seed in 1..=4 {
        let (trial, _): (_, Author) = begin(Fork::Osaka, Rules::VAULT, seed);
        let mut chain = Chain::new(Fork::Osaka, BIRTH);
        let token = setting::contract(&mut chain, "ModeToken.sol:ModeToken", &[]);
        for (i, change) in CHANGES.iter().enumerate() {
            let mut configuration = trial.configuration.clone();
            configuration.token = token;
            // It stands where this chain would create a vault.
            configuration
                .signers
                .retain(|s| *s != trial.place.contract_signer);
            change(&mut configuration);
            let nowhere = Address::repeat_byte(0xee);
            let said = check_configuration(&Rules::VAULT, nowhere, &configuration, BIRTH);
            let expected = created(&mut chain, &configuration);
            assert_eq!(
                said.clone().err(),
                expected.err(),
                "change {i} of world {seed}"
            );
            refused += usize::from(said.is_err());
        }
    }
    assert!(refused > 120, "{refused} refused");
}
