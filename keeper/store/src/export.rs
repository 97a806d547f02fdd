//! A PostgreSQL store as a SQLite file: the same rows, all of one moment.

use std::path::Path;

use futures_util::TryStreamExt;

use super::{
    StoreError, schema,
    sql::{Access, Connection, places, query},
    sqlite,
};

/// Every table but the lease, which is a server's own, and sessions, which end; those that others refer to come before these.
const TABLES: [&str; 15] = [
    "request",
    "command",
    "arrivals",
    "event",
    "payment",
    "batch",
    "slot",
    "attempt",
    "checkpoint",
    "cursor",
    "meta",
    "quote",
    "act",
    "vote",
    "metadata",
];

/// Writes the whole store into an empty file.
pub(super) async fn export(from: &mut Connection, to: &Path) -> Result<(), StoreError> {
    let mut copy = sqlite::fill(to).await?;
    let write = async |copy: &mut Connection| {
        copy.run(schema::TABLES).await?;
        copy.run("DELETE FROM arrivals").await?;
        let read = async |from: &mut Connection| {
            schema::must_be_present(from).await?;
            for table in TABLES {
                carry(table, from, copy).await?;
            }
            Ok(())
        };
        from.transaction(Access::Read, read).await?;
        copy.run(sqlite::TRIGGERS).await
    };
    copy.transaction(Access::Write, write).await?;
    copy.close().await
}

/// Row by row, so that no history is too long.
async fn carry(
    table: &'static str,
    from: &mut Connection,
    to: &mut Connection,
) -> Result<(), StoreError> {
    let mut rows = query(format!("SELECT * FROM {table}")).fetch(from);
    while let Some(row) = rows.try_next().await? {
        let names = row.names();
        let (names, places) = (names.join(", "), places(names.len()));
        let insert = query(format!("INSERT INTO {table} ({names}) VALUES ({places})"));
        let values = row.values()?.into_iter();
        let bound = values.fold(insert, |insert, value| insert.bind(value));
        bound.execute(to).await?;
    }
    Ok(())
}
