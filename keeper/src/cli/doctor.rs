//! `keeper doctor`: looks for what is wrong with an installation.

use super::Context;
use crate::exit::Outcome;

/// What `keeper doctor` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("doctor")
}
