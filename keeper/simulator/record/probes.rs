//! Calls that nobody made, but could have: those of the chain with one thing changed. The simulation meets few of the ways in
//! which a call is wrong, and the contract's order of checks shows in which of two wrongs it names.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolInterface};

use crate::{
    rng::Rng,
    trace::{Act, Call, Probe},
    world::{World, chain::Ledger, vault::MAX_LIFE},
};
use tidelock_model::{
    Caller, Rules,
    abi::{self, pack, unpack},
};

/// Calls asked about after a block.
const PROBES: u64 = 4;
/// Payments in a batch at most.
const MOST_PAYMENTS: usize = 256;
/// Numbers from here on are nobody's.
const FREE_NUMBERS: u64 = 1 << 45;

/// Thinks calls up.
pub struct Prober {
    rng: Rng,
    /// Everybody who has a part in it, and one who has none.
    people: Vec<Address>,
    recipients: Vec<Address>,
    /// The last calls of the chain, by selector.
    last: BTreeMap<[u8; 4], Bytes>,
}

impl Prober {
    /// One that follows from the seed.
    pub fn new(world: &World, seed: u64) -> Self {
        let setting = &world.setting;
        let mut people = vec![
            world.keys[0].address(),
            setting.guardian,
            setting.spare,
            setting.admin,
        ];
        people.extend(&setting.signers);
        let mut recipients = vec![Address::ZERO, setting.vault, setting.token];
        recipients.extend(&setting.good);
        recipients.extend(&setting.refused);
        recipients.extend(&setting.blacklisted);
        Self {
            rng: Rng::new(!seed),
            people,
            recipients,
            last: BTreeMap::new(),
        }
    }

    /// Some calls, and what would come of them.
    pub fn probe(&mut self, ledger: &Ledger, time: u64, calls: &[Call]) -> Vec<Probe> {
        for call in calls {
            if let Act::Vault(data) = &call.act
                && let Some(selector) = data.first_chunk::<4>()
            {
                self.last.insert(*selector, data.clone());
            }
        }
        let drawn: Vec<_> = (0..PROBES).map(|_| self.draw(ledger, time)).collect();
        let answered = drawn.into_iter().map(|(by, data)| {
            let (mut vault, mut token) = (ledger.vault.clone(), ledger.token.clone());
            let caller = Caller { address: by, time };
            let answer = vault.call(&mut token, caller, &data);
            Probe {
                by,
                data,
                answer: answer.map(|done| done.returned),
            }
        });
        answered.collect()
    }

    fn draw(&mut self, ledger: &Ledger, time: u64) -> (Address, Bytes) {
        let ids: Vec<B256> = ledger.vault.proposal_ids().collect();
        let known: Vec<Bytes> = self.last.values().cloned().collect();
        let id = match ids.is_empty() || self.rng.chance(100) {
            true => B256::ZERO, // nobody proposed it
            false => self.rng.pick(&ids),
        };
        let by = self.rng.pick(&self.people);
        let data = match self.rng.below(8) {
            0 => abi::cancelCall { id }.abi_encode(),
            1 => abi::revokeCall { id }.abi_encode(),
            2 => abi::freezeCall {}.abi_encode(),
            3 => {
                let recipient = self.rng.pick(&self.recipients[3..]);
                abi::blockRecipientCall { recipient }.abi_encode()
            }
            _ if known.is_empty() => Vec::new(),
            _ => {
                let data = known[self.rng.below(known.len() as u64) as usize].clone();
                let caller = self.rng.pick(&self.people);
                return self.change(ledger, time, caller, data);
            }
        };
        (by, data.into())
    }

    /// The call with one thing changed, or several.
    fn change(&mut self, ledger: &Ledger, time: u64, by: Address, data: Bytes) -> (Address, Bytes) {
        use abi::VaultCalls as Kind;
        let Ok(call) = abi::VaultCalls::abi_decode(&data) else {
            return (by, data);
        };
        let keeper = self.people[0];
        let by = if self.rng.chance(700) { keeper } else { by };
        match call {
            Kind::pay(mut call) => {
                self.bend(ledger, time, &mut call.order, &mut call.payments);
                (by, call.abi_encode().into())
            }
            Kind::propose(mut call) => {
                self.bend(ledger, time, &mut call.order, &mut call.payments);
                (by, call.abi_encode().into())
            }
            Kind::execute(mut call) => {
                if self.rng.chance(300) {
                    self.bend(ledger, time, &mut call.order, &mut call.payments);
                }
                call.skipMask = self.rng.pick(&[U256::ZERO, U256::from(2), U256::MAX]);
                (by, call.abi_encode().into())
            }
            Kind::approve(mut call) => {
                let signer = self.rng.pick(ledger.vault.signers());
                if self.rng.chance(300) {
                    call.batch.context = B256::repeat_byte(1);
                }
                let by = if self.rng.chance(700) { signer } else { by };
                (by, call.abi_encode().into())
            }
            _ => (by, data),
        }
    }

    /// A fresh order that is right, and then wrong in one thing, if in any.
    fn bend(&mut self, ledger: &Ledger, time: u64, order: &mut abi::Order, payments: &mut Bytes) {
        let (short, long) = (time + Rules::VAULT.settle(), time + MAX_LIFE);
        let (mut first, mut tier) = (order.first_number(), order.tier());
        let mut context = order.context;
        if self.rng.chance(800) {
            first = FREE_NUMBERS;
        }
        if self.rng.chance(300) {
            tier = self.rng.below(4) as u8;
        }
        if self.rng.chance(300) {
            self.replace(payments);
        }
        let delay = ledger.vault.tiers().get(usize::from(tier));
        let delay = delay.map_or(0, |tier| tier.delay);
        let expires_at = match self.rng.below(8) {
            0 => time,
            1 => time + 1,
            2 => short + delay - 1,
            3 => short + delay,
            4 => long + 1,
            5 => order.expires_at(),
            _ => long,
        };
        let half = 1_u64 << 63;
        let count = unpack(payments).len() as u64;
        match self.rng.below(14) {
            0 => *payments = Bytes::new(),
            1 => *payments = payments.slice(..payments.len() - 1),
            2 => *payments = payments.repeat(MOST_PAYMENTS / count as usize + 1).into(),
            3 => context = B256::repeat_byte(3),
            4 => first = half - count,
            5 => first = half - count + 1,
            6 => first = u64::MAX - (count - 1),
            7 => first = (u64::MAX - (count - 1)).saturating_add(1),
            _ => {}
        }
        *order = abi::Order::new(first, expires_at, tier, context);
    }

    /// Other payments.
    fn replace(&mut self, payments: &mut Bytes) {
        let mut items = unpack(payments);
        for item in &mut items {
            match self.rng.below(6) {
                0 => item.amount = 0,
                1 => item.amount = self.rng.pick(&[10_000_000_000, 20_000_000_001]),
                2 => item.recipient = self.rng.pick(&self.recipients),
                _ => {}
            }
        }
        *payments = pack(&items);
    }
}
