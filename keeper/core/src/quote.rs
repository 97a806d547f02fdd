//! When a payment would arrive that is filed now: whole numbers, from what is known at one block and what recent payments took.

use crate::port::TierLook;

/// The vault's window: what leaves counts against its tier's cap for a day, and returns up to one slot later. [seconds]
const WINDOW: u64 = 86_400;
/// One slot of the window. [seconds]
const SLOT: u64 = 4 * 3_600;
/// Blocks until a transaction is in one, at most, unless fees rise above the cap.
const SLOW_BLOCKS: u64 = 10;
/// Fewer recent payments say nothing of the next one.
const ENOUGH: usize = 20;

/// What a quote rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// What would be paid. [base units]
    pub amount: u128,
    /// The tier that takes it.
    pub tier: TierLook,
    /// What the vault holds. [base units]
    pub balance: u128,
    /// Payments that are open before it.
    pub ahead: u64,
    /// Their sum. [base units]
    pub ahead_sum: u128,
    /// Payments in a batch at most.
    pub max_payments: u64,
    /// How long a batch waits to fill. [seconds]
    pub max_wait_s: u64,
    /// Age from which the price of now is paid; and at the latest. [seconds]
    pub patience_s: (u64, u64),
    /// From one block to the next. [milliseconds]
    pub block_ms: u64,
    /// How far the last final block is behind the newest. [seconds]
    pub finality_s: u64,
}

/// When it would arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Until a block holds it. [seconds]
    pub expected_s: u64,
    /// The same, if everything that is foreseen takes its longest. [seconds]
    pub most_s: u64,
    /// Until that block is final, beside. [seconds]
    pub finality_s: u64,
    /// The vault does not hold it now: nobody knows when it will.
    pub lacks_balance: bool,
    /// Its tier's cap has no room now.
    pub lacks_room: bool,
}

/// How long it takes from when the keeper takes a payment in until it is final. With a tier that asks for approvals: from the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Half of such payments are final by then. [seconds]
    pub p50_s: u64,
    /// And 95 of 100. [seconds]
    pub p95_s: u64,
    /// Recent payments that it rests on; 0 if too few are known, and it is what is foreseen.
    pub recent: usize,
}

impl Scene {
    /// `took` is how long recent payments took from when they were taken in until they were final, of those that no signer had to approve. [seconds]
    pub fn spread(&self, took: &[u64]) -> Spread {
        let arrival = self.arrival();
        // 1. By what is foreseen alone.
        if took.len() < ENOUGH {
            return Spread {
                p50_s: arrival.expected_s.saturating_add(self.finality_s),
                p95_s: arrival.most_s.saturating_add(self.finality_s),
                recent: 0,
            };
        }
        // 2. What a payment takes that waits for nothing but its own batch, its blocks and their finality: what recent ones took.
        let mut took = took.to_vec();
        took.sort_unstable();
        let part = |percent: usize| {
            let rank = took.len().saturating_mul(percent).div_ceil(100);
            took.get(rank.saturating_sub(1)).copied().unwrap_or(0)
        };
        // 3. And what this one waits for beyond that, as foreseen: the queue, room, approval.
        let alone = self.alone().arrival();
        let expected = arrival.expected_s.saturating_sub(alone.expected_s);
        let most = arrival.most_s.saturating_sub(alone.most_s);
        let p50 = part(50).saturating_add(expected);
        Spread {
            p50_s: p50,
            p95_s: part(95).saturating_add(most).max(p50),
            recent: took.len(),
        }
    }

    /// The same for a payment that nothing is in the way of.
    fn alone(&self) -> Self {
        Self {
            amount: 0,
            tier: TierLook {
                approvals: 0,
                delay: 0,
                ..self.tier
            },
            ahead: 0,
            ahead_sum: 0,
            ..*self
        }
    }

    /// Adds the waits up. Of people's approvals nothing is known: with a tier that asks for some, times are from the last of them.
    pub fn arrival(&self) -> Arrival {
        let needed = self.ahead_sum.saturating_add(self.amount);
        let blocks = |count: u64| count.saturating_mul(self.block_ms).div_ceil(1_000);
        // 1. Its own batch, and those before it, one in each block.
        let places = self.ahead.saturating_add(1);
        let batches = places.div_ceil(self.max_payments.max(1));
        let mut expected = self.max_wait_s.max(self.patience_s.0);
        let mut most = self.max_wait_s.max(self.patience_s.1);
        expected = expected.saturating_add(blocks(batches.saturating_add(1)));
        most = most.saturating_add(blocks(batches.saturating_mul(SLOW_BLOCKS)));
        // 2. Room returns within a day, each full cap of it.
        let short = needed.saturating_sub(self.tier.headroom.0);
        let days = short.div_ceil(self.tier.cap.0.max(1));
        let days = u64::try_from(days).unwrap_or(u64::MAX);
        expected = expected.saturating_add(days.saturating_mul(WINDOW));
        most = most.saturating_add(days.saturating_mul(WINDOW.saturating_add(SLOT)));
        // 3. The delay of a tier that people approve, and the second transaction that executes.
        if !self.tier.is_automatic() {
            let delay = u64::from(self.tier.delay);
            let again = self.finality_s.saturating_add(delay);
            expected = expected.saturating_add(again).saturating_add(blocks(2));
            most = most
                .saturating_add(again)
                .saturating_add(blocks(SLOW_BLOCKS));
        }
        Arrival {
            expected_s: expected,
            most_s: most,
            finality_s: self.finality_s,
            lacks_balance: needed > self.balance,
            lacks_room: short > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Amount;

    const SCENE: Scene = Scene {
        amount: 100,
        tier: TierLook {
            approvals: 0,
            delay: 0,
            cap: Amount(1_000),
            headroom: Amount(500),
        },
        balance: 10_000,
        ahead: 0,
        ahead_sum: 0,
        max_payments: 4,
        max_wait_s: 5,
        patience_s: (0, 0),
        block_ms: 12_000,
        finality_s: 768,
    };

    fn expected(scene: Scene) -> u64 {
        let Arrival {
            expected_s, most_s, ..
        } = scene.arrival();
        assert!(most_s >= expected_s, "{scene:?}");
        expected_s
    }

    #[test]
    fn a_payment_alone_waits_for_its_batch_and_two_blocks() {
        assert_eq!(expected(SCENE), 5 + 24);
        let arrival = SCENE.arrival();
        assert_eq!((arrival.most_s, arrival.finality_s), (5 + 120, 768));
        assert!(!arrival.lacks_room && !arrival.lacks_balance);
    }

    #[test]
    fn the_queue_counts_in_batches() {
        for (ahead, batches) in [(0, 1), (3, 1), (4, 2), (7, 2), (8, 3)] {
            let scene = Scene { ahead, ..SCENE };
            assert_eq!(expected(scene), 5 + 12 * (batches + 1), "{ahead}");
        }
        let none = Scene {
            max_payments: 0,
            block_ms: 1,
            ..SCENE
        };
        assert_eq!(expected(none), 5 + 1, "milliseconds are rounded up");
    }

    #[test]
    fn room_returns_within_a_day_for_each_cap() {
        for (ahead_sum, days) in [(400, 0), (401, 1), (1_400, 1), (1_401, 2)] {
            let scene = Scene { ahead_sum, ..SCENE };
            let arrival = scene.arrival();
            assert_eq!(expected(scene), 29 + days * WINDOW, "{ahead_sum}");
            assert_eq!(arrival.most_s, 125 + days * (WINDOW + SLOT));
            assert_eq!(arrival.lacks_room, days > 0);
        }
        for (balance, lacks) in [(100, false), (99, true)] {
            assert_eq!(Scene { balance, ..SCENE }.arrival().lacks_balance, lacks);
        }
    }

    #[test]
    fn a_spread_is_what_recent_payments_took_and_what_this_one_waits_for_beside() {
        // Too few are known: what is foreseen.
        let few: Vec<u64> = vec![7; ENOUGH - 1];
        let foreseen = Spread {
            p50_s: 29 + 768,
            p95_s: 125 + 768,
            recent: 0,
        };
        assert_eq!(SCENE.spread(&few), foreseen);
        // The 50th and the 95th of 100, in whatever order they come.
        let took: Vec<u64> = (1..=100).rev().collect();
        let spread = SCENE.spread(&took);
        assert_eq!((spread.p50_s, spread.p95_s, spread.recent), (50, 95, 100));
        let twenty: Vec<u64> = (1..=20).collect();
        let spread = SCENE.spread(&twenty);
        assert_eq!((spread.p50_s, spread.p95_s), (10, 19));
        // Two batches ahead are two blocks more, and twenty at most.
        let behind = Scene { ahead: 8, ..SCENE };
        let spread = behind.spread(&took);
        assert_eq!((spread.p50_s, spread.p95_s), (50 + 24, 95 + 240));
        // A day until there is room, and a slot more at most.
        let full = Scene {
            ahead_sum: 500,
            ..SCENE
        };
        let spread = full.spread(&took);
        assert_eq!(
            (spread.p50_s, spread.p95_s),
            (50 + WINDOW, 95 + WINDOW + SLOT)
        );
        // A tier that people approve: finality of the proposal, its delay, two blocks.
        let tier = TierLook {
            approvals: 2,
            delay: 3_600,
            ..SCENE.tier
        };
        let spread = Scene { tier, ..SCENE }.spread(&took);
        assert_eq!(spread.p50_s, 50 + 768 + 3_600 + 24);
        assert!(SCENE.spread(&[u64::MAX; 20]).p95_s == u64::MAX);
    }

    #[test]
    fn approval_patience_and_overflow() {
        let tier = TierLook {
            approvals: 2,
            delay: 3_600,
            ..SCENE.tier
        };
        assert_eq!(expected(Scene { tier, ..SCENE }), 29 + 768 + 3_600 + 24);
        let scene = Scene {
            patience_s: (50, 7_200),
            ..SCENE
        };
        assert_eq!(scene.arrival().expected_s, 50 + 24);
        assert_eq!(scene.arrival().most_s, 7_200 + 120);
        let endless = Scene {
            ahead: u64::MAX,
            ahead_sum: u128::MAX,
            block_ms: u64::MAX,
            ..SCENE
        };
        assert_eq!(expected(endless), u64::MAX);
    }
}
