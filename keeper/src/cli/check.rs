//! `keeper check`: compares chain, vault, token and roles with the configuration.

use super::Context;
use crate::exit::Outcome;

/// What `keeper check` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("check")
}
