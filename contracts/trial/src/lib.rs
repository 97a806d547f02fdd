//! The vault's bytecode in revm, beside the model of what it should do.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::should_implement_trait,
    clippy::unwrap_used,
    non_snake_case,
    reason = "tests and a program that tests: where it is wrong itself it must stop at once, and it holds no money"
)]

pub mod actors;
pub mod artefacts;
pub mod author;
mod batches;
pub mod chain;
mod changes;
pub mod record;
pub mod rng;
pub mod run;
pub mod setting;
pub mod trial;
pub mod world;
