//! The least tip that a node takes, as far as its refusals tell. Nodes keep floors of their own, and not all suggest them.

use crate::port::Monotonic;

/// A first guess above a tip of nothing. [wei per gas]
const LEAST: u128 = 1_000_000;
/// Time after which half of a floor is forgotten: a full pool raises it for a while only. [milliseconds]
const HALF_LIFE_MS: u64 = 3_600_000;

/// What refusals have taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TipFloor {
    tip: u128,
    /// Since when it is as it is.
    since: Monotonic,
}

impl TipFloor {
    /// The least tip worth offering. [wei per gas]
    pub fn tip(&self) -> u128 {
        self.tip
    }

    /// A node refused this tip: the next offer is twice as much, which is a few refusals away from any floor.
    pub fn refused(&mut self, tip: u128, now: Monotonic) {
        let next = tip.saturating_mul(2).max(LEAST);
        if next > self.tip {
            (self.tip, self.since) = (next, now);
        }
    }

    /// Time passes.
    pub fn ease(&mut self, now: Monotonic) {
        if now >= self.since.after(HALF_LIFE_MS) {
            (self.tip, self.since) = (self.tip.div_euclid(2), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_doubles_and_an_hour_halves() {
        let mut floor = TipFloor::default();
        assert_eq!(floor.tip(), 0);
        floor.refused(0, Monotonic(5));
        assert_eq!(floor.tip(), LEAST);
        floor.refused(3 * LEAST, Monotonic(10));
        assert_eq!(floor.tip(), 6 * LEAST);
        floor.refused(LEAST, Monotonic(11)); // an older, lower offer
        assert_eq!(floor.tip(), 6 * LEAST);
        floor.ease(Monotonic(9 + HALF_LIFE_MS));
        assert_eq!(floor.tip(), 6 * LEAST);
        floor.ease(Monotonic(10 + HALF_LIFE_MS));
        floor.ease(Monotonic(11 + HALF_LIFE_MS));
        assert_eq!(floor.tip(), 3 * LEAST);
        floor.refused(u128::MAX, Monotonic(0));
        assert_eq!(floor.tip(), u128::MAX);
    }
}
