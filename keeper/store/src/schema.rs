//! Which tables a store has: their version, noted in `meta`, and what leads from each version to the next.

use tracing::info;

use super::{
    Lease, StoreError, commit, load,
    sql::{Access, Connection},
};

/// The tables of the present version, for both databases.
pub(super) const TABLES: &str = include_str!("schema.sql");

/// The version that this keeper writes.
pub(super) const VERSION: u32 = 4;

/// The first version that there was.
const FIRST: u32 = 1;

/// The oldest version that is read as it is. Since then tables have only been added, and none that a log is read from.
const READABLE: u32 = 1;

/// The version that each step leads on from, and its statements, for both databases. What is released stays as it is.
const STEPS: &[(u32, &str)] = &[
    (
        1,
        // The first quote made it, before.
        "CREATE TABLE IF NOT EXISTS quote (ref BYTEA NOT NULL PRIMARY KEY, body TEXT NOT NULL)",
    ),
    (
        2,
        "CREATE TABLE act (seq BIGINT NOT NULL PRIMARY KEY, answers BIGINT UNIQUE, body TEXT NOT NULL, prev BYTEA NOT NULL, \
             hash BYTEA NOT NULL); \
         CREATE TABLE vote (batch BYTEA NOT NULL, signer BYTEA NOT NULL, epoch BIGINT NOT NULL, signature BYTEA NOT NULL, \
             PRIMARY KEY (batch, signer, epoch)); \
         CREATE TABLE metadata (ref BYTEA NOT NULL PRIMARY KEY, body TEXT NOT NULL)",
    ),
    (
        3,
        "CREATE TABLE session (hash BYTEA NOT NULL PRIMARY KEY, person TEXT NOT NULL, body TEXT NOT NULL, ends_at BIGINT NOT NULL); \
         CREATE INDEX session_person ON session (person)",
    ),
];

/// Refuses what cannot be brought to the present version.
pub(super) async fn must_be_known(connection: &mut Connection) -> Result<(), StoreError> {
    must_be_since(FIRST, connection).await
}

/// Refuses what a reader does not know.
pub(super) async fn must_be_readable(connection: &mut Connection) -> Result<(), StoreError> {
    must_be_since(READABLE, connection).await
}

/// Refuses what is not of the version that this keeper writes.
pub(super) async fn must_be_present(connection: &mut Connection) -> Result<(), StoreError> {
    must_be_since(VERSION, connection).await
}

/// Brings an older store to the present version, wholly or not at all. Only whoever writes the log may.
pub(super) async fn upgrade(
    connection: &mut Connection,
    lease: Option<&Lease>,
) -> Result<(), StoreError> {
    let found = of(connection).await?;
    if found == VERSION {
        return Ok(());
    }
    let steps = async |connection: &mut Connection| {
        if let Some(lease) = lease {
            lease.must_hold(connection).await?;
        }
        for (_, statements) in STEPS.iter().filter(|(from, _)| *from >= found) {
            connection.run(*statements).await?;
        }
        commit::meta(connection, "schema", &VERSION).await
    };
    connection.transaction(Access::Write, steps).await?;
    info!(
        from = found,
        to = VERSION,
        "store upgraded to another schema"
    );
    Ok(())
}

async fn must_be_since(oldest: u32, connection: &mut Connection) -> Result<(), StoreError> {
    let found = of(connection).await?;
    if (oldest..=VERSION).contains(&found) {
        return Ok(());
    }
    Err(other(found.to_string()))
}

async fn of(connection: &mut Connection) -> Result<u32, StoreError> {
    let missing = || other("missing".to_owned());
    if !load::has_tables(connection).await? {
        return Err(missing());
    }
    load::meta(connection, "schema").await?.ok_or_else(missing)
}

fn other(found: String) -> StoreError {
    StoreError::Schema {
        found,
        known: VERSION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_leads_to_the_next() {
        let from: Vec<u32> = STEPS.iter().map(|(from, _)| *from).collect();
        assert_eq!(from, (FIRST..VERSION).collect::<Vec<_>>());
    }
}
