use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tidelock_core::engine::Status;

/// A keeper that has said nothing for longer hangs: it says something twice a second.
pub(super) const STALE: Duration = Duration::from_secs(15);

/// What the keeper said last of itself, for whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Said>>);

/// What was said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// What the engine is about; none until it turns.
    pub beat: Option<Beat>,
    /// What all else waits for, and since when it was said last.
    pub wait: Option<(Instant, String)>,
}

/// One report of the engine.
#[derive(Debug, Clone)]
pub(super) struct Beat {
    pub at: Instant,
    pub status: Status,
    pub observes: bool,
    pub nodes: Vec<NodeFigures>,
    pub disagreements: u64,
    /// A node is far behind the other, in words.
    pub laggard: Option<String>,
}

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFigures {
    /// `first` or `second`.
    pub name: &'static str,
    /// Questions that it was asked.
    pub asked: u64,
    /// Those that no usable answer came to.
    pub unanswered: u64,
    /// Number and time of the newest block that it told. [seconds since 1970]
    pub newest: Option<(u64, u64)>,
}

impl Pulse {
    fn with<T>(&self, act: impl FnOnce(&mut Said) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The engine turns.
    pub fn beat(
        &self,
        status: &Status,
        observes: bool,
        (nodes, disagreements, laggard): (Vec<NodeFigures>, u64, Option<String>),
    ) {
        let beat = Beat {
            at: Instant::now(),
            status: status.clone(),
            observes,
            nodes,
            disagreements,
            laggard,
        };
        self.with(|said| {
            *said = Said {
                beat: Some(beat),
                wait: None,
            }
        });
    }

    /// The engine turns no more: what it said is over, and its silence no sign that it hangs. Whatever comes next says so.
    pub fn ends(&self) {
        self.with(|said| said.beat = None);
    }

    /// All else waits for something.
    pub fn waits(&self, wait: impl Into<String>) {
        let wait = (Instant::now(), wait.into());
        self.with(|said| said.wait = Some(wait));
    }

    pub(super) fn said(&self) -> Said {
        self.with(|said| said.clone())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use alloy::primitives::B256;
    use tidelock_core::{
        domain::BlockTime,
        engine::Figures,
        event::{BlockRef, Mode},
        log::LogHead,
    };

    use super::*;

    /// A report of an engine that has nothing to do.
    pub(in super::super) fn beat(at: Instant) -> Beat {
        let block = BlockRef {
            number: 7,
            hash: B256::ZERO,
            time: BlockTime::from_seconds(1_800_000_000).unwrap(),
        };
        let figures = Figures {
            head: LogHead::EMPTY,
            batches: BTreeMap::new(),
            slots: BTreeMap::new(),
            attempts: 0,
            base_fee: None,
            suggested_tip: 0,
            needed: None,
            offer: None,
            budget: None,
            unsigned: None,
            reverted: BTreeMap::new(),
            vault: None,
        };
        let status = Status {
            tip: block,
            finalised: block,
            mode: Mode::Armed,
            payments: BTreeMap::new(),
            unincluded: 0,
            reverted: 0,
            waits: Vec::new(),
            alerts: Vec::new(),
            failure: None,
            figures,
        };
        Beat {
            at,
            status,
            observes: false,
            nodes: Vec::new(),
            disagreements: 0,
            laggard: None,
        }
    }
}
