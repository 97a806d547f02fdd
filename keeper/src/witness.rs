//! Who hears what the loop does, for others to know.

use std::time::SystemTime;

use tidelock_core::port::{Key, Outcome};

/// Hears what the loop does. The loop waits until it has: whatever takes time, or may fail, is done elsewhere.
pub trait Witness: Send + Sync {
    /// The log is stored up to this entry.
    fn stored(&self, seq: u64);

    /// What was asked at that time has its answer.
    fn answered(&self, key: &Key, asked: SystemTime, outcome: &Outcome);
}
