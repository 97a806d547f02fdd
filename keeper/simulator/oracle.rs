//! The judge. It knows what was requested, what people approved beside the keeper, and the simulated canonical chain; and
//! it asks the keeper's store only what the keeper believes.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, LogData};
use alloy_sol_types::{SolEvent, SolInterface};
use tidelock_core::{
    domain::PaymentRef,
    lifecycle::{AttemptStatus, PaymentStatus},
    state::PaymentRow,
};

use crate::{
    fate::Fate,
    people::People,
    world::{World, chain::Block, store::Disk},
};
use tidelock_model::abi::{self, Item, unpack};

const DAY: u64 = 24 * 3600;

/// A payment as the chain shows it.
#[derive(Debug, Clone, Copy)]
struct Payout {
    reference: PaymentRef,
    number: u64,
    recipient: Address,
    amount: u128,
    tier: usize,
    time: u64,
}

/// The payments of one canonical block.
struct Page {
    block: B256,
    /// Timestamp. [seconds]
    time: u64,
    /// What the keeper's transactions cost in it and all before. [wei]
    spent: u128,
    /// Nonces of the keeper's keys that it used up.
    slots: Vec<(usize, u64)>,
    payouts: Vec<Payout>,
}

/// The judge.
#[derive(Default)]
pub struct Oracle {
    /// The canonical chain, block by block.
    pages: Vec<Page>,
    by_ref: BTreeMap<PaymentRef, (u64, u64)>,
    by_number: BTreeMap<u64, u64>,
    /// The transaction that used up each nonce of each of the keeper's keys.
    by_nonce: BTreeMap<(usize, u64), B256>,
    /// Batches by id, from the logs that brought them: an id commits to its payments, whatever fork it was seen on.
    proposals: BTreeMap<B256, (usize, Vec<Item>)>,
    /// Largest cap that each tier has had. [base units]
    caps: Vec<u128>,
    /// The chain broke its own promise; what was final is not to be compared any more.
    finality_broken: bool,
}

impl Oracle {
    /// From now on another branch holds where some block was final.
    pub fn finality_breaks(&mut self) {
        self.finality_broken = true;
    }

    /// Judges the world as it stands.
    pub fn check(
        &mut self,
        world: &World,
        people: &People,
        disk: &Disk,
        fate: &mut Fate,
    ) -> Result<(), String> {
        self.follow(world, people, fate)?;
        if let Some(wrong) = &disk.wrong {
            return Err(format!("store: {wrong}"));
        }
        if !self.finality_broken {
            check_final(world, disk)?;
            self.check_beliefs(world, disk)?;
            self.check_nonces(world, disk)?;
        }
        Ok(())
    }

    /// Whether a final block paid the ref.
    pub fn is_paid_for_good(&self, world: &World, reference: PaymentRef) -> bool {
        let paid = self.by_ref.get(&reference);
        paid.is_some_and(|(_, block)| *block <= world.chain.finalised())
    }

    /// Brings the pages up to the canonical chain, and judges each new payment as it comes.
    fn follow(&mut self, world: &World, people: &People, fate: &mut Fate) -> Result<(), String> {
        let first = world.chain.first();
        let is_canonical = |height: usize, page: &Page| {
            let block = world.chain.at(first + height as u64);
            block.is_some_and(|block| block.hash == page.block)
        };
        while let Some(page) = self.pages.last()
            && !is_canonical(self.pages.len() - 1, page)
        {
            let page = self.pages.pop().expect("is there");
            for slot in page.slots {
                self.by_nonce.remove(&slot);
            }
            for payout in page.payouts {
                self.by_ref.remove(&payout.reference);
                self.by_number.remove(&payout.number);
            }
        }
        while let Some(block) = world.chain.at(first + self.pages.len() as u64) {
            self.turn_page(world, people, &block, fate)?;
        }
        Ok(())
    }

    fn turn_page(
        &mut self,
        world: &World,
        people: &People,
        block: &Block,
        fate: &mut Fate,
    ) -> Result<(), String> {
        let ledger = world.chain.state(block.hash);
        for (index, tier) in ledger
            .iter()
            .flat_map(|l| l.vault.tiers().iter().enumerate())
        {
            match self.caps.get_mut(index) {
                Some(cap) => *cap = (*cap).max(tier.cap),
                None => self.caps.push(tier.cap),
            }
        }
        if world.caps_are_calm {
            check_room(block)?;
        }
        let mut payouts = Vec::new();
        for log in &block.logs {
            payouts.extend(self.payouts_of(log, block.time)?);
        }
        for payout in &payouts {
            self.judge(payout, block, (world, people))?;
            *fate.coverage.counts.entry("payments made").or_default() += 1;
        }
        let mined = block.transactions.iter();
        self.by_nonce
            .extend(mined.clone().map(|mined| (mined.slot, mined.hash)));
        let cost: u128 = mined.clone().map(|mined| mined.cost).sum();
        self.pages.push(Page {
            block: block.hash,
            time: block.time,
            spent: self.pages.last().map_or(0, |page| page.spent) + cost,
            slots: mined.map(|mined| mined.slot).collect(),
            payouts,
        });
        self.check_budget(world, fate)?;
        self.check_caps()
    }

    /// Each ref and each number at most once, to whom and how much was asked for.
    fn judge(
        &mut self,
        payout: &Payout,
        block: &Block,
        (world, people): (&World, &People),
    ) -> Result<(), String> {
        let Payout {
            reference, number, ..
        } = *payout;
        if let Some((other, at)) = self.by_ref.get(&reference) {
            return Err(format!(
                "ref {reference} is paid twice: as {other} in block {at} and as {number} in block {}",
                block.number
            ));
        }
        if let Some(at) = self.by_number.get(&number) {
            return Err(format!(
                "number {number} is paid twice, first in block {at}"
            ));
        }
        let (token, recipient) = (&world.chain.ledger().token, payout.recipient);
        if token.blacklisted.contains(&recipient) {
            return Err(format!(
                "ref {reference} is paid to {recipient}, whom the token has frozen"
            ));
        }
        let asked = people.filed.get(&reference);
        let Some(meant) = asked.or_else(|| people.planned.get(&reference)) else {
            return Err(format!("ref {reference} is paid and nobody asked for it"));
        };
        if meant.recipient() != payout.recipient || meant.amount().0 != payout.amount {
            return Err(format!(
                "ref {reference} is paid {} to {}, asked were {} to {}",
                payout.amount,
                payout.recipient,
                meant.amount(),
                meant.recipient()
            ));
        }
        self.by_ref.insert(reference, (number, block.number));
        self.by_number.insert(number, block.number);
        Ok(())
    }

    /// In every closed span of 24 hours at most a tier's cap leaves.
    fn check_caps(&self) -> Result<(), String> {
        let Some(newest) = self.pages.last().and_then(|page| page.payouts.last()) else {
            return Ok(());
        };
        let since = newest.time.saturating_sub(DAY);
        for (tier, cap) in self.caps.iter().enumerate() {
            let recent = self.pages.iter().rev().flat_map(|page| &page.payouts);
            let spent: u128 = recent
                .filter(|payout| payout.tier == tier && payout.time >= since)
                .map(|payout| payout.amount)
                .sum();
            if spent > *cap {
                return Err(format!(
                    "tier {tier}: {spent} left within a day, the cap is {cap}"
                ));
            }
        }
        Ok(())
    }

    fn payouts_of(&mut self, log: &LogData, time: u64) -> Result<Vec<Payout>, String> {
        if let Ok(proposed) = abi::BatchProposed::decode_log_data(log) {
            let batch = (
                usize::from(proposed.order.tier()),
                unpack(&proposed.payments),
            );
            self.proposals.insert(proposed.id, batch);
        }
        let (first, mask, tier, items) = if let Ok(paid) = abi::BatchPaid::decode_log_data(log) {
            let items = unpack(&paid.payments);
            let (first, tier) = (paid.order.first_number(), paid.order.tier());
            (first, paid.paidMask, usize::from(tier), items)
        } else if let Ok(executed) = abi::BatchExecuted::decode_log_data(log) {
            let known = self.proposals.get(&executed.id);
            let (tier, items) = known.cloned().ok_or("executed and never proposed")?;
            let first = executed.firstNumber.to::<u64>();
            (first, executed.paidMask, tier, items)
        } else {
            return Ok(Vec::new());
        };
        let paid = items.iter().enumerate().filter(|(i, _)| mask.bit(*i));
        let payouts = paid.map(|(i, item)| Payout {
            reference: PaymentRef(item.reference),
            number: first + i as u64,
            recipient: item.recipient,
            amount: item.amount,
            tier,
            time,
        });
        Ok(payouts.collect())
    }

    /// The keeper's transactions of a day cost no more than its budget for one.
    fn check_budget(&self, world: &World, fate: &mut Fate) -> Result<(), String> {
        let budget = world.setting.settings().max_gas_cost_per_day;
        let (Some(budget), Some(last), false) = (budget, self.pages.last(), self.finality_broken)
        else {
            return Ok(());
        };
        let before = (self.pages).partition_point(|page| page.time + DAY <= last.time);
        let before = before
            .checked_sub(1)
            .map_or(0, |page| self.pages[page].spent);
        let spent = last.spent - before;
        if 2 * spent > budget {
            fate.count("blocks after which half a day's budget is spent");
        }
        if spent <= budget {
            return Ok(());
        }
        Err(format!(
            "in the day before {} gas cost {spent} wei, of a budget of {budget}",
            last.time
        ))
    }

    /// What the keeper says of a nonce that is used up is what the chain says: that transaction of its own, or a foreign one.
    fn check_nonces(&self, world: &World, disk: &Disk) -> Result<(), String> {
        let key = world.key_of(disk.head().opening.keeper);
        let before = disk.tables.slots_of_old_key.iter().map(|slot| (0, slot));
        for (key, slot) in disk.used_slots().map(|slot| (key, slot)).chain(before) {
            let on_chain = self.by_nonce.get(&(key, slot.nonce));
            let mut attempts = slot.attempts.iter();
            let wrong = attempts.find(|attempt| {
                let said = attempt.status == AttemptStatus::Consumed;
                said != (on_chain == Some(&attempt.hash))
            });
            if let Some(attempt) = wrong {
                let (nonce, hash, status) = (slot.nonce, attempt.hash, attempt.status);
                return Err(format!(
                    "nonce {nonce}: {hash} is called {status:?}, and the chain has {on_chain:?}"
                ));
            }
        }
        Ok(())
    }

    /// What the keeper calls paid is paid for good; what it calls withdrawn or refused is not paid at all.
    fn check_beliefs(&self, world: &World, disk: &Disk) -> Result<(), String> {
        for row in disk.payments() {
            let reference = row.reference();
            match row.status {
                PaymentStatus::Paid if !self.is_paid_for_good(world, reference) => {
                    return Err(format!(
                        "ref {reference} is called paid, and no final block paid it"
                    ));
                }
                PaymentStatus::Cancelled | PaymentStatus::Rejected
                    if self.by_ref.contains_key(&reference) =>
                {
                    let status = row.status;
                    return Err(format!("ref {reference} is called {status:?}, and is paid"));
                }
                PaymentStatus::Displaced if !self.is_displaced(world, row) => {
                    return Err(format!(
                        "ref {reference} is called displaced, and no final block paid another under its number"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a final block paid something else under the number of a payment.
    fn is_displaced(&self, world: &World, row: &PaymentRow) -> bool {
        let paid = row.number.and_then(|number| self.by_number.get(&number.0));
        !self.by_ref.contains_key(&row.reference())
            && paid.is_some_and(|block| *block <= world.chain.finalised())
    }
}

/// What the log calls final is final.
fn check_final(world: &World, disk: &Disk) -> Result<(), String> {
    let last = disk.head().finalised;
    let block = world.chain.at(last.number);
    let is_final = last.number <= world.chain.finalised();
    if is_final && block.is_some_and(|block| block.hash == last.hash) {
        return Ok(());
    }
    let (number, hash) = (last.number, last.hash);
    Err(format!(
        "block {number}, {hash}, is called final, and is no final block of the chain"
    ))
}

/// With nobody else near the caps the keeper knows what it has in flight: it never sends what a cap has no room for.
fn check_room(block: &Block) -> Result<(), String> {
    for mined in &block.transactions {
        let reverted = mined.reverted.iter();
        let errors = reverted.filter_map(|data| abi::VaultErrors::abi_decode(data).ok());
        for error in errors {
            if let abi::VaultErrors::VaultCapExceeded(exceeded) = error {
                let (asked, room) = (exceeded.requested, exceeded.headroom);
                return Err(format!(
                    "transaction {} asks for {asked} where {room} is left",
                    mined.hash
                ));
            }
        }
    }
    Ok(())
}
