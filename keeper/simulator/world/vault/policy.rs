//! Freezing, blocking, and what policy changes do once they take effect. How a change is approved is the contract's own
//! matter; the keeper only meets what it does.

use alloy_primitives::{Address, LogData, U256};
use alloy_sol_types::SolValue;

use super::{Caller, DAY, Done, RELEASE, Revert, Tier, Vault, abi::Abi, log, revert};

/// Approvals that a change of policy needs.
pub const THRESHOLD: u8 = 1;

/// What the recipient book says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Unknown,
    /// It is known.
    Known,
    /// It is never paid.
    Blocked,
}

impl Vault {
    pub(super) fn freeze(&mut self, caller: Caller) -> Result<Done, Revert> {
        let mut member = self.member(caller.address);
        if !self.is_signer(caller.address) && caller.time >= member.guardian_until {
            return Err(revert(Abi::VaultNotFreezer {
                caller: caller.address,
            }));
        }
        if caller.time < member.freeze_again_at {
            return Err(revert(Abi::VaultFreezeCoolingDown {
                party: caller.address,
                freezeAgainAt: U256::from(member.freeze_again_at),
            }));
        }
        let length = self.policy_delay + 2 * DAY;
        let old = self.halted_until;
        let until = caller.time + length;
        member.freeze_again_at = until + length;
        self.members.insert(caller.address, member);
        self.halted_until = until.max(old);
        Ok(Done {
            logs: vec![log(Abi::Frozen {
                party: caller.address,
                oldHaltedUntil: U256::from(old),
                haltedUntil: U256::from(self.halted_until),
                freezeAgainAt: U256::from(member.freeze_again_at),
            })],
            returned: U256::from(self.halted_until).abi_encode().into(),
            gas: 50_000,
        })
    }

    pub(super) fn block(&mut self, caller: Caller, recipient: Address) -> Result<Done, Revert> {
        self.check_guardian(caller)?;
        if self.standing(recipient) == Standing::Blocked {
            return Err(revert(Abi::VaultStandingStale {
                recipient,
                stated: 0,
                actual: 2,
            }));
        }
        Ok(Done {
            logs: vec![self.set_standing(recipient, Standing::Blocked)],
            gas: 50_000,
            ..Done::default()
        })
    }

    pub(super) fn check_guardian(&self, caller: Caller) -> Result<(), Revert> {
        if caller.time < self.member(caller.address).guardian_until {
            return Ok(());
        }
        Err(revert(Abi::VaultNotGuardian {
            caller: caller.address,
        }))
    }

    /// What the recipient book says. The zero address, the vault and the token are entered as blocked at birth.
    pub fn standing(&self, recipient: Address) -> Standing {
        let entry = self.standings.get(&recipient).copied();
        entry.unwrap_or(Standing::Unknown)
    }

    /// Enters an address in the recipient book.
    pub fn set_standing(&mut self, recipient: Address, standing: Standing) -> LogData {
        let old = self.standing(recipient);
        self.standings.insert(recipient, standing);
        log(Abi::RecipientSet {
            recipient,
            oldStanding: old as u8,
            standing: standing as u8,
        })
    }

    // ── What an approved change does when it is executed ─────────────────────────────────────────────────────────

    /// A change of the recipient book, which states that the recipient is blocked.
    pub fn unblock(&mut self, recipient: Address, standing: Standing) -> Result<Done, Revert> {
        let actual = self.standing(recipient);
        if actual != Standing::Blocked {
            return Err(revert(Abi::VaultStandingStale {
                recipient,
                stated: Standing::Blocked as u8,
                actual: actual as u8,
            }));
        }
        Ok(self.set_standing(recipient, standing).into())
    }

    /// An unfreeze, which states when the freeze of now would end. One that could not come before that is refused.
    pub fn unfreeze(&mut self, time: u64) -> Result<Done, Revert> {
        let old = U256::from(self.halted_until);
        if time + self.policy_delay >= self.halted_until {
            return Err(revert(Abi::VaultUnfreezeStale {
                stated: old,
                actual: old,
            }));
        }
        self.halted_until = 0;
        Ok(log(Abi::Unfrozen {
            oldHaltedUntil: old,
        })
        .into())
    }

    /// A change of signers: votes so far count no more.
    pub fn set_signers(&mut self, signers: Vec<Address>) -> LogData {
        self.epoch += 1;
        let old = std::mem::replace(&mut self.signers, signers);
        log(Abi::SignersSet {
            epoch: U256::from(self.epoch),
            oldSigners: old,
            signers: self.signers.clone(),
            oldThreshold: U256::from(THRESHOLD),
            threshold: U256::from(THRESHOLD),
        })
    }

    /// A change of one tier's cap or approvals, which writes all tiers. After one that does not only tighten, the smaller of
    /// old and new cap holds for each for 28 hours, and only what tightens can change them again.
    pub fn set_tier(
        &mut self,
        index: usize,
        time: u64,
        change: impl Fn(&mut Tier),
    ) -> Result<Done, Revert> {
        let settled_at = self.settled_at();
        let mut next = self.tiers.clone();
        change(&mut next[index]);
        let (old, new) = (self.tiers[index], next[index]);
        let tightens = new.cap <= old.cap && new.approvals >= old.approvals;
        if !tightens && time < settled_at {
            return Err(revert(Abi::VaultTiersCoolingDown {
                until: U256::from(settled_at),
            }));
        }
        let mut done = Done::default();
        for (i, (old, new)) in self.tiers.iter().zip(&mut next).enumerate() {
            if !tightens {
                new.cap_before = old.cap;
            }
            done.logs.push(log(Abi::TierSet {
                tier: U256::from(i),
                oldTier: row(*old),
                newTier: row(*new),
            }));
        }
        self.tiers = next;
        self.terms_changed_at = time;
        if !tightens {
            self.tiers_changed_at = time;
        }
        Ok(done)
    }

    /// First second at which the tiers' last change is settled; 0 if they never changed.
    pub fn settled_at(&self) -> u64 {
        match self.tiers_changed_at {
            0 => 0,
            changed_at => changed_at + RELEASE,
        }
    }

    /// Grants the roles of a keeper and a proposer until a time.
    pub fn grant_keeper(&mut self, account: Address, until: u64) {
        let member = self.members.entry(account).or_default();
        (member.keeper_until, member.proposer_until) = (until, until);
    }

    /// Grants the role of a proposer until a time.
    pub fn grant_proposer(&mut self, account: Address, until: u64) {
        self.members.entry(account).or_default().proposer_until = until;
    }

    /// Grants a guardian's role until a time.
    pub fn grant_guardian(&mut self, account: Address, until: u64) {
        self.members.entry(account).or_default().guardian_until = until;
    }

    /// First second without the guardian's role.
    pub fn guardian_until(&self, account: Address) -> u64 {
        self.member(account).guardian_until
    }

    /// Delay of policy changes. [seconds]
    pub fn policy_delay(&self) -> u64 {
        self.policy_delay
    }

    /// First seconds without the keeper's and the proposer's role.
    pub fn keeper_until(&self, account: Address) -> (u64, u64) {
        let member = self.member(account);
        (member.keeper_until, member.proposer_until)
    }
}

fn row(tier: Tier) -> Abi::Tier {
    Abi::Tier {
        maxKnown: tier.max_known,
        maxUnknown: tier.max_unknown,
        cap: tier.cap,
        approvals: tier.approvals,
        delay: tier.delay,
    }
}
