//! Changes of policy: which can ever take effect, which only tighten, and what each does.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256};

use crate::{
    Caller, Done, Revert, Vault, World,
    abi::{self, Content, Vote, signed},
    memory::Memory,
    policy::{GUARDIAN, Limits, Standing},
    refuse,
    rules::{
        Field, MAX_GUARDIANS, MAX_RECIPIENTS, check_quorum, check_signers, check_until, in_range,
        size,
    },
    tally::{Proposal, State},
};

/// The last kind of change.
const LAST_KIND: u8 = 8;

impl<M: Memory> Vault<M> {
    /// By the caller's own right, or with signed votes.
    pub(crate) fn propose_change<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        kind: u8,
        change: &[u8],
        votes: Option<&[Vote]>,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let content = read_change(kind, change)?;
        let id = content.id(&self.domain);
        let instant = self.check_change(&content, by.time)?;
        let delay = if instant { 0 } else { self.policy_delay() };
        let terms = (self.threshold(), delay);
        let proposal = Proposal::new(&content, by.time, terms, instant);
        self.open_proposal(id, &content, proposal, by.time)?;
        let proposer = match votes {
            None => by.address,
            Some(votes) => match votes.first() {
                Some(first) => first.signer,
                None => return refuse(abi::VaultVotesMissing {}),
            },
        };
        done.log(abi::ChangeProposed {
            id,
            proposer,
            kind,
            change: change.to_vec().into(),
        });
        match votes {
            None => self.proposed_by(by, id, done)?,
            Some(votes) => self.vote_by_sig(world, by.time, (id, &content), votes, true, done)?,
        }
        self.settle(world, by, id, &content, done)?;
        done.returns(id);
        Ok(())
    }

    pub(crate) fn approve_change<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        kind: u8,
        change: &[u8],
        votes: Option<&[Vote]>,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let content = read_change(kind, change)?;
        match votes {
            None => self.approve(by, &content, done)?,
            Some(votes) => self.approve_by_sig(world, by, &content, votes, done)?,
        }
        self.settle(world, by, content.id(&self.domain), &content, done)
    }

    pub(crate) fn execute_change<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        kind: u8,
        change: &[u8],
        done: &mut Done,
    ) -> Result<(), Revert> {
        if kind > LAST_KIND {
            return Err(Revert::new()); // not valid ABI
        }
        self.require_executor(by)?;
        let content = read_change(kind, change)?;
        let id = content.id(&self.domain);
        let state = self.state(id, by.time);
        if state != State::Ready {
            return refuse(abi::VaultStateInvalid {
                id,
                state: state.number(),
            });
        }
        self.memory.end(id, State::Executed);
        done.log(abi::ChangeExecuted { id, kind });
        self.enact(world, by.time, &content, false, done)
    }

    /// A change that only tightens takes effect once it has its quorum.
    fn settle<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        id: B256,
        content: &Content,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let state = self.state(id, by.time);
        let instant = self.memory.proposal(id).is_some_and(|p| p.instant);
        if !instant || state != State::Ready {
            return Ok(());
        }
        self.memory.end(id, State::Executed);
        let kind = content.kind().unwrap_or_default();
        done.log(abi::ChangeExecuted { id, kind });
        self.enact(world, by.time, content, true, done)
    }

    // ── As it is proposed ────────────────────────────────────────────────────────────────────────────────────────

    /// Refuses what can never take effect. Answers whether it only tightens.
    fn check_change(&self, content: &Content, time: u64) -> Result<bool, Revert> {
        let earliest = time + self.policy_delay();
        match content {
            Content::Signers(c) => {
                check_signers(c.signers.len(), c.threshold)?;
                self.fixed.check_list(&c.signers)?;
            }
            Content::Tiers(c) => {
                let rows: Vec<abi::Tier> = c.tiers.iter().map(row).collect();
                self.fixed.check_tiers(&self.rules, &rows, c.policyDelay)?;
                self.check_tiers_fresh(c)?;
            }
            Content::Tighten(c) => {
                let rows: Vec<abi::Tier> = c.tiers.iter().map(row).collect();
                let policy_delay = u32::try_from(self.policy_delay()).unwrap_or(u32::MAX);
                self.fixed.check_tiers(&self.rules, &rows, policy_delay)?;
                self.tightened(c)?;
                return Ok(true);
            }
            Content::Recipients(c) => {
                let (old, new) = standings(c)?;
                let count = size(c.recipients.len());
                in_range(Field::RecipientCount, 0, count, 1, MAX_RECIPIENTS)?;
                self.fixed.check_list(&c.recipients)?;
                return Ok(new.is_stricter_than(old));
            }
            Content::Role(c) if c.role > GUARDIAN => return Err(Revert::new()),
            Content::Role(c) => {
                self.fixed.check_role(c.account, c.role)?;
                if c.until < c.oldUntil {
                    return Ok(true);
                }
                check_until(&self.rules, 0, c.until.to(), earliest, c.expiresAt.to())?;
            }
            Content::Guardians(c) => {
                let count = size(c.guardians.len());
                in_range(Field::GuardianCount, 0, count, 1, MAX_GUARDIANS)?;
                self.fixed.check_list(&c.guardians)?;
                check_until(&self.rules, 0, c.until.to(), earliest, c.expiresAt.to())?;
            }
            Content::Unfreeze(c) => {
                let halted_until = self.halted_until();
                if c.haltedUntil.to::<u64>() != halted_until || earliest >= halted_until {
                    return self.refuse_unfreeze(c);
                }
            }
            Content::Successor(c) if c.successor.is_zero() => {}
            Content::Successor(c) => self.fixed.check_address(c.successor)?,
            Content::Sweep(c) if c.token == self.fixed.token => {
                return refuse(abi::VaultSweepOfToken { token: c.token });
            }
            Content::Sweep(_) | Content::Batch(_) => {}
        }
        Ok(false)
    }

    /// A change of tiers starts from those of now.
    fn check_tiers_fresh(&self, c: &signed::TiersChange) -> Result<(), Revert> {
        if c.oldTermsChangedAt.to::<u64>() == self.terms_changed_at() {
            return Ok(());
        }
        refuse(abi::VaultTiersStale {
            stated: U256::from(c.oldTermsChangedAt),
            actual: U256::from(self.terms_changed_at()),
        })
    }

    fn refuse_unfreeze<T>(&self, c: &signed::UnfreezeChange) -> Result<T, Revert> {
        refuse(abi::VaultUnfreezeStale {
            stated: U256::from(c.haltedUntil),
            actual: U256::from(self.halted_until()),
        })
    }

    // ── As it takes effect ───────────────────────────────────────────────────────────────────────────────────────

    fn enact<W: World>(
        &mut self,
        world: &mut W,
        time: u64,
        content: &Content,
        tightens: bool,
        done: &mut Done,
    ) -> Result<(), Revert> {
        match content {
            Content::Batch(_) => {}
            Content::Signers(c) => {
                check_quorum(&self.memory.tiers(), c.signers.len(), c.threshold)?;
                self.write_signers(c.signers.clone(), c.threshold, done);
            }
            Content::Tiers(c) => self.set_tiers(c, time, done)?,
            Content::Tighten(c) => {
                let next = self.tightened(c)?;
                if next != self.memory.tiers() {
                    self.write_tiers(next, self.policy_delay(), time, done);
                }
            }
            Content::Recipients(c) => self.set_standings(c, tightens, done)?,
            Content::Role(c) => self.set_role(c, tightens, time, done)?,
            Content::Guardians(c) => {
                check_until(&self.rules, 0, c.until.to(), time, time)?;
                self.write_guardians(&c.guardians, c.until.to(), done);
            }
            Content::Unfreeze(c) => {
                let mut settings = self.memory.settings();
                let halted_until = settings.halted_until;
                if c.haltedUntil.to::<u64>() != halted_until || time >= halted_until {
                    return self.refuse_unfreeze(c);
                }
                done.log(abi::Unfrozen {
                    oldHaltedUntil: U256::from(halted_until),
                });
                settings.halted_until = 0;
                self.memory.set_settings(settings);
            }
            Content::Successor(c) => self.write_successor(c.successor, done),
            Content::Sweep(c) => self.sweep(world, c.token, time, done)?,
        }
        Ok(())
    }

    fn set_tiers(
        &mut self,
        c: &signed::TiersChange,
        time: u64,
        done: &mut Done,
    ) -> Result<(), Revert> {
        self.check_tiers_fresh(c)?;
        let old = self.memory.tiers();
        let before = |k: usize| old.get(k).map_or(0, |old| old.cap);
        let rows = c.tiers.iter().enumerate();
        let next: Vec<Limits> = rows
            .map(|(k, tier)| Limits::new(&row(tier), before(k)))
            .collect();
        check_quorum(&next, self.memory.signers().len(), self.threshold())?;
        if let Some(until) = self.settled_at().filter(|at| time < *at) {
            return refuse(abi::VaultTiersCoolingDown {
                until: U256::from(until),
            });
        }
        self.write_tiers(next, c.policyDelay.into(), time, done);
        let mut settings = self.memory.settings();
        settings.tiers_changed_at = Some(time);
        self.memory.set_settings(settings);
        Ok(())
    }

    /// The tiers after a tightening: those beyond the last row that it states are held to that row.
    fn tightened(&self, c: &signed::TightenChange) -> Result<Vec<Limits>, Revert> {
        let stated = |k: usize| c.tiers.get(k).or(c.tiers.last()).map(row);
        let next: Vec<Limits> = (self.memory.tiers().iter().enumerate())
            .map(|(k, old)| stated(k).map_or(*old, |tier| old.tightened_by(&tier)))
            .collect();
        check_quorum(&next, self.memory.signers().len(), self.threshold())?;
        Ok(next)
    }

    fn set_standings(
        &mut self,
        c: &signed::RecipientsChange,
        tightens: bool,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let (old, new) = standings(c)?;
        for recipient in &c.recipients {
            let actual = self.standing(*recipient);
            if tightens {
                if new.is_stricter_than(actual) {
                    self.write_standing(*recipient, new, done);
                }
                continue;
            }
            if actual != old {
                return refuse(abi::VaultStandingStale {
                    recipient: *recipient,
                    stated: old.number(),
                    actual: actual.number(),
                });
            }
            self.write_standing(*recipient, new, done);
        }
        Ok(())
    }

    fn set_role(
        &mut self,
        c: &signed::RoleChange,
        tightens: bool,
        time: u64,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let (stated, until) = (c.oldUntil.to::<u64>(), c.until.to::<u64>());
        let actual = self.role_until(c.account, c.role);
        if tightens {
            if until < actual {
                self.write_role(c.account, c.role, until, done);
            }
            return Ok(());
        }
        if until != 0 {
            check_until(&self.rules, 0, until, time, time)?;
        }
        if stated != actual {
            return refuse(abi::VaultRoleStale {
                account: c.account,
                role: c.role,
                stated: U256::from(stated),
                actual: U256::from(actual),
            });
        }
        self.write_role(c.account, c.role, until, done);
        Ok(())
    }

    /// Everything of another token goes to the successor; judged by what arrives there.
    fn sweep<W: World>(
        &self,
        world: &mut W,
        token: Address,
        time: u64,
        done: &mut Done,
    ) -> Result<(), Revert> {
        self.require_not_frozen(time)?;
        let own = self.balance(world)?;
        let balance = |world: &W, account| match world.balance(token, account) {
            Some(balance) => Ok(balance),
            None => refuse(abi::TokenBalanceUnreadable { token }),
        };
        let amount = balance(world, self.address())?;
        let successor = self.successor();
        let failed = || {
            refuse(abi::VaultSweepFailed {
                token,
                successor,
                balance: amount,
            })
        };
        if successor.is_zero() || amount.is_zero() {
            return failed();
        }
        let before = balance(world, successor)?;
        let sent = world.transfer(token, self.address(), successor, amount);
        let after = balance(world, successor)?;
        if sent.is_err() || after <= before {
            return failed();
        }
        done.log(abi::Swept {
            token,
            successor,
            arrived: after - before,
            left: balance(world, self.address())?,
        });
        let actual = self.balance(world)?;
        if actual != own {
            return refuse(abi::VaultBalanceMismatch {
                expected: own,
                actual,
            });
        }
        Ok(())
    }
}

impl Vault {
    /// A change that is checked as when proposed and enacted at once, without its votes: for tests that need what it does and
    /// not how it is approved. All of it or nothing.
    pub fn enact_without_votes<W: World>(
        &mut self,
        world: &mut W,
        time: u64,
        change: &Content,
    ) -> Result<Done, Revert> {
        let (mut vault, mut after) = (self.clone(), world.clone());
        let mut done = Done::default();
        let tightens = vault.check_change(change, time)?;
        vault.enact(&mut after, time, change, tightens, &mut done)?;
        (*self, *world) = (vault, after);
        Ok(done)
    }
}

/// A change of that kind as calldata has it. Without a list its length tells; other mistakes of encoding revert without data.
pub fn read_change(kind: u8, change: &[u8]) -> Result<Content, Revert> {
    if let Some(content) = Content::of_change(kind, change) {
        return Ok(content);
    }
    let words = |count: usize| U256::from(32 * count);
    let wrong = |expected: U256| {
        refuse(abi::TypedDataLengthInvalid {
            kind,
            actual: U256::from(change.len()),
            expected,
        })
    };
    let list = match kind {
        3 if change.len() != 32 * 6 => return wrong(words(6)),
        5..=7 if change.len() != 32 * 3 => return wrong(words(3)),
        0 | 4 => wrong_list(change, 4, 1),
        1 => wrong_list(change, 5, 5),
        2 => wrong_list(change, 5, 1),
        8 => wrong_list(change, 3, 5),
        _ => None,
    };
    list.map_or_else(|| Err(Revert::new()), wrong)
}

/// Length that a change with a list should have, if it has another: its offset, its fields, the list's length and the list.
fn wrong_list(change: &[u8], fields: usize, width: usize) -> Option<U256> {
    let word = |i: usize| change.get(32 * i..32 * i + 32).map(U256::from_be_slice);
    let start = 32 * (fields + 2);
    if change.len() < start {
        return Some(U256::from(start));
    }
    let count = word(fields + 1)?;
    let canonical = word(0)? == U256::from(32)
        && word(1)? == U256::from(32 * fields)
        && count <= U256::from(u16::MAX);
    let expected = if canonical {
        U256::from(start) + U256::from(32 * width) * count
    } else {
        U256::ZERO
    };
    (U256::from(change.len()) != expected).then_some(expected)
}

fn row(tier: &signed::Tier) -> abi::Tier {
    abi::Tier {
        maxKnown: tier.maxKnown,
        maxUnknown: tier.maxUnknown,
        cap: tier.cap,
        approvals: tier.approvals,
        delay: tier.delay,
    }
}

fn standings(c: &signed::RecipientsChange) -> Result<(Standing, Standing), Revert> {
    match (Standing::of(c.oldStanding), Standing::of(c.standing)) {
        (Some(old), Some(new)) => Ok((old, new)),
        _ => Err(Revert::new()),
    }
}
