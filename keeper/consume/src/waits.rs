//! Waits that grow, and how many messages may come in a second.

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// The first wait.
const FIRST: Duration = Duration::from_millis(250);
/// The longest; each is twice the one before.
const LONGEST: Duration = Duration::from_secs(30);

/// Waits, each longer than the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits(Duration);

impl Default for Waits {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Waits {
    pub fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = wait.saturating_mul(2).min(LONGEST);
        wait
    }
}

/// So many in a second; those of one second may come at once.
pub(crate) struct Pace {
    every: Duration,
    /// When the next would come, if all came evenly.
    next: Mutex<Instant>,
}

const SECOND: Duration = Duration::from_secs(1);

impl Pace {
    pub fn new(per_second: u32) -> Self {
        Self {
            every: SECOND.checked_div(per_second).unwrap_or(SECOND),
            next: Mutex::new(before(Instant::now())),
        }
    }

    /// Until it is the next one's turn. Whoever waits no more takes none: they come in the order in which they asked.
    pub async fn turn(&self) {
        let mut next = self.next.lock().await;
        let turn = (*next).max(before(Instant::now()));
        sleep_until(turn).await;
        *next = turn.checked_add(self.every).unwrap_or(turn);
    }
}

/// A second before: what was not used of it may be used now.
fn before(now: Instant) -> Instant {
    now.checked_sub(SECOND).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_longest() {
        let mut waits = Waits::default();
        let all: Vec<Duration> = (0..12).map(|_| waits.next()).collect();
        assert_eq!(all[..3], [FIRST, FIRST * 2, FIRST * 4]);
        assert_eq!(all[11], LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_has_no_more_than_its_number() {
        // A clock that has run for a while.
        tokio::time::advance(SECOND * 10).await;
        let pace = Pace::new(10);
        let start = Instant::now();
        for turn in 0..30u32 {
            pace.turn().await;
            let most = SECOND / 10 * turn.saturating_sub(9);
            assert!(
                start.elapsed() >= most.saturating_sub(SECOND / 10),
                "{turn}"
            );
        }
        assert!(start.elapsed() >= SECOND * 19 / 10, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_no_more_takes_no_turn() {
        tokio::time::advance(SECOND * 10).await;
        let pace = Pace::new(1);
        pace.turn().await;
        pace.turn().await;
        for _ in 0..100 {
            let cut_off = tokio::time::timeout(Duration::from_millis(1), pace.turn()).await;
            assert!(cut_off.is_err());
        }
        let start = Instant::now();
        pace.turn().await;
        assert!(start.elapsed() <= SECOND);
    }
}
