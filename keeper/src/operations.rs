//! What other programs may ask of a running keeper: whether it lives, whether it is ready, and figures over time. All of it is
//! read from what `keeper status` shows: the engine's status, and the store. Nothing can be changed by it.

#[cfg(feature = "service")]
mod consumed;
mod metrics;
mod pages;
#[cfg(feature = "service")]
mod published;
mod pulse;
mod ready;
mod samples;
#[cfg(feature = "service")]
mod served;
mod server;
mod service;
mod snapshot;
mod tally;

#[cfg(feature = "service")]
pub use consumed::{CONSUMED, serve_consumed};
pub use metrics::{Kind, METRICS, Metric};
pub use pages::Serving;
#[cfg(feature = "service")]
pub use published::{PUBLISHED, serve_published};
pub use pulse::{NodeFigures, Pulse};
#[cfg(feature = "service")]
pub use served::{SERVED, serve_served};
pub use server::start;
pub use service::Service;
pub use snapshot::Limits;
#[cfg(feature = "otlp")]
pub(crate) use tally::stopped_by;
