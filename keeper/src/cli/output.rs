//! Answers, to standard output.

use std::io::{self, Write};

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
