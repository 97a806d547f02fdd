//! The release policy: what it allows now, what is tightened at once, and how it is written.

use alloc::vec::Vec;

use alloy_primitives::{Address, U256};

use crate::{
    Caller, Done, Fixed, Lists, Revert, Rules, Vault,
    abi::{self, Configuration, Tier},
    memory::Memory,
    refuse,
};

/// Roles by number.
pub(crate) const KEEPER: u8 = 0;
pub(crate) const PROPOSER: u8 = 1;
pub(crate) const GUARDIAN: u8 = 2;

/// What the recipient book says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Standing {
    /// Nothing.
    Unknown = 0,
    /// It is known.
    Known = 1,
    /// It is never paid.
    Blocked = 2,
}

impl Standing {
    /// By its number.
    pub fn of(number: u8) -> Option<Self> {
        [Self::Unknown, Self::Known, Self::Blocked]
            .into_iter()
            .find(|standing| standing.number() == number)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Known => 1,
            Self::Blocked => 2,
        }
    }

    /// How much it allows: nothing, a stranger's limit, a known one's.
    fn freedom(self) -> u8 {
        match self {
            Self::Blocked => 0,
            Self::Unknown => 1,
            Self::Known => 2,
        }
    }

    /// Whether less is paid to it than to the other.
    pub(crate) fn is_stricter_than(self, other: Self) -> bool {
        self.freedom() < other.freedom()
    }
}

/// A row of the release policy. [base units, seconds]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest payment to a known recipient.
    pub max_known: u128,
    /// Largest payment to an unknown recipient.
    pub max_unknown: u128,
    /// Most that leaves in 24 hours.
    pub cap: u128,
    /// The cap before the last change that had to settle; 0 for none.
    pub cap_before: u128,
    /// Signers that must approve.
    pub approvals: u8,
    /// Seconds between quorum and execution.
    pub delay: u64,
}

impl Fixed {
    /// Of a vault at that address.
    pub fn of(address: Address, c: &Configuration) -> Self {
        Self {
            address,
            token: c.token,
            unit: c.unit,
            hard_ceiling: c.hardCeiling,
            policy_delay_floor: u64::from(c.policyDelayFloor),
        }
    }
}

impl Limits {
    pub(crate) fn new(row: &Tier, cap_before: u128) -> Self {
        Self {
            max_known: row.maxKnown,
            max_unknown: row.maxUnknown,
            cap: row.cap,
            cap_before,
            approvals: row.approvals,
            delay: u64::from(row.delay),
        }
    }

    pub(crate) fn is_automatic(&self) -> bool {
        self.approvals == 0 && self.delay == 0
    }

    /// As the contract's views and events show it.
    pub fn row(&self) -> Tier {
        Tier {
            maxKnown: self.max_known,
            maxUnknown: self.max_unknown,
            cap: self.cap,
            approvals: self.approvals,
            delay: u32::try_from(self.delay).unwrap_or(u32::MAX),
        }
    }

    /// Of each field the stricter of this row's and another's. What only the keeper pays stays so.
    pub(crate) fn tightened_by(&self, other: &Tier) -> Self {
        let (approvals, delay) = if self.is_automatic() {
            (0, 0)
        } else {
            (other.approvals, u64::from(other.delay))
        };
        Self {
            max_known: self.max_known.min(other.maxKnown),
            max_unknown: self.max_unknown.min(other.maxUnknown),
            cap: self.cap.min(other.cap),
            cap_before: self.cap_before,
            approvals: self.approvals.max(approvals),
            delay: self.delay.max(delay),
        }
    }
}

impl Vault {
    /// A vault of a configuration that the contract accepts, at the block's time, and what its creation logs.
    pub fn new(
        rules: Rules,
        chain_id: u64,
        address: Address,
        c: &Configuration,
        time: u64,
    ) -> (Self, Done) {
        Self::create(rules, chain_id, address, c, time, |_| Lists::default())
    }
}

impl<M: Memory> Vault<M> {
    /// The same with another memory. Whether the configuration may be is `check_configuration`'s to say.
    pub fn create(
        rules: Rules,
        chain_id: u64,
        address: Address,
        c: &Configuration,
        time: u64,
        memory: impl FnOnce(&Fixed) -> M,
    ) -> (Self, Done) {
        let mut done = Done::default();
        let fixed = Fixed::of(address, c);
        let memory = memory(&fixed);
        let mut vault = Self::at(rules, chain_id, fixed, memory);
        done.log(abi::VaultCreated {
            token: c.token,
            unit: U256::from(c.unit),
            hardCeiling: U256::from(c.hardCeiling),
            policyDelayFloor: U256::from(c.policyDelayFloor),
        });
        let rows = c.tiers.iter().map(|row| Limits::new(row, 0)).collect();
        vault.write_tiers(rows, u64::from(c.policyDelay), time, &mut done);
        vault.write_signers(c.signers.clone(), c.threshold, &mut done);
        vault.write_guardians(&c.guardians, c.guardiansUntil.to(), &mut done);
        for grant in &c.grants {
            vault.write_role(grant.account, grant.role, grant.until.to(), &mut done);
        }
        for never in [Address::ZERO, address, c.token] {
            vault.memory.set_standing(never, Standing::Blocked);
        }
        for known in &c.known {
            vault.write_standing(*known, Standing::Known, &mut done);
        }
        if !c.successor.is_zero() {
            vault.write_successor(c.successor, &mut done);
        }
        (vault, done)
    }

    // ── What it allows now ───────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn tier(&self, index: u8) -> Option<Limits> {
        self.memory.tier(index)
    }

    /// Largest payment under a tier to that recipient. [base units]
    pub(crate) fn limit(&self, tier: u8, recipient: Address) -> u128 {
        let Some(tier) = self.tier(tier) else {
            return 0;
        };
        match self.standing(recipient) {
            Standing::Unknown => tier.max_unknown,
            Standing::Known => tier.max_known,
            Standing::Blocked => 0,
        }
    }

    /// What the recipient book says.
    pub fn standing(&self, recipient: Address) -> Standing {
        self.memory.standing(recipient)
    }

    /// What may still leave under a tier. [base units]
    pub fn headroom(&self, index: u8, time: u64) -> u128 {
        let Some(tier) = self.tier(index) else {
            return 0;
        };
        let used = self.memory.used(&self.rules, index, time);
        let settling = self.settled_at().is_some_and(|at| time < at);
        let cap = if settling {
            tier.cap.min(tier.cap_before)
        } else {
            tier.cap
        };
        (cap / self.fixed.unit).saturating_sub(used) * self.fixed.unit
    }

    /// When the last change of tiers that had to settle is settled.
    pub(crate) fn settled_at(&self) -> Option<u64> {
        let changed_at = self.memory.settings().tiers_changed_at;
        changed_at.map(|at| at + self.rules.release())
    }

    pub(crate) fn holds(&self, account: Address, role: u8, time: u64) -> bool {
        time < self.role_until(account, role)
    }

    pub(crate) fn require_executor(&self, by: Caller) -> Result<(), Revert> {
        if self.is_signer(by.address) || self.holds(by.address, KEEPER, by.time) {
            return Ok(());
        }
        refuse(abi::VaultNotExecutor { caller: by.address })
    }

    pub(crate) fn require_guardian(&self, by: Caller) -> Result<(), Revert> {
        if self.holds(by.address, GUARDIAN, by.time) {
            return Ok(());
        }
        refuse(abi::VaultNotGuardian { caller: by.address })
    }

    pub(crate) fn require_not_frozen(&self, time: u64) -> Result<(), Revert> {
        let halted_until = self.halted_until();
        if time < halted_until {
            return refuse(abi::VaultFrozen {
                haltedUntil: U256::from(halted_until),
            });
        }
        Ok(())
    }

    // ── Tightened at once ────────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn freeze(&mut self, by: Caller, done: &mut Done) -> Result<(), Revert> {
        let party = by.address;
        if !self.is_signer(party) && !self.holds(party, GUARDIAN, by.time) {
            return refuse(abi::VaultNotFreezer { caller: party });
        }
        let again = self.freeze_again_at(party);
        if by.time < again {
            return refuse(abi::VaultFreezeCoolingDown {
                party,
                freezeAgainAt: U256::from(again),
            });
        }
        let mut settings = self.memory.settings();
        let length = settings.policy_delay + self.rules.freeze_margin;
        let old = settings.halted_until;
        let end = by.time + length;
        settings.halted_until = end.max(old);
        self.memory.set_settings(settings);
        self.memory.set_freeze_again_at(party, end + length);
        done.log(abi::Frozen {
            party,
            oldHaltedUntil: U256::from(old),
            haltedUntil: U256::from(settings.halted_until),
            freezeAgainAt: U256::from(end + length),
        });
        done.returns(U256::from(settings.halted_until));
        Ok(())
    }

    pub(crate) fn block_recipient(
        &mut self,
        by: Caller,
        recipient: Address,
        done: &mut Done,
    ) -> Result<(), Revert> {
        self.require_guardian(by)?;
        if self.standing(recipient) == Standing::Blocked {
            return refuse(abi::VaultStandingStale {
                recipient,
                stated: Standing::Unknown.number(),
                actual: Standing::Blocked.number(),
            });
        }
        self.write_standing(recipient, Standing::Blocked, done);
        Ok(())
    }

    pub(crate) fn revoke_role(
        &mut self,
        by: Caller,
        account: Address,
        role: u8,
        done: &mut Done,
    ) -> Result<(), Revert> {
        if role > GUARDIAN {
            return Err(Revert::new()); // not valid ABI
        }
        self.require_guardian(by)?;
        if role == GUARDIAN {
            return refuse(abi::VaultRoleNotRevocable { role });
        }
        if !self.holds(account, role, by.time) {
            return refuse(abi::VaultRoleNotHeld { account, role });
        }
        self.write_role(account, role, 0, done);
        Ok(())
    }

    // ── Writing, with the events that tell of it ─────────────────────────────────────────────────────────────────

    pub(crate) fn write_signers(&mut self, signers: Vec<Address>, threshold: u8, done: &mut Done) {
        let mut settings = self.memory.settings();
        let old_threshold = settings.threshold;
        (settings.epoch, settings.threshold) = (settings.epoch + 1, threshold);
        done.log(abi::SignersSet {
            epoch: U256::from(settings.epoch),
            oldSigners: self.memory.signers(),
            signers: signers.clone(),
            oldThreshold: U256::from(old_threshold),
            threshold: U256::from(threshold),
        });
        self.memory.set_settings(settings);
        self.memory.set_signers(signers);
    }

    pub(crate) fn write_tiers(
        &mut self,
        next: Vec<Limits>,
        policy_delay: u64,
        time: u64,
        done: &mut Done,
    ) {
        let old = self.memory.tiers();
        let none = Limits::new(&Tier::default(), 0);
        for k in 0..next.len().max(old.len()) {
            done.log(abi::TierSet {
                tier: U256::from(k),
                oldTier: old.get(k).unwrap_or(&none).row(),
                newTier: next.get(k).unwrap_or(&none).row(),
            });
        }
        let mut settings = self.memory.settings();
        if policy_delay != settings.policy_delay {
            done.log(abi::PolicyDelaySet {
                oldDelay: U256::from(settings.policy_delay),
                delay: U256::from(policy_delay),
            });
        }
        settings.policy_delay = policy_delay;
        settings.terms_changed_at = time.max(settings.terms_changed_at + 1);
        self.memory.set_settings(settings);
        self.memory.set_tiers(next);
    }

    pub(crate) fn write_guardians(&mut self, next: &[Address], until: u64, done: &mut Done) {
        for old in self.memory.guardians() {
            self.write_role(old, GUARDIAN, 0, done);
        }
        for guardian in next {
            self.write_role(*guardian, GUARDIAN, until, done);
        }
        self.memory.set_guardians(next.to_vec());
    }

    pub(crate) fn write_role(&mut self, account: Address, role: u8, until: u64, done: &mut Done) {
        done.log(abi::RoleSet {
            account,
            role,
            oldUntil: U256::from(self.role_until(account, role)),
            until: U256::from(until),
        });
        self.memory.set_role(account, role, until);
    }

    pub(crate) fn write_standing(
        &mut self,
        recipient: Address,
        standing: Standing,
        done: &mut Done,
    ) {
        done.log(abi::RecipientSet {
            recipient,
            oldStanding: self.standing(recipient).number(),
            standing: standing.number(),
        });
        self.memory.set_standing(recipient, standing);
    }

    pub(crate) fn write_successor(&mut self, successor: Address, done: &mut Done) {
        let mut settings = self.memory.settings();
        done.log(abi::SuccessorSet {
            oldSuccessor: settings.successor,
            successor,
        });
        settings.successor = successor;
        self.memory.set_settings(settings);
    }
}
