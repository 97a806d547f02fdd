//! How each source is doing, for whoever watches.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How one source is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The broker hands messages out to this process.
    pub connected: bool,
    /// Messages whose request was filed, since the start.
    pub filed: u64,
    /// Messages whose request had been filed before, since the start.
    pub known: u64,
    /// Messages that were refused for good and lie among the dead letters, since the start.
    pub dead: u64,
    /// Tries that came to nothing and are made again, since the start.
    pub retried: u64,
    /// Messages that wait for such another try.
    pub retrying: u64,
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

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Figures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one message as waiting, until it waits no more, however that ends.
pub(crate) struct Retrying<'a> {
    board: &'a Board,
    name: &'a str,
}

impl<'a> Retrying<'a> {
    pub fn new(board: &'a Board, name: &'a str) -> Self {
        board.change(name, |figures| {
            figures.retried = figures.retried.saturating_add(1);
            figures.retrying = figures.retrying.saturating_add(1);
        });
        Self { board, name }
    }
}

impl Drop for Retrying<'_> {
    fn drop(&mut self) {
        self.board.change(self.name, |figures| {
            figures.retrying = figures.retrying.saturating_sub(1);
        });
    }
}
