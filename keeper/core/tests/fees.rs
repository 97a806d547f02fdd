//! What waiting for a cheap hour comes to against paying at once, on the histories of test-fixtures/fees. They are made up, by
//! `scripts/fee-histories`: what is pinned is the rule, not what any chain's users would save.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::fs;

use tidelock_core::submit::{DAY, Patience, replay};

const HOUR: u64 = 3_600;

fn history(name: &str) -> Vec<(u64, u128)> {
    let path = format!(
        "{}/../../test-fixtures/fees/{name}.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(path).unwrap();
    let points = text.lines().map(|line| {
        let (time, fee) = line.split_once(',').unwrap();
        (time.parse().unwrap(), fee.parse().unwrap())
    });
    points.collect()
}

/// A deadline [seconds], what it saves against paying at once [hundredths of a percent], and the longest wait [seconds].
type Waited = (u64, i128, u64);

const EXPECTED: &[(&str, [Waited; 4])] = &[
    (
        "daily",
        [
            (HOUR, 216, 3_600),
            (6 * HOUR, 233, 21_000),
            (12 * HOUR, 229, 33_600),
            (DAY, 966, 45_300),
        ],
    ),
    (
        "spikes",
        [
            (HOUR, 423, 2_100),
            (6 * HOUR, 540, 4_500),
            (12 * HOUR, 553, 4_500),
            (DAY, 566, 4_500),
        ],
    ),
    (
        "rising",
        [
            (HOUR, 416, 3_600),
            (6 * HOUR, 556, 19_800),
            (12 * HOUR, 542, 33_300),
            (DAY, 354, 59_100),
        ],
    ),
];

#[test]
fn waiting_against_paying_at_once() {
    for (name, deadlines) in EXPECTED {
        let history = history(name);
        let played = deadlines.map(|(deadline_s, ..)| {
            let patience = Patience {
                deadline_s,
                percent: 25,
            };
            let played = replay(&patience, &history);
            assert!(played.payments > 0, "{name}");
            (deadline_s, played.saved(), played.longest_s)
        });
        assert_eq!(played, *deadlines, "{name}");
    }
}

/// Paying at once is what no wait comes to, on every history.
#[test]
fn no_wait_saves_nothing() {
    for (name, _) in EXPECTED {
        let none = Patience {
            deadline_s: 0,
            percent: 25,
        };
        let played = replay(&none, &history(name));
        assert_eq!((played.saved(), played.longest_s), (0, 0), "{name}");
    }
}
