//! What two keepers must decide alike, and whether they did.

use std::collections::BTreeMap;

use tidelock_core::{
    domain::{Batch, PaymentRef},
    engine::Sought,
    event::{Event, HoldReason, Job, Route},
    lifecycle::PaymentStatus,
    state::State,
};

/// How far the ends of two headers may be apart that were made at about the same block. [seconds of chain time]
const ENDS: u64 = 600;

/// What policy, recipient book and token were taken to say of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pay,
    Reject,
    Hold(&'static str),
}

impl Verdict {
    fn words(self) -> String {
        match self {
            Self::Pay => "pays it".to_owned(),
            Self::Reject => "refuses it for good".to_owned(),
            Self::Hold(why) => format!("holds it: {why}"),
        }
    }

    /// That of an entry, if it is one.
    fn of(event: &Event) -> Option<(Self, &[PaymentRef])> {
        Some(match event {
            Event::Released { refs } => (Self::Pay, refs),
            Event::Rejected { refs } => (Self::Reject, refs),
            Event::Held { refs, reason } => {
                let why = match reason {
                    HoldReason::RecipientBlocked => "recipient blocked",
                    HoldReason::AboveLimit => "above limit",
                    HoldReason::TokenBlacklist => "token blacklist",
                    _ => return None, // of people, of the chain, or of what a process remembers
                };
                (Self::Hold(why), refs)
            }
            _ => return None,
        })
    }
}

/// A decision of the keeper that leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// A batch was cut.
    Seal {
        batch: Batch,
        refs: Vec<PaymentRef>,
        route: Route,
    },
    /// What people approved is executed.
    Execute(Job),
    /// Payments were looked at for the first time.
    Judge(Verdict, Vec<PaymentRef>),
}

impl Decision {
    /// That of an entry which is not folded in yet, if it is one that follows from log and chain alone.
    pub fn of(event: &Event, state: &State) -> Option<Self> {
        let status = |known: &PaymentRef| state.open_payment(known).map(|row| row.status);
        if let Some((verdict, refs)) = Verdict::of(event) {
            // What an operator lets go on was looked at long ago.
            let is_new = |known: &&PaymentRef| status(known) == Some(PaymentStatus::Requested);
            let refs: Vec<PaymentRef> = refs.iter().filter(is_new).copied().collect();
            return (!refs.is_empty()).then_some(Self::Judge(verdict, refs));
        }
        match event {
            Event::BatchSealed {
                batch, refs, route, ..
            } => {
                // What is sealed again under its nonce has only been given more time.
                let is_cut = refs
                    .iter()
                    .all(|known| status(known) == Some(PaymentStatus::Open));
                is_cut.then(|| Self::Seal {
                    batch: *batch,
                    refs: refs.clone(),
                    route: *route,
                })
            }
            Event::SlotReserved {
                job: job @ Job::Execute { .. },
                ..
            } => Some(Self::Execute(*job)),
            _ => None,
        }
    }

    /// Whether the other decided the same.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Seal { batch, refs, route },
                Self::Seal {
                    batch: its,
                    refs: its_refs,
                    route: its_route,
                },
            ) => {
                let ends = batch.expires_at.seconds();
                (batch.tier, batch.first_number, refs, route)
                    == (its.tier, its.first_number, its_refs, its_route)
                    && ends.abs_diff(its.expires_at.seconds()) <= ENDS
            }
            _ => self == other,
        }
    }

    /// What has to be looked for to come to the same.
    pub fn sought(&self) -> Sought {
        match self {
            Self::Seal { batch, .. } => Sought::Batch(batch.tier),
            Self::Execute(job) => job.batch().map_or(Sought::Any, Sought::Execution),
            Self::Judge(..) => Sought::Any,
        }
    }

    /// The payments that it is about, if it says which.
    pub fn refs(&self) -> &[PaymentRef] {
        match self {
            Self::Seal { refs, .. } | Self::Judge(_, refs) => refs,
            Self::Execute(_) => &[],
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Seal { batch, refs, route } => {
                let how = match route {
                    Route::Direct => "pays",
                    Route::Proposal => "proposes",
                };
                let first = refs.first().map(ToString::to_string).unwrap_or_default();
                format!(
                    "{how} {} in tier {} from number {}, with {first} first, until {}",
                    refs.len(),
                    batch.tier.get(),
                    batch.first_number,
                    batch.expires_at.seconds()
                )
            }
            Self::Execute(job) => match job {
                Job::Execute { batch, skip } => format!("executes {batch} without {skip:#x}"),
                other => format!("{other:?}"),
            },
            Self::Judge(verdict, refs) => {
                let first = refs.first().map(ToString::to_string).unwrap_or_default();
                format!(
                    "of {first} and {} more: {}",
                    refs.len().saturating_sub(1),
                    verdict.words()
                )
            }
        }
    }
}

/// What the follower would have decided, until the leader's log goes on.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Batches and executions, the newest last.
    acts: Vec<Decision>,
    verdicts: BTreeMap<PaymentRef, Verdict>,
}

impl Own {
    /// Takes in what the engine would have recorded; answers the batch or execution among it.
    pub fn take(&mut self, event: &Event, state: &State) -> Option<Decision> {
        if let Some((verdict, refs)) = Verdict::of(event) {
            self.verdicts
                .extend(refs.iter().map(|known| (*known, verdict)));
            return None;
        }
        let act = Decision::of(event, state)?;
        self.acts.retain(|known| *known != act);
        self.acts.push(act.clone());
        Some(act)
    }

    /// Whether it decided the same.
    pub fn has(&self, decision: &Decision) -> bool {
        match decision {
            Decision::Judge(verdict, refs) => refs
                .iter()
                .all(|known| self.verdicts.get(known) == Some(verdict)),
            act => self.acts.iter().any(|own| own.is(act)),
        }
    }

    /// Whether it decided something else.
    pub fn has_another(&self, decision: &Decision) -> bool {
        match decision {
            Decision::Judge(_, refs) => refs.iter().any(|known| self.verdicts.contains_key(known)),
            _ => !self.acts.is_empty(),
        }
    }

    /// What it decided instead, in words.
    pub fn instead(&self, decision: &Decision) -> String {
        let other = match decision {
            Decision::Judge(verdict, refs) => {
                let other = refs
                    .iter()
                    .find(|known| self.verdicts.get(known) != Some(verdict));
                other.map(|known| match self.verdicts.get(known) {
                    Some(own) => format!("of {known}: {}", own.words()),
                    None => format!("has no word on {known}"),
                })
            }
            Decision::Execute(_) | Decision::Seal { .. } => self.acts.last().map(Decision::words),
        };
        other.unwrap_or_else(|| "waits".to_owned())
    }

    /// The leader has decided: what was to be done is done, or is to be done otherwise.
    pub fn settle(&mut self, decision: &Decision) {
        match decision {
            Decision::Judge(_, refs) => {
                self.verdicts.retain(|known, _| !refs.contains(known));
            }
            _ => self.acts.clear(),
        }
    }
}
