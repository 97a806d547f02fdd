//! The keeper's store: the log, the rows folded from it, and what waits to be taken in, in one SQLite file or in a database of
//! a PostgreSQL server.
//!
//! One process writes the log, through [`LogStore`]. Whoever files requests and commands does so through [`Desk`],
//! and whoever looks on reads through [`Reader`]; both while the writer works.

mod acts;
mod anchors;
mod columns;
mod commit;
mod copy;
mod desk;
mod error;
mod export;
mod fold;
mod follow;
mod followed;
mod guard;
mod history;
mod insert;
mod lease;
mod load;
mod location;
mod log;
mod metadata;
mod outbox;
mod page;
#[cfg_attr(not(feature = "postgres"), path = "without_postgres.rs")]
mod postgres;
mod quotes;
mod reader;
mod schema;
mod sessions;
mod sql;
mod sqlite;
mod verify;
mod votes;
mod wait;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use tidelock_core::domain::VaultDomain;

pub use acts::{Act, Acting, RawEntry};
pub use anchors::Anchors;
pub use copy::Copied;
pub use desk::{Desk, Filed, Filing, Found, Taken};
pub use error::StoreError;
pub use followed::Followed;
pub use guard::{WriterLock, beside};
pub use history::Signed;
pub use lease::{Candidate, Leader, Leadership, Lease, Taking, leader};
pub use location::Location;
pub use log::{LogStore, Right, prepare};
pub use metadata::Noted;
pub use outbox::{Advance, Cursor, Dead, Delivery, Outbox, SinkView, Turn, TurnTaking};
pub use page::{Filter, Page, Stands};
pub use postgres::Server;
pub use quotes::Quote;
pub use reader::{Answer, LoggedEvent, Overview, PaymentView, Reader, Standing, Waiting};
pub use sessions::Session;
pub use verify::{Finding, Progress, Verified};
pub use votes::Vote;
pub use wait::{BETWEEN_PIECES, GoOn, Held};

/// What a database was made for. Never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The vault, and its chain.
    pub domain: VaultDomain,
    /// The vault's token.
    pub token: Address,
    /// Decimals of the token: what amounts are read and shown in.
    pub decimals: u8,
}
