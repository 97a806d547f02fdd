//! What may leave under a tier's cap, now and later, if nothing else leaves: the vault's rolling window read from its word.
//!
//! The word is the number of the newest bucket of four hours, above seven lanes of 33 bits; lane 0, the lowest, is what was charged in that bucket. A
//! charge leaves when its bucket is seven buckets old (`RollingCap.sol`).

use alloy_primitives::U256;

/// A bucket. [seconds]
const BUCKET: u64 = 4 * 3_600;
const LANES: u64 = 7;
const LANE_BITS: usize = 33;
const LANE: u64 = 0x1_ffff_ffff;

/// Room under a cap from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// From when on. [seconds since 1970]
    pub from: u64,
    /// [units]
    pub units: u64,
}

/// A tier's cap: for some time after a change of tiers it is the smaller of old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// In force now. [units]
    pub now: u64,
    /// In force from `settled_at` on. [units]
    pub later: u64,
    /// [seconds since 1970]
    pub settled_at: u64,
}

impl Caps {
    fn at(&self, time: u64) -> u64 {
        if time < self.settled_at {
            self.now
        } else {
            self.later
        }
    }
}

/// The room now, and each time at which it changes by itself, until nothing charged so far counts.
pub fn forecast(word: U256, now: u64, caps: Caps) -> Vec<Room> {
    let (newest, lanes) = read(word);
    // A clock that steps back counts as the newest bucket.
    let bucket = now.div_euclid(BUCKET).max(newest);
    let ends = (1..=LANES).map(|elapsed| bucket.saturating_add(elapsed).saturating_mul(BUCKET));
    let mut times: Vec<u64> = ends.chain([caps.settled_at]).collect();
    times.retain(|time| *time > now);
    times.push(now);
    times.sort_unstable();
    let mut rooms: Vec<Room> = Vec::new();
    for from in times {
        let used = used(newest, &lanes, from);
        let units = caps.at(from).saturating_sub(used);
        if rooms.last().is_none_or(|last| last.units != units) {
            rooms.push(Room { from, units });
        }
    }
    rooms
}

/// Number of the newest bucket, and what was charged in it and in each before it.
fn read(word: U256) -> (u64, [u64; 7]) {
    let low = |shifted: U256, mask: u64| {
        let [low, ..] = shifted.into_limbs();
        low & mask
    };
    let mut lanes = [0; 7];
    let mut rest = word;
    for lane in &mut lanes {
        *lane = low(rest, LANE);
        rest = rest.wrapping_shr(LANE_BITS);
    }
    (low(rest, u64::MAX), lanes)
}

fn used(newest: u64, lanes: &[u64; 7], time: u64) -> u64 {
    let elapsed = time.div_euclid(BUCKET).saturating_sub(newest);
    let counted = LANES.saturating_sub(elapsed);
    let lanes = (0..counted).zip(lanes);
    lanes.fold(0, |sum, (_, units)| sum.saturating_add(*units))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(newest: u64, lanes: [u64; 7]) -> U256 {
        let start = U256::from(newest);
        let mut lanes = lanes.into_iter().rev();
        lanes.by_ref().fold(start, |word, lane| {
            word.wrapping_shl(LANE_BITS) | U256::from(lane)
        })
    }

    const CAPS: Caps = Caps {
        now: 100,
        later: 100,
        settled_at: 0,
    };

    fn shown(word: U256, now: u64, caps: Caps) -> Vec<(u64, u64)> {
        let rooms = forecast(word, now, caps);
        rooms
            .into_iter()
            .map(|room| (room.from, room.units))
            .collect()
    }

    #[test]
    fn a_charge_leaves_when_its_bucket_is_seven_old() {
        let full = word(1_000, [30, 0, 0, 0, 0, 0, 70]);
        let start = 1_000 * BUCKET;
        let leaves = |bucket: u64| (1_000 + bucket) * BUCKET;
        assert_eq!(
            shown(full, start, CAPS),
            [(start, 0), (leaves(1), 70), (leaves(7), 100)]
        );
        // The last second of the bucket, and the first of the next.
        assert_eq!(shown(full, leaves(1) - 1, CAPS)[0], (leaves(1) - 1, 0));
        assert_eq!(
            shown(full, leaves(1), CAPS),
            [(leaves(1), 70), (leaves(7), 100)]
        );
        assert_eq!(shown(full, leaves(7), CAPS), [(leaves(7), 100)]);
        assert_eq!(shown(full, 0, CAPS)[0], (0, 0), "a clock that steps back");
        assert_eq!(shown(U256::ZERO, 5, CAPS), [(5, 100)]);
        let most = word(1, [LANE, LANE, LANE, LANE, LANE, LANE, LANE]);
        assert_eq!(shown(most, BUCKET, CAPS)[0], (BUCKET, 0));
    }

    #[test]
    fn a_cap_that_was_raised_holds_once_it_has_settled() {
        let half = word(1_000, [50, 0, 0, 0, 0, 0, 0]);
        let start = 1_000 * BUCKET;
        let caps = Caps {
            now: 100,
            later: 200,
            settled_at: start + 10,
        };
        let end = 1_007 * BUCKET;
        assert_eq!(
            shown(half, start, caps),
            [(start, 50), (start + 10, 150), (end, 200)]
        );
    }
}
