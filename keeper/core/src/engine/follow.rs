//! Following another keeper's log: what this engine would decide in the other's place is told, and nothing is written, signed or sent.
//!
//! The other's entries make the state. So the numbers, the nonces and the room that a decision starts from are the other's, and two
//! that decide alike are seen to, however long they run side by side.

use std::collections::BTreeMap;

use super::{Engine, EngineError, memory::Candidate};
use crate::{
    domain::{BatchId, PaymentRef, TierIndex},
    event::{Event, Job},
    journal::JournalError,
    port::{Monotonic, VaultLook},
    settings::Settings,
    store::Store,
};

/// Decisions that do not depend on one another may be made in any order: which one is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sought {
    /// Whatever comes first.
    #[default]
    Any,
    /// A batch in this tier.
    Batch(TierIndex),
    /// Executing this batch.
    Execution(BatchId),
}

impl Sought {
    pub(super) fn may_execute(self, batch: &BatchId) -> bool {
        match self {
            Self::Any => true,
            Self::Batch(_) => false,
            Self::Execution(id) => id == *batch,
        }
    }
}

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
            Event::SlotConsumed {
                cost: Some(cost), ..
            } => self.memory.spent.add(*cost),
            // A look at the same block that was made before did not ask about it.
            Event::ProposalFinal { .. } | Event::Adopted { .. } => self.memory.look = None,
            Event::FinalisedAdvanced { .. } => self.finalise_what_is_final_there(),
            _ => {}
        }
        self.memory.stalled = None;
        self.memory.sought = Sought::Any;
        Ok(())
    }

    /// Decides anew, from what is known now, looking for one decision until the log goes on.
    pub fn reconsider(&mut self, sought: Sought) {
        self.memory.sought = sought;
        if let Sought::Execution(id) = sought {
            // One that was under way when the proposal became final did not ask about it.
            let lacks = |vault: &VaultLook| vault.proposals.iter().all(|(known, _)| *known != id);
            self.memory.look.take_if(|(_, vault)| lacks(vault));
        }
        self.memory.stalled = None;
        self.memory.candidate = None;
    }

    /// What it would have recorded since it was asked last: advice that holds, rejects or releases payments, and batches and executions
    /// as they would be sealed and sent.
    pub fn take_decisions(&mut self) -> Vec<Event> {
        self.journal.take_told()
    }

    /// What policy says of payments, as far as a tier is looked for.
    pub(super) fn sought_advice(&self) -> Option<BTreeMap<PaymentRef, TierIndex>> {
        let Sought::Batch(tier) = self.memory.sought else {
            return None;
        };
        let advice = self.memory.advised.tiers().iter();
        let advice = advice.filter(|(_, its)| **its == tier);
        Some(advice.map(|(known, its)| (*known, *its)).collect())
    }

    /// What is final is the other's word too.
    pub(super) fn finalise_what_is_final_there(&mut self) {
        let last = self.state().finalised();
        self.memory.view.finalise((last.number, last.hash));
        self.prune_spent();
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
