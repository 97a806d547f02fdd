//! Which of several keepers on one store may write, sign and send. Pure: the clocks and the store's row are the caller's.
//!
//! The store's clock decides when a lease may be taken. Its holder counts by its own monotonic clock, from before it asked,
//! and acts no more in its last fifth. Every commit of the log holds its epoch against the store's, so one that was paused or
//! cut off can commit nothing after another has taken over, whatever any clock says.

use crate::port::Monotonic;

/// How long a lease lasts. [milliseconds]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term(pub u64);

impl Term {
    /// A fifth: a send that has begun is over, and clocks that run at other rates differ by less. [milliseconds]
    pub fn margin(self) -> u64 {
        self.0.div_euclid(5)
    }

    /// Between two renewals, and the longest time that one may take: a quarter. [milliseconds]
    pub fn renewal(self) -> u64 {
        self.0.div_euclid(4)
    }

    /// The end of acting for a holder that asked then, by its own clock. What counts is when it asked, not when the answer
    /// came.
    pub fn acts_until(self, asked: Monotonic) -> Monotonic {
        asked.after(self.0.saturating_sub(self.margin()))
    }
}

/// Whether a holder may sign and send.
pub fn may_act(now: Monotonic, until: Monotonic) -> bool {
    now < until
}

/// Whether anybody may take a lease of which so much is left by the store's clock. [milliseconds]
pub fn is_free(left: u64) -> bool {
    left == 0
}

/// The epoch of whoever takes a lease after that one.
pub fn next_epoch(epoch: u64) -> u64 {
    epoch.saturating_add(1)
}

/// What every commit asks in its own transaction: whether it is still the turn of that epoch.
pub fn may_commit(epoch_of_store: u64, own: u64) -> bool {
    epoch_of_store == own
}

/// The server that a lease was last taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastServer<'a> {
    /// Its timeline; empty if the lease was never taken.
    pub timeline: &'a str,
    /// Each commit waited for a replica.
    pub was_waited_for: bool,
}

impl LastServer<'_> {
    /// Whether a server on that timeline has every commit: it is the same one, or commits had waited for it. Otherwise it
    /// was promoted, or restored from a backup, and may lack the last ones.
    pub fn is_followed_by(&self, timeline: &str) -> bool {
        self.timeline.is_empty() || self.timeline == timeline || self.was_waited_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_stops_before_its_lease_can_be_taken() {
        let term = Term(5_000);
        let until = term.acts_until(Monotonic(100));
        assert_eq!(until, Monotonic(4_100));
        assert!(may_act(Monotonic(4_099), until));
        assert!(!may_act(Monotonic(4_100), until));
        assert!(!is_free(1));
        assert!(is_free(0));
    }

    #[test]
    fn only_the_newest_epoch_commits() {
        let next = next_epoch(7);
        assert!(may_commit(next, next));
        assert!(!may_commit(next, 7));
    }

    #[test]
    fn another_timeline_is_believed_only_if_commits_waited_for_it() {
        let last = |timeline, was_waited_for| LastServer {
            timeline,
            was_waited_for,
        };
        assert!(last("", false).is_followed_by("00000001"));
        assert!(last("00000001", false).is_followed_by("00000001"));
        assert!(!last("00000001", false).is_followed_by("00000002"));
        assert!(last("00000001", true).is_followed_by("00000002"));
    }
}
