//! What a transaction offers for its gas. Whole numbers only; every step rounds up, against us, but never over the cap.

use core::fmt;

use crate::event::Fees;

/// More blocks that an offer outlasts which cannot be raised any more. It pays no more for it.
const LAST_BLOCKS: u32 = 12;

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

impl FeePolicy {
    /// What a payment may offer: below both caps one replacement more has room, by which its nonce can be used up. The least tip is
    /// offered all the same.
    #[must_use]
    pub fn keeping_one_back(self) -> Self {
        let below = |cap: u128| {
            let percent = u128::from(self.bump_percent).saturating_add(100);
            let fee = cap.saturating_mul(100).checked_div(percent).unwrap_or(cap);
            let is_above = bumped(fee, self.bump_percent) > cap;
            fee.saturating_sub(u128::from(is_above))
        };
        Self {
            max_fee: below(self.max_fee),
            max_tip: below(self.max_tip).max(self.min_tip),
            ..self
        }
    }
}

/// What the chain asks for now. [wei per gas]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeMarket {
    /// Base fee of the newest block.
    pub base_fee: u128,
    /// Tip that the node suggests, or is known to want.
    pub tip: u128,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Sign with these fees.
    Sign(Fees),
    /// Sign nothing: what would be needed is above the cap. Whatever is signed stays, and is sent again and again.
    Hold {
        /// The cap.
        cap: FeeCap,
        /// The least that would do.
        needed: u128,
    },
}

/// What the operator caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeCap {
    /// [`FeePolicy::max_fee`].
    MaxFee,
    /// [`FeePolicy::max_tip`].
    MaxTip,
}

impl FeeCap {
    /// Its value.
    pub fn of(self, policy: &FeePolicy) -> u128 {
        match self {
            Self::MaxFee => policy.max_fee,
            Self::MaxTip => policy.max_tip,
        }
    }
}

impl fmt::Display for FeeCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaxFee => "max_fee",
            Self::MaxTip => "max_tip",
        })
    }
}

/// The offer of a first attempt, or of a replacement for the dearest attempt so far.
pub fn offer(policy: &FeePolicy, market: FeeMarket, replaced: Option<Fees>) -> Offer {
    // 1. The tip the node suggests, within the operator's bounds.
    let mut tip = first_tip(policy, market);
    // 2. A maximum that outlasts the growth of the base fee over the blocks ahead.
    let mut max_fee = grown(market.base_fee, policy.blocks_ahead).saturating_add(tip);
    // 3. What is needed to be mined in the next block.
    let mut needed = needed(policy, market);
    // 4. A replacement raises both by the bump, or the node refuses it; the tip too stays below its cap.
    if let Some(before) = replaced {
        let least_tip = bumped(before.tip, policy.bump_percent);
        if least_tip > policy.max_tip {
            let (cap, needed) = (FeeCap::MaxTip, least_tip);
            return Offer::Hold { cap, needed };
        }
        let least_fee = bumped(before.max_fee, policy.bump_percent);
        needed = needed.saturating_sub(tip);
        tip = tip.max(least_tip);
        needed = needed.saturating_add(tip).max(least_fee);
        max_fee = max_fee.max(least_fee).max(tip);
    }
    // 5. An offer whose tip cannot be raised again outlasts more.
    if bumped(tip, policy.bump_percent) > policy.max_tip {
        let blocks = policy.blocks_ahead.saturating_add(LAST_BLOCKS);
        max_fee = max_fee.max(grown(market.base_fee, blocks).saturating_add(tip));
    }
    // 6. Never above the cap: less headroom if the cap leaves room for the next block, else hold.
    if needed > policy.max_fee {
        let cap = FeeCap::MaxFee;
        return Offer::Hold { cap, needed };
    }
    Offer::Sign(Fees {
        max_fee: max_fee.min(policy.max_fee),
        tip,
    })
}

fn first_tip(policy: &FeePolicy, market: FeeMarket) -> u128 {
    market.tip.max(policy.min_tip).min(policy.max_tip)
}

/// The least maximum with which a first attempt is mined in the next block. [wei per gas]
pub fn needed(policy: &FeePolicy, market: FeeMarket) -> u128 {
    grown(market.base_fee, 1).saturating_add(first_tip(policy, market))
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
            Offer::Hold { cap, needed } => panic!("{cap}: needs {needed}"),
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
            Offer::Hold {
                cap: FeeCap::MaxFee,
                needed
            }
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
            Offer::Hold {
                cap: FeeCap::MaxFee,
                needed
            }
        );
    }

    /// Replaced as often as it can be, it stays at or below both caps, and says which of them it is at.
    #[test]
    fn no_replacement_is_above_the_tips_cap() {
        let mut fees = signed(market(GWEI, 2 * GWEI), None);
        let mut count = 0;
        let held = loop {
            match offer(&POLICY, market(GWEI, 0), Some(fees)) {
                Offer::Sign(next) => fees = next,
                hold => break hold,
            }
            count += 1;
            assert!(fees.tip <= POLICY.max_tip && fees.max_fee <= POLICY.max_fee);
        };
        assert_eq!(count, 16, "2 gwei × 1.1^16 = 9.19");
        assert!(fees.tip * 11 > POLICY.max_tip * 10);
        let cap = FeeCap::MaxTip;
        let needed = fees.tip + fees.tip.div_ceil(10);
        assert_eq!(held, Offer::Hold { cap, needed });
    }

    /// Whatever a payment offers, one replacement more stays below both caps; as dear as that allows.
    #[test]
    fn one_replacement_is_kept_back() {
        for (max_fee, max_tip, bump_percent) in
            [(100 * GWEI, 10 * GWEI, 10), (7, 3, 10), (1_001, 12, 13)]
        {
            let policy = FeePolicy {
                max_fee,
                max_tip,
                min_tip: 0,
                bump_percent,
                ..POLICY
            };
            let kept = policy.keeping_one_back();
            for (kept, cap) in [(kept.max_fee, max_fee), (kept.max_tip, max_tip)] {
                assert!(bumped(kept, bump_percent) <= cap, "{kept} of {cap}");
                assert!(bumped(kept + 1, bump_percent) > cap, "{kept} of {cap}");
            }
        }
        let tight = FeePolicy {
            min_tip: POLICY.max_tip,
            ..POLICY
        };
        assert_eq!(tight.keeping_one_back().max_tip, POLICY.max_tip);
    }

    #[test]
    fn an_offer_that_cannot_be_raised_again_outlasts_more() {
        for (tip, blocks) in [(9 * GWEI, 2), (10 * GWEI, 14)] {
            let fees = signed(market(8 * GWEI, tip), None);
            assert_eq!(fees.max_fee, grown(8 * GWEI, blocks) + tip, "{tip}");
        }
    }

    #[test]
    fn nothing_overflows() {
        let before = Fees {
            max_fee: u128::MAX,
            tip: u128::MAX,
        };
        let market = market(u128::MAX, u128::MAX);
        let needed = u128::MAX;
        let cap = FeeCap::MaxTip;
        assert_eq!(
            offer(&POLICY, market, Some(before)),
            Offer::Hold { cap, needed }
        );
        let cap = FeeCap::MaxFee;
        assert_eq!(offer(&POLICY, market, None), Offer::Hold { cap, needed });
    }
}
