//! What the follower would do and the leader has not done yet.

use std::time::{Duration, Instant};

use super::decision::Decision;

/// How long the leader has for it.
const BLOCKS: u64 = 3;
const TIME: Duration = Duration::from_secs(10);

/// A batch or an execution that the leader has not come to.
#[derive(Debug)]
pub(super) struct Ahead {
    pub act: Decision,
    /// The first block at which the follower would have, and the last.
    first: u64,
    last: u64,
    since: Instant,
    is_told: bool,
}

impl Ahead {
    pub fn new(act: Decision, block: u64) -> Self {
        Self {
            act,
            first: block,
            last: block,
            since: Instant::now(),
            is_told: false,
        }
    }

    /// Whether it is the same act, with what has come meanwhile; the follower says it anew at each block.
    pub fn goes_on(&mut self, act: &Decision, block: u64) -> bool {
        let is_same = match (self.act.refs().first(), act.refs().first()) {
            (Some(first), Some(now)) => first == now,
            _ => self.act == *act,
        };
        if is_same {
            self.last = block;
        }
        is_same
    }

    /// Says once that the leader is late, if it is.
    pub fn late(&mut self, tip: u64) -> Option<String> {
        let would = tip.saturating_sub(self.last) <= 1;
        let is_late = tip >= self.first.saturating_add(BLOCKS) && self.since.elapsed() >= TIME;
        if self.is_told || !would || !is_late {
            return None;
        }
        self.is_told = true;
        Some(format!(
            "block {}: this one {}; the leader has not by block {tip}",
            self.first,
            self.act.words()
        ))
    }
}
