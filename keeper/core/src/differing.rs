//! Where two values differ, for people to read.

use std::fmt::Debug;

/// Characters shown of a value that has no fields.
const SHOWN: usize = 120;

/// The first field in which two values differ, as each prints it: name and value.
#[must_use]
pub fn differing(one: &impl Debug, other: &impl Debug) -> (String, String) {
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    let same = one.chars().zip(other.chars());
    let same: String = same
        .take_while(|(a, b)| a == b)
        .map(|(same, _)| same)
        .collect();
    let start = same
        .rfind([',', '{', '['])
        .map_or(0, |at| at.saturating_add(1));
    (
        field(&one, start, same.len()),
        field(&other, start, same.len()),
    )
}

/// The field that starts at one byte of a printed value and goes on at least to another.
fn field(text: &str, start: usize, same: usize) -> String {
    let known = text.get(start..same).unwrap_or_default();
    let rest = text.get(same..).unwrap_or_default().chars();
    let rest: String = rest
        .take_while(|c| !matches!(c, ',' | '}' | ']'))
        .take(SHOWN)
        .collect();
    format!("{known}{rest}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints as it is.
    struct Printed(&'static str);

    impl Debug for Printed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    #[test]
    fn the_first_field_that_differs_is_shown_with_its_name() {
        for (one, other, expected) in [
            ("5", "6", ("5", "6")),
            (
                "Batch { count: 1, total: Amount(125) }",
                "Batch { count: 1, total: Amount(15) }",
                ("total: Amount(125)", "total: Amount(15)"),
            ),
            (
                "[A { a: 1 }, B { b: 2 }]",
                "[A { a: 1 }, B { b: 3 }]",
                ("b: 2", "b: 3"),
            ),
            ("None", "Some(A { a: 1 })", ("None", "Some(A { a: 1")),
            ("[1, 2]", "[1]", ("1", "1")),
            ("[é, ü]", "[é, ö]", ("ü", "ö")),
        ] {
            let (first, second) = differing(&Printed(one), &Printed(other));
            assert_eq!((first.as_str(), second.as_str()), expected, "{one} {other}");
        }
    }
}
