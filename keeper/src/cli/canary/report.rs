//! What came of watching two keepers.

use tracing::info;

use super::decision::Decision;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Report {
    /// The blocks in which both were watched: from the first to the last.
    pub from: u64,
    pub to: u64,
    /// Decisions that were alike, each kind apart.
    pub batches: u64,
    pub executions: u64,
    pub payments_judged: u64,
    /// Batches of payments that had waited before the follower came.
    pub not_compared: u64,
    pub differences: Vec<String>,
}

impl Report {
    pub fn blocks(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    pub fn alike(&self) -> u64 {
        self.batches.saturating_add(self.executions)
    }

    /// Both decided the same.
    pub fn count(&mut self, decision: &Decision) {
        let (count, more) = match decision {
            Decision::Seal { .. } => (&mut self.batches, 1),
            Decision::Execute(_) => (&mut self.executions, 1),
            Decision::Judge(_, refs) => (&mut self.payments_judged, refs.len()),
        };
        *count = count.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }

    /// They did not.
    pub fn differs(&mut self, words: String) {
        info!("differs: {words}");
        self.differences.push(words);
    }
}
