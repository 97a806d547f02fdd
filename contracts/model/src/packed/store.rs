//! Words of storage by their keys.

use alloc::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};

/// Where words are kept; what was never written is zero.
pub trait Store {
    /// Reads a word.
    fn load(&self, key: Key) -> U256;
    /// Writes a word.
    fn store(&mut self, key: Key, word: U256);
}

/// Words in memory, without a chain.
impl Store for BTreeMap<Key, U256> {
    fn load(&self, key: Key) -> U256 {
        self.get(&key).copied().unwrap_or(U256::ZERO)
    }

    fn store(&mut self, key: Key, word: U256) {
        self.insert(key, word);
    }
}

/// What names a word: a kind of record, and which one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// What payments need of the policy.
    pub const HOT: Self = Self::of_number(1, 0);
    /// The other single values.
    pub const TERMS: Self = Self::of_number(2, 0);

    /// A row of the release policy but the first.
    pub fn tier(index: u8) -> Self {
        Self::of_number(3, index.into())
    }

    /// A tier's window.
    pub fn window(tier: u8) -> Self {
        Self::of_number(4, tier.into())
    }

    /// 256 numbers of payments.
    pub fn numbers(word: u64) -> Self {
        Self::of_number(5, word)
    }

    /// How many signers there are, and behind it each of them.
    pub fn signer(place: u64) -> Self {
        Self::of_number(6, place)
    }

    /// The same of guardians.
    pub fn guardian(place: u64) -> Self {
        Self::of_number(7, place)
    }

    /// What is known of a party.
    pub fn member(account: Address) -> Self {
        Self::of_address(8, account)
    }

    /// A recipient's standing.
    pub fn standing(recipient: Address) -> Self {
        Self::of_address(9, recipient)
    }

    /// A proposal. 31 bytes of its id tell it from others, for ids are digests: to find two that share them takes 2^124 tries.
    pub fn proposal(id: B256) -> Self {
        let mut key = id.0;
        let [first, ..] = &mut key;
        *first = 10;
        Self(key)
    }

    const fn of_number(kind: u8, number: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        let mut key = [0; 32];
        [key[0], key[24], key[25], key[26], key[27]] = [kind, a, b, c, d];
        [key[28], key[29], key[30], key[31]] = [e, f, g, h];
        Self(key)
    }

    fn of_address(kind: u8, account: Address) -> Self {
        let mut key = [0; 32];
        let (head, tail) = key.split_at_mut(12);
        tail.copy_from_slice(account.as_slice());
        if let [first, ..] = head {
            *first = kind;
        }
        Self(key)
    }
}
