//! The most that a node passes on for one transaction, as far as its refusals tell: gas limit times highest fee. It is a setting of
//! the node's own (geth: `--rpc.txfeecap`), and no question tells it.

use crate::port::Monotonic;

/// What geth and its forks are set to unless somebody says otherwise: one of the chain's coin. [wei]
const USUAL: u128 = 1_000_000_000_000_000_000;
/// Time after which it is tried again: somebody may have set the node otherwise. [milliseconds]
const BELIEVED_MS: u64 = 3_600_000;

/// What refusals have taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCeiling {
    /// [wei] None if nothing was refused lately.
    most: Option<u128>,
    since: Monotonic,
}

impl NodeCeiling {
    /// The node refused a transaction that might cost so much.
    pub fn refused(&mut self, gas_limit: u64, max_fee: u128, now: Monotonic) {
        let cost = max_fee.saturating_mul(gas_limit.into());
        if !self.takes(gas_limit, max_fee) {
            return; // one that was sent before this was known
        }
        let next = if cost > USUAL {
            USUAL
        } else {
            cost.div_euclid(10).saturating_mul(9)
        };
        (self.most, self.since) = (Some(next), now);
    }

    /// Time passes.
    pub fn ease(&mut self, now: Monotonic) {
        if now >= self.since.after(BELIEVED_MS) {
            self.most = None;
        }
    }

    /// The most for one transaction. [wei]
    pub fn most(&self) -> Option<u128> {
        self.most
    }

    /// Whether the node takes such a transaction.
    pub fn takes(&self, gas_limit: u64, max_fee: u128) -> bool {
        let cost = max_fee.saturating_mul(gas_limit.into());
        self.most.is_none_or(|most| cost <= most)
    }

    /// The highest fee with that gas limit. [wei per gas]
    pub fn max_fee(&self, gas_limit: u64) -> Option<u128> {
        self.most?.checked_div(gas_limit.into())
    }

    /// The highest gas limit at that fee.
    pub fn gas(&self, max_fee: u128) -> Option<u64> {
        let gas = self.most?.checked_div(max_fee)?;
        Some(u64::try_from(gas).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GWEI: u128 = 1_000_000_000;

    #[test]
    fn what_is_usual_is_tried_first_and_then_a_tenth_less() {
        let mut ceiling = NodeCeiling::default();
        assert!(ceiling.takes(u64::MAX, u128::MAX));
        assert_eq!((ceiling.max_fee(1), ceiling.gas(1)), (None, None));
        ceiling.refused(15_000_000, 100 * GWEI, Monotonic(5));
        assert_eq!(ceiling.most(), Some(USUAL));
        assert_eq!(ceiling.max_fee(15_000_000), Some(66_666_666_666));
        assert_eq!(ceiling.gas(100 * GWEI), Some(10_000_000));
        assert!(ceiling.takes(10_000_000, 100 * GWEI));
        assert!(!ceiling.takes(10_000_001, 100 * GWEI));
        ceiling.refused(15_000_000, 90 * GWEI, Monotonic(6)); // sent before
        assert_eq!(ceiling.most(), Some(USUAL));
        ceiling.refused(10_000_000, 50 * GWEI, Monotonic(7));
        assert_eq!(ceiling.most(), Some(450_000 * GWEI * 1_000));
    }

    #[test]
    fn it_is_tried_again_after_an_hour() {
        let mut ceiling = NodeCeiling::default();
        ceiling.refused(15_000_000, 100 * GWEI, Monotonic(5));
        ceiling.ease(Monotonic(4 + BELIEVED_MS));
        assert!(ceiling.most().is_some());
        ceiling.ease(Monotonic(5 + BELIEVED_MS));
        assert_eq!(ceiling.most(), None);
    }
}
