//! Policy changes, from the vault's log: the newest blocks with each look, and older ones back to where none can be open any more.

use std::collections::BTreeMap;

use tidelock_api::{LoggedChange, Unseen};
use tidelock_core::{domain::BatchId, event::BlockRef};

use super::{same, silent};
use crate::chain::{ChainError, Nodes, ProposedChange};

/// How long a change lives at most (contracts/src/libraries/Policy.sol, MAX_LIFE). [seconds]
const LIFE: u64 = 30 * 86_400;
/// Blocks in one question at first; fewer where a node refuses.
const WINDOW: u64 = 1_000_000;
/// Questions of one look at most: what is older waits for the next.
const QUESTIONS: u32 = 64;
/// Blocks that are looked at again, for what was seen of them may have been replaced.
const AGAIN: u64 = 128;

/// What was found, and in which blocks.
pub(super) struct Changes {
    /// The last height that may hold one that is still open.
    start: u64,
    from: u64,
    to: u64,
    window: u64,
    found: BTreeMap<BatchId, LoggedChange>,
}

impl Changes {
    /// Nothing was looked at yet.
    pub async fn begin(nodes: &Nodes, head: BlockRef) -> Result<Self, Unseen> {
        let start = start(nodes, head).await.map_err(|error| silent(&error))?;
        Ok(Self {
            start,
            from: head.number.saturating_add(1),
            to: head.number,
            window: WINDOW,
            found: BTreeMap::new(),
        })
    }

    /// All that was found, and from which height on.
    pub fn told(&self) -> (Vec<LoggedChange>, u64) {
        (self.found.values().cloned().collect(), self.from)
    }

    /// Looks at what is new, and further back.
    pub async fn look(&mut self, nodes: &Nodes, head: BlockRef) -> Result<(), Unseen> {
        let mut questions = QUESTIONS;
        if self.from <= self.to {
            let mut next = self.to.saturating_sub(AGAIN).max(self.from);
            while next <= head.number && questions > 0 {
                let last = next
                    .saturating_add(self.window.saturating_sub(1))
                    .min(head.number);
                if self.ask(nodes, next, last).await? {
                    self.to = self.to.max(last);
                    next = last.saturating_add(1);
                }
                questions = questions.saturating_sub(1);
            }
        }
        while self.from > self.start && questions > 0 {
            let last = self.from.saturating_sub(1);
            let first = self.from.saturating_sub(self.window).max(self.start);
            if self.ask(nodes, first, last).await? {
                self.from = first;
            }
            questions = questions.saturating_sub(1);
        }
        Ok(())
    }

    /// False if fewer blocks have to be asked about.
    async fn ask(&mut self, nodes: &Nodes, first: u64, last: u64) -> Result<bool, Unseen> {
        let asked = nodes.first().changes_between(first, last).await;
        let mut one = asked.map_err(|error| silent(&error))?;
        if let (Some(_), Some(second)) = (&one, nodes.second()) {
            let asked = second.changes_between(first, last).await;
            one = match asked.map_err(|error| silent(&error))? {
                Some(other) => same("policy changes", one, Some(&Some(other)))?,
                None => None,
            };
        }
        let Some(found) = one else {
            self.window = self.window.div_euclid(4).max(1);
            return Ok(false);
        };
        let logged = found.into_iter().map(|change| {
            let ProposedChange { id, kind, change } = change;
            let id = BatchId(id);
            (id, LoggedChange { id, kind, change })
        });
        self.found.extend(logged);
        Ok(true)
    }
}

/// The first block that is no older than a change lives, or the one before it.
async fn start(nodes: &Nodes, head: BlockRef) -> Result<u64, ChainError> {
    let since = head.time.seconds().saturating_sub(LIFE);
    let (mut before, mut after) = (0_u64, head.number);
    while before.saturating_add(1) < after {
        let middle = u64::midpoint(before, after);
        let block = nodes.first().block_numbered(middle).await?;
        if block.time.seconds() < since {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(before)
}
