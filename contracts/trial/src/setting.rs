//! Where trials take place: addresses, a token of each kind, and a vault.

use alloy_primitives::{Address, Bytes, U256, aliases::U40};
use alloy_sol_types::SolValue;
use tidelock_model::abi::{self, Configuration, Grant, Item, Tier};

use crate::{artefacts, chain::Chain};

/// Accounting grain: a hundredth of a token with six decimals. [base units]
pub const UNIT: u128 = 10_000;
/// A day. [seconds]
pub const DAY: u64 = 86_400;
/// When trials begin. [seconds]
pub const BIRTH: u64 = 1_800_000_000;
/// Roles by number, as the contract has them.
pub const KEEPER: u8 = 0;
/// Proposes.
pub const PROPOSER: u8 = 1;

/// A row of the release policy, in units.
pub fn tier(max_known: u128, max_unknown: u128, cap: u128, approvals: u8, delay: u64) -> Tier {
    Tier {
        maxKnown: max_known * UNIT,
        maxUnknown: max_unknown * UNIT,
        cap: cap * UNIT,
        approvals,
        delay: delay as u32,
    }
}

/// An account of that number that nobody else has.
pub fn account(number: u64) -> Address {
    let mut word = [0x11; 20];
    word[12..].copy_from_slice(&number.to_be_bytes());
    Address::from(word)
}

/// A role until the longest time that there is, less a day.
pub fn grant(account: Address, role: u8) -> Grant {
    let until = U40::from(BIRTH + 399 * DAY);
    Grant {
        account,
        role,
        until,
    }
}

/// One automatic tier and one that a signer's vote opens at once.
pub fn plain(token: Address, keeper: Address, signer: Address, guardian: Address) -> Configuration {
    Configuration {
        token,
        unit: UNIT,
        hardCeiling: 10_000_000 * UNIT,
        policyDelayFloor: DAY as u32,
        policyDelay: DAY as u32,
        threshold: 1,
        signers: vec![signer],
        tiers: vec![
            tier(1_000, 1_000, 1_000_000, 0, 0),
            tier(1_000, 1_000, 1_000_000, 1, 0),
        ],
        guardians: vec![guardian],
        guardiansUntil: U40::from(BIRTH + 399 * DAY),
        grants: vec![grant(keeper, KEEPER)],
        known: Vec::new(),
        successor: Address::ZERO,
    }
}

/// Creates a vault from that code, or from the build's.
pub fn vault(chain: &mut Chain, code: Option<Vec<u8>>, configuration: &Configuration) -> Address {
    let mut code = code.unwrap_or_else(|| artefacts::code_of("Vault.sol:Vault"));
    code.extend_from_slice(&(configuration.clone(),).abi_encode_params());
    let created = chain.create(account(0), code.into());
    created.unwrap_or_else(|outcome| panic!("the vault was not created: {outcome:?}"))
}

/// Creates a contract of the tests.
pub fn contract(chain: &mut Chain, name: &str, arguments: &[u8]) -> Address {
    let mut code = artefacts::code_of(name);
    code.extend_from_slice(arguments);
    let created = chain.create(account(0), code.into());
    created.unwrap_or_else(|outcome| panic!("{name} was not created: {outcome:?}"))
}

/// Packs payments: 20 bytes recipient, 12 bytes amount, 16 bytes ref. [base units]
pub fn pack(payments: &[(Address, u128)]) -> Bytes {
    let items = payments.iter().map(|(recipient, amount)| Item {
        recipient: *recipient,
        amount: *amount,
        reference: [0; 16],
    });
    abi::pack(&items.collect::<Vec<_>>())
}

/// A mask of the lowest bits.
pub fn full(count: usize) -> U256 {
    (0..count).fold(U256::ZERO, |mask, bit| mask | (U256::from(1) << bit))
}
