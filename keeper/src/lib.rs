//! The keeper: the core's engine on a real chain, a real store and a real key.

pub mod chain;
pub mod cli;
pub mod config;
pub mod csv;
pub mod daemon;
mod differing;
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
pub mod store;
pub mod telemetry;
pub mod tls;

pub use tidelock_core::calendar;
