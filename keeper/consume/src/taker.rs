//! What becomes of one message, whichever broker it came from.

use std::sync::Arc;

use tidelock_api::{Problem, Requests};
use tokio::{sync::watch, time::sleep};
use tracing::{debug, info, warn};

use crate::{
    Board, Figures, Source,
    figures::Retrying,
    waits::{Pace, Waits},
};

/// Takes the messages of one source.
#[derive(Clone)]
pub(crate) struct Taker {
    pub source: Source,
    requests: Requests,
    board: Board,
    pace: Arc<Pace>,
    stop: watch::Receiver<bool>,
}

/// What a message came to.
pub(crate) enum Fate {
    /// Its request is durable.
    Filed,
    /// It is refused for good.
    Refused(Problem),
}

impl Taker {
    pub fn new(
        source: &Source,
        requests: Requests,
        board: Board,
        stop: watch::Receiver<bool>,
    ) -> Self {
        board.change(&source.name, |figures| figures.connected = false);
        Self {
            pace: Arc::new(Pace::new(source.per_second)),
            source: source.clone(),
            requests,
            board,
            stop,
        }
    }

    /// Until the message's request is durable, or refused for good; none if the process is asked to end before.
    pub async fn take(&self, body: &[u8], from: &str) -> Option<Fate> {
        tokio::select! {
            () = self.pace.turn() => {}
            () = self.stopped() => return None,
        }
        let mut waits = Waits::default();
        loop {
            match self.requests.file(body, &self.source.filed_by).await {
                Ok(filed) => {
                    debug!(source = self.source.name, from, reference = %filed.reference, "filed");
                    self.count(|figures| match filed.known {
                        true => &mut figures.known,
                        false => &mut figures.filed,
                    });
                    return Some(Fate::Filed);
                }
                Err(problem) if problem.is_for_good() => return Some(Fate::Refused(problem)),
                Err(problem) => {
                    if !self.wait(&mut waits, from, &problem.detail).await {
                        return None;
                    }
                }
            }
        }
    }

    /// A message lies among the dead letters.
    pub fn buried(&self, problem: &Problem, from: &str) {
        info!(
            source = self.source.name,
            from,
            why = problem.detail,
            "refused, and put among the dead letters"
        );
        self.count(|figures| &mut figures.dead);
    }

    /// Waits for another try with a message; false if the process is asked to end.
    pub async fn wait(&self, waits: &mut Waits, from: &str, why: &str) -> bool {
        let _retrying = Retrying::new(&self.board, &self.source.name);
        self.pause(waits, from, why).await
    }

    /// Waits for another try; false if the process is asked to end.
    pub async fn pause(&self, waits: &mut Waits, from: &str, why: &str) -> bool {
        let wait = waits.next();
        let again_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        warn!(source = self.source.name, from, why, again_in_ms, "not now");
        tokio::select! {
            () = sleep(wait) => true,
            () = self.stopped() => false,
        }
    }

    pub fn connected(&self, connected: bool) {
        self.board
            .change(&self.source.name, |figures| figures.connected = connected);
    }

    /// Until the process is asked to end.
    pub async fn stopped(&self) {
        // Whoever could ask is gone: that is as good as having asked.
        let _ = self.stop.clone().wait_for(|asked| *asked).await;
    }

    fn count(&self, which: impl FnOnce(&mut Figures) -> &mut u64) {
        self.board.change(&self.source.name, |figures| {
            let count = which(figures);
            *count = count.saturating_add(1);
        });
    }
}
