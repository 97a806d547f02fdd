//! Whether a number in a cell is exactly what a person sees there. A spreadsheet keeps numbers as binary floats, shows at most 15 digits of
//! them, and fewer if the cell's format says so.

/// Digits that spreadsheets show of a number, and that a binary float of 64 bits keeps.
const DIGITS: usize = 15;

/// How a cell shows numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As they are.
    General,
    /// With so many digits after the point.
    Digits(usize),
    /// As something else: a date, a share, a power.
    Otherwise,
}

impl Shown {
    /// The formats that are never written into a file (ECMA-376 part 1, 18.8.30).
    pub fn built_in(id: u32) -> Self {
        match id {
            0 | 49 => Self::General,
            1 | 3 | 5 | 6 | 37 | 38 | 41 | 42 => Self::Digits(0),
            2 | 4 | 7 | 8 | 39 | 40 | 43 | 44 => Self::Digits(2),
            _ => Self::Otherwise,
        }
    }

    /// A format of the file's own: what it does with positive numbers.
    pub fn by_code(code: &str) -> Self {
        let Some(bare) = bare(code) else {
            return Self::Otherwise;
        };
        if bare.eq_ignore_ascii_case("general") || bare == "@" {
            return Self::General;
        }
        let is_placeholder = |letter: char| matches!(letter, '0' | '#' | '?');
        let is_plain = |letter: char| is_placeholder(letter) || matches!(letter, ',' | '.' | ' ');
        // A comma behind the last digit divides by a thousand.
        let last = bare.trim_end_matches([' ', '.']);
        if !bare.chars().all(is_plain) || !bare.contains(is_placeholder) || last.ends_with(',') {
            return Self::Otherwise;
        }
        match bare.split_once('.') {
            None => Self::Digits(0),
            Some((whole, part)) if !whole.ends_with(',') && !part.contains(['.', ',']) => {
                Self::Digits(
                    part.chars()
                        .filter(|letter| is_placeholder(*letter))
                        .count(),
                )
            }
            Some(_) => Self::Otherwise,
        }
    }
}

/// The first part of a format without colours, units and blanks; none if a quote does not close.
fn bare(code: &str) -> Option<String> {
    let mut bare = String::new();
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ';' => break,
            '"' => {
                letters.by_ref().find(|next| *next == '"')?;
            }
            '[' => {
                let inside: String = letters.by_ref().take_while(|next| *next != ']').collect();
                // A unit of money is `$`; a condition or a time changes what is shown.
                let is_colour = inside.chars().all(char::is_alphabetic) && inside.len() > 2;
                if !inside.starts_with('$') && !is_colour {
                    return None;
                }
            }
            '\\' | '_' | '*' => {
                letters.next()?;
            }
            '$' | '€' | '£' | '¥' | '(' | ')' | '-' | '+' => {}
            other => bare.push(other),
        }
    }
    Some(bare.trim().to_owned())
}

/// The number as a person sees it, or the rule that it breaks. `written` is how the file has it.
pub(super) fn exactly(written: &str, shown: Shown) -> Result<String, &'static str> {
    let value = written
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite());
    let value = value.ok_or("must be a number, or text")?;
    // The shortest decimal that is this float: what was typed, if it has no more digits than a float keeps.
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{part}");
    let digits = digits.trim_start_matches(['-', '0']);
    let digits = if part.is_empty() {
        digits.trim_end_matches('0')
    } else {
        digits
    };
    if digits.len() > DIGITS {
        return Err("is a number that is not exactly what is shown of it: make the cell text");
    }
    match shown {
        Shown::General => Ok(text),
        Shown::Digits(most) if part.len() <= most => Ok(text),
        Shown::Digits(_) => {
            Err("is a number with more digits than the cell shows: make the cell text")
        }
        Shown::Otherwise => Err(
            "is a number that is shown as something else, as a date or a share: make the cell text",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_if_it_is_what_is_shown() {
        for (written, text) in [
            ("20.25", "20.25"),
            ("8.1999999999999993", "8.2"),
            ("1E3", "1000"),
            ("0.000001", "0.000001"),
            ("123456789012345", "123456789012345"),
            ("100000000000000000000", "100000000000000000000"),
            ("0", "0"),
        ] {
            assert_eq!(exactly(written, Shown::General), Ok(text.to_owned()));
        }
        for written in [
            "0.30000000000000004",
            "1234567890123456",
            "1.2345678901234567",
            "NaN",
            "inf",
            "x",
            "",
        ] {
            assert!(exactly(written, Shown::General).is_err(), "{written}");
        }
        assert!(exactly("12.5", Shown::Digits(0)).is_err());
        assert!(exactly("12.5", Shown::Digits(1)).is_ok());
        assert!(exactly("12", Shown::Otherwise).is_err());
    }

    #[test]
    fn a_format_says_how_many_digits_are_shown() {
        for (code, shown) in [
            ("General", Shown::General),
            ("@", Shown::General),
            ("0", Shown::Digits(0)),
            ("#,##0.00", Shown::Digits(2)),
            ("#,##0.00##;[Red]-#,##0.00", Shown::Digits(4)),
            ("[$USDT] #,##0.000000", Shown::Digits(6)),
            ("0.0\" USDT\"", Shown::Digits(1)),
            ("_-* #,##0.00_-", Shown::Digits(2)),
            ("0.00%", Shown::Otherwise),
            ("0.00E+00", Shown::Otherwise),
            ("yyyy-mm-dd", Shown::Otherwise),
            ("[h]:mm", Shown::Otherwise),
            ("[>100]0", Shown::Otherwise),
            ("0,", Shown::Otherwise),
            ("0.0,", Shown::Otherwise),
            ("# ?/?", Shown::Otherwise),
            ("\"hidden\"", Shown::Otherwise),
            ("\"open", Shown::Otherwise),
            ("", Shown::Otherwise),
        ] {
            assert_eq!(Shown::by_code(code), shown, "{code}");
        }
        assert_eq!(Shown::built_in(0), Shown::General);
        assert_eq!(Shown::built_in(4), Shown::Digits(2));
        assert_eq!(Shown::built_in(9), Shown::Otherwise);
    }
}
