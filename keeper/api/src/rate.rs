//! How often each key may ask: so many requests in a second, and as many at once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Who has no key that is known shares one budget, which is small.
const NOBODY: u32 = 100;

/// One budget a key.
pub(crate) struct Rates {
    per_second: u32,
    budgets: Mutex<HashMap<String, Budget>>,
}

impl Rates {
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            budgets: Mutex::default(),
        }
    }

    /// Takes one request from a key's budget, if there is one left.
    pub fn take(&self, key: Option<&str>, now: Instant) -> bool {
        let per_second = key.map_or(NOBODY, |_| self.per_second);
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let name = key.unwrap_or_default();
        if !budgets.contains_key(name) {
            budgets.insert(name.to_owned(), Budget::full(per_second, now));
        }
        budgets
            .get_mut(name)
            .is_some_and(|budget| budget.take(per_second, now))
    }
}

/// What is left, in parts of a request, so that nothing is lost to rounding.
struct Budget {
    left: u128, // [requests × nanoseconds of a second]
    at: Instant,
}

const SECOND: u128 = 1_000_000_000;

impl Budget {
    fn full(per_second: u32, now: Instant) -> Self {
        Self {
            left: u128::from(per_second).saturating_mul(SECOND),
            at: now,
        }
    }

    fn take(&mut self, per_second: u32, now: Instant) -> bool {
        let most = u128::from(per_second).saturating_mul(SECOND);
        let since: Duration = now.saturating_duration_since(self.at);
        let more = since.as_nanos().saturating_mul(u128::from(per_second));
        self.left = self.left.saturating_add(more).min(most);
        self.at = now;
        match self.left.checked_sub(SECOND) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_full_at_first_and_fills_with_time() {
        let rates = Rates::new(10);
        let start = Instant::now();
        let taken = |key, at| (0..1_000).filter(|_| rates.take(key, at)).count();
        assert_eq!(taken(Some("a"), start), 10);
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(taken(Some("a"), after(99)), 0);
        assert_eq!(taken(Some("a"), after(100)), 1);
        assert_eq!(
            taken(Some("a"), after(10_000)),
            10,
            "never more than a second's"
        );
    }

    #[test]
    fn one_key_takes_nothing_from_another_nor_who_has_none() {
        let rates = Rates::new(10);
        let now = Instant::now();
        let taken = |key| (0..1_000).filter(|_| rates.take(key, now)).count();
        assert_eq!(taken(None), 100);
        assert_eq!(taken(Some("a")), 10);
        assert_eq!(taken(Some("b")), 10);
    }
}
