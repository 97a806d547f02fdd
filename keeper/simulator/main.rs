//! The deterministic simulator: the production core against a simulated chain, pool, vault, store, key and clock, and
//! against people who do what people do.
//!
//! Everything that happens follows from a seed, in one thread. An oracle that knows only what was asked for and what the
//! simulated chain holds judges every step. `docs/simulator.md` says what is simulated and what is not.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test in the form of a program: where it is wrong itself it must stop at once, and it holds no money"
)]

mod cli;
mod conduct;
mod coverage;
mod fate;
mod faults;
mod host;
mod mishaps;
mod oracle;
mod past;
mod people;
mod process;
mod record;
mod rng;
mod run;
mod setting;
mod trace;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
