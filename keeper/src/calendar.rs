//! Chain time as people read it.

/// A second since 1970 as a date and time of day, UTC: `2026-11-25 01:49:00 UTC`.
pub fn utc(seconds: u64) -> String {
    const DAY: u64 = 86_400;
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (hour, minute) = (
        second.div_euclid(3_600),
        second.div_euclid(60).rem_euclid(60),
    );
    let second = second.rem_euclid(60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// A second since 1970, and what that is in UTC.
pub fn both(seconds: u64) -> String {
    format!("{seconds} ({})", utc(seconds))
}

/// Year, month and day of a day since 1970 in the Gregorian calendar, whose years are counted from March, so that the leap
/// day is a year's last, and which repeats every 400 years.
fn date(days: u64) -> (u64, u64, u64) {
    const FROM_MARCH_OF_0: u64 = 719_468; // [days]
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days.saturating_add(FROM_MARCH_OF_0);
    let (cycle, of_cycle) = (
        days.div_euclid(DAYS_OF_400_YEARS),
        days.rem_euclid(DAYS_OF_400_YEARS),
    );
    // Without the leap days before it, a day of the cycle is in its 365-day year.
    let leap_days = (of_cycle.div_euclid(1_460))
        .saturating_sub(of_cycle.div_euclid(36_524))
        .saturating_add(of_cycle.div_euclid(DAYS_OF_400_YEARS.saturating_sub(1)));
    let year_of_cycle = of_cycle.saturating_sub(leap_days).div_euclid(365);
    let before = year_of_cycle
        .saturating_mul(365)
        .saturating_add(year_of_cycle.div_euclid(4))
        .saturating_sub(year_of_cycle.div_euclid(100));
    let of_year = of_cycle.saturating_sub(before);
    // From March on, months have 31, 30, 31, 30, 31 days, again and again: 153 in five.
    let month = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let before = month.saturating_mul(153).saturating_add(2).div_euclid(5);
    let day = of_year.saturating_sub(before).saturating_add(1);
    let is_next_year = month >= 10;
    let year = cycle
        .saturating_mul(400)
        .saturating_add(year_of_cycle)
        .saturating_add(u64::from(is_next_year));
    let month = if is_next_year {
        month.saturating_sub(9)
    } else {
        month.saturating_add(3)
    };
    (year, month, day)
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
            ((1 << 40) - 1, "36812-02-20 00:36:15 UTC"),
        ] {
            assert_eq!(utc(seconds), shown);
        }
    }

    #[test]
    fn each_day_follows_the_day_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..200_000 {
            assert_eq!(date(days), (year, month, day), "day {days}");
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
