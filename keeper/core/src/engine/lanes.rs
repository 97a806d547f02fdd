//! Transactions that are in no block: when each was sent, and when it is time for another one with its nonce.

use std::collections::BTreeMap;

use crate::{settings::LaneSettings, state::State};

/// By nonce.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<u64, Lane>);

/// A nonce whose transaction is in no block.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    /// Height at which it was last sent.
    sent_at: Option<u64>,
    /// Height at which it was last signed, or looked at.
    since: u64,
    /// The node does not take it as it is: another one is signed soon.
    to_replace: bool,
    /// It cannot be raised below the operator's caps.
    is_capped: bool,
}

impl Lanes {
    /// Another transaction with the nonce is signed.
    pub(super) fn signed(&mut self, nonce: u64, height: u64) {
        let lane = Lane {
            since: height,
            ..Lane::default()
        };
        self.0.insert(nonce, lane);
    }

    pub(super) fn sent(&mut self, nonce: u64, height: u64) {
        let lane = self.0.entry(nonce).or_default();
        lane.sent_at = Some(height);
        if lane.since == 0 {
            lane.since = height; // signed before this start
        }
    }

    /// Nobody knows whether it was sent: it is sent again.
    pub(super) fn unsent(&mut self, nonce: u64) {
        if let Some(lane) = self.0.get_mut(&nonce) {
            lane.sent_at = None;
        }
    }

    /// Each is sent again.
    pub(super) fn unsent_all(&mut self) {
        self.0.values_mut().for_each(|lane| lane.sent_at = None);
    }

    /// The node does not take it as it is.
    pub(super) fn refused(&mut self, nonce: u64) {
        if let Some(lane) = self.0.get_mut(&nonce) {
            lane.to_replace = true;
        }
    }

    /// It was time for another one, which may not have come to be.
    pub(super) fn looked_at(&mut self, nonce: u64, height: u64) {
        self.0.entry(nonce).or_default().since = height;
    }

    /// Whether the operator's caps leave no room for another one.
    pub(super) fn set_capped(&mut self, nonce: u64, is_capped: bool) {
        self.0.entry(nonce).or_default().is_capped = is_capped;
    }

    pub(super) fn is_capped(&self, nonce: u64) -> bool {
        self.0.get(&nonce).is_some_and(|lane| lane.is_capped)
    }

    /// Whether it is time to send it, again or for the first time.
    pub(super) fn is_due(&self, nonce: u64, height: u64, settings: &LaneSettings) -> bool {
        let sent_at = self.0.get(&nonce).and_then(|lane| lane.sent_at);
        sent_at.is_none_or(|at| height >= at.saturating_add(settings.rebroadcast_blocks))
    }

    /// Whether it is time for another one.
    pub(super) fn is_stuck(&self, nonce: u64, height: u64, settings: &LaneSettings) -> bool {
        self.0.get(&nonce).is_some_and(|lane| {
            let patience = if lane.to_replace {
                1
            } else {
                settings.replace_blocks
            };
            height >= lane.since.saturating_add(patience)
        })
    }

    pub(super) fn prune(&mut self, state: &State) {
        self.0.retain(|nonce, _| state.slot(*nonce).is_some());
    }
}
