//! Nonces that final blocks used up.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::Settling;
use crate::{
    cost::Charge,
    event::{BlockRef, Cost, Event, HaltReason},
    journal::JournalError,
    observe::Block,
    state::AttemptRow,
    store::Store,
    submit::Call,
};

/// A nonce that is used up.
struct Consumed {
    nonce: u64,
    by: Option<B256>,
    reverted: bool,
    cost: Option<Cost>,
}

/// What the attempt cost at most in that block, by its own terms and the block's: nothing that a node could make up.
fn cost(attempt: &AttemptRow, block: &Block, data: u128) -> Option<Cost> {
    let price = block.base_fee.saturating_add(attempt.fees.tip);
    let price = price.min(attempt.fees.max_fee);
    let charge = Charge {
        gas: Call::read(&attempt.raw)?.gas_limit,
        price,
        cap: price,
        data,
    };
    Some(Cost {
        wei: charge.at_cap(),
        time: block.id.time,
    })
}

impl<S: Store> Settling<'_, S> {
    /// A slot is used up by its attempt in these blocks, or, if the nonce says so and no attempt is there, by somebody else.
    /// Without the nonce the second is found out later.
    pub(super) fn consume_slots(
        &mut self,
        blocks: &[Block],
        last: BlockRef,
        nonce: Option<u64>,
    ) -> Result<(), JournalError> {
        let mined: BTreeMap<B256, &Block> = blocks
            .iter()
            .flat_map(|block| block.transactions.iter().map(move |hash| (*hash, block)))
            .collect();
        let state = self.journal.state();
        let consumed: Vec<Consumed> = state
            .slots()
            .map(|slot| {
                let mut attempts = slot.attempts.iter();
                let by = attempts.find_map(|attempt| Some((attempt, mined.get(&attempt.hash)?)));
                Consumed {
                    nonce: slot.nonce,
                    by: by.map(|(attempt, _)| attempt.hash),
                    reverted: by.is_some_and(|(attempt, block)| !block.did(&attempt.job)),
                    cost: by.and_then(|(attempt, block)| cost(attempt, block, self.data_fee)),
                }
            })
            .filter(|slot| nonce.map_or(slot.by.is_some(), |nonce| slot.nonce < nonce))
            .collect();
        let foreign = consumed.iter().find(|slot| slot.by.is_none());
        let foreign = foreign.map(|slot| slot.nonce);
        for slot in consumed {
            slot.cost.into_iter().for_each(|cost| self.spent.add(cost));
            self.record(Event::SlotConsumed {
                nonce: slot.nonce,
                by: slot.by,
                reverted: slot.reverted,
                block: last.number,
                cost: slot.cost,
            })?;
        }
        let next = self.journal.state().next_nonce();
        if let Some(on_chain) = nonce.filter(|nonce| *nonce > next) {
            self.halt(HaltReason::ForeignNonce { on_chain, next })?;
        }
        match foreign {
            Some(nonce) => self.halt(HaltReason::ForeignTransaction { nonce }),
            None => Ok(()),
        }
    }
}
