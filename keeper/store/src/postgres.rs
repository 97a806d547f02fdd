//! A store in a database of a PostgreSQL server.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use url::Url;

use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};
use tidelock_core::lease::Term;

use super::{
    StoreError,
    location::Role,
    sql::{Connection, within},
};

/// The triggers that refuse changes to what is append-only, and the lease.
pub(super) const TABLES: &str = include_str!("postgres.sql");

/// Longest time that an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest time until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a writer that was cut off within a transaction may hold its locks; shorter than any lease.
const IDLE: Duration = Duration::from_secs(2);

/// A database of a PostgreSQL server, and how long its lease lasts.
#[derive(Clone)]
pub struct Server {
    options: PgConnectOptions,
    /// Read anew for each connection, so that it may be changed.
    password_file: Option<PathBuf>,
    /// How long a keeper leads without renewing it.
    pub lease: Duration,
}

impl Server {
    /// Reads a URL, `postgres://user@host:port/database`; what is wrong with it, otherwise. The password is that of
    /// the file, or comes as PostgreSQL's own programs take it: from PGPASSWORD or the file that PGPASSFILE names.
    pub fn parse(
        url: &str,
        password_file: Option<PathBuf>,
        lease: Duration,
    ) -> Result<Self, &'static str> {
        const URL: &str =
            "must be a URL such as postgres://keeper@db.example/keeper?sslmode=verify-full";
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(URL);
        }
        let parsed = Url::parse(url).map_err(|_| URL)?;
        let has_password = parsed.query_pairs().any(|(key, _)| key == "password");
        if parsed.password().is_some() || has_password {
            return Err(
                "must hold no password: give store.password_file, PGPASSFILE or PGPASSWORD",
            );
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| URL)?;
        if options.get_database().is_none() {
            return Err("must name a database, as in postgres://keeper@db.example/keeper");
        }
        let is_here = options.get_socket().is_some()
            || matches!(
                options.get_host(),
                "localhost" | "127.0.0.1" | "::1" | "[::1]"
            )
            || options.get_host().starts_with('/');
        let is_chosen = parsed
            .query_pairs()
            .any(|(key, _)| matches!(&*key, "sslmode" | "ssl-mode"));
        let is_weak = matches!(options.get_ssl_mode(), PgSslMode::Allow | PgSslMode::Prefer);
        if !is_here && (!is_chosen || is_weak) {
            return Err(
                "must say sslmode for another host: verify-full, verify-ca, require, or disable in a network of one's own",
            );
        }
        Ok(Self {
            options,
            password_file,
            lease,
        })
    }

    /// A part of the lease: between two renewals, and the longest time that one may take.
    pub(super) fn quarter(&self) -> Duration {
        let lease = u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(Term(lease).renewal())
    }

    fn options(&self) -> Result<PgConnectOptions, StoreError> {
        let options = self.options.clone().application_name("tidelock keeper");
        // What is slow is told by whoever waits for it.
        let options = options.disable_statement_logging();
        let Some(path) = &self.password_file else {
            return Ok(options);
        };
        let password = std::fs::read_to_string(path).map_err(|source| StoreError::File {
            path: path.clone(),
            source,
        })?;
        Ok(options.password(password.trim_end_matches(['\r', '\n'])))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        write!(f, "postgres://{}@", options.get_username())?;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => write!(f, "{}", options.get_host())?,
        }
        let database = options.get_database().unwrap_or_default();
        write!(f, ":{}/{database}", options.get_port())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self}, {:?})", self.lease)
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
            && self.password_file == other.password_file
            && self.lease == other.lease
    }
}

impl Eq for Server {}

/// Connects, whatever there is.
pub(super) async fn connect(server: &Server, role: Role) -> Result<Connection, StoreError> {
    connect_within(server, role, ANSWER).await
}

/// The same, with another limit for answers.
pub(super) async fn connect_within(
    server: &Server,
    role: Role,
    answer: Duration,
) -> Result<Connection, StoreError> {
    let options = server.options()?;
    let connection = within(CONNECT.min(answer), options.connect()).await?;
    let mut connection = Connection::Postgres(Box::new(connection), answer);
    connection.run(session(role)).await?;
    Ok(connection)
}

/// What every session has in common: commits wait for the disk whatever the server's default is, a lock that another holds is
/// not waited for long, and who is cut off in a transaction does not hold its locks for long.
fn session(role: Role) -> String {
    let (read_only, idle) = match role {
        Role::Reader | Role::Copy => ("on", ANSWER),
        Role::Writer | Role::Filer => ("off", IDLE),
    };
    format!(
        "SET synchronous_commit = on; SET lock_timeout = 1000; SET client_encoding = 'UTF8'; \
         SET idle_in_transaction_session_timeout = {}; SET default_transaction_read_only = {read_only}",
        idle.as_millis()
    )
}
