//! What a host asks the server about the lease: on its way, answered, or lost.

use tidelock_core::{lease::Term, port::Monotonic};

use crate::{
    fate::Fate,
    faults::Fault,
    world::{lease::Taking, store::Disk},
};

/// A question on its way.
pub struct Errand {
    /// The epoch to renew; none to take the lease.
    epoch: Option<u64>,
    /// When it was sent, by the host's clock.
    pub asked: Monotonic,
    arrives_ms: u64,
    answers_ms: u64,
    loss: Loss,
    said: Option<Said>,
}

/// What gets lost of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    Question,
    Answer,
}

/// What the server answers.
#[derive(Debug, Clone, Copy)]
pub enum Said {
    /// To whoever wants to lead.
    Taking(Taking),
    /// To whoever leads: whether it still does.
    Renewed(bool),
}

impl Errand {
    /// Sets off.
    pub fn new(
        epoch: Option<u64>,
        asked: Monotonic,
        term: Term,
        now_ms: u64,
        fate: &mut Fate,
    ) -> Self {
        let mut way = || fate.rng.below(term.0 / 32 + 1);
        let (there, back) = (way(), way());
        let mut errand = Self {
            epoch,
            asked,
            arrives_ms: now_ms + there,
            answers_ms: now_ms + there + back,
            loss: Loss::Nothing,
            said: None,
        };
        if epoch.is_some() && fate.strikes(Fault::LeaseLate) {
            fate.struck(Fault::LeaseLate);
            let late = fate.rng.between(term.renewal(), term.0 * 2);
            let on_the_way_back = fate.rng.chance(500);
            errand.answers_ms += late;
            if !on_the_way_back {
                errand.arrives_ms += late;
            }
        }
        if fate.strikes(Fault::LeaseLost) {
            fate.struck(Fault::LeaseLost);
            errand.loss = fate.rng.pick(&[Loss::Question, Loss::Answer]);
        }
        errand
    }

    /// Reaches the server when it is time, unless it is lost.
    pub fn run(
        &mut self,
        disk: &mut Disk,
        term: Term,
        (now_ms, is_cut_off): (u64, bool),
        fate: &mut Fate,
    ) {
        if now_ms < self.arrives_ms || self.said.is_some() {
            return;
        }
        if is_cut_off {
            self.loss = Loss::Question;
        }
        if self.loss == Loss::Question {
            return;
        }
        let server = &disk.server;
        let lease = &mut disk.tables.lease;
        self.said = Some(match self.epoch {
            None => Said::Taking(server.take(lease, term, now_ms)),
            Some(epoch) => {
                let renewed = server.renew(lease, epoch, term, now_ms);
                if renewed {
                    disk.cut_short.remove(&epoch);
                }
                Said::Renewed(renewed)
            }
        });
        if let Some(Said::Taking(Taking::Taken(epoch))) = self.said {
            fate.say(|| format!("server: the lease is taken, epoch {epoch}"));
        }
    }

    /// Whether it may still reach the server.
    pub fn is_away(&self) -> bool {
        self.said.is_none() && self.loss != Loss::Question
    }

    /// Whether it is answered, or waited for no longer.
    pub fn is_over(&self, at: Monotonic, term: Term, now_ms: u64) -> bool {
        let is_back =
            self.said.is_some() && self.loss == Loss::Nothing && now_ms >= self.answers_ms;
        is_back || at >= self.asked.after(term.renewal())
    }

    /// The answer; none if it did not come in time.
    pub fn said(&self, now_ms: u64) -> Option<Said> {
        let is_back = self.loss == Loss::Nothing && now_ms >= self.answers_ms;
        self.said.filter(|_| is_back)
    }
}
