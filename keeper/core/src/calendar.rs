//! Times and spans as people read them.

use time::OffsetDateTime;

/// A second since 1970 as a date and time of day, UTC: `2026-11-25 01:49:00 UTC`. Chain time may be later than dates go.
pub fn utc(seconds: u64) -> String {
    match parts(seconds) {
        None => "after the year 9999".to_owned(),
        Some((date, time)) => format!("{date} {time} UTC"),
    }
}

/// The same as RFC 3339 has it: `2026-11-25T01:49:00Z`; 1970 for what is later than dates go.
pub fn rfc3339(seconds: u64) -> String {
    let (date, time) = parts(seconds).or_else(|| parts(0)).unwrap_or_default();
    format!("{date}T{time}Z")
}

fn parts(seconds: u64) -> Option<(String, String)> {
    let seconds = i64::try_from(seconds).ok()?;
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    Some((
        format!("{year:04}-{month:02}-{day:02}"),
        format!("{hour:02}:{minute:02}:{second:02}"),
    ))
}

/// A second since 1970, and what that is in UTC.
pub fn both(seconds: u64) -> String {
    format!("{seconds} ({})", utc(seconds))
}

/// So many seconds, in the unit that people would use and the next smaller one: `2 h 5 min`.
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = rest.div_euclid(unit);
        rest = rest.rem_euclid(unit);
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {name}"));
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        return "0 s".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_700_000_000, "2023-11-14 22:13:20 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (253_402_300_800, "after the year 9999"),
            ((1 << 40) - 1, "after the year 9999"),
            (u64::MAX, "after the year 9999"),
        ] {
            assert_eq!(utc(seconds), shown);
        }
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, shown) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_601, "1 h"),
            (7_384, "2 h 3 min"),
            (86_400 + 59, "1 d"),
            (3 * 86_400 + 4 * 3_600 + 5, "3 d 4 h"),
        ] {
            assert_eq!(span(seconds), shown);
        }
    }
}
