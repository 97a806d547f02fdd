use alloy::primitives::{Address, aliases::U40};
use tidelock_core::abi::Vault;

use super::keys::Keys;

/// One token. [base units]
pub const USDT: u128 = 1_000_000;
/// [seconds]
pub const HOUR: u32 = 3_600;
/// [seconds]
pub const DAY: u32 = 24 * HOUR;

/// Blocks after which a block is final where nothing else is planned, and some.
pub const FINAL: u64 = 20;

/// When blocks come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mining {
    /// One for every transaction.
    Auto,
    /// When the test says so.
    ByHand,
    /// Every so many seconds.
    Every(u64),
}

/// Which node there is.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    Anvil,
    Geth(Geth),
    /// One of go-ethereum's relatives, made by `scripts/build-nodes`: blocks come by themselves.
    Relative(&'static str),
}

/// A real go-ethereum, made by `scripts/build-geth`: blocks come by hand only, each of what its pool has.
#[derive(Debug, Clone, Copy)]
pub struct Geth {
    /// Time of the first block.
    pub begin: u64,
    /// When Osaka gives way to Amsterdam.
    pub amsterdam: u64,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Plan {
    pub program: Program,
    /// Decimals of the token. What is said in base units of 6 is scaled.
    pub decimals: u8,
    /// Once everything is deployed; until then every transaction has a block.
    pub mining: Mining,
    /// A block is final when twice as many are on top of it.
    pub slots_in_an_epoch: u64,
    pub block_gas_limit: u64,
    /// More arguments of anvil.
    pub arguments: Vec<String>,
    pub tiers: Vec<Vault::Tier>,
    pub threshold: u8,
    /// [seconds]
    pub policy_delay: u32,
    /// Life of all roles. [seconds]
    pub roles_last: u64,
    pub known: Vec<Address>,
    /// What the vault holds at first. [base units]
    pub balance: u128,
}

impl Default for Plan {
    /// Tier 0 automatic; tier 1 two of three and an hour; tier 2 three of three and a day.
    fn default() -> Self {
        Self {
            program: Program::Anvil,
            decimals: 6,
            mining: Mining::Auto,
            slots_in_an_epoch: 2,
            block_gas_limit: 30_000_000,
            arguments: Vec::new(),
            tiers: vec![
                tier(10_000, 1_000, 100_000, 0, 0),
                tier(100_000, 20_000, 500_000, 2, HOUR),
                tier(1_000_000, 1_000_000, 2_000_000, 3, DAY),
            ],
            threshold: 2,
            policy_delay: 2 * DAY,
            roles_last: 365 * u64::from(DAY),
            known: Vec::new(),
            balance: 50_000_000 * USDT,
        }
    }
}

/// A row of the release policy, in whole tokens.
pub fn tier(known: u128, unknown: u128, cap: u128, approvals: u8, delay: u32) -> Vault::Tier {
    Vault::Tier {
        maxKnown: known * USDT,
        maxUnknown: unknown * USDT,
        cap: cap * USDT,
        approvals,
        delay,
    }
}

impl Plan {
    /// Base units of the token for one of 6 decimals.
    pub fn scale(&self) -> u128 {
        10_u128.pow(u32::from(self.decimals) - 6)
    }

    fn scaled_tiers(&self) -> Vec<Vault::Tier> {
        let scale = self.scale();
        let tiers = self.tiers.iter().cloned();
        tiers
            .map(|tier| Vault::Tier {
                maxKnown: tier.maxKnown * scale,
                maxUnknown: tier.maxUnknown * scale,
                cap: tier.cap * scale,
                ..tier
            })
            .collect()
    }

    pub(super) fn configuration(
        &self,
        keys: &Keys,
        token: Address,
        now: u64,
    ) -> Vault::Configuration {
        let until = U40::from(now + self.roles_last);
        let grant = |role| Vault::Grant {
            account: keys.keeper.address(),
            role,
            until,
        };
        Vault::Configuration {
            token,
            unit: 10_000 * self.scale(),
            hardCeiling: 10_000_000 * USDT * self.scale(),
            policyDelayFloor: DAY,
            policyDelay: self.policy_delay,
            threshold: self.threshold,
            signers: keys.signers.iter().map(|key| key.address()).collect(),
            tiers: self.scaled_tiers(),
            guardians: vec![keys.guardian.address()],
            guardiansUntil: until,
            grants: vec![grant(0), grant(1)],
            known: self.known.clone(),
            successor: Address::ZERO,
        }
    }
}
