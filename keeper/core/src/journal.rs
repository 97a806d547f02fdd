//! The log as it grows: each event is folded into the state and waits to be stored.

use crate::{
    event::Event,
    log::{Entry, EntryError, LogHead},
    state::{LogError, PaymentRow, State},
    store::Store,
};

/// An event that the keeper's own rules made, and that does not fit. Never a reason to go on.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It contradicts the state.
    #[error("event {kind}: {source}")]
    Contradiction {
        /// Its kind.
        kind: &'static str,
        /// What it contradicts.
        source: LogError,
    },
    /// It cannot be written.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// The state, and the entries that made it and are not stored yet.
#[derive(Debug)]
pub(crate) struct Journal {
    state: State,
    head: LogHead,
    entries: Vec<Entry>,
    /// While another keeper's log is followed: what would have been recorded here. It is neither folded nor stored.
    told: Option<Vec<Event>>,
}

impl Journal {
    pub(crate) fn new(state: State, head: LogHead) -> Self {
        Self {
            state,
            head,
            entries: Vec::new(),
            told: None,
        }
    }

    /// From now on another keeper records, and what would be recorded here is told.
    pub(crate) fn follow_another(&mut self) {
        self.told = Some(Vec::new());
    }

    pub(crate) fn follows(&self) -> bool {
        self.told.is_some()
    }

    pub(crate) fn take_told(&mut self) -> Vec<Event> {
        self.told.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// Folds in what the other has recorded and stored. Returns the payments that changed.
    pub(crate) fn follow(&mut self, event: &Event) -> Result<Vec<PaymentRow>, JournalError> {
        self.head = self.fold(event)?.head();
        Ok(self.state.take_changes().payments)
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn head(&self) -> LogHead {
        self.head
    }

    /// Entries that are not stored yet.
    pub(crate) fn pending(&self) -> usize {
        self.entries.len()
    }

    /// Whether an event that is not stored yet may have opened payments.
    pub(crate) fn has_opened_payments(&self) -> bool {
        let opens = ["requests_accepted", "released", "batch_died"];
        self.entries.iter().any(|entry| opens.contains(&entry.kind))
    }

    pub(crate) fn record(&mut self, event: Event) -> Result<(), JournalError> {
        if let Some(told) = &mut self.told {
            told.push(event);
            return Ok(());
        }
        let entry = self.fold(&event)?;
        self.head = entry.head();
        self.entries.push(entry);
        Ok(())
    }

    fn fold(&mut self, event: &Event) -> Result<Entry, JournalError> {
        let kind = event.kind();
        let entry = Entry::after(self.head, event)?;
        self.state
            .apply(event)
            .map_err(|source| JournalError::Contradiction { kind, source })?;
        Ok(entry)
    }

    /// Stores what was recorded, all or nothing. Returns the payments that changed.
    pub(crate) fn commit<S: Store>(&mut self, store: &mut S) -> Result<Vec<PaymentRow>, S::Error> {
        if self.entries.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.state.take_changes();
        store.commit(&self.entries, &rows)?;
        self.entries.clear();
        Ok(rows.payments)
    }
}
