//! The chain as seen now: the blocks above the last one taken in for good. Kept in memory only, and dropped as far as a
//! reorganisation reaches.

use std::collections::VecDeque;

use alloy_primitives::B256;

use crate::{
    abi::Fact,
    event::{BlockRef, Job},
};

/// Blocks that a view holds at most: nothing is read beyond them while finality stands still.
const MOST_BLOCKS: usize = 4_096;

/// Whose rules a block follows, as far as they bound a transaction's gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fork {
    /// Osaka, or any before it.
    #[default]
    Osaka,
    /// Amsterdam.
    Amsterdam,
}

/// A block and what it says of the vault and the keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What identifies it.
    pub id: BlockRef,
    /// Hash of the block before it.
    pub parent: B256,
    /// What gas costs in it. [wei per gas]
    pub base_fee: u128,
    /// Gas it may hold.
    pub gas_limit: u64,
    /// Whose rules it follows.
    pub fork: Fork,
    /// What the vault logged, in order.
    pub facts: Vec<Fact>,
    /// Hashes of its transactions.
    pub transactions: Vec<B256>,
}

impl Block {
    /// Whether the vault says in this block that the job was done. A transaction whose job was not done reverted.
    pub fn did(&self, job: &Job) -> bool {
        self.facts.iter().any(|fact| match (job, fact) {
            (Job::Pay { batch }, Fact::Paid { id, .. })
            | (Job::Propose { batch }, Fact::Proposed { id, .. }) => id == batch,
            (Job::Execute { batch, skip }, Fact::Paid { id, paid, .. }) => {
                id == batch && !(*paid & !*skip).is_zero()
            }
            _ => false,
        }) || *job == Job::Void
    }
}

/// An answer to the question what came after the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// Blocks with growing, consecutive heights. Empty if there is none yet.
    pub blocks: Vec<Block>,
    /// The block that the node calls final: height and hash.
    pub finalised: (u64, B256),
    /// The keeper's nonce at that block; none if the node does not keep the state of blocks so old.
    pub finalised_nonce: Option<u64>,
    /// Tip that the node suggests. [wei per gas]
    pub suggested_tip: u128,
}

/// What an answer did to the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The node says nothing new, or lags behind.
    Nothing,
    /// The tip moved on.
    Grown,
    /// The tip is not on the node's chain; it was dropped, and the question is to be asked again further down.
    Shrunk,
}

/// An answer that cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Rule 10: the node's chain does not contain a block that was final.
    #[error("block {number}: {was} was final, the node has {now}")]
    FinalityBroken {
        /// Height.
        number: u64,
        /// What was final.
        was: B256,
        /// What the node has.
        now: B256,
    },
    /// The blocks of the answer do not follow one another.
    #[error("block {number}: does not follow the block before it in the same answer")]
    NotAChain {
        /// Height of the block that does not follow.
        number: u64,
    },
}

/// The blocks above the last one taken in for good.
#[derive(Debug, Clone)]
pub struct View {
    base: BlockRef,
    /// The base, whole; none until a block has become final since the start.
    last_final: Option<Block>,
    blocks: VecDeque<Block>,
}

impl View {
    /// A view that knows nothing above `base`.
    pub fn new(base: BlockRef) -> Self {
        Self {
            base,
            last_final: None,
            blocks: VecDeque::new(),
        }
    }

    /// The highest block known.
    pub fn tip(&self) -> BlockRef {
        self.blocks.back().map_or(self.base, |block| block.id)
    }

    /// The highest block known, whole; none right after a start.
    pub fn tip_block(&self) -> Option<&Block> {
        self.blocks.back().or(self.last_final.as_ref())
    }

    /// Blocks above the last one taken in for good, oldest first.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &Block> {
        self.blocks.iter()
    }

    /// The last block taken in for good.
    pub fn base(&self) -> BlockRef {
        self.base
    }

    /// Whether the block is part of the chain as seen now.
    pub fn contains(&self, block: BlockRef) -> bool {
        block == self.base || self.blocks.iter().any(|known| known.id == block)
    }

    /// Finality stands still: the view takes no more blocks in until one of those that it has is final.
    pub fn is_full(&self) -> bool {
        self.blocks.len() >= MOST_BLOCKS
    }

    /// The block that holds the transaction, if one above the base does.
    pub fn including(&self, transaction: B256) -> Option<BlockRef> {
        let mut blocks = self.blocks.iter();
        let block = blocks.find(|block| block.transactions.contains(&transaction))?;
        Some(block.id)
    }

    /// Takes in an answer to "what comes after the tip?".
    pub fn extend(&mut self, polled: &[Block]) -> Result<Change, ViewError> {
        let Some(first) = polled.first() else {
            return Ok(Change::Nothing);
        };
        let tip = self.tip();
        if Some(first.id.number) != tip.number.checked_add(1) {
            return Ok(Change::Nothing); // an answer to an older question
        }
        if first.parent != tip.hash {
            if self.blocks.pop_back().is_none() {
                return Err(ViewError::FinalityBroken {
                    number: tip.number,
                    was: tip.hash,
                    now: first.parent,
                });
            }
            return Ok(Change::Shrunk);
        }
        for pair in polled.windows(2) {
            if let [block, next] = pair
                && (next.parent != block.id.hash
                    || Some(next.id.number) != block.id.number.checked_add(1))
            {
                let number = next.id.number;
                return Err(ViewError::NotAChain { number });
            }
        }
        if self.is_full() {
            return Ok(Change::Nothing);
        }
        let room = MOST_BLOCKS.saturating_sub(self.blocks.len());
        self.blocks.extend(polled.iter().take(room).cloned());
        Ok(Change::Grown)
    }

    /// Takes the blocks out that the node calls final. A final block that is not on this view's chain empties the view:
    /// what is above the base belongs to a fork, and is asked for again. So does one that a full view will never get to see:
    /// from the base on, blocks are final as they are read.
    pub fn finalise(&mut self, (number, hash): (u64, B256)) -> Vec<Block> {
        if self.is_full() && number > self.tip().number {
            self.blocks.clear();
            return Vec::new();
        }
        let Some(above) = number.checked_sub(self.base.number) else {
            return Vec::new(); // a node that lags behind
        };
        let Ok(count) = usize::try_from(above) else {
            return Vec::new();
        };
        let Some(last) = count
            .checked_sub(1)
            .and_then(|index| self.blocks.get(index))
        else {
            return Vec::new(); // nothing new, or not seen yet
        };
        if last.id.hash != hash {
            self.blocks.clear();
            return Vec::new();
        }
        self.base = last.id;
        self.last_final = Some(last.clone());
        self.blocks.drain(..count).collect()
    }
}
