//! What `keeper run` says of itself: what has changed, once, and a sign of life for `keeper status`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tidelock_core::{engine::Status, event::Mode};
use tracing::{info, warn};

use super::{signs::Signs, stop::Stop, words};
use crate::{
    chain::{Identity, Laggard, Nodes, Warning},
    heartbeat::Heartbeat,
    store::GoOn,
};

/// A wait for the store that is shorter is not worth a word.
const SHORT: Duration = Duration::from_secs(1);
/// Longest time between two words about the same wait.
const RARELY: Duration = Duration::from_secs(60);

/// Says what has changed, and says it once; and leaves a sign of life for `keeper status`.
pub(super) struct Watch {
    store: PathBuf,
    observes: bool,
    nodes: Nodes,
    signs: Signs,
    token_fee: Option<String>,
    last: Option<Status>,
    /// The node that is far behind the other.
    laggard: Option<Laggard>,
    /// Why the last sign of life could not be left.
    heartbeat_failure: Option<String>,
}

impl Watch {
    pub fn new(
        store: &Path,
        observes: bool,
        nodes: Nodes,
        signs: &Signs,
        identity: &Identity,
    ) -> Self {
        let token_fee = identity.warnings.iter().find_map(|warning| match warning {
            Warning::TokenFee(fee) => Some(fee.to_string()),
            _ => None,
        });
        Self {
            store: store.to_owned(),
            observes,
            nodes,
            signs: signs.clone(),
            token_fee,
            last: None,
            laggard: None,
            heartbeat_failure: None,
        }
    }

    pub fn report(&mut self, status: &Status) {
        let last = self.last.as_ref();
        if last.is_none_or(|last| last.mode != status.mode) {
            match &status.mode {
                Mode::Armed => info!("armed"),
                Mode::Halted { reason } => {
                    warn!(reason = words::halt(reason), "halted: nothing is sent")
                }
            }
        }
        if last.is_none_or(|last| last.alerts != status.alerts) {
            status.alerts.iter().for_each(|alert| warn!("{alert}"));
        }
        if last.is_none_or(|last| last.waits != status.waits) && !status.waits.is_empty() {
            info!(waits = ?status.waits, "waiting");
        }
        if let Some(failure) = &status.failure
            && last.is_none_or(|last| last.failure.as_ref() != Some(failure))
        {
            warn!(failure, "no usable answer");
        }
        if last.is_none_or(|last| last.payments != status.payments) {
            info!(tip = status.tip.number, finalised = status.finalised.number,
                unincluded = status.unincluded, payments = ?status.payments, "progress");
        }
        self.compare_nodes();
        self.beat(status);
        let laggard = self.laggard.as_ref().map(ToString::to_string);
        self.signs
            .turns(status, self.observes, (&self.nodes, laggard));
        self.last = Some(status.clone());
    }

    /// Says once that a node has fallen behind, and once that it has followed.
    fn compare_nodes(&mut self) {
        let laggard = self.nodes.laggard();
        match (&self.laggard, &laggard) {
            (None, Some(laggard)) => warn!("{laggard}"),
            (Some(_), None) => info!("neither node is far behind the other any more"),
            _ => {}
        }
        self.laggard = laggard;
    }

    fn beat(&mut self, status: &Status) {
        let mut beat = Heartbeat::of(status, self.observes);
        beat.token_fee.clone_from(&self.token_fee);
        beat.waits
            .extend(self.laggard.as_ref().map(ToString::to_string));
        let written = beat.write(&self.store);
        let failure = written.err().map(|error| error.to_string());
        if let Some(error) = &failure
            && self.heartbeat_failure != failure
        {
            warn!(error, "no heartbeat written");
        }
        self.heartbeat_failure = failure;
    }
}

/// What the writer of the log does while another process holds the store: it waits, until it is asked to stop, and says for
/// whom, ever more rarely.
pub(super) fn while_held(store: &Path, stop: &Stop, signs: &Signs) -> GoOn {
    let (store, stop, signs) = (store.to_owned(), stop.clone(), signs.clone());
    let (mut last, mut next, mut next_sign) = (Duration::ZERO, SHORT, SHORT);
    Box::new(move |held| {
        if held.since < last {
            (next, next_sign) = (SHORT, SHORT); // another wait
        }
        last = held.since;
        if held.since >= next_sign {
            next_sign = held.since.saturating_add(SHORT);
            signs.waits(&format!("the store is held by {}", held.by()));
        }
        if held.since >= next {
            next = held.since.saturating_add(held.since.min(RARELY));
            let (by, seconds) = (held.by(), held.since.as_secs());
            warn!(
                by,
                seconds, "the store is held; nothing is decided until it is free"
            );
            Heartbeat::of_wait(
                &store,
                format!("the store is held by {by}, for {seconds} s now"),
            );
        }
        !stop.is_asked()
    })
}
