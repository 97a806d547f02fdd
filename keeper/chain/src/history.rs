use std::collections::BTreeSet;

use tidelock_core::{
    abi::{Fact, read_fact},
    domain::{BatchId, PackedItem, PaymentNumber},
    event::BlockRef,
    port::Recalled,
};

use super::{
    BlockChecks, ChainError, RpcChain,
    wire::{Log, logs_between, strange_log},
};

/// Blocks in the first question; more while the node goes along, fewer when it does not.
const FIRST_RANGE: u64 = 2_000;
const LONGEST_RANGE: u64 = 1_000_000;

/// How many blocks one question is about.
#[derive(Debug)]
struct Range(u64);

/// The vault's logs as far as they are read: kept where a node stops to answer, and read on from there.
#[derive(Debug)]
pub struct History {
    facts: Vec<(u64, Fact)>,
    next: u64,
    range: Range,
}

impl History {
    /// Nothing is read yet.
    pub fn from(first: u64) -> Self {
        Self {
            facts: Vec::new(),
            next: first,
            range: Range(FIRST_RANGE),
        }
    }

    /// What was logged up to a height, with the height of each.
    pub fn until(&self, last: u64) -> impl Iterator<Item = &(u64, Fact)> {
        self.facts.iter().filter(move |(height, _)| *height <= last)
    }
}

impl Range {
    fn grow(&mut self) {
        self.0 = self.0.saturating_mul(2).min(LONGEST_RANGE);
    }

    /// Whether a smaller question can be asked.
    fn shrink(&mut self) -> bool {
        let is_larger = self.0 > 1;
        self.0 = self.0.div_euclid(2).max(1);
        is_larger
    }
}

impl RpcChain {
    /// Everything that the vault logged from `first` to `last`, with the height of each. `progress` is told how far it is.
    ///
    /// Heights are asked for, so a node that lacks blocks may answer too little: whoever asks must know something that has
    /// to be in the answer.
    pub async fn history(
        &self,
        first: u64,
        last: BlockRef,
        progress: impl FnMut(u64),
    ) -> Result<Vec<(u64, Fact)>, ChainError> {
        let mut history = History::from(first);
        self.read_on(&mut history, last, progress).await?;
        Ok(history.facts)
    }

    /// Reads on to `last`. What was read stays, whatever is answered to the rest.
    pub async fn read_on(
        &self,
        history: &mut History,
        last: BlockRef,
        mut progress: impl FnMut(u64),
    ) -> Result<(), ChainError> {
        let History { facts, next, range } = history;
        while *next <= last.number {
            let end = next
                .saturating_add(range.0.saturating_sub(1))
                .min(last.number);
            match self.facts_between(*next, end).await {
                Ok(found) => facts.extend(found),
                Err(ChainError::Rpc(_)) if range.shrink() => continue,
                Err(error) => return Err(error),
            }
            progress(end);
            *next = end.saturating_add(1);
            range.grow();
        }
        Ok(())
    }

    /// Which of these numbers the vault has paid at a final block, and its logs that pay them, looked for backwards down to
    /// `first`. Where the chain allows it, a log is one that its block's hash commits to; that the
    /// block is of this chain, what two nodes say and the vault's state must tell.
    pub(super) async fn recall(
        &self,
        first: u64,
        at: BlockRef,
        numbers: &[PaymentNumber],
    ) -> Result<Recalled, ChainError> {
        let paid = self.paid_among(at, numbers).await?;
        let mut missing = paid.clone();
        let mut facts = Vec::new();
        let mut last = at.number;
        let mut range = Range(FIRST_RANGE);
        while !missing.is_empty() && last >= first {
            let start = last.saturating_sub(range.0.saturating_sub(1)).max(first);
            let found = match self.facts_between(start, last).await {
                Ok(found) => found,
                Err(ChainError::Rpc(_)) if range.shrink() => continue,
                Err(error) => return Err(error),
            };
            let heights = found.iter().filter(|(_, fact)| pays(fact, &missing));
            let heights: BTreeSet<u64> = heights.map(|(height, _)| *height).collect();
            for height in heights {
                for fact in self.facts_at(height, &found).await? {
                    if pays(&fact, &missing) {
                        facts.push((height, self.with_items(fact, first).await?));
                    }
                }
            }
            for (_, fact) in &facts {
                missing.retain(|number| !pays(fact, &BTreeSet::from([*number])));
            }
            let Some(before) = start.checked_sub(1) else {
                break;
            };
            last = before;
            range.grow();
        }
        // Ranges differ from node to node; what two of them say is compared.
        facts.sort_by_key(|(height, _)| *height);
        Ok(Recalled { paid, facts })
    }

    /// What the vault logged in a block: checked if the chain allows it, else as found.
    async fn facts_at(&self, height: u64, found: &[(u64, Fact)]) -> Result<Vec<Fact>, ChainError> {
        if self.checks == BlockChecks::None {
            let here = found.iter().filter(|(at, _)| *at == height);
            return Ok(here.map(|(_, fact)| fact.clone()).collect());
        }
        Ok(self.block_with_facts(height, None).await?.facts)
    }

    /// The payments of an executed proposal are in the log of its proposal.
    async fn with_items(&self, fact: Fact, first: u64) -> Result<Fact, ChainError> {
        let Fact::Paid {
            id,
            first_number,
            paid,
            items: None,
        } = fact
        else {
            return Ok(fact);
        };
        let items = self.proposed_items(id, first).await?;
        Ok(Fact::Paid {
            id,
            first_number,
            paid,
            items,
        })
    }

    async fn proposed_items(
        &self,
        id: BatchId,
        first: u64,
    ) -> Result<Option<Vec<PackedItem>>, ChainError> {
        let found = self.find_proposal(id, first).await?;
        Ok(found.map(|found| {
            let payments = found.payments.iter();
            let items = payments.map(|payment| PackedItem {
                recipient: payment.recipient(),
                amount: payment.amount(),
                reference: payment.reference(),
            });
            items.collect()
        }))
    }

    /// What the vault logged from one height to another, both included, with the height of each.
    async fn facts_between(&self, first: u64, last: u64) -> Result<Vec<(u64, Fact)>, ChainError> {
        let vault = self.parties.domain.vault;
        let params = logs_between(vault, first, last);
        let logs: Vec<Log> = self.rpc.request("eth_getLogs", params).await?;
        let facts = logs.iter().map(|log| self.historical(log, first, last));
        facts.collect()
    }

    fn historical(&self, log: &Log, first: u64, last: u64) -> Result<(u64, Fact), ChainError> {
        let domain = self.parties.domain;
        let block = log.block_hash.unwrap_or_default();
        let height = log.height().filter(|n| (first..=last).contains(n));
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

/// Whether the log pays one of these numbers.
fn pays(fact: &Fact, numbers: &BTreeSet<PaymentNumber>) -> bool {
    let Fact::Paid {
        first_number, paid, ..
    } = fact
    else {
        return false;
    };
    numbers.range(first_number..).any(|number| {
        let offset = number.0.saturating_sub(first_number.0);
        usize::try_from(offset).is_ok_and(|bit| bit < 256 && paid.bit(bit))
    })
}
