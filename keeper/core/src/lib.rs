//! The keeper's pure core: what is decided, without how it is stored, signed or sent.
//!
//! No runtime, no database and no network may become a dependency of this crate.

pub mod abi;
pub mod batch;
pub mod calendar;
pub mod cost;
pub mod differing;
pub mod domain;
pub mod engine;
mod error;
pub mod event;
mod finality;
mod intake;
mod journal;
pub mod lease;
pub mod lifecycle;
pub mod log;
pub mod machine;
pub mod observe;
pub mod port;
pub mod quote;
mod screen;
pub mod settings;
pub mod state;
pub mod store;
pub mod submit;
pub mod window;
