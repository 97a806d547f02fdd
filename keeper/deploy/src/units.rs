//! Amounts, times and spans as people write them, to the numbers that the contract takes, and back.

use alloy_primitives::U256;

const DAY: u64 = 86_400;

/// A decimal amount in base units: `10000.50` with 6 decimals is 10000500000. None if it is no such amount, or has more decimals.
pub fn amount(text: &str, decimals: u8) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let places = usize::from(decimals);
    let is_written = !(whole.is_empty() || text.contains('.') && fraction.is_empty());
    if !is_written || !digits(whole) || !digits(fraction) || fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// The same the other way, without needless zeros, thousands apart: `10,000.5`.
pub fn shown(amount: impl TryInto<u128>, decimals: u8) -> String {
    let Ok(amount) = amount.try_into() else {
        return "more than 2^128".to_owned();
    };
    let places = usize::from(decimals);
    let text = format!("{amount:0>width$}", width = places.saturating_add(1));
    let (whole, fraction) = text.split_at(text.len().saturating_sub(places));
    let fraction = fraction.trim_end_matches('0');
    let mut grouped = String::new();
    for (place, digit) in whole.chars().rev().enumerate() {
        if place > 0 && place.is_multiple_of(3) {
            grouped.insert(0, ',');
        }
        grouped.insert(0, digit);
    }
    if fraction.is_empty() {
        grouped
    } else {
        format!("{grouped}.{fraction}")
    }
}

/// Ether, from wei.
pub fn ether(wei: U256) -> String {
    let wei: u128 = wei.try_into().unwrap_or(u128::MAX);
    shown(wei, 18)
}

/// Gwei, from wei.
pub fn gwei(wei: u128) -> String {
    shown(wei, 9)
}

/// A span in seconds: `0`, `90 minutes`, `36 hours`, `2 days`. None if it is no such span.
pub fn span(text: &str) -> Option<u32> {
    if text == "0" {
        return Some(0);
    }
    let (count, unit) = text.split_once(' ')?;
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: u32 = match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    count.parse::<u32>().ok()?.checked_mul(seconds)
}

/// The same the other way, in the largest unit that takes it whole.
pub fn span_shown(seconds: u64) -> String {
    if seconds == 0 {
        return "no time".to_owned();
    }
    let units = [(DAY, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fitting = units
        .into_iter()
        .find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = fitting.unwrap_or((1, "second"));
    let count = seconds.checked_div(unit).unwrap_or(seconds);
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// Seconds since 1970 of a UTC date, or date and time: `2027-11-01`, `2027-11-01T06:30:00Z`. None if it is no such time.
pub fn time(text: &str) -> Option<u64> {
    let (date, clock) = match text.split_once('T') {
        None => (text, "00:00:00"),
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_real = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_real {
        return None;
    }
    let years = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 });
    let months = (1..month).map(|month| days_of(year, month));
    let days: u64 = years.chain(months).sum::<u64>().checked_add(day)?;
    let of_day = hour
        .checked_mul(3_600)?
        .checked_add(minute.checked_mul(60)?)?;
    days.checked_sub(1)?
        .checked_mul(DAY)?
        .checked_add(of_day)?
        .checked_add(second)
}

/// The same the other way.
pub fn time_shown(seconds: u64) -> String {
    let (mut days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let mut year = 1970_u64;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length || year > 40_000 {
            break;
        }
        days = days.saturating_sub(length);
        year = year.saturating_add(1);
    }
    let mut month = 1_u64;
    while month < 12 && days >= days_of(year, month) {
        days = days.saturating_sub(days_of(year, month));
        month = month.saturating_add(1);
    }
    let (hour, rest) = (of_day.div_euclid(3_600), of_day.rem_euclid(3_600));
    let (minute, second) = (rest.div_euclid(60), rest.rem_euclid(60));
    let day = days.saturating_add(1);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Three numbers of so many digits each.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (slot, length) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        assert_eq!(amount("10000.50", 6), Some(10_000_500_000));
        assert_eq!(amount("0.000001", 6), Some(1));
        assert_eq!(amount("7", 18), Some(7_000_000_000_000_000_000));
        for wrong in [
            "",
            ".5",
            "5.",
            "1.0000001",
            "-1",
            "1e3",
            "1,000",
            " 1",
            "0x1",
        ] {
            assert_eq!(amount(wrong, 6), None, "{wrong}");
        }
        assert_eq!(
            amount("340282366920938463463374607431768211456", 0),
            None,
            "2^128"
        );
        assert_eq!(shown(10_000_500_000_u128, 6), "10,000.5");
        assert_eq!(shown(1_u128, 6), "0.000001");
        assert_eq!(shown(123_u128, 0), "123");
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span("0"), Some(0));
        assert_eq!(span("36 hours"), Some(129_600));
        assert_eq!(span("1 day"), Some(86_400));
        for wrong in [
            "",
            "36",
            "36h",
            "1.5 days",
            "-1 days",
            "2 weeks",
            "99999999 days",
        ] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
        assert_eq!(span_shown(172_800), "2 days");
        assert_eq!(span_shown(3_600), "1 hour");
        assert_eq!(span_shown(5_400), "90 minutes");
        assert_eq!(span_shown(0), "no time");
    }

    #[test]
    fn times_are_real_days() {
        assert_eq!(time("1970-01-01"), Some(0));
        assert_eq!(time("2027-11-01T06:30:05Z"), Some(1_825_050_605));
        assert_eq!(time("2028-02-29"), Some(1_835_395_200));
        for wrong in [
            "2027-02-29",
            "2027-13-01",
            "2027-1-1",
            "2027-11-01T06:30:05",
            "2027-11-01T24:00:00Z",
            "1969-12-31",
            "tomorrow",
        ] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
        for seconds in [0, 951_782_399, 951_782_400, 1_825_050_605, 4_102_444_799] {
            assert_eq!(time(&time_shown(seconds)), Some(seconds));
        }
    }
}
