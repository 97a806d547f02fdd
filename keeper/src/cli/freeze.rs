//! `keeper freeze`: stops everything that leaves the vault.

use super::Context;
use crate::exit::Outcome;

/// What `keeper freeze` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("freeze")
}
