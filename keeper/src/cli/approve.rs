//! `keeper approve`: a signer's approval.

use super::Context;
use crate::exit::Outcome;

/// What `keeper approve` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The batch's id
    pub batch: String,
}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("approve")
}
