//! `pay` and `execute`: what is paid, what is not, and what it is charged to.

use alloy_primitives::{B256, U256};
use alloy_sol_types::SolValue;

use super::{
    BUCKET, BUCKETS, Caller, Charge, Done, Revert, Standing, Tier, Token, Vault,
    abi::{Abi, Item, header, unpack},
    log, mask, revert,
};

/// Numbers from here on are not paid automatically.
const PROPOSAL_NUMBERS: u128 = 1 << 63;
/// Numbers end here.
const NUMBERS_END: u128 = 1 << 64;
/// What a call of the vault costs before its payments, and for each of them. [gas]
const CALL_GAS: u64 = 60_000;
const PAYMENT_GAS: u64 = 30_000;

/// A batch that is being paid.
struct Run {
    id: B256,
    first: u64,
    tier: usize,
    items: Vec<Item>,
    tries: U256,
}

impl Vault {
    pub(super) fn pay(
        &mut self,
        token: &mut Token,
        caller: Caller,
        order: &Abi::Order,
        payments: &[u8],
    ) -> Result<Done, Revert> {
        if caller.time >= self.member(caller.address).keeper_until {
            return Err(revert(Abi::VaultNotKeeper {
                caller: caller.address,
            }));
        }
        let tier = usize::from(order.tier());
        if !self.tiers.get(tier).is_some_and(Tier::is_automatic) {
            return Err(revert(Abi::VaultTierNotAutomatic {
                tier: U256::from(tier),
            }));
        }
        let expires_at = order.expires_at();
        if caller.time >= expires_at {
            return Err(revert(Abi::VaultExpired {
                expiresAt: U256::from(expires_at),
                time: U256::from(caller.time),
            }));
        }
        check_count(payments)?;
        check_numbers(order, payments, PROPOSAL_NUMBERS)?;
        let mut run = self.run_of(order, payments);
        if run.tries.is_zero() {
            return Err(revert(Abi::VaultNothingToPay { id: run.id }));
        }
        let mut done = Done::default();
        let (paid, _) = self.release(token, caller, &mut run, &mut done)?;
        done.logs.push(log(Abi::BatchPaid {
            id: run.id,
            order: order.clone(),
            paidMask: paid,
            payments: payments.to_vec().into(),
        }));
        done.returned = paid.abi_encode().into();
        Ok(done)
    }

    pub(super) fn execute(
        &mut self,
        token: &mut Token,
        caller: Caller,
        order: &Abi::Order,
        payments: &[u8],
        skip: U256,
    ) -> Result<Done, Revert> {
        self.check_executor(caller)?;
        check_count(payments)?;
        let mut run = self.run_of(order, payments);
        let id = run.id;
        self.check_ready(id, caller.time)?;
        let unpaid = run.tries;
        run.tries &= !skip;
        let mut done = Done::default();
        let mut outcome = (U256::ZERO, 0);
        if !run.tries.is_zero() {
            outcome = self.release(token, caller, &mut run, &mut done)?;
        } else if !unpaid.is_zero() {
            return Err(revert(Abi::VaultNothingToPay { id }));
        }
        let (paid, total) = outcome;
        if unpaid == paid {
            self.mark_executed(id);
        }
        done.logs.push(log(Abi::BatchExecuted {
            id,
            firstNumber: U256::from(run.first),
            paidMask: paid,
            total: U256::from(total),
        }));
        done.returned = paid.abi_encode().into();
        Ok(done)
    }

    fn run_of(&self, order: &Abi::Order, payments: &[u8]) -> Run {
        let items = unpack(payments);
        Run {
            id: self.id(&header(order, payments)),
            first: order.first_number(),
            tier: usize::from(order.tier()),
            tries: self.unpaid(order.first_number(), items.len()),
            items,
        }
    }

    /// The one way money leaves. Answers what was paid and its sum. [base units]
    fn release(
        &mut self,
        token: &mut Token,
        caller: Caller,
        run: &mut Run,
        done: &mut Done,
    ) -> Result<(U256, u128), Revert> {
        let fits = self.fitting(run.tier, &run.items) & run.tries;
        if caller.time < self.halted_until {
            return Err(revert(Abi::VaultFrozen {
                haltedUntil: U256::from(self.halted_until),
            }));
        }
        self.report_refused(run, fits, done)?;
        let sum = sum_of(&run.items, fits);
        self.check_cap(run.tier, sum, caller.time)?;
        if sum > token.vault_balance {
            return Err(revert(Abi::VaultBalanceTooLow {
                requested: U256::from(sum),
                balance: U256::from(token.vault_balance),
            }));
        }
        let mut paid = U256::ZERO;
        for (i, item) in run.items.iter().enumerate().filter(|(i, _)| fits.bit(*i)) {
            done.gas += PAYMENT_GAS;
            if token.transfer(item.recipient, item.amount) {
                paid.set_bit(i, true);
                self.paid.insert(run.first + i as u64);
            } else {
                done.logs.push(log(Abi::PaymentFailed {
                    id: run.id,
                    number: run.first + i as u64,
                    returned: B256::ZERO,
                }));
            }
        }
        done.gas += CALL_GAS;
        if paid.is_zero() {
            return Err(revert(Abi::VaultNothingPaid {
                id: run.id,
                returned: B256::ZERO,
            }));
        }
        let total = sum_of(&run.items, paid);
        let (tier, time) = (run.tier, caller.time);
        let units = total.div_ceil(self.unit);
        self.charges.push(Charge { tier, time, units });
        Ok((paid, total))
    }

    /// Those that fit the tier now.
    pub(super) fn fitting(&self, tier: usize, items: &[Item]) -> U256 {
        let fits =
            |item: &Item| item.amount != 0 && item.amount <= self.limit(tier, item.recipient);
        mask((0..items.len()).filter(|i| fits(&items[*i])))
    }

    /// Largest payment under a tier to that recipient. [base units]
    fn limit(&self, tier: usize, recipient: alloy_primitives::Address) -> u128 {
        let Some(tier) = self.tiers.get(tier) else {
            return 0;
        };
        match self.standing(recipient) {
            Standing::Unknown => tier.max_unknown,
            Standing::Known => tier.max_known,
            Standing::Blocked => 0,
        }
    }

    fn report_refused(&self, run: &Run, fits: U256, done: &mut Done) -> Result<(), Revert> {
        let refused = run.tries & !fits;
        for i in (0..run.items.len()).filter(|i| refused.bit(*i)) {
            if fits.is_zero() {
                return Err(self.refusal(run.tier, &run.items, i));
            }
            done.logs.push(log(Abi::PaymentRefused {
                id: run.id,
                number: run.first + i as u64,
                refusal: self.why_refused(&run.items[i]),
            }));
        }
        Ok(())
    }

    /// The revert that names a payment that does not fit.
    pub(super) fn refusal(&self, tier: usize, items: &[Item], i: usize) -> Revert {
        let item = items[i];
        revert(Abi::VaultPaymentRefused {
            index: U256::from(i),
            recipient: item.recipient,
            amount: U256::from(item.amount),
            limit: U256::from(self.limit(tier, item.recipient)),
            refusal: self.why_refused(&item),
        })
    }

    /// 1 amount zero, 2 blocked, 3 above the limit.
    fn why_refused(&self, item: &Item) -> u8 {
        if self.standing(item.recipient) == Standing::Blocked {
            2
        } else if item.amount == 0 {
            1
        } else {
            3
        }
    }

    fn check_cap(&self, tier: usize, sum: u128, time: u64) -> Result<(), Revert> {
        let requested = sum.div_ceil(self.unit) * self.unit;
        let headroom = self.headroom(tier, time);
        if requested > headroom {
            return Err(revert(Abi::VaultCapExceeded {
                tier: U256::from(tier),
                requested: U256::from(requested),
                headroom: U256::from(headroom),
            }));
        }
        Ok(())
    }

    /// What may still leave under a tier. A charge counts in its own 4-hour bucket and the six after it. [base units]
    pub fn headroom(&self, tier: usize, time: u64) -> u128 {
        let counts = |charge: &&Charge| {
            charge.tier == tier && charge.time / BUCKET + BUCKETS > time / BUCKET
        };
        let used: u128 = self.charges.iter().filter(counts).map(|c| c.units).sum();
        let row = &self.tiers[tier];
        let cap = if time < self.settled_at() {
            row.cap.min(row.cap_before)
        } else {
            row.cap
        };
        (cap / self.unit).saturating_sub(used) * self.unit
    }
}

/// Refuses payments that are not 1 to 256 whole ones.
pub(super) fn check_count(payments: &[u8]) -> Result<(), Revert> {
    let count = payments.len() / 48;
    if (1..=256).contains(&count) && payments.len() == count * 48 {
        return Ok(());
    }
    Err(revert(Abi::VaultCountInvalid {
        count: U256::from(count),
        paymentsBytes: U256::from(payments.len()),
    }))
}

/// The first number that a proposal may not use.
pub(super) const PROPOSALS_END: u128 = NUMBERS_END;

/// Refuses numbers from `end` on.
pub(super) fn check_numbers(order: &Abi::Order, payments: &[u8], end: u128) -> Result<(), Revert> {
    let count = payments.len() / 48;
    if u128::from(order.first_number()) + count as u128 <= end {
        return Ok(());
    }
    Err(revert(Abi::VaultNumberOutOfRange {
        firstNumber: U256::from(order.first_number()),
        count: U256::from(count),
        limit: U256::from(end),
    }))
}

fn sum_of(items: &[Item], mask: U256) -> u128 {
    let amounts = items.iter().enumerate().filter(|(i, _)| mask.bit(*i));
    amounts.map(|(_, item)| item.amount).sum()
}
