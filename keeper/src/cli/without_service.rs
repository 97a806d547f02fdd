//! What `keeper serve`, `publish`, `consume` and `api-key` are in a keeper that was built without the feature `service`: a word on how to
//! get them.

use std::ffi::OsString;

use crate::exit::{ExitStatus, Failure, Outcome};

/// How a keeper is built that has them.
pub(crate) const HOW: &str = "this keeper was built without the service around the engine: `cargo build --release --locked -p tidelock-keeper \
                              --features service`";

/// Whatever is given.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct Args {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

pub(super) fn run(_: &Args) -> Outcome {
    Err(Failure::new(ExitStatus::Usage, HOW))
}
