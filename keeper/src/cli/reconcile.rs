//! `keeper reconcile`: compares the log with the chain.

use super::Context;
use crate::exit::Outcome;

/// What `keeper reconcile` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("reconcile")
}
