//! `keeper propose`: proposes payments that wait for approvals.

use super::Context;
use crate::exit::Outcome;

/// What `keeper propose` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("propose")
}
