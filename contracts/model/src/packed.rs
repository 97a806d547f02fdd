//! State in words, laid out as the Solidity vault's are (contracts/src/types): what a vault on a chain keeps.

mod bits;
mod memory;
pub mod store;
mod window;

use alloc::vec::Vec;
use core::cell::Cell;

use crate::policy::Limits;
use alloy_primitives::{Address, B256, U256};
use bits::{get, set};
use store::{Key, Store};

/// `tier` of a change in a proposal's word.
const CHANGE: u64 = 0xff;
/// Bits of a row of the release policy.
const ROW_BITS: usize = 160;
/// Where a party's signer epoch and index begin.
const SIGNER_EPOCH: usize = 160;
const SIGNER_INDEX: usize = 184;
const FREEZE_AGAIN_AT: usize = 120;

/// Words of a store.
#[derive(Debug, Clone)]
pub struct Packed<S> {
    /// Where they are.
    pub store: S,
    /// Accounting grain. [base units]
    unit: u128,
    /// The two words that nearly every step reads, once they were read.
    hot: Cell<Option<U256>>,
    terms: Cell<Option<U256>>,
}

impl<S: Store> Packed<S> {
    /// A vault's memory in a store. `unit` in base units.
    pub fn new(store: S, unit: u128) -> Self {
        Self {
            store,
            unit,
            hot: Cell::new(None),
            terms: Cell::new(None),
        }
    }

    // ── Words, as the views show them ────────────────────────────────────────────────────────────────────────────

    /// haltedUntil 36 | tiersChangedAt 36 | epoch 24 | tier 0 160.
    pub fn hot(&self) -> U256 {
        once(&self.hot, || self.store.load(Key::HOT))
    }

    /// successor 160 | threshold 8 | tiers 8 | policyDelay 32 | termsChangedAt 40.
    fn terms(&self) -> U256 {
        once(&self.terms, || self.store.load(Key::TERMS))
    }

    fn set_hot(&mut self, word: U256) {
        self.hot.set(Some(word));
        self.store.store(Key::HOT, word);
    }

    fn set_terms(&mut self, word: U256) {
        self.terms.set(Some(word));
        self.store.store(Key::TERMS, word);
    }

    /// maxKnown 33 | maxUnknown 33 | cap 33 | capBefore 33 | approvals 6 | delay 22; zero if there is no such tier.
    pub fn packed_tier(&self, index: u8) -> U256 {
        match index {
            0 => self.hot() >> 96,
            _ => self.store.load(Key::tier(index)),
        }
    }

    /// Keeper, proposer and guardian until, 3 × 40 | freezeAgainAt 40 | signerEpoch 24 | signerIndex 8.
    pub fn member(&self, account: Address) -> U256 {
        self.store.load(Key::member(account))
    }

    fn set_member(&mut self, account: Address, start: usize, width: usize, value: u64) {
        let word = set(self.member(account), start, width, value);
        self.store.store(Key::member(account), word);
    }

    /// votes 32 | revoked 32 | epoch 24 | quorumAt 36 | votedAt 36 | expiresAt 40 | delay 32 | required 8 | tier 8 | vetoable, instant,
    /// executed, cancelled 1 each.
    pub fn proposal_word(&self, id: B256) -> U256 {
        self.store.load(Key::proposal(id))
    }

    /// The window of a tier as it was last charged.
    pub fn window(&self, tier: u8) -> U256 {
        self.store.load(Key::window(tier))
    }

    /// How many tiers there are.
    pub fn tier_count(&self) -> u8 {
        narrow(get(self.terms(), 168, 8))
    }

    // ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// Of a run of up to 256 numbers those that are paid: bit `i` is number `first + i`.
    pub fn paid_mask(&self, first: u64, count: usize) -> U256 {
        let (word, shift) = place_of(first);
        let mut paid = self.store.load(Key::numbers(word)) >> shift;
        if shift + count > 256 {
            paid |= self.store.load(Key::numbers(word + 1)) << (256 - shift);
        }
        paid & full(count)
    }

    fn write_numbers(&mut self, word: u64, mask: U256, paid: bool) {
        if mask.is_zero() {
            return;
        }
        let old = self.store.load(Key::numbers(word));
        let new = if paid { old | mask } else { old & !mask };
        self.store.store(Key::numbers(word), new);
    }

    // ── Lists and rows ───────────────────────────────────────────────────────────────────────────────────────────

    fn list(&self, key: fn(u64) -> Key) -> Vec<Address> {
        let count: u64 = self.store.load(key(0)).to();
        let entry = |place| Address::from_word(self.store.load(key(place)).into());
        (1..=count).map(entry).collect()
    }

    fn set_list(&mut self, key: fn(u64) -> Key, list: &[Address]) {
        let old: u64 = self.store.load(key(0)).to();
        self.store.store(key(0), U256::from(list.len()));
        for (place, account) in (1..).zip(list) {
            self.store.store(key(place), account.into_word().into());
        }
        for place in 1..=old {
            if usize::try_from(place).is_ok_and(|place| place > list.len()) {
                self.store.store(key(place), U256::ZERO);
            }
        }
    }

    fn row(&self, limits: &Limits) -> U256 {
        let units = |amount: u128| u64::try_from(amount / self.unit).unwrap_or(u64::MAX);
        let row = set(U256::ZERO, 0, 33, units(limits.max_known));
        let row = set(row, 33, 33, units(limits.max_unknown));
        let row = set(row, 66, 33, units(limits.cap));
        let row = set(row, 99, 33, units(limits.cap_before));
        let row = set(row, 132, 6, limits.approvals.into());
        set(row, 138, 22, limits.delay)
    }

    fn limits(&self, row: U256) -> Limits {
        let amount = |start| u128::from(get(row, start, 33)) * self.unit;
        Limits {
            max_known: amount(0),
            max_unknown: amount(33),
            cap: amount(66),
            cap_before: amount(99),
            approvals: narrow(get(row, 132, 6)),
            delay: get(row, 138, 22),
        }
    }

    /// A signer's epoch and the bit of its vote; nothing for others.
    fn seat(&self, account: Address) -> Option<(u64, usize)> {
        let member = self.member(account);
        let epoch = Some(get(member, SIGNER_EPOCH, 24)).filter(|epoch| *epoch != 0)?;
        let index = usize::try_from(get(member, SIGNER_INDEX, 8)).ok()?;
        Some((epoch, index))
    }

    /// Whether a bit of a proposal is set for a signer of its epoch.
    fn has_bit(&self, id: B256, signer: Address, start: usize) -> bool {
        let word = self.proposal_word(id);
        let seat = self.seat(signer);
        seat.is_some_and(|(epoch, index)| get(word, 64, 24) == epoch && word.bit(start + index))
    }
}

fn once(cell: &Cell<Option<U256>>, load: impl FnOnce() -> U256) -> U256 {
    if let Some(word) = cell.get() {
        return word;
    }
    let word = load();
    cell.set(Some(word));
    word
}

fn votes(proposal: U256) -> usize {
    let bits = get(proposal, 0, 32);
    usize::try_from(bits.count_ones()).unwrap_or(0)
}

/// The word that a number is in, and its bit.
fn place_of(number: u64) -> (u64, usize) {
    (number >> 8, usize::try_from(number & 0xff).unwrap_or(0))
}

/// The mask of a run of `count` numbers, 1 to 256.
fn full(count: usize) -> U256 {
    U256::MAX >> 256_usize.saturating_sub(count)
}

fn address_of(word: U256) -> Address {
    Address::from_word(word.into())
}

/// A field that is at most a byte wide.
fn narrow(field: u64) -> u8 {
    u8::try_from(field).unwrap_or(u8::MAX)
}

fn narrow_length(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}
