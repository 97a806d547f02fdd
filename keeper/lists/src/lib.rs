//! Lists of payments as people write them: CSV whose header line names the columns `ref`, `recipient` and `amount`, in any
//! order, then one payment a line, amounts in tokens. Read one payment at a time, so that no list is too long.

mod held;

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder, Trim};
use tidelock_core::domain::{Address, Amount, DomainError, Payment, PaymentRef, parse_address};

pub use held::{never_paid, twice};

/// The columns that must be there.
const COLUMNS: [&str; 3] = ["ref", "recipient", "amount"];
/// No field that is good is longer. [bytes]
const LONGEST: usize = 200;

/// What is wrong with a list. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A column is missing in the header, or is there twice.
    #[error(
        "line {line} {found:?}: must name the columns ref, recipient and amount once each, separated by commas"
    )]
    Header {
        /// Which line.
        line: u64,
        /// What is there.
        found: String,
    },
    /// A line has more or fewer fields than the header.
    #[error("line {line}: {found} fields; the header has {expected}")]
    Fields {
        /// Which line.
        line: u64,
        /// Fields it has.
        found: usize,
        /// Fields that the header has.
        expected: usize,
    },
    /// A field is no text.
    #[error("line {line}: {column}: must be UTF-8 text")]
    Encoding {
        /// Which line.
        line: u64,
        /// Which field.
        column: &'static str,
    },
    /// A field is longer than any good one.
    #[error(
        "line {line}: {column}: has {length} bytes, must have at most {LONGEST}; is a quote missing?"
    )]
    Long {
        /// Which line.
        line: u64,
        /// Which field.
        column: &'static str,
        /// How long it is.
        length: usize,
    },
    /// A quote opens and none closes, or something follows the one that closes: what the field is to be is not known.
    #[error(
        "line {line}: a quote must open a field or close it; a quote within a quoted field is written twice"
    )]
    Quotes {
        /// Which line.
        line: u64,
    },
    /// A field breaks a rule.
    #[error("line {line}: {source}")]
    Field {
        /// Which line.
        line: u64,
        /// The field, its value and the rule.
        source: FieldError,
    },
    /// A payment that is good by itself breaks a rule of whoever takes it.
    #[error("line {line}: {rule}")]
    Rule {
        /// Which line.
        line: u64,
        /// The field, its value and the rule.
        rule: String,
    },
    /// A ref comes twice: one of the two payments would not be made.
    #[error("line {line}: ref {reference} is that of line {first} too; each payment needs its own")]
    Twice {
        /// Which line.
        line: u64,
        /// The line that has it first.
        first: u64,
        /// The ref.
        reference: PaymentRef,
    },
    /// Several lines are wrong.
    #[error("{}", several(shown, *more))]
    Several {
        /// The first of them.
        shown: Vec<CsvError>,
        /// How many others there are.
        more: u64,
    },
    /// There is a header and nothing else.
    #[error("no payments: at least one line must follow the header")]
    Empty,
    /// It cannot be read on, or not be kept.
    #[error("from line {line} on: {why}")]
    Unreadable {
        /// The first line that is missing.
        line: u64,
        /// Why.
        why: String,
    },
}

fn several(shown: &[CsvError], more: u64) -> String {
    let mut lines: Vec<String> = shown.iter().map(ToString::to_string).collect();
    match more {
        0 => {}
        more => lines.push(format!("and {more} more lines")),
    }
    lines.join("\n")
}

/// The payments of a list, each with the line it stands on. Goes on after a bad line, not after a failure to read.
pub struct Rows<R> {
    records: csv::Reader<Watched<R>>,
    record: ByteRecord,
    lines: Lines,
    header: Header,
    decimals: u8,
    is_over: bool,
}

/// Where the columns are.
#[derive(Debug, Default)]
struct Header {
    count: usize,
    places: [usize; 3],
    ignored: Vec<String>,
}

impl<R: Read> Rows<R> {
    /// Reads the header; `decimals` are the token's.
    pub fn new(input: R, decimals: u8) -> Result<Self, CsvError> {
        let watched = Watched {
            input,
            seen: Vec::new(),
        };
        let mut rows = Self {
            // The header is read as any other line, for the library does not tell where its lines begin.
            records: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .trim(Trim::All)
                .from_reader(watched),
            record: ByteRecord::new(),
            lines: Lines::default(),
            header: Header::default(),
            decimals,
            is_over: false,
        };
        let line = rows.next_record()?.unwrap_or(1);
        rows.header = Header::read(&rows.record, line)?;
        Ok(rows)
    }

    /// Columns that say nothing to the keeper.
    pub fn ignored(&self) -> &[String] {
        &self.header.ignored
    }

    /// Reads the next record that is not blank, and says on which line it starts.
    fn next_record(&mut self) -> Result<Option<u64>, CsvError> {
        loop {
            let start = self.records.position().byte();
            let more = self.records.read_byte_record(&mut self.record);
            let length = self.records.position().byte().saturating_sub(start);
            let raw = self.records.get_mut().take(length);
            let (line, is_quoted_well) = self.lines.pass(&raw);
            match more {
                Ok(true) if !is_quoted_well => return Err(CsvError::Quotes { line }),
                Ok(true) if self.record.iter().all(<[u8]>::is_empty) => {}
                Ok(more) => return Ok(more.then_some(line)),
                Err(error) => {
                    self.is_over = true;
                    let why = error.to_string();
                    return Err(CsvError::Unreadable { line, why });
                }
            }
        }
    }

    fn payment(&self, line: u64) -> Result<Payment, CsvError> {
        if self.record.len() != self.header.count {
            return Err(CsvError::Fields {
                line,
                found: self.record.len(),
                expected: self.header.count,
            });
        }
        let [reference, recipient, amount] = self.header.places;
        let reference = self.text(line, reference, "ref")?;
        let recipient = self.text(line, recipient, "recipient")?;
        let amount = self.text(line, amount, "amount")?;
        let read = || {
            let reference: PaymentRef = reference.parse().map_err(FieldError::Domain)?;
            read_payment(reference, recipient, amount, self.decimals)
        };
        read().map_err(|source| CsvError::Field { line, source })
    }

    fn text(&self, line: u64, place: usize, column: &'static str) -> Result<&str, CsvError> {
        let bytes = self.record.get(place).unwrap_or_default();
        if bytes.len() > LONGEST {
            let length = bytes.len();
            return Err(CsvError::Long {
                line,
                column,
                length,
            });
        }
        std::str::from_utf8(bytes).map_err(|_| CsvError::Encoding { line, column })
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<(u64, Payment), CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        match self.next_record() {
            Ok(Some(line)) => Some(self.payment(line).map(|payment| (line, payment))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl Header {
    fn read(record: &ByteRecord, line: u64) -> Result<Self, CsvError> {
        let names: Vec<String> = record
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let mut places = [0; 3];
        for (column, place) in COLUMNS.iter().zip(&mut places) {
            let mut named = (0..).zip(&names).filter(|(_, name)| is(name, column));
            match (named.next(), named.next()) {
                (Some((at, _)), None) => *place = at,
                _ => {
                    let found = names.join(",").chars().take(80).collect();
                    return Err(CsvError::Header { line, found });
                }
            }
        }
        let is_known = |name: &String| COLUMNS.iter().any(|column| is(name, column));
        Ok(Self {
            count: names.len(),
            places,
            ignored: names.into_iter().filter(|name| !is_known(name)).collect(),
        })
    }
}

fn is(name: &str, column: &str) -> bool {
    name.eq_ignore_ascii_case(column)
}

/// Keeps what was read until it is taken: what a record looked like is not known to the library any more.
struct Watched<R> {
    input: R,
    seen: Vec<u8>,
}

impl<R> Watched<R> {
    /// The next bytes that were read.
    fn take(&mut self, length: u64) -> Vec<u8> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let rest = self.seen.split_off(length.min(self.seen.len()));
        std::mem::replace(&mut self.seen, rest)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.seen.extend(buffer.iter().take(count));
        Ok(count)
    }
}

/// Counts lines, whichever way they end.
#[derive(Debug)]
struct Lines {
    /// The line that the next byte is on.
    line: u64,
    after_return: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            line: 1,
            after_return: false,
        }
    }
}

impl Lines {
    /// Passes a record; says on which line it starts, and whether its quotes are where RFC 4180 has them. The library takes
    /// others too: of `"1"2` it makes 12.
    fn pass(&mut self, raw: &[u8]) -> (u64, bool) {
        let mut start = None;
        let mut place = Place::Start;
        for byte in raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw) {
            place = place.after(*byte);
            match byte {
                b'\n' if self.after_return => {}
                b'\n' | b'\r' => self.line = self.line.saturating_add(1),
                _ => {
                    start.get_or_insert(self.line);
                }
            }
            self.after_return = *byte == b'\r';
        }
        let is_quoted_well = !matches!(place, Place::Quoted | Place::Wrong);
        (start.unwrap_or(self.line), is_quoted_well)
    }
}

/// What some programs begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a field a byte stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// Behind a quote that closes, if none follows it.
    Closed,
    /// A quote stood where none may, or something behind the one that closes.
    Wrong,
}

impl Place {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Wrong, _) => Self::Wrong,
            (Self::Quoted, b'"') => Self::Closed,
            (Self::Quoted, _) | (Self::Start | Self::Closed, b'"') => Self::Quoted,
            (_, b',' | b'\n' | b'\r') => Self::Start,
            (Self::Plain, b'"') | (Self::Closed, _) => Self::Wrong,
            (Self::Start | Self::Plain, _) => Self::Plain,
        }
    }
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
    /// More than any payment can be.
    #[error("amount {text:?}: must be below {} tokens, which is 2^96 base units", Amount(1 << 96).display(*decimals))]
    TooMuch {
        /// What was given.
        text: String,
        /// The token's.
        decimals: u8,
    },
    /// Anything else.
    #[error("{0}")]
    Domain(DomainError),
}

impl FieldError {
    /// The field, its value, and the rule that it breaks.
    pub fn parts(&self) -> (&'static str, String, String) {
        match self {
            Self::Recipient { text, rule } => ("recipient", text.clone(), (*rule).to_owned()),
            Self::Decimals { text, decimals } => {
                let rule = format!("must have at most the token's {decimals} decimals");
                ("amount", text.clone(), rule)
            }
            Self::TooMuch { text, decimals } => {
                let most = Amount(1 << 96).display(*decimals);
                let rule = format!("must be below {most} tokens, which is 2^96 base units");
                ("amount", text.clone(), rule)
            }
            Self::Domain(error) => of_domain(error),
        }
    }
}

fn of_domain(error: &DomainError) -> (&'static str, String, String) {
    match error {
        DomainError::AmountZero => ("amount", "0".to_owned(), "must be more than 0".to_owned()),
        DomainError::AmountInvalid { text, rule } => ("amount", text.clone(), (*rule).to_owned()),
        DomainError::RecipientZero => {
            let rule = "the zero address is never paid";
            ("recipient", Address::ZERO.to_string(), rule.to_owned())
        }
        DomainError::RefInvalid { text } => ("ref", text.clone(), REF_RULE.to_owned()),
        other => ("payment", String::new(), other.to_string()),
    }
}

/// What a ref must be.
pub const REF_RULE: &str = "must be a UUID, a ULID, or 16 bytes as 32 hexadecimal digits";

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
    let text = amount;
    let amount = Amount::parse(text, decimals).map_err(|error| match error {
        DomainError::AmountInvalid { text, .. } if has_more_decimals(&text, decimals) => {
            FieldError::Decimals { text, decimals }
        }
        other => FieldError::Domain(other),
    })?;
    Payment::new(recipient, amount, reference).map_err(|error| match error {
        DomainError::AmountTooLarge { .. } => FieldError::TooMuch {
            text: text.to_owned(),
            decimals,
        },
        other => FieldError::Domain(other),
    })
}

fn has_more_decimals(amount: &str, decimals: u8) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    amount.split_once('.').is_some_and(|(whole, fraction)| {
        is_digits(whole) && is_digits(fraction) && fraction.len() > usize::from(decimals)
    })
}

#[cfg(test)]
mod tests;
