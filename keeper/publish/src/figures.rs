//! How each receiver is doing, for whoever watches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Between two ends of the log that are remembered.
const APART: Duration = Duration::from_secs(1);
/// Ends that are remembered; of a receiver that is farther behind, the oldest is forgotten last.
const ENDS: usize = 100_000;

/// How one receiver is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// This publisher works for it.
    pub active: bool,
    /// Entries of the log that it has not been told of.
    pub lag_entries: u64,
    /// How long the first of them has been there, as far as this process has seen. [seconds]
    pub lag_seconds: u64,
    /// What is tried again, and what waits behind it.
    pub retrying: u64,
    /// What was given up and waits for a person.
    pub dead: u64,
    /// Tries that were taken, since the start.
    pub taken: u64,
    /// Tries that were not, since the start.
    pub refused: u64,
}

/// All of them, by name.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<String, Figures>>>);

impl Board {
    /// What is known now.
    pub fn read(&self) -> BTreeMap<String, Figures> {
        self.lock().clone()
    }

    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Figures)) {
        change(self.lock().entry(name.to_owned()).or_default());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Figures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the log's end was seen where, so that it can be said how old what is behind is.
#[derive(Debug, Default)]
pub(crate) struct Ends(VecDeque<(u64, Instant)>);

impl Ends {
    pub fn saw(&mut self, end: u64, now: Instant) {
        let is_new = self
            .0
            .back()
            .is_none_or(|(last, at)| end > *last && now.saturating_duration_since(*at) >= APART);
        if is_new && self.0.len() < ENDS {
            self.0.push_back((end, now));
        }
    }

    /// How long the first entry after one has been there. [seconds]
    pub fn age_after(&mut self, seq: u64, end: u64, now: Instant) -> u64 {
        if seq >= end {
            self.0.clear();
            return 0;
        }
        while self.0.front().is_some_and(|(end, _)| *end <= seq) {
            self.0.pop_front();
        }
        let first = self.0.front();
        first.map_or(0, |(_, at)| now.saturating_duration_since(*at).as_secs())
    }
}
