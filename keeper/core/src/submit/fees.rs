//! What a transaction offers for its gas. Whole numbers only; every step rounds up, against us, but never over the cap.

use crate::event::Fees;

/// What the operator allows. [wei per gas, unless said otherwise]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeePolicy {
    /// Most that a transaction may pay, tip included.
    pub max_fee: u128,
    /// Least tip. BSC and others refuse less than a floor of their own.
    pub min_tip: u128,
    /// Most tip.
    pub max_tip: u128,
    /// Full blocks in a row that an offer outlasts; the base fee grows by an eighth with each (EIP-1559).
    pub blocks_ahead: u32,
    /// Least growth of both fees in a replacement. [percent] Nodes ask for 10.
    pub bump_percent: u32,
}

/// What the chain asks for now. [wei per gas]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeMarket {
    /// Base fee of the newest block.
    pub base_fee: u128,
    /// Tip that the node suggests.
    pub tip: u128,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Sign with these fees.
    Sign(Fees),
    /// Sign nothing: what would be needed is above the cap. Whatever is signed stays, and is sent again and again.
    Hold {
        /// Least `max_fee` that would do.
        needed: u128,
    },
}

/// The offer of a first attempt, or of a replacement for the dearest attempt so far.
pub fn offer(policy: &FeePolicy, market: FeeMarket, replaced: Option<Fees>) -> Offer {
    // 1. The tip the node suggests, within the operator's bounds.
    let mut tip = market.tip.max(policy.min_tip).min(policy.max_tip);
    // 2. A maximum that outlasts the growth of the base fee over the blocks ahead.
    let mut max_fee = grown(market.base_fee, policy.blocks_ahead).saturating_add(tip);
    // 3. What is needed to be mined in the next block.
    let mut needed = grown(market.base_fee, 1).saturating_add(tip);
    // 4. A replacement raises both by the bump, or the node refuses it.
    if let Some(before) = replaced {
        let least_tip = bumped(before.tip, policy.bump_percent);
        let least_fee = bumped(before.max_fee, policy.bump_percent);
        needed = needed.saturating_sub(tip);
        tip = tip.max(least_tip);
        needed = needed.saturating_add(tip).max(least_fee);
        max_fee = max_fee.max(least_fee).max(tip);
    }
    // 5. Never above the cap: less headroom if the cap leaves room for the next block, else hold.
    if needed > policy.max_fee {
        return Offer::Hold { needed };
    }
    Offer::Sign(Fees {
        max_fee: max_fee.min(policy.max_fee),
        tip,
    })
}

/// A base fee after `blocks` full blocks.
fn grown(base_fee: u128, blocks: u32) -> u128 {
    (0..blocks).fold(base_fee, |fee, _| {
        fee.saturating_add(fee.div_ceil(8).max(1))
    })
}

/// At least one wei more than `fee`, and at least `percent` more.
fn bumped(fee: u128, percent: u32) -> u128 {
    let growth = fee.saturating_mul(u128::from(percent)).div_ceil(100);
    fee.saturating_add(growth.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GWEI: u128 = 1_000_000_000;
    const POLICY: FeePolicy = FeePolicy {
        max_fee: 100 * GWEI,
        min_tip: GWEI,
        max_tip: 10 * GWEI,
        blocks_ahead: 2,
        bump_percent: 10,
    };

    fn market(base_fee: u128, tip: u128) -> FeeMarket {
        FeeMarket { base_fee, tip }
    }

    fn signed(market: FeeMarket, replaced: Option<Fees>) -> Fees {
        match offer(&POLICY, market, replaced) {
            Offer::Sign(fees) => fees,
            Offer::Hold { needed } => panic!("held: needs {needed}"),
        }
    }

    #[test]
    fn the_tip_stays_within_its_bounds() {
        for (suggested, expected) in [
            (0, GWEI),
            (GWEI, GWEI),
            (3 * GWEI, 3 * GWEI),
            (11 * GWEI, 10 * GWEI),
        ] {
            let fees = signed(market(8, suggested), None);
            assert_eq!(fees.tip, expected);
        }
    }

    #[test]
    fn the_maximum_outlasts_full_blocks() {
        let fees = signed(market(64 * GWEI, GWEI), None);
        assert_eq!(fees.max_fee, 81 * GWEI + GWEI); // 64 × (9/8)²
    }

    #[test]
    fn a_base_fee_of_zero_still_pays_the_tip() {
        let expected = Fees {
            max_fee: GWEI + 2,
            tip: GWEI,
        };
        assert_eq!(offer(&POLICY, market(0, 0), None), Offer::Sign(expected));
    }

    #[test]
    fn it_holds_when_the_next_block_is_beyond_the_cap() {
        // 88 × 9/8 + 1 = 100: just fits, without headroom. One wei more does not.
        let fees = signed(market(88 * GWEI, GWEI), None);
        assert_eq!(fees.max_fee, POLICY.max_fee);
        let needed = POLICY.max_fee + 2;
        assert_eq!(
            offer(&POLICY, market(88 * GWEI + 1, GWEI), None),
            Offer::Hold { needed }
        );
    }

    #[test]
    fn a_replacement_raises_both_fees_by_the_bump_rounded_up() {
        let before = Fees {
            max_fee: 30 * GWEI + 1,
            tip: 2 * GWEI + 1,
        };
        let fees = signed(market(GWEI, 0), Some(before));
        assert_eq!(
            fees,
            Fees {
                max_fee: 33 * GWEI + 2,
                tip: 2_200_000_002
            }
        );
    }

    #[test]
    fn a_replacement_holds_when_the_bump_is_beyond_the_cap() {
        let before = Fees {
            max_fee: 91 * GWEI,
            tip: GWEI,
        };
        let needed = 100_100_000_000;
        assert_eq!(
            offer(&POLICY, market(GWEI, 0), Some(before)),
            Offer::Hold { needed }
        );
    }

    #[test]
    fn nothing_overflows() {
        let before = Fees {
            max_fee: u128::MAX,
            tip: u128::MAX,
        };
        let offer = offer(&POLICY, market(u128::MAX, u128::MAX), Some(before));
        assert_eq!(offer, Offer::Hold { needed: u128::MAX });
    }
}
