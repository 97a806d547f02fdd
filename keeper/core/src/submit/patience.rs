//! Waiting for a cheap hour: what is not urgent is paid once the base fee is low for the day, and at its deadline whatever it is.
//! Whole numbers only.

use std::collections::VecDeque;

/// What the base fee is compared with. [seconds of chain time]
pub const DAY: u64 = 86_400;
/// Time between two prices that are kept. [seconds of chain time]
const STEP: u64 = 300;
/// With prices of a shorter time nothing is said of an hour, and nothing waits. [seconds of chain time]
const LEAST: u64 = 6 * 3_600;

/// What the operator allows to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// At most so long after it was taken in, a payment is paid at the price of then. [seconds]
    pub deadline_s: u64,
    /// At first it is paid only at a price that so much of the last day was above: at 25 in the cheapest quarter. It rises evenly to
    /// 100 at the deadline. [percent]
    pub percent: u8,
}

impl Patience {
    /// How old a payment must be to be paid now, at a price that `rank` percent of the day's prices are at or below. [seconds]
    pub fn age_at(&self, rank: u64) -> u64 {
        let start = u64::from(self.percent).min(100);
        // 1. The price is low enough from the first moment.
        if rank <= start {
            return 0;
        }
        // 2. It has to rise from `start` to `rank`, on its way to 100 at the deadline; rounded up, so never early.
        let way = rank.min(100).saturating_sub(start);
        let whole = 100_u64.saturating_sub(start).max(1);
        self.deadline_s.saturating_mul(way).div_ceil(whole)
    }

    /// The same at a price, by the prices known; 0 if too few are known.
    pub fn age(&self, prices: &Prices, base_fee: u128) -> u64 {
        prices.rank(base_fee).map_or(0, |rank| self.age_at(rank))
    }
}

/// Base fees of the last day, one for each five minutes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices(VecDeque<(u64, u128)>);

impl Prices {
    /// A block's time and base fee, in order. What is older than a day is forgotten.
    pub fn learn(&mut self, time: u64, base_fee: u128) {
        let last = self.0.back().map(|(time, _)| *time);
        if last.is_none_or(|last| time >= last.saturating_add(STEP)) {
            self.0.push_back((time, base_fee));
        }
        while let Some((first, _)) = self.0.front()
            && first.saturating_add(DAY) < time
        {
            self.0.pop_front();
        }
    }

    /// From the first to the last price that is known. [seconds]
    pub fn span(&self) -> u64 {
        let ends = self.0.front().zip(self.0.back());
        ends.map_or(0, |((first, _), (last, _))| last.saturating_sub(*first))
    }

    /// How much of the last day was at this price or below. [percent, rounded down] None if too little of it is known.
    pub fn rank(&self, base_fee: u128) -> Option<u64> {
        if self.span() < LEAST {
            return None;
        }
        let below = self.0.iter().filter(|(_, fee)| *fee < base_fee).count();
        let below = u64::try_from(below).ok()?.saturating_mul(100);
        below.checked_div(u64::try_from(self.0.len()).ok()?)
    }
}

/// What a history of base fees would have cost, paid at once and paid with patience.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay {
    /// Payments that came: one with each price, as long as its deadline is within the history.
    pub payments: u64,
    /// The sum of the base fees that each would have met. [wei per gas]
    pub now: u128,
    /// The same with patience. [wei per gas]
    pub patient: u128,
    /// The longest wait. [seconds]
    pub longest_s: u64,
    /// The sum of the waits. [seconds]
    pub waited_s: u64,
}

impl Replay {
    /// What patience saves. [hundredths of a percent; negative if it costs more]
    pub fn saved(&self) -> i128 {
        let (now, patient) = (i128::try_from(self.now), i128::try_from(self.patient));
        let saved = now.ok().zip(patient.ok()).and_then(|(now, patient)| {
            let whole = now.checked_sub(patient)?.checked_mul(10_000)?;
            whole.checked_div(now)
        });
        saved.unwrap_or_default()
    }
}

/// Plays a history, in order of time, against the rule: with each price comes one payment of the same gas.
pub fn replay(patience: &Patience, history: &[(u64, u128)]) -> Replay {
    let mut result = Replay::default();
    let mut prices = Prices::default();
    let mut waiting: VecDeque<(u64, u128)> = VecDeque::new();
    let end = history.last().map_or(0, |(time, _)| *time);
    for (time, base_fee) in history {
        prices.learn(*time, *base_fee);
        // 1. Those whose deadline is not within the history tell nothing.
        if prices.span() >= LEAST && time.saturating_add(patience.deadline_s) <= end {
            waiting.push_back((*time, *base_fee));
        }
        // 2. The oldest first, as the engine has it: what comes with it may be younger.
        let age = patience.age(&prices, *base_fee);
        let is_due = |(since, _): &(u64, u128)| time.saturating_sub(*since) >= age;
        if waiting.front().is_some_and(is_due) {
            for (since, at_once) in waiting.drain(..) {
                let waited = time.saturating_sub(since);
                result.payments = result.payments.saturating_add(1);
                result.now = result.now.saturating_add(at_once);
                result.patient = result.patient.saturating_add(*base_fee);
                result.longest_s = result.longest_s.max(waited);
                result.waited_s = result.waited_s.saturating_add(waited);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        deadline_s: 7_500,
        percent: 25,
    };

    #[test]
    fn the_price_that_is_low_enough_rises_to_any_at_the_deadline() {
        for (rank, age) in [
            (0, 0),
            (25, 0),
            (26, 100),
            (50, 2_500),
            (99, 7_400),
            (100, 7_500),
        ] {
            assert_eq!(PATIENCE.age_at(rank), age, "{rank}");
        }
        let all = Patience {
            percent: 100,
            ..PATIENCE
        };
        assert_eq!(all.age_at(100), 0);
        let uneven = Patience {
            deadline_s: 1,
            percent: 0,
        };
        assert_eq!((uneven.age_at(0), uneven.age_at(1)), (0, 1), "never early");
    }

    #[test]
    fn what_is_not_known_is_not_waited_for() {
        let mut prices = Prices::default();
        for step in 0..LEAST / STEP {
            prices.learn(step * STEP, 5);
        }
        assert_eq!(prices.rank(9), None);
        assert_eq!(PATIENCE.age(&prices, 9), 0);
        prices.learn(LEAST, 5);
        assert_eq!(prices.rank(9), Some(100));
        assert_eq!(prices.rank(5), Some(0));
        assert_eq!(PATIENCE.age(&prices, 9), PATIENCE.deadline_s);
    }

    #[test]
    fn a_day_is_kept_whatever_the_blocks() {
        let mut prices = Prices::default();
        for second in 0..3 * DAY {
            prices.learn(second, second.into());
        }
        assert_eq!(u64::try_from(prices.0.len()).unwrap(), DAY / STEP);
        assert!(prices.0.front().unwrap().0 >= 2 * DAY - STEP);
    }

    /// Five days of a made-up chain: dearest at noon, cheapest at midnight.
    #[test]
    fn patience_saves_where_prices_come_and_go_and_keeps_its_deadline() {
        let history: Vec<(u64, u128)> = (0..5 * DAY / STEP)
            .map(|step| {
                let time = step * STEP;
                let since_midnight = (time % DAY).min(DAY - time % DAY);
                (time, u128::from(10 + since_midnight / STEP))
            })
            .collect();
        let day = Patience {
            deadline_s: DAY,
            percent: 25,
        };
        let (short, long) = (replay(&PATIENCE, &history), replay(&day, &history));
        // Two hours are not enough: while prices rise, what waits pays more.
        assert!(short.saved() < 0, "{short:?}");
        assert!(long.saved() > 500, "{long:?}");
        for (played, patience) in [(short, PATIENCE), (long, day)] {
            assert!(played.longest_s <= patience.deadline_s + STEP);
        }
        let none = Patience {
            deadline_s: 0,
            percent: 25,
        };
        assert_eq!(replay(&none, &history).saved(), 0);
        let flat: Vec<_> = history.iter().map(|(time, _)| (*time, 7)).collect();
        assert_eq!(replay(&PATIENCE, &flat).saved(), 0);
    }
}
