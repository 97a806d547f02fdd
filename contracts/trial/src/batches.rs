//! What the author writes about batches.

use alloy_primitives::{B256, Bytes, U256};
use tidelock_model::{
    State, Vault,
    abi::{self, Batch, Content, Order, header},
};

use crate::{
    author::{Author, SETTLE, Written},
    setting::{DAY, KEEPER},
    trial::{Place, Step},
};

/// Numbers of proposals begin here.
const PROPOSALS: u64 = 1 << 63;

impl Author {
    fn order(&mut self, tier: u8, first: u64, delay: u64) -> Order {
        let now = self.time;
        let least = if delay == u64::MAX { 1 } else { delay + SETTLE };
        let life = match self.rng.below(20) {
            0..=4 => least,
            5..=13 => least + self.rng.below(2 * DAY),
            14..=16 => least.max(20 * DAY),
            17 => 30 * DAY,
            18 => self.rng.pick(&[30 * DAY + 1, least - 1]),
            _ => self.rng.between(1, least),
        };
        self.nonce += 1;
        let context = B256::from(U256::from(self.nonce % 4));
        Order::new(first, now + life, tier, context)
    }

    fn number(&mut self, from: u64) -> u64 {
        let base = if self.rng.percent(3) {
            from ^ PROPOSALS
        } else {
            from
        };
        let end = [PROPOSALS - 1, PROPOSALS - 3, u64::MAX, u64::MAX - 2];
        if self.rng.percent(3) {
            return self.rng.pick(&end);
        }
        base + self.rng.below(30) + 240
    }

    fn write(&mut self, order: Order, payments: Bytes) -> Written {
        let content = Content::of_batch(&header(&order, &payments));
        let written = Written {
            order,
            payments,
            content,
        };
        self.batches.push(written.clone());
        written
    }

    /// A batch that was written before, rather one of the last.
    fn earlier(&mut self) -> Option<Written> {
        let first = self.batches.len().saturating_sub(8);
        let recent = self.batches.get(first..).filter(|all| !all.is_empty())?;
        let recent = recent.to_vec();
        Some(self.rng.pick(&recent))
    }

    fn about(&self, model: &Vault, written: &Written, mut step: Step) -> Step {
        let count = (written.payments.len() / 48) as u64;
        let first = written.order.first_number();
        step.ids = vec![written.content.id(model.domain())];
        step.numbers = (0..count).filter_map(|i| first.checked_add(i)).collect();
        step
    }

    pub(crate) fn pay(&mut self, model: &Vault, place: &Place) -> Step {
        let now = self.time;
        let from = self.caller(|a| now < model.role_until(a, KEEPER));
        let written = match self.earlier() {
            Some(again) if self.rng.percent(20) => again,
            _ => {
                let tier = if self.rng.percent(95) {
                    0
                } else {
                    self.rng.pick(&[1, 2, 4])
                };
                let first = self.number(0);
                let order = self.order(tier, first, u64::MAX);
                let mut payments = self.payments(model, place, tier);
                if self.rng.percent(2) {
                    payments = [payments.as_ref(), &[1]].concat().into();
                }
                self.write(order, payments)
            }
        };
        let call = abi::payCall {
            order: written.order.clone(),
            payments: written.payments.clone(),
        };
        let step = self.step(from, place.vault, &call);
        self.about(model, &written, step)
    }

    fn tier_of_proposals(&mut self, model: &Vault) -> (u8, u64) {
        let tier = if self.rng.percent(95) {
            self.rng.pick(&[1, 2])
        } else {
            self.rng.pick(&[0, 3])
        };
        let delay = model.tiers().get(usize::from(tier)).map_or(0, |t| t.delay);
        (tier, delay)
    }

    pub(crate) fn pay_by_sig(&mut self, model: &Vault, place: &Place) -> Step {
        let usable = model.tiers().get(1).is_some_and(|t| t.delay == 0);
        if !usable && self.rng.percent(90) {
            return self.pay(model, place);
        }
        let from = self.executor(model);
        let written = match self.earlier() {
            Some(again) if self.rng.percent(25) => again,
            _ => {
                let tier = if self.rng.percent(92) {
                    1
                } else {
                    self.rng.pick(&[0, 2])
                };
                let first = self.number(PROPOSALS);
                let order = self.order(tier, first, u64::MAX);
                let payments = self.payments(model, place, tier);
                self.write(order, payments)
            }
        };
        let call = abi::payBySigCall {
            order: written.order.clone(),
            payments: written.payments.clone(),
            votes: self.votes(model, place, &written.content),
        };
        let step = self.step(from, place.vault, &call);
        self.about(model, &written, step)
    }

    pub(crate) fn propose(&mut self, model: &Vault, place: &Place) -> Step {
        let written = match self.earlier() {
            Some(again) if self.rng.percent(8) => again,
            _ => {
                let (tier, delay) = self.tier_of_proposals(model);
                let first = self.number(PROPOSALS);
                let order = self.order(tier, first, delay);
                let payments = self.payments(model, place, tier);
                self.write(order, payments)
            }
        };
        let (order, payments) = (written.order.clone(), written.payments.clone());
        let step = if self.rng.percent(65) {
            let from = self.proposing(model);
            self.step(from, place.vault, &abi::proposeCall { order, payments })
        } else {
            let from = self.rng.pick(&self.actors).address;
            let votes = self.votes(model, place, &written.content);
            let call = abi::proposeBySigCall {
                order,
                payments,
                votes,
            };
            self.step(from, place.vault, &call)
        };
        self.about(model, &written, step)
    }

    /// A proposed batch that is in one of those states, if there is one.
    fn standing_at(&mut self, model: &Vault, states: &[State]) -> Option<Written> {
        let now = self.time;
        let right: Vec<Written> = self
            .batches
            .iter()
            .filter(|b| states.contains(&model.state(b.content.id(model.domain()), now)))
            .cloned()
            .collect();
        if right.is_empty() {
            return if self.rng.percent(20) {
                self.earlier()
            } else {
                None
            };
        }
        if self.rng.percent(8) {
            return self.earlier();
        }
        Some(self.rng.pick(&right))
    }

    pub(crate) fn approve(&mut self, model: &Vault, place: &Place) -> Step {
        let states = [State::Proposed, State::Proposed, State::Queued];
        let Some(written) = self.standing_at(model, &states) else {
            return self.propose(model, place);
        };
        let mut batch: Batch = header(&written.order, &written.payments);
        if self.rng.percent(3) {
            batch.total += 1; // another id
        }
        let step = if self.rng.percent(60) {
            let from = self.signer(model);
            self.step(from, place.vault, &abi::approveCall { batch })
        } else {
            let from = self.rng.pick(&self.actors).address;
            let votes = self.votes(model, place, &written.content);
            self.step(from, place.vault, &abi::approveBySigCall { batch, votes })
        };
        self.about(model, &written, step)
    }

    pub(crate) fn execute(&mut self, model: &Vault, place: &Place) -> Step {
        let Some(written) = self.standing_at(model, &[State::Ready]) else {
            return self.approve(model, place);
        };
        let from = self.executor(model);
        let skip = self.rng.pick(&[0u64, 0, 0, 0, 1, 2, u64::MAX]);
        let mut order = written.order.clone();
        if self.rng.percent(3) {
            order.context = B256::repeat_byte(9); // another id
        }
        let call = abi::executeCall {
            order,
            payments: written.payments.clone(),
            skipMask: U256::from(skip),
        };
        let step = self.step(from, place.vault, &call);
        self.about(model, &written, step)
    }
}
