//! A node that leaves out what the vault logged, on a chain whose blocks cannot be checked; and what it answers when it is
//! asked again.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;
use tidelock_core::{
    abi::Fact,
    domain::{PackedItem, PaymentNumber},
    event::BlockRef,
    observe::Block as SeenBlock,
    port::{Outcome, Recalled},
};

use super::World;
use crate::{fate::Fate, faults::Fault};

impl World {
    /// Leaves out what was paid under the keeper's numbers. What was paid for others is not left out: nobody could know of it.
    pub(super) fn hide(&self, blocks: &mut [SeenBlock], fate: &mut Fate) {
        let Some(first) = blocks.first().map(|block| block.id) else {
            return;
        };
        let namespace = self
            .setting
            .opening(self.keys[0].address(), first)
            .namespace;
        let is_ours = |fact: &Fact| match fact {
            Fact::Paid { first_number, .. } => namespace.counter_of(*first_number).is_some(),
            _ => false,
        };
        for block in blocks {
            if block.facts.iter().any(is_ours) && fate.strikes(Fault::LogsHidden) {
                fate.struck(Fault::LogsHidden);
                block.facts.retain(|fact| !is_ours(fact));
            }
        }
    }

    /// What the vault paid of these numbers, and the logs that say so, with the payments of each.
    pub(super) fn recall(&self, first: u64, at: BlockRef, numbers: &[PaymentNumber]) -> Outcome {
        let Some(ledger) = self.chain.state(at.hash) else {
            return Outcome::Failed("header not found".to_owned());
        };
        let is_paid = |number: &&PaymentNumber| ledger.vault.is_paid(number.0);
        let paid: BTreeSet<PaymentNumber> = numbers.iter().filter(is_paid).copied().collect();
        let mut facts = Vec::new();
        let mut proposals = BTreeMap::new();
        for height in first..=at.number {
            let Some(block) = self.chain.at(height) else {
                continue;
            };
            for fact in self.seen(&block).facts {
                match fact {
                    Fact::Proposed { id, payments, .. } => {
                        proposals.insert(id, payments);
                    }
                    Fact::Paid {
                        id,
                        first_number,
                        paid: mask,
                        items,
                    } if pays(first_number, mask, &paid) => {
                        let proposed = proposals.get(&id);
                        let items = items.or_else(|| {
                            let payments = proposed?.iter();
                            let item = payments.map(|payment| PackedItem {
                                recipient: payment.recipient(),
                                amount: payment.amount(),
                                reference: payment.reference(),
                            });
                            Some(item.collect())
                        });
                        let fact = Fact::Paid {
                            id,
                            first_number,
                            paid: mask,
                            items,
                        };
                        facts.push((height, fact));
                    }
                    _ => {}
                }
            }
        }
        Outcome::Recalled(Recalled { paid, facts })
    }
}

fn pays(first: PaymentNumber, mask: U256, numbers: &BTreeSet<PaymentNumber>) -> bool {
    let mut offsets = (0..256_u16).filter(|offset| mask.bit(usize::from(*offset)));
    offsets.any(|offset| {
        first
            .checked_add(offset)
            .is_some_and(|number| numbers.contains(&number))
    })
}
