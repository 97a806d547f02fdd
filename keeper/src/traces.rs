//! A payment's way as spans of OpenTelemetry, for a collector: taken in, sealed, signed, sent, seen, final. With the feature `otlp`.
//!
//! Whoever decides is never held up: the loop leaves a word in a bounded queue, a thread of its own reads the log for the rest, and what
//! no collector takes in time is lost. No span holds a recipient, an amount, words of people or of nodes, or anything of a key.

#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod follower;
#[cfg(feature = "otlp")]
mod span;
#[cfg(feature = "otlp")]
mod taken_in;
#[cfg(feature = "otlp")]
mod way;

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::{config::Config, exit::Failure, witness::Witness};
#[cfg(feature = "otlp")]
use follower::Follower;

/// The traces of one keeper while its engine turns.
pub struct Traces {
    #[cfg(feature = "otlp")]
    follower: Follower,
}

impl Traces {
    /// Begins after the entry `seq`, where the engine starts, if the configuration names a collector.
    #[cfg(feature = "otlp")]
    pub fn start(config: &Config, seq: u64, tasks: &Handle) -> Result<Option<Self>, Failure> {
        let Some(url) = &config.operations.traces_url else {
            return Ok(None);
        };
        let collector = collector::Collector::new(url, config, tasks)?;
        tracing::info!(collector = %url, "sends traces");
        let follower = Follower::start(config.store.clone(), seq, collector);
        Ok(Some(Self { follower }))
    }

    /// The configuration names no collector where none can be served.
    #[cfg(not(feature = "otlp"))]
    pub fn start(_: &Config, _: u64, _: &Handle) -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    /// Hears what the loop does.
    pub fn witness(&self) -> Option<Arc<dyn Witness>> {
        #[cfg(feature = "otlp")]
        return Some(self.follower.witness());
        #[cfg(not(feature = "otlp"))]
        None
    }
}
