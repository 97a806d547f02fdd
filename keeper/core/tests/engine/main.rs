//! The engine, rule by rule: what it asks for, what it stores, and what it does about the answers.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod bench;
mod budget;
mod contest;
mod memory;
mod world;

mod execute;
mod fees;
mod finality;
mod follow;
mod foreign;
mod halt;
mod intake;
mod lane;
mod meanwhile;
mod poison;
mod recall;
mod repeats;
mod replies;
mod rest;
mod restored;
mod reverted;
mod rogue;
mod room;
mod rotate;
mod screen;
mod seal;
mod signer;
mod twice;
