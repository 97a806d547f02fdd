//! Which messages of each partition are held, and before which offset all are settled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What is held of each partition that is assigned.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<BTreeMap<i32, Partition>>);

#[derive(Debug, Default)]
struct Partition {
    /// Offsets that are not settled.
    open: BTreeSet<i64>,
    /// The offset after the last one that was handed out.
    next: i64,
}

impl Held {
    /// A message was handed out.
    pub fn begin(&self, partition: i32, offset: i64) {
        let mut partitions = self.lock();
        let held = partitions.entry(partition).or_default();
        held.open.insert(offset);
        held.next = offset.saturating_add(1);
    }

    /// A message is settled. Answers the offset before which all are; none if the partition is not held.
    pub fn end(&self, partition: i32, offset: i64) -> Option<i64> {
        let mut partitions = self.lock();
        let held = partitions.get_mut(&partition)?;
        held.open.remove(&offset);
        Some(held.open.first().copied().unwrap_or(held.next))
    }

    /// Somebody else may have the partition now.
    pub fn forget(&self, partition: i32) {
        self.lock().remove(&partition);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Partition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_committed_before_all_before_it_is_settled() {
        let held = Held::default();
        // Offsets have gaps where transactions ended.
        for offset in [5, 6, 9] {
            held.begin(0, offset);
        }
        assert_eq!(held.end(0, 9), Some(5));
        assert_eq!(held.end(0, 5), Some(6));
        assert_eq!(held.end(0, 6), Some(10));
        held.begin(0, 10);
        assert_eq!(held.end(0, 10), Some(11));
        assert_eq!(held.end(1, 10), None);
    }

    #[test]
    fn what_was_settled_for_another_assignment_commits_nothing_that_is_open() {
        let held = Held::default();
        for offset in 5..9 {
            held.begin(0, offset);
        }
        held.forget(0);
        assert_eq!(held.end(0, 8), None);
        // It comes back, from where nobody had committed more.
        held.begin(0, 5);
        assert_eq!(held.end(0, 7), Some(5));
        assert_eq!(held.end(0, 5), Some(6));
    }
}
