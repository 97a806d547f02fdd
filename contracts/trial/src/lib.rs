//! The vault's bytecode in revm, beside the model of what it should do.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and a program that tests: where it is wrong itself it must stop at once, and it holds no money"
)]

pub mod artefacts;
pub mod chain;
pub mod setting;
