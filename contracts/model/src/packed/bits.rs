//! Fields of a packed word.

use alloy_primitives::U256;

/// The field of `width` bits, at most 64, that starts at bit `start`.
pub fn get(word: U256, start: usize, width: usize) -> u64 {
    let [low, ..] = *(word >> start).as_limbs();
    low & mask(width)
}

/// The word with that field replaced; of the value so many bits count.
pub fn set(word: U256, start: usize, width: usize, value: u64) -> U256 {
    let cleared = word & !(U256::from(mask(width)) << start);
    cleared | (U256::from(value & mask(width)) << start)
}

fn mask(width: usize) -> u64 {
    match width {
        64.. => u64::MAX,
        width => (1 << width) - 1,
    }
}
