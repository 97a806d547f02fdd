//! What to do next: the transaction to simulate, if there is one.

use alloy_primitives::B256;

use super::{Engine, follow::Sought, memory::Candidate, pricing::Errand};
use crate::{
    abi::encode_job,
    batch::{Cut, Table},
    domain::{Batch, BlockTime, Payment, PaymentNumber, TierIndex},
    event::{Job, Mode, Route},
    lifecycle::SlotStatus,
    port::{Monotonic, VaultLook},
    state::SlotRow,
    store::Store,
};

/// Life that must be left of a header when its transaction is signed again. [seconds of chain time]
const LEAST_LIFE: u64 = 600;

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// The transaction to simulate next: first what is reserved or stuck, then what people approved, then new batches.
    pub(super) fn next_candidate(&mut self, now: Monotonic) -> Option<Candidate> {
        if matches!(self.state().mode(), Mode::Halted { .. }) || self.memory.view.is_full() {
            return None;
        }
        self.memory.vault()?;
        if self.memory.is_stalled() || self.memory.rests {
            return None;
        }
        if !self.journal.follows()
            && let Some(nonce) = self.slot_to_sign()
        {
            return self.sign_slot(nonce);
        }
        let is_full = self.unincluded().count() >= self.settings.lane.max_unincluded;
        if is_full || self.memory.is_retiring {
            return None;
        }
        self.offer(None, Errand::Call { gas: None })?;
        let (at, vault) = self.memory.vault()?;
        let vault = vault.clone();
        if matches!(self.memory.sought, Sought::Batch(_)) {
            return self.cut(&vault, now);
        }
        self.execution(at, &vault).or_else(|| self.cut(&vault, now))
    }

    /// A nonce that is reserved and unsigned, whose payments were paid past us, or whose transaction the node does not pass on; or the
    /// lowest one if it is stuck. One that the caps leave no room for holds up no other: they may fall, or it lands.
    fn slot_to_sign(&self) -> Option<u64> {
        let tip = self.memory.view.tip().number;
        let lanes = &self.memory.lanes;
        let is_stuck = |nonce| lanes.is_stuck(nonce, tip, &self.settings.lane);
        let can_sign = |slot: &&SlotRow| !lanes.is_capped(slot.nonce) || self.can_replace(slot);
        let is_wanted = |slot: &&SlotRow| {
            slot.status == SlotStatus::Reserved
                || self.is_stopped(&slot.job)
                || (is_stuck(slot.nonce) && self.is_refused(slot))
        };
        let lowest = || self.unincluded().next().filter(|slot| is_stuck(slot.nonce));
        let wanted = self.unincluded().filter(is_wanted).find(can_sign);
        Some(wanted.or_else(|| lowest().filter(can_sign))?.nonce)
    }

    /// The slot's job again, with a longer life if its header has little left. A job that is settled leaves nothing to do
    /// but to use the nonce up.
    fn sign_slot(&mut self, nonce: u64) -> Option<Candidate> {
        let tip = self.memory.view.tip();
        self.memory.lanes.looked_at(nonce, tip.number);
        let slot = self.state().slot(nonce)?;
        let (job, errand) = (slot.job, self.errand(slot));
        let fees = self.offer(Some(nonce), errand);
        self.memory.lanes.set_capped(nonce, fees.is_none());
        fees?; // above a cap, what is signed stays
        if errand == Errand::Void {
            self.sign_void(nonce);
            return None;
        }
        let batch = job.batch().and_then(|id| self.state().open_batch(&id));
        let batch = batch.cloned()?;
        let is_old =
            batch.header.expires_at.seconds() < tip.time.seconds().saturating_add(LEAST_LIFE);
        let is_open = batch.paid.is_zero();
        if let (Job::Pay { .. }, true, true) = (job, is_old, is_open) {
            let header = &batch.header;
            return self.sealed_candidate(
                header.first_number,
                header.tier,
                Route::Direct,
                batch.payments,
                Some(nonce),
            );
        }
        Some(Candidate {
            job,
            data: encode_job(&job, &batch.header, &batch.payments)?,
            header: batch.header,
            payments: batch.payments,
            seal: None,
            nonce: Some(nonce),
            at: tip,
        })
    }

    fn cut(&self, vault: &VaultLook, now: Monotonic) -> Option<Candidate> {
        let (at, _) = self.memory.vault()?;
        let time = self.memory.view.tip().time.seconds();
        let (mut room, mut balance) = self.room(at, vault);
        if time < vault.halted_until || time >= vault.keeper_until {
            (room, balance) = (Vec::new(), 0);
        }
        let mut tiers = vault.tiers.clone();
        if time >= vault.proposer_until {
            tiers.retain(|tier| tier.is_automatic());
        }
        let paused = self.memory.strikes.paused(self.memory.view.tip());
        let solo = self.memory.strikes.solo();
        let of_tier = self.sought_advice();
        let table = Table {
            state: self.state(),
            tiers: &tiers,
            advice: of_tier.as_ref().unwrap_or(self.memory.advised.tiers()),
            open_since: self.memory.advised.open_since(),
            paused: &paused,
            solo: &solo,
            room: &room,
            balance,
            counters: self.memory.counters,
            limit: self.memory.limit,
            settings: &self.settings.batch,
            urgent_through: self.memory.urgent_through,
            patience_ms: self.patience_ms(),
            now,
        };
        let Cut {
            tier,
            route,
            first_number,
            payments,
        } = table.cut()?;
        self.sealed_candidate(first_number, tier, route, payments, None)
    }

    /// A header of now. Its context commits to the log as it is stored now.
    fn sealed_candidate(
        &self,
        first_number: PaymentNumber,
        tier: TierIndex,
        route: Route,
        payments: Vec<Payment>,
        nonce: Option<u64>,
    ) -> Option<Candidate> {
        let (_, vault) = self.memory.vault()?;
        let tip = self.memory.view.tip();
        let settings = &self.settings.batch;
        let life = match route {
            Route::Direct => settings.attempt_ttl_s,
            Route::Proposal => {
                settings.proposal_life(vault.tiers.get(usize::from(tier.get()))?.delay)
            }
        };
        let expires_at = tip.time.seconds().checked_add(life)?;
        let expires_at = BlockTime::from_seconds(expires_at).ok()?;
        let head = self.journal.head();
        let context = head.context(B256::ZERO);
        let header = Batch::seal(first_number, tier, &payments, expires_at, context).ok()?;
        let batch = header.id(&self.state().opening().domain);
        let job = match route {
            Route::Direct => Job::Pay { batch },
            Route::Proposal => Job::Propose { batch },
        };
        Some(Candidate {
            job,
            data: encode_job(&job, &header, &payments)?,
            header,
            payments,
            seal: Some((route, head.seq)),
            nonce,
            at: tip,
        })
    }
}
