use std::time::{Duration, Instant};

use tidelock_core::{cost::Charge, submit::FeePolicy};

use super::{
    pulse::{Beat, Pulse, Said},
    tally::Tally,
};
use crate::store::{Location, Overview, Reader, StoreError};

/// Asked more often than this, the same is answered again.
const FRESH: Duration = Duration::from_secs(1);

/// What an operator has set, as far as figures are held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `[fees]`
    pub fees: FeePolicy,
    /// A transaction of most gas at the highest fee, some of which the key should be able to pay.
    pub transaction: Charge,
}

/// Everything that is told, of one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(super) said: Said,
    pub(super) limits: Limits,
    /// What the store says; why it says nothing, if it does not.
    pub(super) stored: Result<Stored, String>,
}

/// What the store says.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub overview: Overview,
    pub decimals: u8,
    pub tally: Tally,
}

impl Snapshot {
    pub(super) fn beat(&self) -> Option<&Beat> {
        self.said.beat.as_ref()
    }

    pub(super) fn stored(&self) -> Option<&Stored> {
        self.stored.as_ref().ok()
    }
}

/// Reads the store for figures. Its calls block.
pub(super) struct Source {
    pulse: Pulse,
    limits: Limits,
    store: Location,
    reader: Option<Reader>,
    /// What was counted outlives a store that fails.
    tally: Option<Tally>,
    last: Option<(Instant, Result<Stored, String>)>,
}

impl Drop for Source {
    /// A reader waits for its database when it is dropped, and the pages end where nothing may wait.
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            std::thread::spawn(move || drop(reader));
        }
    }
}

impl Source {
    pub fn new(pulse: Pulse, limits: Limits, store: Location) -> Self {
        Self {
            pulse,
            limits,
            store,
            reader: None,
            tally: None,
            last: None,
        }
    }

    pub fn snapshot(&mut self) -> Snapshot {
        let stored = match &self.last {
            Some((at, stored)) if at.elapsed() < FRESH => stored.clone(),
            _ => {
                let stored = self.read().map_err(|error| error.to_string());
                self.last = Some((Instant::now(), stored.clone()));
                stored
            }
        };
        Snapshot {
            said: self.pulse.said(),
            limits: self.limits,
            stored,
        }
    }

    fn read(&mut self) -> Result<Stored, StoreError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(self.store.clone())?,
        };
        let tally = match &mut self.tally {
            Some(tally) => tally,
            none => none.insert(Tally::start(&mut reader)?),
        };
        tally.follow(&mut reader)?;
        let stored = Stored {
            overview: reader.overview()?,
            decimals: reader.identity().decimals,
            tally: tally.clone(),
        };
        self.reader = Some(reader); // after an error it is opened anew
        Ok(stored)
    }
}
