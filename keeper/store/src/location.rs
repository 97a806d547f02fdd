//! Where a store is: a SQLite file, or a PostgreSQL server's database with some files of this host beside it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use tokio::runtime::Runtime;

use super::{
    StoreError, guard::WriterLock, load, postgres, postgres::Server, sql::Connection, sqlite,
};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The SQLite file; with a server, no file has that name, but those of this host have it as their beginning.
    pub path: PathBuf,
    /// The PostgreSQL database, if it is there.
    pub server: Option<Server>,
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            server: None,
        }
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<&Self> for Location {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            None => write!(f, "{}", self.path.display()),
            Some(server) => write!(f, "{server}"),
        }
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Writes the log.
    Writer,
    /// Files requests and commands.
    Filer,
    /// Never writes.
    Reader,
    /// Reads what nobody writes.
    Copy,
}

impl Location {
    /// Connects to a store that is there.
    pub(super) async fn connect(&self, role: Role) -> Result<Connection, StoreError> {
        let Some(server) = &self.server else {
            return sqlite::connect(&self.path, role).await;
        };
        let mut connection = postgres::connect(server, role).await?;
        if load::has_tables(&mut connection).await? {
            return Ok(connection);
        }
        Err(StoreError::Empty {
            server: server.to_string(),
        })
    }

    pub(super) fn must_exist(&self) -> Result<(), StoreError> {
        if self.server.is_some() || self.path.is_file() {
            return Ok(()); // a server's tables are looked for when it is connected to
        }
        Err(StoreError::Missing {
            path: self.path.clone(),
        })
    }

    /// Whether there is something already.
    pub(super) fn is_made(&self) -> Result<bool, StoreError> {
        if self.server.is_none() {
            return Ok(self.path.exists());
        }
        let look = async { self.connect(Role::Reader).await?.close().await };
        match runtime()?.block_on(look) {
            Ok(()) => Ok(true),
            Err(StoreError::Empty { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a log was opened there.
    pub fn is_opened(&self) -> Result<bool, StoreError> {
        if self.server.is_none() {
            return Ok(self.path.exists());
        }
        let look = async {
            let mut connection = self.connect(Role::Reader).await?;
            let opened = load::log_meta(&mut connection).await?.is_some();
            connection.close().await?;
            Ok(opened)
        };
        match runtime()?.block_on(look) {
            Err(StoreError::Empty { .. }) => Ok(false),
            other => other,
        }
    }

    /// Whether a keeper writes its log now; no, if nobody can tell.
    pub fn is_written(&self) -> bool {
        match &self.server {
            None => WriterLock::is_taken(&self.path),
            Some(_) => super::leader(self).is_ok_and(|leader| leader.is_some_and(|it| it.holds)),
        }
    }
}

pub(super) fn runtime() -> Result<Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StoreError::Runtime)
}
