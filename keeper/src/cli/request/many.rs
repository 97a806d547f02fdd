//! `keeper request --file`: a list of payments, checked as a whole, then filed in pieces, so that nobody waits long for it.

use std::{
    io::{self, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::json;
use tidelock_core::domain::Payment;

use super::{Args, Shown, lists, never_paid, print, print_by_and_by};
use crate::{
    cli::Context,
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    list::{PaymentList, Row, Totals},
    store::{BETWEEN_PIECES, Desk, Filed, Filing, Taken},
};

/// Conflicts that are shown of one file; what follows is counted.
const SHOWN: usize = 20;
/// Payments that are looked up or shown at once.
const PIECE: usize = 1_000;
/// How long one piece may keep the daemon from writing.
const HOLD: Duration = Duration::from_millis(30);
/// Between two words about progress.
const QUIET: Duration = Duration::from_secs(1);

pub(super) fn run(
    path: &Path,
    args: &Args,
    desk: Desk,
    config: &Config,
    context: &Context,
) -> Outcome {
    let decimals = desk.identity().decimals;
    let list = lists::read(path, decimals, |payment| never_paid(payment, config))?;
    let mut work = Work {
        desk,
        list,
        decimals,
        // Kept for those who ask only: they are as long as the list.
        wants_rows: args.rows || context.json,
        answers: Vec::new(),
        count: Count::default(),
    };
    let known = work.look_up()?;
    let described = describe(&work.list, decimals);
    if args.dry_run {
        let count = work.list.totals().count;
        let fresh = count.saturating_sub(known);
        print(if context.json {
            let mut whole = totals(&work.list, decimals);
            whole.extend([
                ("would_file".to_owned(), fresh.into()),
                ("known".to_owned(), known.into()),
            ]);
            serde_json::Value::from(whole).to_string()
        } else {
            format!(
                "{described}\n{fresh} would be filed; {known} were filed before; nothing was filed"
            )
        })?;
        return Ok(ExitStatus::Done);
    }
    if !context.json {
        print(described)?;
    }
    work.file().map_err(|failure| work.broken_off(failure))?;
    work.tell(context)?;
    work.desk.close()?;
    Ok(ExitStatus::Done)
}

/// How many requests are durable.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    new: u64,
    known: u64,
}

struct Work {
    desk: Desk,
    list: PaymentList,
    decimals: u8,
    wants_rows: bool,
    answers: Vec<Filed>,
    count: Count,
}

impl Work {
    /// How many were filed before. Refuses the list if a ref of it was used for something else.
    fn look_up(&mut self) -> Result<u64, Failure> {
        let mut taken: Vec<String> = Vec::new();
        let mut fresh = 0_u64;
        loop {
            let rows = lists::next(&mut self.list, PIECE)?;
            if rows.is_empty() {
                break;
            }
            let found = self.desk.look_up(&payments(&rows))?;
            fresh = fresh.saturating_add(u64::try_from(found.fresh.len()).unwrap_or(u64::MAX));
            taken.extend(refusals(&found.taken, &rows, self.decimals));
        }
        lists::rewind(&mut self.list)?;
        if taken.is_empty() {
            return Ok(self.list.totals().count.saturating_sub(fresh));
        }
        let words = format!("nothing was filed: {}", shorten(taken));
        Err(Failure::new(ExitStatus::Refused, words))
    }

    fn file(&mut self) -> Result<(), Failure> {
        let mut pace = Pace::default();
        let mut told = Instant::now();
        loop {
            let rows = lists::next(&mut self.list, pace.rows)?;
            if rows.is_empty() {
                return Ok(());
            }
            let payments = payments(&rows);
            // What is not on the disk yet is filed again, if it is lost.
            let filing = if self.list.is_over() {
                self.desk.file(&payments)?
            } else {
                self.desk.file_ahead(&payments)?
            };
            match filing {
                Filing::Filed(filed) => self.add(filed),
                Filing::Refused(taken) => {
                    let words = shorten(refusals(&taken, &rows, self.decimals));
                    return Err(Failure::new(ExitStatus::Refused, words));
                }
            }
            pace.next(self.desk.held());
            if told.elapsed() >= QUIET {
                told = Instant::now();
                let of = self.list.totals().count;
                // Progress that nobody can be told of is no failure.
                let _ = writeln!(io::stderr(), "{} of {of} requests", self.count.all());
            }
            thread::sleep(BETWEEN_PIECES);
        }
    }

    fn add(&mut self, filed: Vec<Filed>) {
        for one in &filed {
            let count = if one.known {
                &mut self.count.known
            } else {
                &mut self.count.new
            };
            *count = count.saturating_add(1);
        }
        if self.wants_rows {
            self.answers.extend(filed);
        }
    }

    fn broken_off(&self, failure: Failure) -> Failure {
        let (done, of) = (self.count.all(), self.list.totals().count);
        failure.while_doing(format!(
            "{done} of {of} requests are filed; file the same list again for the others: none is filed twice"
        ))
    }

    /// What became of all of it, and of each if that is wanted.
    fn tell(&mut self, context: &Context) -> Result<(), Failure> {
        let Count { new, known } = self.count;
        let mut head = totals(&self.list, self.decimals);
        head.extend([
            ("filed".to_owned(), new.into()),
            ("known".to_owned(), known.into()),
        ]);
        lists::rewind(&mut self.list)?;
        print_by_and_by(|out| {
            if context.json {
                let head = serde_json::Value::from(head).to_string();
                let head = head.strip_suffix('}').unwrap_or(&head);
                write!(out, "{head},\"payments\":[")?;
                self.rows(|first, row| {
                    out.write_all(if first { b"" } else { b"," })?;
                    serde_json::to_writer(&mut *out, &row).map_err(io::Error::from)
                })?;
                writeln!(out, "]}}")
            } else {
                self.rows(|_, row| writeln!(out, "line {}: {}", row.line, row.shown.words()))?;
                writeln!(
                    out,
                    "{new} requests filed; {known} were filed before, and were not filed again"
                )
            }
        })
    }

    fn rows(&mut self, mut each: impl FnMut(bool, Answer) -> io::Result<()>) -> io::Result<()> {
        let mut first = true;
        let mut answers = self.answers.iter();
        while !answers.as_slice().is_empty() {
            for ((line, payment), filed) in self.list.next(PIECE)?.iter().zip(&mut answers) {
                let shown = Shown::new(payment, *filed, self.decimals);
                each(first, Answer { line: *line, shown })?;
                first = false;
            }
        }
        Ok(())
    }
}

impl Count {
    fn all(self) -> u64 {
        self.new.saturating_add(self.known)
    }
}

/// What became of one row.
#[derive(Serialize)]
struct Answer {
    line: u64,
    #[serde(flatten)]
    shown: Shown,
}

/// How many requests are filed at once: what the machine stores in the time that the daemon may be kept waiting.
struct Pace {
    rows: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: Self::LEAST }
    }
}

impl Pace {
    const LEAST: usize = 64;
    const MOST: usize = 16_384;

    /// After a piece that held the database for so long. Grows by half at most, for the first pieces say little.
    fn next(&mut self, held: Duration) {
        let rows = u128::try_from(self.rows).unwrap_or(u128::MAX);
        let fit = rows
            .saturating_mul(HOLD.as_micros())
            .div_euclid(held.as_micros().max(1));
        let fit = usize::try_from(fit).unwrap_or(usize::MAX);
        let more = self.rows.saturating_add(self.rows.div_ceil(2));
        self.rows = fit.min(more).clamp(Self::LEAST, Self::MOST);
    }
}

fn payments(rows: &[Row]) -> Vec<Payment> {
    rows.iter().map(|(_, payment)| *payment).collect()
}

fn refusals(taken: &[Taken], rows: &[Row], decimals: u8) -> Vec<String> {
    let each = taken.iter().map(|taken| {
        let words = taken.describe(decimals);
        match rows.get(taken.index) {
            Some((line, _)) => format!("line {line}: {words}"),
            None => words,
        }
    });
    each.collect()
}

fn shorten(mut messages: Vec<String>) -> String {
    let more = messages.len().saturating_sub(SHOWN);
    messages.truncate(SHOWN);
    if more > 0 {
        messages.push(format!("and {more} more"));
    }
    messages.join("\n")
}

fn describe(list: &PaymentList, decimals: u8) -> String {
    let Totals {
        count,
        sum,
        largest,
        smallest,
    } = list.totals();
    let one =
        |(line, payment): &Row| format!("{} (line {line})", payment.amount().display(decimals));
    let mut text = format!(
        "{count} payments, {} in all; largest {}, smallest {}",
        sum.display(decimals),
        one(largest),
        one(smallest),
    );
    if !list.ignored().is_empty() {
        text.push_str("\ncolumns ignored: ");
        text.push_str(&list.ignored().join(", "));
    }
    text
}

fn totals(list: &PaymentList, decimals: u8) -> serde_json::Map<String, serde_json::Value> {
    let Totals {
        count,
        sum,
        largest,
        smallest,
    } = list.totals();
    let one = |(line, payment): &Row| json!({ "line": line, "amount": payment.amount().display(decimals) });
    [
        ("count".to_owned(), json!(count)),
        ("sum".to_owned(), json!(sum.display(decimals))),
        ("largest".to_owned(), one(largest)),
        ("smallest".to_owned(), one(smallest)),
        ("ignored_columns".to_owned(), json!(list.ignored())),
    ]
    .into_iter()
    .collect()
}
