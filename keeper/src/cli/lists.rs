//! `--file`: lists of payments, from files and from standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use tidelock_core::domain::Payment;

use crate::{
    csv::CsvError,
    exit::{ExitStatus, Failure},
    list::{PaymentList, Row},
};

/// Reads a list, and refuses it if one line is bad. `-` is standard input.
pub(super) fn read(
    path: &Path,
    decimals: u8,
    refusal: impl Fn(&Payment) -> Option<String>,
) -> Result<PaymentList, Failure> {
    let read = || {
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(usage)?)
        };
        PaymentList::read(input, decimals, refusal).map_err(|error| match error {
            CsvError::Unreadable { .. } => Failure::of(ExitStatus::Failed, error),
            error => usage(error),
        })
    };
    read().map_err(|error: Failure| error.while_doing(format!("--file {}", path.display())))
}

fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::of(ExitStatus::Usage, error)
}

/// The list's next payments.
pub(super) fn next(list: &mut PaymentList, most: usize) -> Result<Vec<Row>, Failure> {
    list.next(most).map_err(unreadable)
}

/// Goes back to the first payment.
pub(super) fn rewind(list: &mut PaymentList) -> Result<(), Failure> {
    list.rewind().map_err(unreadable)
}

fn unreadable(error: io::Error) -> Failure {
    Failure::of(ExitStatus::Failed, error).while_doing("what was kept of the list")
}
