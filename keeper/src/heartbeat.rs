//! What a running keeper says of itself, in a file beside its store: what it sees and what it waits for. Not part of the
//! log, and nothing is decided by it.

use std::{
    fs, io,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tidelock_core::{engine::Status, event::BlockRef};

use crate::store::beside;

/// One beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// When it was written, by the machine's clock. [seconds since 1970]
    pub written_at: u64,
    /// It sends nothing.
    pub observes: bool,
    /// The highest block it knows.
    pub tip: BlockRef,
    /// Transactions that are signed and in no block.
    pub unincluded: usize,
    /// Its transactions that were seen to revert since it started.
    #[serde(default)]
    pub reverted: u64,
    /// What the token takes for itself of each transfer, in words.
    #[serde(default)]
    pub token_fee: Option<String>,
    /// What it waits for, in words.
    pub waits: Vec<String>,
    /// What a person must know of, in words.
    pub alerts: Vec<String>,
    /// The last answer that did not come or made no sense, until one does.
    pub failure: Option<String>,
}

impl Heartbeat {
    /// A beat of now.
    pub fn of(status: &Status, observes: bool) -> Self {
        Self {
            written_at: now(),
            observes,
            tip: status.tip,
            unincluded: status.unincluded,
            reverted: status.reverted,
            token_fee: None,
            waits: status.waits.clone(),
            alerts: status.alerts.clone(),
            failure: status.failure.clone(),
        }
    }

    /// Says in the last beat that all else waits for something. What cannot be said is no failure: nothing is decided by it.
    pub fn of_wait(store: &Path, wait: String) {
        if let Some(mut beat) = Self::read(store) {
            beat.written_at = now();
            beat.waits = vec![wait];
            let _ = beat.write(store);
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, store: &Path) -> io::Result<()> {
        let path = beside(store, ".heartbeat");
        let mut draft = path.clone().into_os_string();
        draft.push(".draft");
        fs::write(&draft, serde_json::to_vec(self)?)?;
        fs::rename(&draft, &path)
    }

    /// The last one written, if there is one that can be read.
    pub fn read(store: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(beside(store, ".heartbeat")).ok()?).ok()
    }

    /// How old it is, by the machine's clock. [seconds]
    pub fn age(&self) -> u64 {
        now().saturating_sub(self.written_at)
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
