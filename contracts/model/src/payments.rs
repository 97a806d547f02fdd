//! What is paid, what is not, and what it is charged to.

use alloc::vec::Vec;

use alloy_primitives::{B256, U256};

use crate::{
    Caller, Done, Revert, Vault, World,
    abi::{self, Content, Item, Order, PAYMENT_BYTES, Vote, header, unpack},
    memory::Memory,
    policy::{KEEPER, Standing},
    refuse,
    rules::size,
    tally::State,
};

/// Numbers end here.
const NUMBERS_END: u128 = 1 << 64;
/// Most payments of a batch.
const MOST: usize = 256;

/// A batch that is read.
pub(crate) struct Reading {
    pub(crate) content: Content,
    pub(crate) id: B256,
    first: u64,
    tier: u8,
    items: Vec<Item>,
}

impl Reading {
    fn number(&self, i: usize) -> u64 {
        self.first
            .saturating_add(u64::try_from(i).unwrap_or(u64::MAX))
    }

    fn sum(&self, places: &[usize]) -> u128 {
        let items = self.items.iter().enumerate();
        let chosen = items.filter(|(i, _)| places.contains(i));
        chosen.map(|(_, item)| item.amount).sum()
    }
}

impl<M: Memory> Vault<M> {
    pub(crate) fn pay<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        order: &Order,
        payments: &[u8],
        done: &mut Done,
    ) -> Result<(), Revert> {
        if !self.holds(by.address, KEEPER, by.time) {
            return refuse(abi::VaultNotKeeper { caller: by.address });
        }
        if !self
            .tier(order.tier())
            .is_some_and(|tier| tier.is_automatic())
        {
            return refuse(abi::VaultTierNotAutomatic {
                tier: U256::from(order.tier()),
            });
        }
        check_alive(order, by.time)?;
        let batch = self.read(order, payments, self.rules.proposal_numbers)?;
        self.pay_at_once(world, by, order, payments, &batch, done)
    }

    pub(crate) fn pay_by_sig<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        order: &Order,
        payments: &[u8],
        votes: &[Vote],
        done: &mut Done,
    ) -> Result<(), Revert> {
        self.require_executor(by)?;
        let (required, delay) = self.check_tier_of_proposals(order.tier())?;
        if delay != 0 {
            return refuse(abi::VaultTierDelayed {
                tier: U256::from(order.tier()),
                delay: U256::from(delay),
            });
        }
        self.check_expiry(order.expires_at(), by.time, by.time + 1)?;
        check_alive(order, by.time)?;
        let batch = self.read(order, payments, NUMBERS_END)?;
        self.check_never_proposed(batch.id, by.time)?;
        let mut counted: Vec<_> = Vec::new();
        for vote in votes {
            self.require_signer(vote.signer)?;
            if counted.contains(&vote.signer) {
                continue;
            }
            self.check_vote(world, &batch.content, batch.id, vote)?;
            counted.push(vote.signer);
            done.log(abi::Approved {
                id: batch.id,
                signer: vote.signer,
            });
        }
        if size(counted.len()) < u128::from(required) {
            return refuse(abi::VaultVotesShort {
                id: batch.id,
                votes: U256::from(counted.len()),
                required: U256::from(required),
            });
        }
        self.pay_at_once(world, by, order, payments, &batch, done)
    }

    fn pay_at_once<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        order: &Order,
        payments: &[u8],
        batch: &Reading,
        done: &mut Done,
    ) -> Result<(), Revert> {
        let open = self.open(batch);
        if open.is_empty() {
            return refuse(abi::VaultNothingToPay { id: batch.id });
        }
        let paid = self.release(world, by, batch, &open, done)?;
        done.log(abi::BatchPaid {
            id: batch.id,
            order: order.clone(),
            paidMask: mask(&paid),
            payments: payments.to_vec().into(),
        });
        done.returns(mask(&paid));
        Ok(())
    }

    pub(crate) fn execute<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        order: &Order,
        payments: &[u8],
        skip: U256,
        done: &mut Done,
    ) -> Result<(), Revert> {
        self.require_executor(by)?;
        let batch = self.read(order, payments, u128::MAX)?;
        let state = self.state(batch.id, by.time);
        if state != State::Ready {
            return refuse(abi::VaultStateInvalid {
                id: batch.id,
                state: state.number(),
            });
        }
        let open = self.open(&batch);
        let tries: Vec<usize> = open.iter().copied().filter(|i| !skip.bit(*i)).collect();
        let paid = if !tries.is_empty() {
            self.release(world, by, &batch, &tries, done)?
        } else if !open.is_empty() {
            return refuse(abi::VaultNothingToPay { id: batch.id });
        } else {
            Vec::new()
        };
        if paid == open {
            self.memory.end(batch.id, State::Executed);
        }
        done.log(abi::BatchExecuted {
            id: batch.id,
            firstNumber: U256::from(order.first_number()),
            paidMask: mask(&paid),
            total: U256::from(batch.sum(&paid)),
        });
        done.returns(mask(&paid));
        Ok(())
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// The batch of an order and its payments, whose numbers end before `end`.
    pub(crate) fn read(
        &self,
        order: &Order,
        payments: &[u8],
        end: u128,
    ) -> Result<Reading, Revert> {
        let count = payments.len() / PAYMENT_BYTES;
        if !(1..=MOST).contains(&count) || !payments.len().is_multiple_of(PAYMENT_BYTES) {
            return refuse(abi::VaultCountInvalid {
                count: U256::from(count),
                paymentsBytes: U256::from(payments.len()),
            });
        }
        if u128::from(order.first_number()) + size(count) > end {
            return refuse(abi::VaultNumberOutOfRange {
                firstNumber: U256::from(order.first_number()),
                count: U256::from(count),
                limit: U256::from(end),
            });
        }
        let content = Content::of_batch(&header(order, payments));
        Ok(Reading {
            id: content.id(&self.domain),
            content,
            first: order.first_number(),
            tier: order.tier(),
            items: unpack(payments),
        })
    }

    /// The same of a proposal, every payment of which must fit its tier.
    pub(crate) fn read_proposal(&self, order: &Order, payments: &[u8]) -> Result<Reading, Revert> {
        let batch = self.read(order, payments, NUMBERS_END)?;
        match (0..batch.items.len()).find(|i| !self.fits(&batch, *i)) {
            Some(first) => self.refuse_payment(&batch, first),
            None => Ok(batch),
        }
    }

    /// Places of the payments that are not paid.
    fn open(&self, batch: &Reading) -> Vec<usize> {
        self.memory.unpaid(batch.first, batch.items.len())
    }

    fn fits(&self, batch: &Reading, i: usize) -> bool {
        batch.items.get(i).is_some_and(|item| {
            item.amount != 0 && item.amount <= self.limit(batch.tier, item.recipient)
        })
    }

    // ── Releasing ────────────────────────────────────────────────────────────────────────────────────────────────

    /// The one way money leaves. Answers which of the payments to try were paid.
    fn release<W: World>(
        &mut self,
        world: &mut W,
        by: Caller,
        batch: &Reading,
        tries: &[usize],
        done: &mut Done,
    ) -> Result<Vec<usize>, Revert> {
        self.require_not_frozen(by.time)?;
        let (fits, refused): (Vec<usize>, Vec<usize>) =
            tries.iter().partition(|i| self.fits(batch, **i));
        if let (true, Some(first)) = (fits.is_empty(), refused.first()) {
            return self.refuse_payment(batch, *first);
        }
        for i in refused {
            done.log(abi::PaymentRefused {
                id: batch.id,
                number: batch.number(i),
                refusal: self.why(batch, i),
            });
        }
        let sum = batch.sum(&fits);
        self.check_cap(batch.tier, sum, by.time)?;
        // Before the token is called, so that whoever it calls sees no more room and no number open than there will be.
        let units = sum.div_ceil(self.fixed.unit);
        self.memory.charge(&self.rules, batch.tier, by.time, units);
        self.memory.set_paid(batch.first, &fits, true);
        let before = self.balance(world)?;
        if U256::from(sum) > before {
            return refuse(abi::VaultBalanceTooLow {
                requested: U256::from(sum),
                balance: before,
            });
        }
        let paid = self.transfer_all(world, batch, &fits, done)?;
        let total = batch.sum(&paid);
        if paid.len() < fits.len() {
            let failed: Vec<usize> = fits.into_iter().filter(|i| !paid.contains(i)).collect();
            self.memory.set_paid(batch.first, &failed, false);
            let units = sum.div_ceil(self.fixed.unit) - total.div_ceil(self.fixed.unit);
            self.memory.give_back(batch.tier, units);
        }
        let expected = before - U256::from(total);
        let actual = self.balance(world)?;
        if actual != expected {
            return refuse(abi::VaultBalanceMismatch { expected, actual });
        }
        Ok(paid)
    }

    fn transfer_all<W: World>(
        &self,
        world: &mut W,
        batch: &Reading,
        fits: &[usize],
        done: &mut Done,
    ) -> Result<Vec<usize>, Revert> {
        let mut paid = Vec::new();
        let mut last = B256::ZERO;
        let chosen = batch.items.iter().enumerate();
        for (i, item) in chosen.filter(|(i, _)| fits.contains(i)) {
            let amount = U256::from(item.amount);
            world.begin(i);
            match world.transfer(self.fixed.token, self.address(), item.recipient, amount) {
                Ok(()) => paid.push(i),
                Err(returned) => {
                    last = returned;
                    done.log(abi::PaymentFailed {
                        id: batch.id,
                        number: batch.number(i),
                        returned,
                    });
                }
            }
        }
        if paid.is_empty() {
            return refuse(abi::VaultNothingPaid {
                id: batch.id,
                returned: last,
            });
        }
        Ok(paid)
    }

    pub(crate) fn balance<W: World>(&self, world: &W) -> Result<U256, Revert> {
        match world.balance(self.fixed.token, self.address()) {
            Some(balance) => Ok(balance),
            None => refuse(abi::TokenBalanceUnreadable {
                token: self.fixed.token,
            }),
        }
    }

    fn check_cap(&self, tier: u8, sum: u128, time: u64) -> Result<(), Revert> {
        let requested = sum.div_ceil(self.fixed.unit) * self.fixed.unit;
        let headroom = self.headroom(tier, time);
        if requested <= headroom {
            return Ok(());
        }
        refuse(abi::VaultCapExceeded {
            tier: U256::from(tier),
            requested: U256::from(requested),
            headroom: U256::from(headroom),
        })
    }

    // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

    fn refuse_payment<T>(&self, batch: &Reading, i: usize) -> Result<T, Revert> {
        let Some(item) = batch.items.get(i) else {
            return Err(Revert::new());
        };
        refuse(abi::VaultPaymentRefused {
            index: U256::from(i),
            recipient: item.recipient,
            amount: U256::from(item.amount),
            limit: U256::from(self.limit(batch.tier, item.recipient)),
            refusal: self.why(batch, i),
        })
    }

    /// 1 amount zero, 2 blocked, 3 above the limit.
    fn why(&self, batch: &Reading, i: usize) -> u8 {
        match batch.items.get(i) {
            Some(item) if self.standing(item.recipient) == Standing::Blocked => 2,
            Some(item) if item.amount == 0 => 1,
            _ => 3,
        }
    }
}

fn check_alive(order: &Order, time: u64) -> Result<(), Revert> {
    let expires_at = order.expires_at();
    if time < expires_at {
        return Ok(());
    }
    refuse(abi::VaultExpired {
        expiresAt: U256::from(expires_at),
        time: U256::from(time),
    })
}

/// The mask with the bits of those places.
fn mask(places: &[usize]) -> U256 {
    let mut mask = U256::ZERO;
    for i in places {
        mask.set_bit(*i, true);
    }
    mask
}
