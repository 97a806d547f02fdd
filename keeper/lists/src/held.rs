//! What a list is held to beyond each field: who is never paid, and refs that come twice.

use tidelock_core::domain::{Address, Payment, PaymentRef};

use crate::CsvError;

/// Why no vault would ever pay it, if that is so: recipients that it refuses whatever its policy is.
pub fn never_paid(payment: &Payment, vault: Address, token: Address) -> Option<&'static str> {
    match payment.recipient() {
        to if to == vault => Some("is the vault itself, which is never paid"),
        to if to == token => Some("is the token itself, which is never paid"),
        _ => None,
    }
}

/// Refs that come more than once, of refs with their lines: of two payments under one, one would not be made.
pub fn twice(mut refs: Vec<(PaymentRef, u64)>) -> impl Iterator<Item = CsvError> {
    refs.sort_unstable();
    let mut first: Option<(PaymentRef, u64)> = None;
    refs.into_iter()
        .filter_map(move |(reference, line)| match first {
            Some((known, first)) if known == reference => Some(CsvError::Twice {
                line,
                first,
                reference,
            }),
            _ => {
                first = Some((reference, line));
                None
            }
        })
}

impl CsvError {
    /// The line that is wrong; none if it is not one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Header { line, .. }
            | Self::Fields { line, .. }
            | Self::Encoding { line, .. }
            | Self::Long { line, .. }
            | Self::Quotes { line }
            | Self::Field { line, .. }
            | Self::Rule { line, .. }
            | Self::Twice { line, .. }
            | Self::Unreadable { line, .. } => Some(*line),
            Self::Several { .. } | Self::Empty => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ref_that_comes_again_is_named_with_its_first_line() {
        let refs = [(2, 9), (1, 2), (2, 3), (1, 4), (2, 5), (3, 6)];
        let refs = refs.map(|(byte, line)| (PaymentRef([byte; 16]), line));
        let found: Vec<_> = twice(refs.to_vec())
            .map(|error| match error {
                CsvError::Twice { line, first, .. } => (line, first),
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(found, [(4, 2), (5, 3), (9, 3)]);
        assert_eq!(CsvError::Empty.line(), None);
        assert_eq!(CsvError::Quotes { line: 3 }.line(), Some(3));
    }
}
