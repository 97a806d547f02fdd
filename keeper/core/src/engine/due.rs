//! Asking for what is due: every effect that is not under way.

use super::Engine;
use crate::{
    domain::{BatchId, Payment},
    event::BlockRef,
    lifecycle::BatchStatus,
    port::{Effect, Key, Monotonic},
    screen,
    state::SlotRow,
    store::Store,
    submit::Unsigned,
};

/// Payments that one question for advice is about, at most.
const ADVICE: usize = 400;
/// Chain time after which the vault is looked at again though nothing waits and it logged nothing: caps fill up again, and coins reach it
/// without a word. [seconds]
const REST_S: u64 = 30;
/// Proposals that one look at the vault is about, at most: whoever may propose must not make looking dear.
const PROPOSALS: usize = 64;

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Every effect that is due and not under way.
    pub(super) fn due(&mut self, now: Monotonic) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.memory.questions.prune(now);
        let tip = self.memory.view.tip();
        self.begin(Effect::Poll { tip }, now, &mut effects);
        if self.memory.view.tip_block().is_none() {
            return effects; // nothing is known of the chain yet
        }
        self.look(tip, now, &mut effects);
        self.advise(tip, now, &mut effects);
        self.simulate(now, &mut effects);
        if !self.journal.follows() {
            self.recall(now, &mut effects);
        }
        self.drop_stale_signing();
        if let Some(unsigned) = &self.memory.signing
            && self.is_armed()
        {
            let sign = Effect::Sign {
                nonce: unsigned.nonce(),
                digest: unsigned.digest(),
                preimage: unsigned.preimage(),
            };
            self.begin(sign, now, &mut effects);
        }
        self.send(tip, now, &mut effects);
        self.ask_why(now, &mut effects);
        effects
    }

    /// What waited for its signature when the keeper was halted is made anew after it, at the fees of then.
    fn drop_stale_signing(&mut self) {
        let nonce = self.memory.signing.as_ref().map(Unsigned::nonce);
        let is_asked = nonce.is_some_and(|nonce| {
            let key = Key::Sign(nonce);
            self.memory.questions.is_under_way(key)
        });
        if !self.is_armed() && !is_asked {
            self.memory.signing = None;
        }
    }

    pub(super) fn begin(
        &mut self,
        effect: Effect,
        now: Monotonic,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let key = effect.key();
        if !self.may_start(key, now) {
            return false;
        }
        self.memory.questions.start(effect.clone());
        effects.push(effect);
        true
    }

    pub(super) fn may_start(&self, key: Key, now: Monotonic) -> bool {
        self.memory.questions.may_start(key, now)
    }

    fn look(&mut self, tip: BlockRef, now: Monotonic, effects: &mut Vec<Effect>) {
        let is_fresh = self.memory.look.as_ref().is_some_and(|(at, _)| *at == tip);
        self.memory.rests &= !is_fresh;
        if is_fresh || !self.may_start(Key::Look, now) {
            return;
        }
        if self.may_rest(tip) {
            self.memory.rests = true;
            return;
        }
        let proposals = self.proposals_in_turn();
        self.begin(Effect::Look { at: tip, proposals }, now, effects);
        self.memory.looks = self.memory.looks.wrapping_add(1);
    }

    /// Whether the last look will do: nothing waits for what the vault says, and it has logged nothing since.
    fn may_rest(&self, tip: BlockRef) -> bool {
        let state = self.state();
        let waits = state.open_payments().next().is_some()
            || state.open_batches().next().is_some()
            || state.slots().next().is_some();
        let Some((at, _)) = self.memory.vault().filter(|_| !waits) else {
            return false;
        };
        let blocks = self.memory.view.blocks().rev();
        let mut since = blocks.take_while(|block| block.id.number > at.number);
        let age = tip.time.seconds().saturating_sub(at.time.seconds());
        age < REST_S && since.all(|block| block.facts.is_empty())
    }

    /// The proposals to look at now. If there are many, each has its turn, whichever blocks are seen.
    fn proposals_in_turn(&self) -> Vec<BatchId> {
        let live = self.state().open_batches();
        let proposed = live.filter(|batch| batch.status == BatchStatus::Proposed);
        let ids: Vec<BatchId> = proposed.map(|batch| batch.id).collect();
        let mut groups: Vec<&[BatchId]> = ids.chunks(PROPOSALS).collect();
        let count = u64::try_from(groups.len()).unwrap_or(u64::MAX);
        let turn = self.memory.looks.checked_rem(count);
        let turn = turn.and_then(|turn| usize::try_from(turn).ok());
        match turn.filter(|turn| *turn < groups.len()) {
            Some(turn) => groups.swap_remove(turn).to_vec(),
            None => Vec::new(),
        }
    }

    fn advise(&mut self, tip: BlockRef, now: Monotonic, effects: &mut Vec<Effect>) {
        if !self.memory.advised.may_lack() || !self.may_start(Key::Advise, now) {
            return;
        }
        let refs = screen::unadvised(&self.journal, self.memory.advised.tiers(), ADVICE);
        let rows = refs
            .iter()
            .filter_map(|known| self.state().open_payment(known));
        let payments: Vec<Payment> = rows.map(|row| row.payment).collect();
        if payments.is_empty() {
            self.memory.advised.lacks_none();
        } else {
            self.begin(Effect::Advise { at: tip, payments }, now, effects);
        }
    }

    fn simulate(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        if self.memory.signing.is_some() || !self.may_start(Key::Simulate, now) {
            return;
        }
        if self.memory.candidate.is_none() {
            self.memory.candidate = self.next_candidate(now);
        }
        let Some(candidate) = &self.memory.candidate else {
            return;
        };
        let simulate = Effect::Simulate {
            at: candidate.at,
            data: candidate.data.clone(),
            gas_limit: self.transaction_gas(),
            until: candidate.until(self.settings.batch.attempt_ttl_s),
        };
        self.begin(simulate, now, effects);
    }

    /// Rule 3: only what is stored is sent, again and again until a block holds it.
    fn send(&mut self, tip: BlockRef, now: Monotonic, effects: &mut Vec<Effect>) {
        if !self.is_armed() {
            return;
        }
        let mut sends = Vec::new();
        for slot in self.unincluded() {
            let lanes = &self.memory.lanes;
            if lanes.is_due(slot.nonce, tip.number, &self.settings.lane)
                && let Some(newest) = slot.attempts.iter().rfind(|one| self.is_taken(one))
                && !self.is_stopped(&newest.job)
            {
                let (hash, raw) = (newest.hash, newest.raw.clone());
                sends.push((slot.nonce, Effect::Send { hash, raw }));
            }
        }
        for (nonce, send) in sends {
            if self.begin(send, now, effects) {
                self.memory.lanes.sent(nonce, tip.number);
            }
        }
    }

    /// Slots none of whose attempts is in a block, by nonce.
    pub(super) fn unincluded(&self) -> impl Iterator<Item = &SlotRow> {
        self.journal
            .state()
            .slots()
            .filter(|slot| self.included_at(slot).is_none())
    }

    /// The block that holds one of the slot's attempts. Rule 6: any of them.
    pub(super) fn included_at(&self, slot: &SlotRow) -> Option<BlockRef> {
        let mut hashes = slot.attempts.iter().map(|attempt| attempt.hash);
        hashes.find_map(|hash| self.memory.view.including(hash))
    }
}
