//! The words as a vault's memory.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256};

use super::{
    CHANGE, FREEZE_AGAIN_AT, Packed, ROW_BITS, SIGNER_EPOCH, address_of,
    bits::{get, set},
    narrow, narrow_length, place_of,
    store::{Key, Store},
    votes, window,
};
use crate::{
    Rules,
    abi::Content,
    memory::{Memory, Settings},
    policy::{Limits, Standing},
    tally::{Count, Proposal, Said, State},
};

impl<S: Store> Memory for Packed<S> {
    fn settings(&self) -> Settings {
        let (hot, terms) = (self.hot(), self.terms());
        Settings {
            halted_until: get(hot, 0, 36),
            tiers_changed_at: Some(get(hot, 36, 36)).filter(|at| *at != 0),
            epoch: get(hot, 72, 24),
            threshold: narrow(get(terms, 160, 8)),
            policy_delay: get(terms, 176, 32),
            terms_changed_at: get(terms, 208, 40),
            successor: address_of(terms),
        }
    }

    fn set_settings(&mut self, next: Settings) {
        let hot = set(self.hot(), 0, 36, next.halted_until);
        let hot = set(hot, 36, 36, next.tiers_changed_at.unwrap_or(0));
        let hot = set(hot, 72, 24, next.epoch);
        if hot != self.hot() {
            self.set_hot(hot);
        }
        let tiers = get(self.terms(), 168, 8);
        let terms = U256::from_be_bytes(next.successor.into_word().0);
        let terms = set(terms, 160, 8, next.threshold.into());
        let terms = set(terms, 168, 8, tiers);
        let terms = set(terms, 176, 32, next.policy_delay);
        let terms = set(terms, 208, 40, next.terms_changed_at);
        if terms != self.terms() {
            self.set_terms(terms);
        }
    }

    fn tiers(&self) -> Vec<Limits> {
        let row = |index| self.limits(self.packed_tier(index));
        (0..self.tier_count()).map(row).collect()
    }

    fn tier(&self, index: u8) -> Option<Limits> {
        let row = self.packed_tier(index);
        // No tier has a cap of zero.
        (get(row, 66, 33) != 0).then(|| self.limits(row))
    }

    fn set_tiers(&mut self, next: Vec<Limits>) {
        let count = self.tier_count().max(narrow_length(next.len()));
        for index in 0..count {
            let limits = next.get(usize::from(index));
            let row = limits.map_or(U256::ZERO, |limits| self.row(limits));
            match index {
                0 => {
                    let rest = self.hot() << ROW_BITS >> ROW_BITS;
                    self.set_hot(rest | row << 96);
                }
                _ => self.store.store(Key::tier(index), row),
            }
        }
        let terms = set(self.terms(), 168, 8, narrow_length(next.len()).into());
        self.set_terms(terms);
    }

    fn signers(&self) -> Vec<Address> {
        self.list(Key::signer)
    }

    fn is_signer(&self, account: Address) -> bool {
        self.seat(account).is_some()
    }

    fn set_signers(&mut self, next: Vec<Address>) {
        for old in self.signers() {
            self.set_member(old, SIGNER_EPOCH, 32, 0);
        }
        let epoch = get(self.hot(), 72, 24);
        for (index, signer) in (0_u64..).zip(&next) {
            self.set_member(*signer, SIGNER_EPOCH, 32, epoch | index << 24);
        }
        self.set_list(Key::signer, &next);
    }

    fn guardians(&self) -> Vec<Address> {
        self.list(Key::guardian)
    }

    fn set_guardians(&mut self, next: Vec<Address>) {
        self.set_list(Key::guardian, &next);
    }

    fn role_until(&self, account: Address, role: u8) -> u64 {
        get(self.member(account), usize::from(role) * 40, 40)
    }

    fn set_role(&mut self, account: Address, role: u8, until: u64) {
        self.set_member(account, usize::from(role) * 40, 40, until);
    }

    fn freeze_again_at(&self, party: Address) -> u64 {
        get(self.member(party), FREEZE_AGAIN_AT, 40)
    }

    fn set_freeze_again_at(&mut self, party: Address, time: u64) {
        self.set_member(party, FREEZE_AGAIN_AT, 40, time);
    }

    fn standing(&self, recipient: Address) -> Standing {
        let word = self.store.load(Key::standing(recipient));
        Standing::of(narrow(get(word, 0, 8))).unwrap_or(Standing::Blocked)
    }

    fn set_standing(&mut self, recipient: Address, standing: Standing) {
        let word = U256::from(standing.number());
        self.store.store(Key::standing(recipient), word);
    }

    fn unpaid(&self, first: u64, count: usize) -> Vec<usize> {
        let paid = self.paid_mask(first, count);
        (0..count).filter(|i| !paid.bit(*i)).collect()
    }

    fn set_paid(&mut self, first: u64, places: &[usize], paid: bool) {
        let mut mask = U256::ZERO;
        for place in places {
            mask.set_bit(*place, true);
        }
        let (word, shift) = place_of(first);
        self.write_numbers(word, mask << shift, paid);
        let above = mask >> 1 >> (255 - shift); // by 256 - shift, which may be 256
        self.write_numbers(word + 1, above, paid);
    }

    fn used(&self, rules: &Rules, tier: u8, time: u64) -> u128 {
        window::used(window::roll(self.window(tier), rules.bucket, time))
    }

    fn charge(&mut self, rules: &Rules, tier: u8, time: u64, units: u128) {
        let rolled = window::roll(self.window(tier), rules.bucket, time);
        self.store
            .store(Key::window(tier), window::add(rolled, units));
    }

    fn give_back(&mut self, tier: u8, units: u128) {
        let window = window::take(self.window(tier), units);
        self.store.store(Key::window(tier), window);
    }

    fn proposal(&self, id: B256) -> Option<Proposal> {
        let word = self.proposal_word(id);
        let expires_at = Some(get(word, 160, 40)).filter(|at| *at != 0)?;
        let tier = Some(get(word, 240, 8)).filter(|tier| *tier != CHANGE);
        let end = match (word.bit(250), word.bit(251)) {
            (true, _) => Some(State::Executed),
            (_, true) => Some(State::Cancelled),
            _ => None,
        };
        Some(Proposal {
            tier: tier.map(narrow),
            proposed_at: 0, // what it decides is in the word already: whether and when the clock started
            expires_at,
            required: narrow(get(word, 232, 8)),
            delay: get(word, 200, 32),
            instant: word.bit(249),
            vetoable: word.bit(248),
            end,
        })
    }

    fn open(&mut self, id: B256, proposal: Proposal, _: &Content) {
        let word = self.proposal_word(id); // holds at most who revoked beforehand
        let word = set(word, 160, 40, proposal.expires_at);
        let word = set(word, 200, 32, proposal.delay);
        let word = set(word, 232, 8, proposal.required.into());
        let word = set(word, 240, 8, proposal.tier.map_or(CHANGE, u64::from));
        let word = set(word, 248, 1, proposal.vetoable.into());
        let mut word = set(word, 249, 1, proposal.instant.into());
        if proposal.required == 0 {
            word = set(word, 88, 36, proposal.proposed_at);
        }
        self.store.store(Key::proposal(id), word);
    }

    fn end(&mut self, id: B256, state: State) {
        let bit = if state == State::Executed { 250 } else { 251 };
        let word = set(self.proposal_word(id), bit, 1, 1);
        self.store.store(Key::proposal(id), word);
    }

    fn count(&self, _: &Rules, id: B256) -> Count {
        let word = self.proposal_word(id);
        Count {
            epoch: get(word, 64, 24),
            votes: votes(word),
            quorum_at: Some(get(word, 88, 36)).filter(|at| *at != 0),
            voted_at: get(word, 124, 36),
        }
    }

    fn has_vote(&self, _: &Rules, id: B256, signer: Address) -> bool {
        self.has_bit(id, signer, 0)
    }

    fn is_barred(&self, _: &Rules, id: B256, signer: Address) -> bool {
        self.has_bit(id, signer, 32)
    }

    fn say(&mut self, id: B256, said: Said) {
        let Some((_, index)) = self.seat(said.signer) else {
            return; // only signers are heard
        };
        let mut word = self.proposal_word(id);
        let required = usize::try_from(get(word, 232, 8)).unwrap_or(usize::MAX);
        if get(word, 64, 24) != said.epoch {
            // What signers of an earlier epoch said is dropped, and the clock with their votes.
            word = set(set(word, 0, 64, 0), 64, 24, said.epoch);
            if required != 0 {
                word = set(word, 88, 36, 0);
            }
        }
        if said.yes {
            word = set(set(word, index, 1, 1), 124, 36, said.time);
            if get(word, 88, 36) == 0 && votes(word) >= required {
                word = set(word, 88, 36, said.time);
            }
        } else {
            word = set(set(word, index, 1, 0), 32 + index, 1, 1);
            if votes(word) < required {
                word = set(word, 88, 36, 0);
            }
        }
        self.store.store(Key::proposal(id), word);
    }
}
