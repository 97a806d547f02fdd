//! The server's side of the lease: a row, the server's clock, and which server it is. The rules are the core's.

use tidelock_core::lease::{LastServer, Term, is_free, next_epoch};

use crate::fate::Fate;

/// Who leads.
#[derive(Debug, Clone, Default)]
pub struct LeaseRow {
    /// Of whoever took it last; how many have.
    pub epoch: u64,
    /// Its end by the server's clock. [milliseconds]
    expires_ms: u64,
    /// The server it was taken on; empty if it never was.
    timeline: String,
    /// Commits wait for a replica.
    was_waited_for: bool,
}

/// A server.
#[derive(Debug, Clone)]
pub struct Server {
    /// How far its clock is ahead of the run's. [milliseconds]
    pub ahead_ms: u64,
    /// Changes with each promotion and each restore from a backup.
    pub timeline: u32,
    /// Commits wait for a replica.
    pub waits_for_replica: bool,
}

/// What came of trying to take the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// Taken, in that epoch.
    Taken(u64),
    /// Another keeper leads.
    Led,
    /// It is another server than before, which may lack commits.
    Promoted,
}

impl Server {
    /// The first one.
    pub fn new(fate: &mut Fate) -> Self {
        Self {
            ahead_ms: 1_000_000_000,
            timeline: 1,
            waits_for_replica: fate.rng.chance(500),
        }
    }

    /// Its clock. [milliseconds]
    pub fn clock(&self, now_ms: u64) -> u64 {
        now_ms + self.ahead_ms
    }

    /// Takes the lease if it is free.
    pub fn take(&self, row: &mut LeaseRow, term: Term, now_ms: u64) -> Taking {
        let now = self.clock(now_ms);
        if !is_free(row.expires_ms.saturating_sub(now)) {
            return Taking::Led;
        }
        let timeline = self.timeline.to_string();
        let last = LastServer {
            timeline: &row.timeline,
            was_waited_for: row.was_waited_for,
        };
        if !last.is_followed_by(&timeline) {
            return Taking::Promoted;
        }
        *row = LeaseRow {
            epoch: next_epoch(row.epoch),
            expires_ms: now + term.0,
            timeline,
            was_waited_for: self.waits_for_replica,
        };
        Taking::Taken(row.epoch)
    }

    /// Renews the lease of an epoch; false if another has taken it.
    pub fn renew(&self, row: &mut LeaseRow, epoch: u64, term: Term, now_ms: u64) -> bool {
        if row.epoch != epoch {
            return false;
        }
        row.expires_ms = self.clock(now_ms) + term.0;
        true
    }
}

impl LeaseRow {
    /// Whether another server is refused.
    pub fn tells_servers_apart(&self) -> bool {
        self.epoch > 0 && !self.was_waited_for
    }

    /// Gives the lease of an epoch back.
    pub fn release(&mut self, epoch: u64) {
        if self.epoch == epoch {
            self.expires_ms = 0;
        }
    }
}
