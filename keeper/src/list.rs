//! A list of payments that was checked as a whole before anything is done with it. It is kept in a file without a name, so
//! that no list is too long, and what is done is what was checked even if its source has changed meanwhile.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
};

use tidelock_core::domain::{Amount, DomainError, PACKED_PAYMENT_LEN, Payment, PaymentRef};

use crate::csv::{CsvError, Rows, twice};

/// Errors that are shown of one list; what follows is counted.
const SHOWN: usize = 20;

/// A payment, and the line it stands on.
pub type Row = (u64, Payment);

/// A list in which every line is good.
#[derive(Debug)]
pub struct PaymentList {
    file: File,
    rest: u64,
    totals: Totals,
    ignored: Vec<String>,
}

/// What people look at before they agree to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// How many payments.
    pub count: u64,
    /// All amounts together. [base units]
    pub sum: Amount,
    /// The first of the largest.
    pub largest: Row,
    /// The first of the smallest.
    pub smallest: Row,
}

impl Totals {
    fn of(row: Row) -> Self {
        Self {
            count: 1,
            sum: row.1.amount(),
            largest: row,
            smallest: row,
        }
    }

    fn add(&mut self, row: Row) {
        let amount = row.1.amount();
        self.count = self.count.saturating_add(1);
        self.sum = Amount(self.sum.0.saturating_add(amount.0));
        if amount > self.largest.1.amount() {
            self.largest = row;
        }
        if amount < self.smallest.1.amount() {
            self.smallest = row;
        }
    }
}

impl PaymentList {
    /// Reads a list; `decimals` are the token's, and `refusal` is a rule that payments must not break. Every bad line is named,
    /// not only the first.
    pub fn read(
        input: impl Read,
        decimals: u8,
        refusal: impl Fn(&Payment) -> Option<String>,
    ) -> Result<Self, CsvError> {
        let mut rows = Rows::new(input, decimals)?;
        let mut wrong = Wrong::default();
        let mut draft = Draft::new()?;
        let mut totals: Option<Totals> = None;
        for row in &mut rows {
            let row = row.and_then(|(line, payment)| match refusal(&payment) {
                Some(rule) => Err(CsvError::Rule { line, rule }),
                None => Ok((line, payment)),
            });
            match row {
                Err(error) => wrong.add(error),
                Ok(row) => {
                    draft.add(&row)?;
                    match &mut totals {
                        Some(totals) => totals.add(row),
                        None => totals = Some(Totals::of(row)),
                    }
                }
            }
        }
        draft.twice().for_each(|error| wrong.add(error));
        wrong.none()?;
        let totals = totals.ok_or(CsvError::Empty)?;
        Ok(Self {
            file: draft.finish()?,
            rest: totals.count,
            totals,
            ignored: rows.ignored().to_vec(),
        })
    }

    /// What it comes to.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Columns that say nothing to the keeper.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Starts again from the first payment.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.rest = self.totals.count;
        self.file.seek(SeekFrom::Start(0)).map(|_| ())
    }

    /// Whether the last payment was given out.
    pub fn is_over(&self) -> bool {
        self.rest == 0
    }

    /// The next payments, at most so many; none after the last.
    pub fn next(&mut self, most: usize) -> io::Result<Vec<Row>> {
        let most = most.min(usize::try_from(self.rest).unwrap_or(usize::MAX));
        let mut bytes = vec![0; most.saturating_mul(ROW_LEN)];
        self.file.read_exact(&mut bytes)?;
        let (rows, _) = bytes.as_chunks::<ROW_LEN>();
        self.rest = self
            .rest
            .saturating_sub(u64::try_from(most).unwrap_or(u64::MAX));
        rows.iter().map(read_row).collect()
    }
}

const LINE_LEN: usize = 8;
/// A row in the file: its line, then the payment as it is packed. [bytes]
const ROW_LEN: usize = PACKED_PAYMENT_LEN.saturating_add(LINE_LEN);

fn read_row(row: &[u8; ROW_LEN]) -> io::Result<Row> {
    let broken = |error: DomainError| io::Error::new(io::ErrorKind::InvalidData, error);
    let (line, packed) = row.split_first_chunk().unwrap_or((&[0; LINE_LEN], &[]));
    let payment = Payment::unpack(packed).map_err(broken)?;
    Ok((u64::from_be_bytes(*line), payment))
}

/// A list in the making.
struct Draft {
    file: BufWriter<File>,
    /// Which refs it has, and on which lines. 24 bytes for each payment are all that stays in memory.
    refs: Vec<(PaymentRef, u64)>,
}

impl Draft {
    fn new() -> Result<Self, CsvError> {
        Ok(Self {
            file: BufWriter::new(tempfile::tempfile().map_err(|error| unkept(1, &error))?),
            refs: Vec::new(),
        })
    }

    fn add(&mut self, (line, payment): &Row) -> Result<(), CsvError> {
        self.refs.push((payment.reference(), *line));
        let written = self.file.write_all(&line.to_be_bytes());
        let written = written.and_then(|()| self.file.write_all(&payment.pack()));
        written.map_err(|error| unkept(*line, &error))
    }

    /// Refs that come more than once.
    fn twice(&mut self) -> impl Iterator<Item = CsvError> {
        twice(std::mem::take(&mut self.refs))
    }

    fn finish(self) -> Result<File, CsvError> {
        let mut file = self
            .file
            .into_inner()
            .map_err(|error| unkept(1, error.error()))?;
        file.seek(SeekFrom::Start(0))
            .map_err(|error| unkept(1, &error))?;
        Ok(file)
    }
}

fn unkept(line: u64, error: &io::Error) -> CsvError {
    let why = format!(
        "cannot be kept in {}: {error}",
        std::env::temp_dir().display()
    );
    CsvError::Unreadable { line, why }
}

/// What is wrong with a list: the first lines, and how many others.
#[derive(Default)]
struct Wrong {
    shown: Vec<CsvError>,
    more: u64,
}

impl Wrong {
    fn add(&mut self, error: CsvError) {
        if self.shown.len() < SHOWN {
            self.shown.push(error);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    fn none(mut self) -> Result<(), CsvError> {
        match (self.shown.pop(), self.shown.is_empty()) {
            (None, _) => Ok(()),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                self.shown.push(last);
                Err(CsvError::Several {
                    shown: self.shown,
                    more: self.more,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYEE: &str = "0x1111111111111111111111111111111111111111";

    fn read(lines: &[String]) -> Result<PaymentList, CsvError> {
        let text = format!("ref,recipient,amount\n{}", lines.join("\n"));
        PaymentList::read(text.as_bytes(), 6, |payment| {
            (payment.amount() == Amount(13)).then(|| "unlucky".to_owned())
        })
    }

    fn line(reference: usize, amount: &str) -> String {
        format!("{reference:032x},{PAYEE},{amount}")
    }

    fn amounts(list: &mut PaymentList, most: usize) -> Vec<(u64, u128)> {
        let rows = list.next(most).unwrap();
        rows.iter()
            .map(|(line, payment)| (*line, payment.amount().0))
            .collect()
    }

    #[test]
    fn what_was_read_comes_back_in_pieces() {
        let lines: Vec<String> = (0..1_000)
            .map(|i| line(i, &format!("{}", 5 + i % 7)))
            .collect();
        let mut list = read(&lines).unwrap();
        for _ in 0..2 {
            let pieces: Vec<_> = std::iter::from_fn(|| {
                let piece = amounts(&mut list, 300);
                (!piece.is_empty()).then_some(piece)
            })
            .collect();
            let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
            assert_eq!(lengths, [300, 300, 300, 100]);
            assert_eq!(
                pieces.concat()[999],
                (1_001, 5_000_000 + 1_000_000 * (999 % 7))
            );
            list.rewind().unwrap();
        }
    }

    #[test]
    fn totals_are_those_of_all_lines() {
        let lines = [
            line(1, "2"),
            line(2, "9.5"),
            line(3, "0.5"),
            line(4, "0.5"),
            line(5, "9.5"),
        ];
        let list = read(&lines).unwrap();
        let totals = list.totals();
        assert_eq!((totals.count, totals.sum), (5, Amount(22_000_000)));
        assert_eq!((totals.largest.0, totals.smallest.0), (3, 4));
    }

    #[test]
    fn every_bad_line_is_named() {
        let error = read(&[
            line(1, "0"),
            line(2, "1"),
            "x".to_owned(),
            line(3, "0.000013"),
            line(2, "2"),
        ]);
        let error = error.unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 4, "{error}");
        for (line, start) in lines.iter().zip([
            "line 2: amount 0",
            "line 4: 1 fields",
            "line 5: unlucky",
            "line 6: ref 0x00000000000000000000000000000002 is that of line 3",
        ]) {
            assert!(line.starts_with(start), "{error}");
        }
        let error = read(&vec!["x".to_owned(); 50]).unwrap_err().to_string();
        assert!(error.ends_with("and 30 more lines"), "{error}");
        assert_eq!(read(&[]).unwrap_err(), CsvError::Empty);
    }
}
