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
mod changes;
mod console;
mod deed;
mod door;
mod events;
mod exports;
mod fields;
mod figures;
mod health;
mod intake;
mod keeper;
pub mod keys;
mod line;
mod metadata;
mod openapi;
mod origin;
mod port;
mod problem;
mod query;
mod quotes;
mod rate;
mod readers;
mod requests;
mod second;
mod server;
mod shown;
mod sign_in;
mod socket;
mod stands;
mod tail;
mod timed;
mod tls;
mod told;
mod vaults;
mod voted;
mod withdrawals;
mod write;
mod xlsx;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use tidelock_store::{Identity, Location};
use tokio::sync::{Mutex, Semaphore, watch};

pub use approvals::{Ballot, BallotState};
pub use changes::{Change, LoggedChange};
pub use figures::{Board, Figures};
pub use keeper::KeeperPages;
pub use openapi::{document, event_schemas};
pub use port::{AsOf, Ballots, Looked, Lookout, Pages, Unseen};
pub use problem::{Broken, Problem};
pub use quotes::Estimate;
pub use requests::Requests;
pub use server::{Serving, start};
pub use sign_in::{ClientSecret, PERSON, SignIn};
pub use tls::Certificate;
pub use told::{CloudEvent, EventType, KeyedEvent, Told, source_of};
pub use vaults::{MostPerDay, Party, Policy, Return, Tier, Vault};
pub use voted::{Subject, Worth};

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
    /// How long whoever is answered, or follows the events, may take nothing of what is written.
    pub write_timeout: Duration,
    /// Serves TLS; without it only this host and the proxies are answered.
    pub tls: Option<Certificate>,
    /// Proxies in front of it, who say for whom they ask.
    pub proxies: Vec<keys::Network>,
    /// How people sign in; without it only keys are known.
    pub sign_in: Option<SignIn>,
    /// What looks at the chain; without it what only the chain knows is not told.
    pub lookout: Option<Arc<dyn Lookout>>,
    /// What looks at the running keeper's own pages, where it has some.
    pub pages: Option<Arc<dyn Pages>>,
}

/// Whether this build has the page at `/`.
pub const HAS_CONSOLE: bool = cfg!(feature = "console");

/// Everything that answers share.
pub(crate) struct Shared {
    rules: body::Rules,
    identity: Identity,
    lookout: Option<Arc<dyn Lookout>>,
    pages: Option<Arc<dyn Pages>>,
    /// Turns to write.
    writers: Semaphore,
    /// Turns to read or write a table.
    sheets: Arc<Semaphore>,
    location: Location,
    keys: access::Keys,
    proxies: origin::Proxies,
    sign_in: Option<Arc<sign_in::Door>>,
    rates: rate::Rates,
    intake: intake::Intake,
    readers: readers::Readers,
    tail: tail::Tail,
    /// True from when the server is asked to end.
    stop: watch::Receiver<bool>,
    /// Streams that may be open.
    streams: Arc<Semaphore>,
    board: figures::Board,
    document: Bytes,
    /// What was last found of it.
    readiness: Mutex<Option<(Instant, health::Readiness)>>,
}

pub(crate) type App = Arc<Shared>;
