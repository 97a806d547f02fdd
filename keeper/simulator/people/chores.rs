//! The guardian's, the administrators' and the operator's part.

use alloy_primitives::B256;
use alloy_sol_types::SolCall;
use tidelock_core::{
    domain::{BatchId, PaymentRef},
    event::{Command, HaltReason, Mode, Route},
    lifecycle::PaymentStatus,
};

use super::{People, call, draw_small, is_payable, item_of};
use crate::{
    fate::Fate,
    faults::Fault,
    setting::{USDT, address},
    world::{
        World,
        chain::{Act, Deed, KEYS},
        pool::Pool,
        vault::{batch_id, order},
    },
};
use tidelock_model::{
    Standing,
    abi::{self, Item, header, pack, unpack},
};

impl People {
    /// Freezes, vetoes, blocks, cuts caps, asks for more approvals, replaces signers; and sets right again what was done.
    pub(super) fn meddle(&mut self, world: &mut World, fate: &mut Fate) {
        let guardian = world.setting.guardian;
        let ledger = world.chain.ledger();
        if fate.strikes(Fault::LandsBetween) {
            match fate.rng.below(6) {
                0 => call(world, guardian, abi::freezeCall {}),
                1 => {
                    let ids: Vec<_> = ledger.vault.proposal_ids().collect();
                    if !ids.is_empty() {
                        let id = fate.rng.pick(&ids);
                        call(world, guardian, abi::cancelCall { id });
                    }
                }
                2 => {
                    let recipient = fate.rng.pick(&world.setting.good);
                    call(world, guardian, abi::blockRecipientCall { recipient });
                }
                3 => {
                    let approvals = fate.rng.pick(&[2, 3]);
                    world.deed(Act::SetApprovals(1, approvals));
                }
                4 => {
                    let tier = fate.rng.below(2) as usize;
                    world.deed(Act::SetCap(tier, ledger.vault.tiers()[tier].max_known));
                }
                _ => {
                    let mut signers = ledger.vault.signers().to_vec();
                    signers[0] = world.setting.signers[0];
                    signers[1] = address(&format!("signer {}", fate.rng.between(10, 99)));
                    world.deed(Act::SetSigners(signers));
                }
            }
        }
        if ledger.vault.halted_until() > world.chain.head().time && fate.rng.chance(20) {
            world.deed(Act::Unfreeze);
        }
        if ledger.token.vault_balance < world.setting.deposit / 2 && fate.rng.chance(30) {
            world.deed(Act::Deposit(world.setting.deposit));
        }
        if fate.rng.chance(10) {
            self.unblock(world);
        }
        if fate.has(Fault::OtherExecutes) {
            self.pay_beside(world, fate);
        }
        if fate.strikes(Fault::ForeignNonce) {
            use_a_nonce(world, fate);
        }
        if fate.strikes(Fault::NumberTaken) {
            self.take_a_number(world, fate);
        }
    }

    /// Somebody with the keeper's role pays something of their own under a number that the keeper has given out, or will
    /// come to next.
    fn take_a_number(&mut self, world: &mut World, fate: &mut Fate) {
        let disk = self.drive.0.borrow();
        let numbers = |sealed: bool| {
            let rows = disk.payments().filter(move |row| {
                !row.status.is_final() && (row.status == PaymentStatus::Sealed) == sealed
            });
            let numbers = rows.filter_map(|row| row.number);
            numbers.filter(|number| number.0 >> 63 == 0).collect()
        };
        let (waiting, sealed): (Vec<_>, Vec<_>) = (numbers(false), numbers(true));
        let choices = if waiting.is_empty() { sealed } else { waiting };
        let number = if choices.is_empty() || fate.rng.chance(300) {
            let head = disk.head();
            let counter = head.next_counters.direct + fate.rng.below(4);
            let number = head.opening.namespace.number(Route::Direct, counter);
            number.expect("far from the last")
        } else {
            fate.rng.pick(&choices)
        };
        let payment = draw_small(world, fate);
        let item = item_of(&payment);
        let order = order(number.0, 0, world.chain.head().time + 3_600);
        let payments = pack(&[item]);
        fate.struck(Fault::NumberTaken);
        fate.say(|| format!("somebody pays {} as {number}", payment.reference()));
        call(world, world.setting.spare, abi::payCall { order, payments });
        drop(disk);
        self.planned.insert(payment.reference(), payment);
    }

    /// Whoever has the keeper's role can send what the keeper once signed, whatever became of it: now and then anything,
    /// and more often what the keeper has given up.
    fn pay_beside(&self, world: &mut World, fate: &mut Fate) {
        let disk = self.drive.0.borrow();
        let vault = &world.chain.ledger().vault;
        // What is given up is rare, and what was held since is rarer.
        let worth = |item: &Item, id: B256| match disk.payment(PaymentRef(item.reference)) {
            Some(row) if row.status == PaymentStatus::Held => 2,
            Some(row) if row.status.is_final() => 0,
            Some(row) if row.status == PaymentStatus::Sealed && row.batch == Some(BatchId(id)) => 0,
            Some(_) => 1,
            None => 0,
        };
        let called = world.pools.iter().flat_map(Pool::ever_called);
        let pays = called.filter_map(|data| Some((data, abi::payCall::abi_decode(data).ok()?)));
        let valued = pays.map(|(data, pay)| {
            let id = batch_id(vault, &header(&pay.order, &pay.payments));
            let items = unpack(&pay.payments);
            let most = items.iter().map(|item| worth(item, id)).max();
            (most.unwrap_or(0), data)
        });
        let mut choices: Vec<_> = valued.collect();
        let most = choices.iter().map(|(worth, _)| *worth).max().unwrap_or(0);
        choices.retain(|(worth, _)| *worth == most);
        let per_mille = if most == 0 { 3 } else { 200 };
        if choices.is_empty() || !fate.rng.chance(per_mille) {
            return;
        }
        let (_, data) = &choices[fate.rng.below(choices.len() as u64) as usize];
        let act = Act::Call((*data).clone());
        let by = world.setting.spare;
        fate.struck(Fault::OtherExecutes);
        world.deeds.push(Deed { by, act });
    }

    fn unblock(&self, world: &mut World) {
        let vault = world.chain.ledger().vault.clone();
        for (payee, standing) in world.setting.standings() {
            if vault.standing(payee) == Standing::Blocked {
                world.deed(Act::Unblock(payee, standing));
            }
        }
    }

    /// The operator holds, releases and withdraws at random, and looks at a halt before going on.
    pub(super) fn operate(&mut self, fate: &mut Fate) {
        let note = || "operator".to_owned();
        let given_up = self.given_up();
        if !given_up.is_empty() && fate.rng.chance(30) {
            let (reference, note) = (fate.rng.pick(&given_up), note());
            self.command(Command::Hold { reference, note });
        }
        if fate.rng.chance(15) && !self.filed.is_empty() {
            let refs: Vec<_> = self.filed.keys().copied().collect();
            let reference = fate.rng.pick(&refs);
            let note = note();
            self.command(match fate.rng.below(5) {
                0 | 1 => Command::Hold { reference, note },
                2 | 3 => Command::Release { reference, note },
                _ => Command::Cancel { reference, note },
            });
        }
        if fate.has(Fault::Poison) && fate.rng.chance(2) {
            fate.struck(Fault::Poison);
            self.drive.0.borrow_mut().file_unreadable(true);
        }
        if fate.rng.chance(1) {
            self.command(Command::Halt { note: note() });
        }
        if self.may_resume() && fate.rng.chance(30) {
            self.command(Command::Resume { note: note() });
        }
    }

    /// Payments that have been in a batch, and are in none that can still pay them.
    fn given_up(&self) -> Vec<PaymentRef> {
        let disk = self.drive.0.borrow();
        let rows = disk.payments();
        let given_up = rows.filter(|row| row.status == PaymentStatus::Open && row.number.is_some());
        given_up.map(|row| row.reference()).collect()
    }

    /// A broken finality is not an operator's to wave through, and a reopened log that was resumed arms by itself.
    fn may_resume(&self) -> bool {
        match &self.drive.0.borrow().head().mode {
            Mode::Armed => false,
            Mode::Halted { reason } => !matches!(
                reason,
                HaltReason::FinalityBroken { .. } | HaltReason::Restored { .. }
            ),
        }
    }

    /// Once faults have ended: whatever holds a payment that can be paid is cleared away.
    pub fn clear(&mut self, world: &mut World) {
        let note = || "all is well".to_owned();
        self.unblock(world);
        if self.may_resume() {
            self.command(Command::Resume { note: note() });
        }
        let held: Vec<_> = (self.drive.0.borrow().payments())
            .filter(|row| row.status == PaymentStatus::Held && is_payable(world, &row.payment))
            .filter(|row| self.filed.contains_key(&row.reference()))
            .map(|row| row.reference())
            .collect();
        for reference in held {
            let note = note();
            self.command(Command::Release { reference, note });
        }
        let ledger = world.chain.ledger();
        for (index, least) in [(0, 200_000 * USDT), (1, 500_000 * USDT)] {
            let tier = ledger.vault.tiers()[index];
            if tier.cap < least {
                world.deed(Act::SetCap(index, least));
            }
        }
        if ledger.token.vault_balance < 10_000_000 * USDT {
            world.deed(Act::Deposit(50_000_000 * USDT));
        }
    }
}

/// Somebody else with the key sends a transaction, dearer than whatever is pending.
fn use_a_nonce(world: &mut World, fate: &mut Fate) {
    let ledger = world.chain.ledger();
    let key = fate.rng.pick(&[0, 0, KEYS - 1]);
    let nonce = ledger.accounts[key].nonce + fate.rng.below(2);
    let max_fee = world.setting.max_fee * 4;
    let domain = world.setting.domain();
    let chain_id = domain.chain_id.0;
    let raw = (world.keys[key]).foreign_transaction(chain_id, nonce, max_fee, max_fee / 2);
    let gas_limit = world.chain.head().gas_limit;
    let account = &ledger.accounts[key];
    if world.pools[key].add(&raw, account, gas_limit).is_ok() {
        fate.struck(Fault::ForeignNonce);
    }
}
