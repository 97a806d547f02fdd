//! `keeper revoke`: takes a signer's approval back.

use super::Context;
use crate::exit::Outcome;

/// What `keeper revoke` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The batch's id
    pub batch: String,
}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("revoke")
}
