//! The release policy: what it allows now, what is tightened at once, and how it is written.

use alloc::{collections::BTreeMap, vec::Vec};

use alloy_primitives::{Address, U256};

use crate::{
    Caller, Charge, Done, Revert, Rules, Vault,
    abi::{self, Configuration, Tier},
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
        let mut done = Done::default();
        let mut vault = Self {
            rules,
            domain: abi::domain(chain_id, address),
            address,
            token: c.token,
            unit: c.unit,
            hard_ceiling: c.hardCeiling,
            policy_delay_floor: u64::from(c.policyDelayFloor),
            policy_delay: 0,
            threshold: 0,
            tiers: Vec::new(),
            tiers_changed_at: None,
            terms_changed_at: 0,
            signers: Vec::new(),
            epoch: 0,
            guardians: Vec::new(),
            roles: BTreeMap::new(),
            freeze_again_at: BTreeMap::new(),
            standings: [Address::ZERO, address, c.token]
                .map(|never| (never, Standing::Blocked))
                .into(),
            successor: Address::ZERO,
            halted_until: 0,
            paid: Default::default(),
            charges: Vec::new(),
            proposals: BTreeMap::new(),
            said: BTreeMap::new(),
        };
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
        for known in &c.known {
            vault.write_standing(*known, Standing::Known, &mut done);
        }
        if !c.successor.is_zero() {
            vault.write_successor(c.successor, &mut done);
        }
        (vault, done)
    }

    // ── What it allows now ───────────────────────────────────────────────────────────────────────────────────────

    pub(crate) fn tier(&self, index: u8) -> Option<&Limits> {
        self.tiers.get(usize::from(index))
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
        let entry = self.standings.get(&recipient).copied();
        entry.unwrap_or(Standing::Unknown)
    }

    /// What may still leave under a tier. A charge counts in its own bucket and the six after it. [base units]
    pub fn headroom(&self, index: u8, time: u64) -> u128 {
        let Some(tier) = self.tier(index) else {
            return 0;
        };
        let Rules {
            bucket, buckets, ..
        } = self.rules;
        let counts = |c: &&Charge| c.tier == index && c.time / bucket + buckets > time / bucket;
        let used: u128 = self.charges.iter().filter(counts).map(|c| c.units).sum();
        let settling = self.settled_at().is_some_and(|at| time < at);
        let cap = if settling {
            tier.cap.min(tier.cap_before)
        } else {
            tier.cap
        };
        (cap / self.unit).saturating_sub(used) * self.unit
    }

    /// When the last change of tiers that had to settle is settled.
    pub(crate) fn settled_at(&self) -> Option<u64> {
        self.tiers_changed_at.map(|at| at + self.rules.release())
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
        if time < self.halted_until {
            return refuse(abi::VaultFrozen {
                haltedUntil: U256::from(self.halted_until),
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
        let length = self.policy_delay + self.rules.freeze_margin;
        let old = self.halted_until;
        let end = by.time + length;
        self.halted_until = end.max(old);
        self.freeze_again_at.insert(party, end + length);
        done.log(abi::Frozen {
            party,
            oldHaltedUntil: U256::from(old),
            haltedUntil: U256::from(self.halted_until),
            freezeAgainAt: U256::from(end + length),
        });
        done.returns(U256::from(self.halted_until));
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
        self.epoch += 1;
        done.log(abi::SignersSet {
            epoch: U256::from(self.epoch),
            oldSigners: self.signers.clone(),
            signers: signers.clone(),
            oldThreshold: U256::from(self.threshold),
            threshold: U256::from(threshold),
        });
        (self.signers, self.threshold) = (signers, threshold);
    }

    pub(crate) fn write_tiers(
        &mut self,
        next: Vec<Limits>,
        policy_delay: u64,
        time: u64,
        done: &mut Done,
    ) {
        let none = Limits::new(&Tier::default(), 0);
        for k in 0..next.len().max(self.tiers.len()) {
            done.log(abi::TierSet {
                tier: U256::from(k),
                oldTier: self.tiers.get(k).unwrap_or(&none).row(),
                newTier: next.get(k).unwrap_or(&none).row(),
            });
        }
        if policy_delay != self.policy_delay {
            done.log(abi::PolicyDelaySet {
                oldDelay: U256::from(self.policy_delay),
                delay: U256::from(policy_delay),
            });
        }
        (self.tiers, self.policy_delay) = (next, policy_delay);
        self.terms_changed_at = time.max(self.terms_changed_at + 1);
    }

    pub(crate) fn write_guardians(&mut self, next: &[Address], until: u64, done: &mut Done) {
        for old in core::mem::take(&mut self.guardians) {
            self.write_role(old, GUARDIAN, 0, done);
        }
        for guardian in next {
            self.write_role(*guardian, GUARDIAN, until, done);
        }
        self.guardians = next.to_vec();
    }

    pub(crate) fn write_role(&mut self, account: Address, role: u8, until: u64, done: &mut Done) {
        done.log(abi::RoleSet {
            account,
            role,
            oldUntil: U256::from(self.role_until(account, role)),
            until: U256::from(until),
        });
        self.roles.insert((account, role), until);
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
        self.standings.insert(recipient, standing);
    }

    pub(crate) fn write_successor(&mut self, successor: Address, done: &mut Done) {
        done.log(abi::SuccessorSet {
            oldSuccessor: self.successor,
            successor,
        });
        self.successor = successor;
    }
}
