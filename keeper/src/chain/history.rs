use alloy::rpc::types::Log;
use tidelock_core::{
    abi::{Fact, read_fact},
    event::BlockRef,
};

use super::{
    ChainError, RpcChain,
    wire::{logs_between, strange_log},
};

/// Blocks in the first question; more while the node goes along, fewer when it does not.
const FIRST_RANGE: u64 = 2_000;
const LONGEST_RANGE: u64 = 1_000_000;

impl RpcChain {
    /// Everything that the vault logged from `first` to `last`, with the height of each. `progress` is told how far it is.
    ///
    /// Heights are asked for, so a node that lacks blocks may answer too little: whoever asks must know something that has
    /// to be in the answer.
    pub async fn history(
        &self,
        first: u64,
        last: BlockRef,
        mut progress: impl FnMut(u64),
    ) -> Result<Vec<(u64, Fact)>, ChainError> {
        let vault = self.parties.domain.vault;
        let mut facts = Vec::new();
        let mut next = first;
        let mut range = FIRST_RANGE;
        while next <= last.number {
            let end = next
                .saturating_add(range.saturating_sub(1))
                .min(last.number);
            let asked = self
                .rpc
                .request::<Vec<Log>>("eth_getLogs", logs_between(vault, next, end));
            let logs = match asked.await {
                Ok(logs) => logs,
                Err(_) if range > 1 => {
                    range = range.div_euclid(2).max(1);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for log in &logs {
                facts.push(self.historical(log, next, end)?);
            }
            progress(end);
            next = end.saturating_add(1);
            range = range.saturating_mul(2).min(LONGEST_RANGE);
        }
        Ok(facts)
    }

    fn historical(&self, log: &Log, first: u64, last: u64) -> Result<(u64, Fact), ChainError> {
        let domain = self.parties.domain;
        let block = log.block_hash.unwrap_or_default();
        let height = log.block_number.filter(|n| (first..=last).contains(n));
        let Some(height) = height else {
            return Err(strange_log(block, "it is outside the range asked for"));
        };
        if log.removed || log.inner.address != domain.vault {
            return Err(strange_log(block, "it was removed, or is not the vault's"));
        }
        let fact = read_fact(&log.inner, &domain);
        let fact = fact.map_err(|error| strange_log(block, &error.to_string()))?;
        Ok((height, fact))
    }
}
