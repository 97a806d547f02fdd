//! The keeper: the core's engine on a real chain, a real store and a real key.

pub mod cli;
pub mod config;
pub mod daemon;
pub mod exit;
pub mod heartbeat;
pub mod list;
pub mod opening;
pub mod operations;
mod past;
pub mod place;
pub mod profile;
pub mod reconcile;
pub mod signer;
pub mod telemetry;
pub mod traces;
pub mod witness;

pub use tidelock_chain::{self as chain, tls};
pub use tidelock_core::calendar;
pub use tidelock_lists as csv;
pub use tidelock_store as store;
