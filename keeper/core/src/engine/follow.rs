//! Following another keeper's log: what this engine would decide in the other's place is told, and nothing is written, signed or sent.
//!
//! The other's entries make the state. So the numbers, the nonces and the room that a decision starts from are the other's, and two
//! that decide alike are seen to, however long they run side by side.

use super::{Engine, EngineError};
use crate::{
    event::{Event, Job},
    journal::JournalError,
    port::Monotonic,
    settings::Settings,
    store::Store,
};

use super::memory::Candidate;

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Starts where the other's log ends now. Of the store only what is known of payments is asked from then on.
    pub fn start_following(
        store: S,
        settings: Settings,
        now: Monotonic,
    ) -> Result<Self, EngineError<S::Error>> {
        let settings = Settings {
            sends: false,
            ..settings
        };
        let mut engine = Self::start(store, settings, now)?;
        engine.journal.follow_another();
        Ok(engine)
    }

    /// The next entry of the other's log.
    pub fn follow(&mut self, event: &Event) -> Result<(), JournalError> {
        let changed = self.journal.follow(event)?;
        self.keep_repeats(&changed);
        match event {
            Event::RequestsAccepted { .. } | Event::Released { .. } | Event::BatchDied { .. } => {
                self.memory.advised.look_again();
            }
            Event::AttemptSigned { nonce, .. } => {
                let tip = self.memory.view.tip();
                self.memory.lanes.signed(*nonce, tip.number);
            }
            Event::FinalisedAdvanced { .. } => self.finalise_what_is_final_there(),
            _ => {}
        }
        self.memory.stalled = None;
        Ok(())
    }

    /// Decides anew, from what is known now.
    pub fn reconsider(&mut self) {
        self.memory.stalled = None;
        self.memory.candidate = None;
    }

    /// What it would have recorded since it was asked last: advice that holds, rejects or releases payments, and batches and executions
    /// as they would be sealed and sent.
    pub fn take_decisions(&mut self) -> Vec<Event> {
        self.journal.take_told()
    }

    /// What is final is the other's word too.
    pub(super) fn finalise_what_is_final_there(&mut self) {
        let last = self.state().finalised();
        self.memory.view.finalise((last.number, last.hash));
        self.memory.prune(self.journal.state());
    }

    /// A batch, or an execution, that would be sent now.
    pub(super) fn tell(&mut self, candidate: &Candidate) -> Result<(), JournalError> {
        let Candidate {
            job, header, seal, ..
        } = candidate;
        if let Some((route, anchor)) = seal {
            let refs = candidate.payments.iter().map(|paid| paid.reference());
            return self.journal.record(Event::BatchSealed {
                anchor: *anchor,
                batch: *header,
                refs: refs.collect(),
                route: *route,
            });
        }
        if let Job::Execute { .. } = job {
            let nonce = self.state().next_nonce();
            return self
                .journal
                .record(Event::SlotReserved { nonce, job: *job });
        }
        Ok(())
    }
}
