//! A key on a real PKCS#11 token, SoftHSM: what it signs, and what happens when it is pulled or refuses its PIN.

#![cfg(unix)]
#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod settings;
mod signing;
mod softhsm;
