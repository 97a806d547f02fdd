//! Which release policies, signers and lists may be. Each check refuses with the first rule that is broken.

use alloy_primitives::{Address, U256};

use crate::{
    DAY, Revert, Vault,
    abi::{self, Tier},
    policy::Limits,
    refuse,
};

/// Fields by the number that the policy's errors name them with.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
#[allow(missing_docs, reason = "named as in the contract")]
pub(crate) enum Field {
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
    refuse(abi::PolicyOutOfRange {
        field: number_of(field),
        index: U256::from(index),
        value: U256::from(value),
        least: U256::from(least),
        most: U256::from(most),
    })
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

impl Vault {
    /// Longest delay: votes, delay and settling fit a proposal's life. [seconds]
    fn max_delay(&self) -> u64 {
        self.rules.max_life - VOTING - self.rules.settle()
    }

    pub(crate) fn check_signers(count: usize, threshold: u8) -> Result<(), Revert> {
        in_range(Field::SignerCount, 0, size(count), 1, MAX_SIGNERS)?;
        in_range(Field::Threshold, 0, threshold.into(), 1, size(count))
    }

    pub(crate) fn check_tiers(&self, tiers: &[Tier], policy_delay: u32) -> Result<(), Revert> {
        let (floor, longest) = (self.policy_delay_floor.into(), self.max_delay().into());
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
        let sum = tiers.iter().map(|tier| tier.cap).sum();
        in_range(Field::CapSum, 0, sum, unit, ceiling)
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

    /// So many signers can give the approvals of each tier, and the top tier asks for no fewer than the threshold.
    pub(crate) fn check_quorum(
        tiers: &[Limits],
        signers: usize,
        threshold: u8,
    ) -> Result<(), Revert> {
        for (k, tier) in tiers.iter().enumerate() {
            let top = k + 1 == tiers.len();
            let least = if top { threshold.into() } else { 0 };
            in_range(
                Field::Approvals,
                k,
                tier.approvals.into(),
                least,
                size(signers),
            )?;
        }
        Ok(())
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

    /// The end of a role that begins between two times. [seconds]
    pub(crate) fn check_until(&self, until: u64, from: u64, to: u64) -> Result<(), Revert> {
        let latest = to + self.rules.max_grant;
        in_range(
            Field::GrantUntil,
            0,
            until.into(),
            (from + 1).into(),
            latest.into(),
        )
    }
}
