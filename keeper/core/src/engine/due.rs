//! Deciding what to do next, and asking for it.

use std::collections::BTreeSet;

use alloy_primitives::{B256, U256};

use super::{Engine, memory::Candidate, simulated::full};
use crate::{
    abi::{Fact, encode_job},
    batch::{Cut, Table},
    domain::{Batch, BatchId, BlockTime, Payment, PaymentNumber, TierIndex},
    event::{BlockRef, Job, Mode, Route},
    lifecycle::{BatchStatus, SlotStatus},
    port::{Effect, Key, Monotonic, ProposalState, VaultLook},
    screen,
    state::{BatchRow, SlotRow},
    store::Store,
    submit::Unsigned,
};

/// Payments that one question for advice is about, at most.
const ADVICE: usize = 400;
/// Proposals that one look at the vault is about, at most: whoever may propose must not make looking dear.
const PROPOSALS: usize = 64;
/// Life that must be left of a header when its transaction is signed again. [seconds of chain time]
const LEAST_LIFE: u64 = 600;

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Every effect that is due and not under way.
    pub(super) fn due(&mut self, now: Monotonic) -> Vec<Effect> {
        let mut effects = Vec::new();
        let tip = self.memory.view.tip();
        if now >= self.memory.next_poll {
            self.begin(Effect::Poll { tip }, now, &mut effects);
        }
        if self.memory.view.tip_block().is_none() {
            return effects; // nothing is known of the chain yet
        }
        self.look(tip, now, &mut effects);
        self.advise(tip, now, &mut effects);
        self.simulate(now, &mut effects);
        self.recall(now, &mut effects);
        self.drop_stale_signing();
        if let Some(unsigned) = &self.memory.signing
            && self.is_armed()
        {
            let sign = Effect::Sign {
                nonce: unsigned.nonce(),
                digest: unsigned.digest(),
            };
            self.begin(sign, now, &mut effects);
        }
        self.send(tip, now, &mut effects);
        effects
    }

    /// What waited for its signature when the keeper was halted is made anew after it, at the fees of then.
    fn drop_stale_signing(&mut self) {
        let nonce = self.memory.signing.as_ref().map(Unsigned::nonce);
        let is_asked = nonce.is_some_and(|nonce| {
            let key = Key::Sign(nonce);
            self.memory.in_flight.contains_key(&key)
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
        self.memory.not_before.remove(&key);
        self.memory.in_flight.insert(key, effect.clone());
        effects.push(effect);
        true
    }

    pub(super) fn may_start(&self, key: Key, now: Monotonic) -> bool {
        let is_early = self.memory.not_before.get(&key).is_some_and(|at| now < *at);
        !is_early && !self.memory.in_flight.contains_key(&key)
    }

    fn look(&mut self, tip: BlockRef, now: Monotonic, effects: &mut Vec<Effect>) {
        let is_fresh = self.memory.look.as_ref().is_some_and(|(at, _)| *at == tip);
        if is_fresh || !self.may_start(Key::Look, now) {
            return;
        }
        let proposals = self.proposals_in_turn();
        self.begin(Effect::Look { at: tip, proposals }, now, effects);
        self.memory.looks = self.memory.looks.wrapping_add(1);
    }

    /// The proposals to look at now. If there are many, each has its turn, whichever blocks are seen.
    fn proposals_in_turn(&self) -> Vec<BatchId> {
        let live = self.state().batches();
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
        if !self.memory.has_unadvised || !self.may_start(Key::Advise, now) {
            return;
        }
        let refs = screen::unadvised(&self.journal, &self.memory.tiers, ADVICE);
        let rows = refs.iter().filter_map(|known| self.state().payment(known));
        let payments: Vec<Payment> = rows.map(|row| row.payment).collect();
        if payments.is_empty() {
            self.memory.has_unadvised = false;
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
            gas_limit: self.settings.max_transaction_gas,
        };
        self.begin(simulate, now, effects);
    }

    /// Rule 3: only what is stored is sent, again and again until a block holds it.
    fn send(&mut self, tip: BlockRef, now: Monotonic, effects: &mut Vec<Effect>) {
        if !self.is_armed() {
            return;
        }
        let every = self.settings.lane.rebroadcast_blocks;
        let mut sends = Vec::new();
        for slot in self.unincluded() {
            let lane = self.memory.lanes.get(&slot.nonce);
            let sent_at = lane.and_then(|lane| lane.sent_at);
            let is_due = sent_at.is_none_or(|at| tip.number >= at.saturating_add(every));
            if let (true, Some(newest)) = (is_due, slot.attempts.last())
                && !self.is_stopped(&newest.job)
            {
                let (hash, raw) = (newest.hash, newest.raw.clone());
                sends.push((slot.nonce, Effect::Send { hash, raw }));
            }
        }
        for (nonce, send) in sends {
            if self.begin(send, now, effects) {
                let lane = self.memory.lanes.entry(nonce).or_default();
                lane.sent_at = Some(tip.number);
                if lane.since == 0 {
                    lane.since = tip.number; // signed before this start
                }
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
    fn included_at(&self, slot: &SlotRow) -> Option<BlockRef> {
        let mut hashes = slot.attempts.iter().map(|attempt| attempt.hash);
        hashes.find_map(|hash| self.memory.view.including(hash))
    }

    // ── What to do next ──────────────────────────────────────────────────────────────────────────────────────────

    /// The transaction to simulate next: first what is reserved or stuck, then what people approved, then new batches.
    fn next_candidate(&mut self, now: Monotonic) -> Option<Candidate> {
        if matches!(self.state().mode(), Mode::Halted { .. }) || self.memory.view.is_full() {
            return None;
        }
        self.memory.vault()?;
        if self.memory.is_stalled() {
            return None;
        }
        if let Some(nonce) = self.slot_to_sign() {
            return self.sign_slot(nonce);
        }
        if self.unincluded().count() >= self.settings.lane.max_unincluded {
            return None;
        }
        self.offer(None)?;
        let (at, vault) = self.memory.vault()?;
        let vault = vault.clone();
        self.execution(at, &vault).or_else(|| self.cut(&vault, now))
    }

    /// A nonce that is reserved and unsigned, or the lowest one if it is stuck.
    fn slot_to_sign(&self) -> Option<u64> {
        let tip = self.memory.view.tip().number;
        let mut unincluded = self.unincluded();
        let lowest = unincluded.next()?;
        if let Some(reserved) = [lowest]
            .into_iter()
            .chain(unincluded)
            .find(|slot| slot.status == SlotStatus::Reserved || self.is_stopped(&slot.job))
        {
            return Some(reserved.nonce);
        }
        let lane = self.memory.lanes.get(&lowest.nonce)?;
        let patience = if lane.underpaid {
            1
        } else {
            self.settings.lane.replace_blocks
        };
        (tip >= lane.since.saturating_add(patience)).then_some(lowest.nonce)
    }

    /// The slot's job again, with a longer life if its header has little left. A job that is settled leaves nothing to do
    /// but to use the nonce up.
    fn sign_slot(&mut self, nonce: u64) -> Option<Candidate> {
        let tip = self.memory.view.tip();
        self.memory.lanes.entry(nonce).or_default().since = tip.number;
        let replaced = self.dearest(nonce);
        self.offer(replaced)?; // above the cap, what is signed stays
        let slot = self.state().slot(nonce)?;
        let job = slot.job;
        let batch = job.batch().and_then(|id| self.state().batch(&id)).cloned();
        let is_stopped = self.is_stopped(&job);
        let Some(batch) = batch.filter(|batch| batch.status.is_live() && !is_stopped) else {
            self.sign_void(nonce);
            return None;
        };
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

    /// A proposal that may be executed, as far as there is room for its payments.
    fn execution(&self, at: BlockRef, vault: &VaultLook) -> Option<Candidate> {
        let time = self.memory.view.tip().time.seconds();
        if time < vault.halted_until || time >= vault.keeper_until {
            return None;
        }
        let (room, balance) = self.room(at, vault);
        let paid = self.paid_in_view();
        let ready = vault.proposals.iter();
        let ready = ready.filter(|(_, look)| look.state == ProposalState::Ready);
        for (id, _) in ready {
            let Some(batch) = self.state().batch(id) else {
                continue;
            };
            let is_free = batch.status == BatchStatus::Proposed
                && !self.is_executing(*id)
                && !self.memory.is_paused(id);
            if !is_free {
                continue;
            }
            let most = room_of(&room, batch.header.tier).min(balance);
            let contested = self.contested(batch);
            let aside = self.memory.set_aside.get(id).copied().unwrap_or_default();
            let skip = skip_mask(batch, &paid, aside | contested, most)
                .or_else(|| skip_mask(batch, &paid, contested, most));
            let Some(skip) = skip else {
                continue;
            };
            let job = Job::Execute { batch: *id, skip };
            return Some(Candidate {
                job,
                data: encode_job(&job, &batch.header, &batch.payments)?,
                header: batch.header,
                payments: batch.payments.clone(),
                seal: None,
                nonce: None,
                at,
            });
        }
        None
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
        let paused = self.memory.paused();
        let solo = self.memory.solo();
        let table = Table {
            state: self.state(),
            tiers: &tiers,
            advice: &self.memory.tiers,
            open_since: &self.memory.open_since,
            paused: &paused,
            solo: &solo,
            room: &room,
            balance,
            counters: self.memory.counters,
            limit: self.memory.limit,
            settings: &self.settings.batch,
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

    /// Rule 11: room under each tier's cap, and balance, less what is in flight and not part of the block looked at.
    pub(super) fn room(&self, at: BlockRef, vault: &VaultLook) -> (Vec<u128>, u128) {
        let mut room: Vec<u128> = vault.tiers.iter().map(|tier| tier.headroom.0).collect();
        let mut balance = vault.balance.0;
        for slot in self.state().slots() {
            let included = self.included_at(slot);
            if included.is_some_and(|block| block.number <= at.number) {
                continue;
            }
            let Some((tier, sum)) = self.may_take(slot) else {
                continue;
            };
            balance = balance.saturating_sub(sum);
            if let Some(room) = room.get_mut(usize::from(tier.get())) {
                *room = room.saturating_sub(self.charge(sum));
            }
        }
        (room, balance)
    }

    /// The most that one of the slot's transactions may take, and from which tier.
    fn may_take(&self, slot: &SlotRow) -> Option<(TierIndex, u128)> {
        let attempts = slot.attempts.iter().map(|attempt| attempt.job);
        let takes = attempts.chain([slot.job]).filter_map(|job| {
            let skip = match job {
                Job::Pay { .. } => U256::ZERO,
                Job::Execute { skip, .. } => skip,
                Job::Propose { .. } | Job::Void => return None,
            };
            let batch = self.state().batch(&job.batch()?)?;
            let tried = full(batch.payments.len()) & !skip & !batch.paid;
            Some((batch.header.tier, sum_of(batch, tried)))
        });
        takes.max_by_key(|(_, sum)| *sum)
    }

    /// A sum as the vault charges it: rounded up to whole units.
    fn charge(&self, sum: u128) -> u128 {
        let unit = self.settings.unit.0.max(1);
        sum.div_ceil(unit).saturating_mul(unit)
    }

    /// Numbers that blocks of the view have paid.
    fn paid_in_view(&self) -> BTreeSet<PaymentNumber> {
        let mut numbers = BTreeSet::new();
        for fact in self.memory.view.blocks().flat_map(|block| &block.facts) {
            if let Fact::Paid {
                first_number, paid, ..
            } = fact
            {
                let bits = (0..256_u16).filter(|bit| paid.bit(usize::from(*bit)));
                numbers.extend(bits.filter_map(|bit| first_number.checked_add(bit)));
            }
        }
        numbers
    }
}

fn room_of(room: &[u128], tier: TierIndex) -> u128 {
    room.get(usize::from(tier.get())).copied().unwrap_or(0)
}

/// Leaves out what is paid, what was set aside and what has no room; none if nothing is left.
fn skip_mask(
    batch: &BatchRow,
    paid: &BTreeSet<PaymentNumber>,
    aside: U256,
    most: u128,
) -> Option<U256> {
    let mut left = most;
    let mut skip = U256::ZERO;
    let mut tries = false;
    for (offset, payment) in (0_u16..).zip(&batch.payments) {
        let bit = usize::from(offset);
        let number = batch.header.first_number.checked_add(offset);
        let is_paid = batch.paid.bit(bit) || number.is_some_and(|number| paid.contains(&number));
        let is_out = is_paid || aside.bit(bit);
        match left.checked_sub(payment.amount().0) {
            Some(rest) if !is_out => {
                left = rest;
                tries = true;
            }
            _ => skip.set_bit(bit, true),
        }
    }
    tries.then_some(skip)
}

fn sum_of(batch: &BatchRow, mask: U256) -> u128 {
    let amounts = batch.payments.iter().enumerate();
    let amounts = amounts.filter(|(bit, _)| mask.bit(*bit));
    amounts.fold(0, |sum, (_, payment)| {
        sum.saturating_add(payment.amount().0)
    })
}
