//! The keeper's API over HTTP: takes requests in, each once, and tells what becomes of them.
//!
//! It reads the store, hands requests and operators' commands in, keeps acts, votes and metadata beside the log, and makes and ends API
//! keys: no key that signs is here, a node is asked to look and never to send, and the log is written by the engine alone. Whoever has all of this process can file requests, which the
//! vault's rules bound, stop and resume the keeper, change the file of keys, and read.

mod access;
mod acts;
mod admin;
mod approvals;
mod audit;
mod body;
mod bulk;
mod console;
mod deed;
mod events;
mod health;
mod intake;
pub mod keys;
mod line;
mod metadata;
mod openapi;
mod port;
mod problem;
mod query;
mod quotes;
mod rate;
mod readers;
mod second;
mod server;
mod shown;
mod socket;
mod stands;
mod tail;
mod timed;
mod told;
mod typed;
mod vaults;
mod withdrawals;
mod write;

use std::{path::PathBuf, sync::Arc, time::Instant};

use axum::body::Bytes;
use tidelock_store::{Identity, Location};
use tokio::sync::{Mutex, Semaphore, watch};

pub use approvals::{Ballot, BallotState};
pub use openapi::document;
pub use port::{AsOf, Ballots, Looked, Lookout, Unseen};
pub use quotes::Estimate;
pub use server::{Serving, start};
pub use told::{CloudEvent, EventType, Told, source_of};
pub use vaults::{MostPerDay, Party, Policy, Return, Tier, Vault};

/// What the API is to be.
#[derive(Clone)]
pub struct Settings {
    /// The store.
    pub store: Location,
    /// What it was made for.
    pub identity: Identity,
    /// The file of API keys.
    pub keys: PathBuf,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Requests of one key in a second.
    pub requests_per_second: u32,
    /// What looks at the chain; without it what only the chain knows is not told.
    pub lookout: Option<Arc<dyn Lookout>>,
}

/// Everything that answers share.
pub(crate) struct Shared {
    rules: body::Rules,
    identity: Identity,
    lookout: Option<Arc<dyn Lookout>>,
    /// Turns to write.
    writers: Semaphore,
    location: Location,
    keys: access::Keys,
    rates: rate::Rates,
    intake: intake::Intake,
    readers: readers::Readers,
    tail: tail::Tail,
    /// True from when the server is asked to end.
    stop: watch::Receiver<bool>,
    /// Streams that may be open.
    streams: Arc<Semaphore>,
    document: Bytes,
    /// What was last found of it.
    readiness: Mutex<Option<(Instant, health::Readiness)>>,
}

pub(crate) type App = Arc<Shared>;
