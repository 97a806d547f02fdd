//! `keeper run`: the daemon.

use super::Context;
use crate::exit::Outcome;

/// What `keeper run` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Send nothing, and print what would be sent
    #[arg(long)]
    pub observe: bool,
}

pub(super) fn run(_args: &Args, _context: &Context) -> Outcome {
    super::not_there_yet("run")
}
