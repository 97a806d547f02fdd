//! What stands for a server in a keeper that was built without the feature `postgres`: there is none, and none can be named.

use std::{convert::Infallible, fmt, path::PathBuf, time::Duration};

use super::{StoreError, location::Role, sql::Connection};

/// Never made.
pub(super) const TABLES: &str = "";

/// A database of a PostgreSQL server, of which this keeper knows none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    none: Infallible,
    /// How long a keeper leads without renewing it.
    pub lease: Duration,
}

impl Server {
    /// Refuses whatever is given.
    pub fn parse(_: &str, _: Option<PathBuf>, _: Duration) -> Result<Self, &'static str> {
        Err(
            "this keeper was built without PostgreSQL: build it with the feature `postgres`, or leave it out for a file",
        )
    }

    pub(super) fn quarter(&self) -> Duration {
        match self.none {}
    }
}

impl fmt::Display for Server {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.none {}
    }
}

pub(super) async fn connect(server: &Server, _: Role) -> Result<Connection, StoreError> {
    match server.none {}
}

pub(super) async fn connect_within(
    server: &Server,
    _: Role,
    _: Duration,
) -> Result<Connection, StoreError> {
    match server.none {}
}
