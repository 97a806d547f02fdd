//! A process that stands still, as one does that is stopped, swapped out or moved, and then goes on where it was.

use tidelock_core::{
    lease::{Term, may_act},
    port::Effect,
};

use super::Host;
use crate::{fate::Fate, faults::Fault};

/// The process stands still.
pub(super) struct Pause {
    /// Until when. [milliseconds]
    pub until_ms: u64,
    /// Where.
    pub at: Place,
}

/// Where.
pub(super) enum Place {
    /// Between two rounds of its loop.
    Idle,
    /// After it has looked at its lease, before the turn.
    BeforeTurn,
    /// After the turn's commit, before what it decided is begun.
    BeforeActs(Vec<Effect>),
}

impl Host {
    pub(super) fn may_pause(&self, fate: &mut Fate) -> bool {
        self.term.is_some() && fate.strikes(Fault::LongPause)
    }

    /// Most of what is decided is a question, after which a pause does no harm.
    pub(super) fn may_pause_before(&self, effects: &[Effect], fate: &mut Fate) -> bool {
        let acts = effects.iter().any(Effect::is_act);
        self.term.is_some() && acts && fate.has(Fault::LongPause) && fate.rng.chance(40)
    }

    pub(super) fn is_paused_by(&mut self, fate: &mut Fate, now_ms: u64, at: Place) -> bool {
        let pauses = self.may_pause(fate);
        if pauses {
            self.pause_at(at, now_ms, fate);
        }
        pauses
    }

    pub(super) fn pause_at(&mut self, at: Place, now_ms: u64, fate: &mut Fate) {
        let Some(Term(term)) = self.term else { return };
        let until_ms = now_ms + fate.rng.between(term / 4, term * 3);
        if self
            .tenure
            .is_some_and(|own| !may_act(self.clock.at(until_ms), own.until))
        {
            fate.struck(Fault::LongPause);
        }
        fate.say(|| format!("{}: stands still until {until_ms} ms", self.name));
        self.pause = Some(Pause { until_ms, at });
    }
}
