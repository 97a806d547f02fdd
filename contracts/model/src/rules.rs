//! Which release policies, signers and lists may be. Each check refuses with the first rule that is broken.

use alloc::vec::Vec;

use alloy_primitives::{Address, U256};

use crate::{
    DAY, Fixed, Revert, Rules,
    abi::{self, Configuration, Tier},
    policy::{GUARDIAN, Limits, Standing},
    refuse,
};

/// Fields by the number that the policy's errors name them with.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
#[allow(missing_docs, reason = "named as in the contract")]
pub(crate) enum Field {
    Unit = 0,
    HardCeiling = 1,
    PolicyDelayFloor = 2,
    PolicyDelay = 3,
    SignerCount = 4,
    Threshold = 6,
    TierCount = 7,
    MaxKnown = 8,
    MaxUnknown = 9,
    Cap = 10,
    CapSum = 11,
    Approvals = 12,
    Delay = 13,
    GuardianCount = 14,
    GrantUntil = 15,
    RecipientCount = 16,
}

pub(crate) const MAX_TIERS: u128 = 4;
pub(crate) const MAX_SIGNERS: u128 = 32;
pub(crate) const MAX_GUARDIANS: u128 = 16;
pub(crate) const MAX_RECIPIENTS: u128 = 200;
/// Largest sum of caps: 33 bits, all but one of them set. [units]
const MAX_CAP: u128 = (1 << 33) - 2;
/// Least time that the policy leaves for gathering votes. [seconds]
const VOTING: u64 = 7 * DAY;

/// Refuses a value outside of `least..=most`.
pub(crate) fn in_range(
    field: Field,
    index: usize,
    value: u128,
    least: u128,
    most: u128,
) -> Result<(), Revert> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    refuse(out_of_range(
        field,
        index,
        U256::from(value),
        least,
        U256::from(most),
    ))
}

/// The same for sums and products of amounts.
fn in_wide_range(field: Field, value: U256, least: u128, most: U256) -> Result<(), Revert> {
    if (U256::from(least)..=most).contains(&value) {
        return Ok(());
    }
    refuse(out_of_range(field, 0, value, least, most))
}

fn out_of_range(
    field: Field,
    index: usize,
    value: U256,
    least: u128,
    most: U256,
) -> abi::PolicyOutOfRange {
    abi::PolicyOutOfRange {
        field: number_of(field),
        index: U256::from(index),
        value,
        least: U256::from(least),
        most,
    }
}

/// A length.
pub(crate) fn size(length: usize) -> u128 {
    u128::try_from(length).unwrap_or(u128::MAX)
}

#[allow(
    clippy::as_conversions,
    reason = "an enum of one byte is read as that byte"
)]
fn number_of(field: Field) -> u8 {
    field as u8
}

/// Refuses a configuration that a vault may not be created with.
pub fn check_configuration(
    rules: &Rules,
    address: Address,
    c: &Configuration,
    time: u64,
) -> Result<(), Revert> {
    if c.grants.iter().any(|grant| grant.role > GUARDIAN) {
        return Err(Revert::new()); // not valid ABI
    }
    let fixed = Fixed::of(address, c);
    let (longest, day) = (rules.max_delay().into(), DAY.into());
    in_range(Field::Unit, 0, c.unit, 1, (1 << 96) - 1)?;
    let most = U256::from(c.unit) * U256::from(MAX_CAP);
    in_wide_range(Field::HardCeiling, U256::from(c.hardCeiling), c.unit, most)?;
    fixed.check_multiple(Field::HardCeiling, 0, c.hardCeiling)?;
    let floor = c.policyDelayFloor.into();
    in_range(Field::PolicyDelayFloor, 0, floor, day, longest)?;
    check_signers(c.signers.len(), c.threshold)?;
    fixed.check_tiers(rules, &c.tiers, c.policyDelay)?;
    let rows: Vec<Limits> = c.tiers.iter().map(|row| Limits::new(row, 0)).collect();
    check_quorum(&rows, c.signers.len(), c.threshold)?;
    let guardians = size(c.guardians.len());
    in_range(Field::GuardianCount, 0, guardians, 1, MAX_GUARDIANS)?;
    check_until(rules, 0, c.guardiansUntil.to(), time, time)?;
    fixed.check_list(&c.signers)?;
    fixed.check_list(&c.guardians)?;
    for (i, grant) in c.grants.iter().enumerate() {
        fixed.check_role(grant.account, grant.role)?;
        check_until(rules, i, grant.until.to(), time, time)?;
    }
    for known in &c.known {
        fixed.check_address(*known)?;
    }
    if !c.successor.is_zero() {
        fixed.check_address(c.successor)?;
    }
    check_named_once(c)
}

/// Roles and standings are given once.
fn check_named_once(c: &Configuration) -> Result<(), Revert> {
    for (i, grant) in c.grants.iter().enumerate() {
        let same = |g: &&abi::Grant| (g.account, g.role) == (grant.account, grant.role);
        if let Some(before) = c.grants.iter().take(i).find(same) {
            return refuse(abi::VaultRoleStale {
                account: grant.account,
                role: grant.role,
                stated: U256::ZERO,
                actual: U256::from(before.until),
            });
        }
    }
    for (i, known) in c.known.iter().enumerate() {
        if c.known.iter().take(i).any(|before| before == known) {
            return refuse(abi::VaultStandingStale {
                recipient: *known,
                stated: Standing::Unknown.number(),
                actual: Standing::Known.number(),
            });
        }
    }
    Ok(())
}

pub(crate) fn check_signers(count: usize, threshold: u8) -> Result<(), Revert> {
    in_range(Field::SignerCount, 0, size(count), 1, MAX_SIGNERS)?;
    in_range(Field::Threshold, 0, threshold.into(), 1, size(count))
}

/// So many signers can give the approvals of each tier, and the top tier asks for no fewer than the threshold.
pub(crate) fn check_quorum(tiers: &[Limits], signers: usize, threshold: u8) -> Result<(), Revert> {
    for (k, tier) in tiers.iter().enumerate() {
        let top = k + 1 == tiers.len();
        let least = if top { threshold.into() } else { 0 };
        let approvals = tier.approvals.into();
        in_range(Field::Approvals, k, approvals, least, size(signers))?;
    }
    Ok(())
}

/// The end of a role that begins between two times. [seconds]
pub(crate) fn check_until(
    rules: &Rules,
    index: usize,
    until: u64,
    from: u64,
    to: u64,
) -> Result<(), Revert> {
    let latest = to + rules.max_grant;
    let (earliest, latest) = ((from + 1).into(), latest.into());
    in_range(Field::GrantUntil, index, until.into(), earliest, latest)
}

impl Rules {
    /// Longest delay: votes, delay and settling fit a proposal's life. [seconds]
    fn max_delay(&self) -> u64 {
        self.max_life - VOTING - self.settle()
    }
}

impl Fixed {
    pub(crate) fn check_tiers(
        &self,
        rules: &Rules,
        tiers: &[Tier],
        policy_delay: u32,
    ) -> Result<(), Revert> {
        let (floor, longest) = (self.policy_delay_floor.into(), rules.max_delay().into());
        in_range(Field::PolicyDelay, 0, policy_delay.into(), floor, longest)?;
        in_range(Field::TierCount, 0, size(tiers.len()), 1, MAX_TIERS)?;
        let (unit, ceiling) = (self.unit, self.hard_ceiling);
        let mut below: Option<&Tier> = None;
        for (k, tier) in tiers.iter().enumerate() {
            let least = |of: fn(&Tier) -> u128| below.map_or(0, of);
            self.check_multiple(Field::MaxKnown, k, tier.maxKnown)?;
            self.check_multiple(Field::MaxUnknown, k, tier.maxUnknown)?;
            self.check_multiple(Field::Cap, k, tier.cap)?;
            in_range(Field::Cap, k, tier.cap, unit, ceiling)?;
            let known = least(|t| t.maxKnown).max(unit);
            in_range(Field::MaxKnown, k, tier.maxKnown, known, tier.cap)?;
            let unknown = least(|t| t.maxUnknown);
            in_range(
                Field::MaxUnknown,
                k,
                tier.maxUnknown,
                unknown,
                tier.maxKnown,
            )?;
            let approvals = least(|t| t.approvals.into());
            in_range(
                Field::Approvals,
                k,
                tier.approvals.into(),
                approvals,
                MAX_SIGNERS,
            )?;
            let delay = least(|t| t.delay.into());
            in_range(Field::Delay, k, tier.delay.into(), delay, longest)?;
            below = Some(tier);
        }
        let sum = tiers.iter().map(|tier| U256::from(tier.cap)).sum();
        in_wide_range(Field::CapSum, sum, unit, U256::from(ceiling))
    }

    fn check_multiple(&self, field: Field, index: usize, value: u128) -> Result<(), Revert> {
        if value.is_multiple_of(self.unit) {
            return Ok(());
        }
        refuse(abi::PolicyNotMultipleOfUnit {
            field: number_of(field),
            index: U256::from(index),
            value: U256::from(value),
            unit: U256::from(self.unit),
        })
    }

    pub(crate) fn check_role(&self, account: Address, role: u8) -> Result<(), Revert> {
        if role == GUARDIAN {
            return refuse(abi::VaultRoleNotGrantable { role });
        }
        self.check_address(account)
    }

    pub(crate) fn check_address(&self, account: Address) -> Result<(), Revert> {
        if account.is_zero() || account == self.address || account == self.token {
            return refuse(abi::VaultAddressInvalid { account });
        }
        Ok(())
    }

    pub(crate) fn check_list(&self, list: &[Address]) -> Result<(), Revert> {
        for (i, account) in list.iter().enumerate() {
            self.check_address(*account)?;
            if list.iter().take(i).any(|before| before == account) {
                return refuse(abi::VaultAddressInvalid { account: *account });
            }
        }
        Ok(())
    }
}
