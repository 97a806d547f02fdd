//! Nonces that final blocks used up.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::Settling;
use crate::{
    event::{BlockRef, Event, HaltReason},
    journal::JournalError,
    observe::Block,
    store::Store,
};

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
        let consumed: Vec<(u64, Option<B256>, bool)> = state
            .slots()
            .map(|slot| {
                let mut attempts = slot.attempts.iter();
                let by = attempts.find_map(|attempt| Some((attempt, mined.get(&attempt.hash)?)));
                let reverted = by.is_some_and(|(attempt, block)| !block.did(&attempt.job));
                (slot.nonce, by.map(|(attempt, _)| attempt.hash), reverted)
            })
            .filter(|(slot, by, _)| nonce.map_or(by.is_some(), |nonce| *slot < nonce))
            .collect();
        let foreign = consumed.iter().find(|(_, by, _)| by.is_none());
        let foreign = foreign.map(|(nonce, ..)| *nonce);
        for (nonce, by, reverted) in consumed {
            self.record(Event::SlotConsumed {
                nonce,
                by,
                reverted,
                block: last.number,
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
