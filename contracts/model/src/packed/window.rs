//! A strict rolling 24-hour sum in one word: 25 bits of the newest bucket's index above seven lanes of 33 bits, of which the lowest is
//! the newest bucket's. As contracts/src/libraries/RollingCap.sol has it.

use alloy_primitives::U256;

use super::bits::{get, set};

const LANES: usize = 7;
const LANE_BITS: usize = 33;
const LANES_BITS: usize = LANES * LANE_BITS;

/// The window at a time, in buckets of that length: lanes move up by the buckets that began since, and the oldest are dropped. A clock
/// that steps back counts as the newest bucket. [seconds]
pub fn roll(window: U256, bucket: u64, time: u64) -> U256 {
    let newest = get(window, LANES_BITS, 25);
    let now = time / bucket;
    let Some(elapsed @ 1..) = now.checked_sub(newest) else {
        return window;
    };
    let elapsed = usize::try_from(elapsed).unwrap_or(LANES).min(LANES);
    let lanes_mask = (U256::from(1) << LANES_BITS) - U256::from(1);
    let lanes = (window << (elapsed * LANE_BITS)) & lanes_mask;
    set(lanes, LANES_BITS, 25, now)
}

/// Sum of the lanes. [units]
pub fn used(window: U256) -> u128 {
    (0..LANES)
        .map(|lane| u128::from(get(window, lane * LANE_BITS, LANE_BITS)))
        .sum()
}

/// Adds to the newest lane of a rolled window; the sum of all lanes fits a lane. [units]
pub fn add(rolled: U256, units: u128) -> U256 {
    rolled + U256::from(units)
}

/// Takes from the newest lane what was added to it. [units]
pub fn take(rolled: U256, units: u128) -> U256 {
    rolled - U256::from(units)
}
