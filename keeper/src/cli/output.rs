//! Answers, to standard output.

use std::io::{self, BufWriter, Write};

use crate::exit::{ExitStatus, Failure};

/// Prints one answer and a line end. That nobody reads on is no failure.
pub fn print(answer: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{answer}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::of(ExitStatus::Failed, error).while_doing("standard output"))
        }
        _ => Ok(()),
    }
}

/// Prints an answer that is too long to be put together first, by and by.
pub fn print_by_and_by(
    answer: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match answer(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::of(ExitStatus::Failed, error).while_doing("standard output"))
        }
        _ => Ok(()),
    }
}
