//! How often each key may ask: so many requests in a second, and as many at once. Who has no key is counted by where they ask from.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Who has no key that is known has a small budget.
const STRANGER: u32 = 100;
/// Strangers that are told apart within a second; the others share one budget.
const STRANGERS: usize = 10_000;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker<'a> {
    /// A key, or a person, by their id.
    Known(&'a str),
    /// Somebody who has shown neither, by where they ask from; none if a proxy does not say so.
    Stranger(Option<IpAddr>),
}

/// One budget for each.
pub(crate) struct Rates {
    per_second: u32,
    known: Mutex<HashMap<String, Budget>>,
    strangers: Mutex<HashMap<Option<IpAddr>, Budget>>,
}

impl Rates {
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            known: Mutex::default(),
            strangers: Mutex::default(),
        }
    }

    /// Whether strangers from there have nothing left: then nothing that they show is looked up.
    pub fn is_spent(&self, from: Option<IpAddr>, now: Instant) -> bool {
        let strangers = self
            .strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let budget = strangers.get(&from.map(subnet));
        budget.is_some_and(|budget| budget.left(STRANGER, now) < SECOND)
    }

    /// Takes one request from somebody's budget, if there is one left.
    pub fn take(&self, asker: Asker<'_>, now: Instant) -> bool {
        match asker {
            Asker::Known(id) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                if !known.contains_key(id) {
                    known.insert(id.to_owned(), Budget::full(self.per_second, now));
                }
                let budget = known.get_mut(id);
                budget.is_some_and(|budget| budget.take(self.per_second, now))
            }
            Asker::Stranger(from) => {
                let mut strangers = self
                    .strangers
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let mut from = from.map(subnet);
                if strangers.len() >= STRANGERS && !strangers.contains_key(&from) {
                    // Whoever has asked for nothing for a second is as good as new.
                    strangers.retain(|_, budget| !budget.is_full(STRANGER, now));
                    if strangers.len() >= STRANGERS {
                        from = None;
                    }
                }
                let budget = strangers.entry(from);
                let budget = budget.or_insert_with(|| Budget::full(STRANGER, now));
                budget.take(STRANGER, now)
            }
        }
    }
}

/// What one household has: of IPv6 the first half, for the other is its own to choose.
fn subnet(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
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

    /// What is left by now.
    fn left(&self, per_second: u32, now: Instant) -> u128 {
        let most = u128::from(per_second).saturating_mul(SECOND);
        let since: Duration = now.saturating_duration_since(self.at);
        let more = since.as_nanos().saturating_mul(u128::from(per_second));
        self.left.saturating_add(more).min(most)
    }

    fn is_full(&self, per_second: u32, now: Instant) -> bool {
        self.left(per_second, now) == u128::from(per_second).saturating_mul(SECOND)
    }

    fn take(&mut self, per_second: u32, now: Instant) -> bool {
        self.left = self.left(per_second, now);
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
        let taken = |at| {
            let each = 0..1_000;
            each.filter(|_| rates.take(Asker::Known("a"), at)).count()
        };
        assert_eq!(taken(start), 10);
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(taken(after(99)), 0);
        assert_eq!(taken(after(100)), 1);
        assert_eq!(taken(after(10_000)), 10, "never more than a second's");
    }

    fn from(text: &str) -> Asker<'_> {
        Asker::Stranger(Some(text.parse().unwrap()))
    }

    #[test]
    fn nobody_takes_anything_from_another() {
        let rates = Rates::new(10);
        let now = Instant::now();
        let taken = |asker| (0..1_000).filter(|_| rates.take(asker, now)).count();
        assert_eq!(taken(Asker::Stranger(None)), 100);
        assert_eq!(taken(Asker::Known("a")), 10);
        assert_eq!(taken(Asker::Known("b")), 10);
        assert_eq!(taken(from("192.0.2.1")), 100);
        assert_eq!(taken(from("192.0.2.2")), 100);
        assert_eq!(taken(from("192.0.2.1")), 0);
        let is_spent = |text: &str, at| rates.is_spent(Some(text.parse().unwrap()), at);
        assert!(is_spent("192.0.2.1", now) && !is_spent("192.0.2.3", now));
        assert!(!is_spent("192.0.2.1", now + Duration::from_millis(10)));
        assert_eq!(taken(from("2001:db8::1")), 100);
        assert_eq!(taken(from("2001:db8::2")), 0, "one household");
        assert_eq!(taken(from("2001:db8:0:1::1")), 100);
    }

    #[test]
    fn strangers_beyond_number_share_one_budget_until_others_are_as_good_as_new() {
        let rates = Rates::new(10);
        let now = Instant::now();
        for number in 0..u32::try_from(STRANGERS).unwrap() {
            let address = IpAddr::V4(number.into());
            assert!(rates.take(Asker::Stranger(Some(address)), now));
        }
        let taken = |asker, at| (0..1_000).filter(|_| rates.take(asker, at)).count();
        assert_eq!(taken(from("192.0.2.1"), now), 100);
        assert_eq!(taken(from("192.0.2.2"), now), 0);
        assert_eq!(taken(Asker::Known("a"), now), 10);
        assert!(rates.strangers.lock().unwrap().len() <= STRANGERS.saturating_add(1));
        let later = now + Duration::from_secs(1);
        assert_eq!(taken(from("192.0.2.2"), later), 100);
        assert_eq!(rates.strangers.lock().unwrap().len(), 1);
    }
}
