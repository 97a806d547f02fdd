//! Lists of payments as people write them: a header line `ref,recipient,amount`, then one payment a line, amounts in
//! tokens. All of a file is good, or none of it is taken.

use std::collections::BTreeMap;

use tidelock_core::domain::{Amount, DomainError, Payment, PaymentRef, parse_address};

/// The first line.
const HEADER: [&str; 3] = ["ref", "recipient", "amount"];

/// What is wrong with a file. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// The first line is another.
    #[error("line 1 {found:?}: must be \"ref,recipient,amount\"")]
    Header {
        /// What is there.
        found: String,
    },
    /// A line has more or fewer fields.
    #[error("line {line}: {found} fields; must be 3: ref, recipient, amount")]
    Fields {
        /// Which line.
        line: usize,
        /// Fields it has.
        found: usize,
    },
    /// A field breaks a rule.
    #[error("line {line}: {source}")]
    Field {
        /// Which line.
        line: usize,
        /// The field, its value and the rule.
        source: FieldError,
    },
    /// A ref comes twice: one of the two payments would not be made.
    #[error("line {line}: ref {reference} is that of line {first} too; each payment needs its own")]
    Twice {
        /// Which line.
        line: usize,
        /// The line that has it first.
        first: usize,
        /// The ref.
        reference: PaymentRef,
    },
    /// Several lines are wrong.
    #[error("{}", several(.0))]
    Several(Vec<CsvError>),
    /// There is a header and nothing else.
    #[error("no payments: at least one line must follow the header")]
    Empty,
}

/// Errors that are shown of one file; what follows is counted.
const SHOWN: usize = 20;

fn several(errors: &[CsvError]) -> String {
    let mut lines: Vec<String> = errors.iter().take(SHOWN).map(ToString::to_string).collect();
    match errors.len().saturating_sub(SHOWN) {
        0 => {}
        more => lines.push(format!("and {more} more lines")),
    }
    lines.join("\n")
}

/// Reads a file's text; `decimals` are the token's. Every bad line is named, not only the first.
pub fn read_payments(text: &str, decimals: u8) -> Result<Vec<Payment>, CsvError> {
    let lines = read_lines(text, decimals)?;
    Ok(lines.into_iter().map(|(_, payment)| payment).collect())
}

/// The same, each payment with the line it stands on.
pub fn read_lines(text: &str, decimals: u8) -> Result<Vec<(usize, Payment)>, CsvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // spreadsheets put it there
    let mut lines = (1..).zip(text.lines());
    let header = lines.next().map(|(_, line)| line).unwrap_or_default();
    if !header.split(',').map(str::trim).eq(HEADER) {
        let found = header.chars().take(80).collect();
        return Err(CsvError::Header { found });
    }
    let mut payments = Vec::new();
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        match read_line(line, text, decimals) {
            Err(error) => wrong.push(error),
            Ok(payment) => {
                let reference = payment.reference();
                let first = *seen.entry(reference).or_insert(line);
                if first != line {
                    wrong.push(CsvError::Twice {
                        line,
                        first,
                        reference,
                    });
                }
                payments.push((line, payment));
            }
        }
    }
    match wrong.pop() {
        Some(only) if wrong.is_empty() => return Err(only),
        Some(last) => {
            wrong.push(last);
            return Err(CsvError::Several(wrong));
        }
        None => {}
    }
    if payments.is_empty() {
        return Err(CsvError::Empty);
    }
    Ok(payments)
}

fn read_line(line: usize, text: &str, decimals: u8) -> Result<Payment, CsvError> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let [reference, recipient, amount] = fields.as_slice() else {
        let found = fields.len();
        return Err(CsvError::Fields { line, found });
    };
    let read = || {
        let reference: PaymentRef = reference.parse().map_err(FieldError::Domain)?;
        read_payment(reference, recipient, amount, decimals)
    };
    read().map_err(|source| CsvError::Field { line, source })
}

/// A field of a payment that breaks a rule, by the name that people know it under.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// No address.
    #[error("recipient {text:?}: {rule}")]
    Recipient {
        /// What was given.
        text: String,
        /// The rule.
        rule: &'static str,
    },
    /// More decimals than the token has.
    #[error("amount {text:?}: more decimals than the token has, which is {decimals}")]
    Decimals {
        /// What was given.
        text: String,
        /// The token's.
        decimals: u8,
    },
    /// Anything else.
    #[error("{0}")]
    Domain(DomainError),
}

/// Reads a payment as people write it; `decimals` are the token's.
pub fn read_payment(
    reference: PaymentRef,
    recipient: &str,
    amount: &str,
    decimals: u8,
) -> Result<Payment, FieldError> {
    let recipient = parse_address(recipient).map_err(|error| match error {
        DomainError::AddressInvalid { text, rule } => FieldError::Recipient { text, rule },
        other => FieldError::Domain(other),
    })?;
    let amount = Amount::parse(amount, decimals).map_err(|error| match error {
        DomainError::AmountInvalid { text, .. } if has_more_decimals(&text, decimals) => {
            FieldError::Decimals { text, decimals }
        }
        other => FieldError::Domain(other),
    })?;
    Payment::new(recipient, amount, reference).map_err(FieldError::Domain)
}

fn has_more_decimals(amount: &str, decimals: u8) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    amount.split_once('.').is_some_and(|(whole, fraction)| {
        is_digits(whole) && is_digits(fraction) && fraction.len() > usize::from(decimals)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REF: &str = "0x000102030405060708090a0b0c0d0e0f";
    const PAYEE: &str = "0x1111111111111111111111111111111111111111";

    #[test]
    fn it_reads_what_spreadsheets_write() {
        let other = "01234567-89ab-cdef-0123-456789abcdef";
        let text = format!(
            "\u{feff}ref,recipient,amount\r\n{REF}, {PAYEE} ,12.5\r\n\r\n{other},{PAYEE},1\r\n"
        );
        let payments = read_payments(&text, 6).unwrap();
        let amounts: Vec<_> = payments.iter().map(|payment| payment.amount().0).collect();
        assert_eq!(amounts, [12_500_000, 1_000_000]);
        assert_eq!(payments[0].reference().to_string(), REF);
        assert_eq!(payments[1].recipient().to_string().to_lowercase(), PAYEE);
    }

    #[test]
    fn it_names_every_bad_line() {
        let bad = format!("{REF},{PAYEE},0");
        let text = format!("ref,recipient,amount\n{bad}\n{REF},{PAYEE},1\nx\n");
        let error = read_payments(&text, 6).unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 2, "{error}");
        assert!(lines[0].starts_with("line 2: amount 0"), "{error}");
        assert!(lines[1].starts_with("line 4: 1 fields"), "{error}");

        let text = format!("ref,recipient,amount\n{}", format!("{bad}\n").repeat(50));
        let error = read_payments(&text, 6).unwrap_err().to_string();
        assert!(error.ends_with("and 30 more lines"), "{error}");
    }

    #[test]
    fn it_names_line_field_value_and_rule() {
        let good = format!("{REF},{PAYEE},1");
        for (lines, words) in [
            (
                "recipient,amount\n".to_owned(),
                "line 1 \"recipient,amount\": must be",
            ),
            (String::new(), "line 1 \"\": must be"),
            ("ref,recipient,amount\n".to_owned(), "no payments"),
            (
                format!("ref,recipient,amount\n{good},x"),
                "line 2: 4 fields",
            ),
            (
                format!("ref,recipient,amount\n{good}\n{REF},{PAYEE}"),
                "line 3: 2 fields",
            ),
            (
                format!("ref,recipient,amount\nabc,{PAYEE},1"),
                "line 2: ref \"abc\"",
            ),
            (
                format!("ref,recipient,amount\n{REF},0x11,1"),
                "line 2: recipient \"0x11\"",
            ),
            (
                format!("ref,recipient,amount\n{REF},{PAYEE},1.0000001"),
                "more decimals than the token has",
            ),
            (
                format!("ref,recipient,amount\n{REF},{PAYEE},1e3"),
                "line 2: amount \"1e3\"",
            ),
            (
                format!("ref,recipient,amount\n{REF},{PAYEE},0"),
                "line 2: amount 0",
            ),
            (
                format!("ref,recipient,amount\n{good}\n\n{good}"),
                "line 4: ref 0x000102030405060708090a0b0c0d0e0f is that of line 2",
            ),
        ] {
            let error = read_payments(&lines, 6).unwrap_err().to_string();
            assert!(error.contains(words), "{lines:?}: {error}");
        }
    }
}
