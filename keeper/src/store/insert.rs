//! Inserting many rows with few statements. Every statement's text is made once, so that the database's cache finds it.

use sqlx::{
    SqliteConnection,
    query::Query,
    sqlite::{Sqlite, SqliteArguments},
};

use super::StoreError;

/// A statement and the values bound to it so far.
pub(super) type Bound = Query<'static, Sqlite, SqliteArguments>;

/// Inserts rows into one table.
pub(super) struct Insert {
    /// Rows and statement, largest first; the last one takes one row.
    statements: Vec<(usize, String)>,
}

/// Rows a statement. Parameters stay far below what either database allows (32,766 and 65,535).
const ROWS: [usize; 4] = [256, 64, 8, 1];

impl Insert {
    /// `on_conflict` is what follows the rows, or nothing.
    pub fn new(table: &str, columns: &[&str], on_conflict: &str) -> Self {
        // SQLite looks a numbered parameter up from the front each time it is bound, which makes long statements slow.
        // PostgreSQL knows numbered ones only: there this is the line to change.
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let statement = |rows: usize| {
            let columns = columns.join(", ");
            let rows = vec![row.as_str(); rows].join(", ");
            format!("INSERT INTO {table} ({columns}) VALUES {rows} {on_conflict}")
        };
        let statements = ROWS.iter().map(|rows| (*rows, statement(*rows))).collect();
        Self { statements }
    }

    /// One row for a key: columns but the first `keys` are replaced if it is there.
    pub fn or_replace(table: &str, columns: &[&str], keys: usize) -> Self {
        let sets: Vec<String> = columns
            .iter()
            .skip(keys)
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let key: Vec<&str> = columns.iter().take(keys).copied().collect();
        let on_conflict = format!(
            "ON CONFLICT ({}) DO UPDATE SET {}",
            key.join(", "),
            sets.join(", ")
        );
        Self::new(table, columns, &on_conflict)
    }

    /// Inserts every item.
    pub async fn all<T>(
        &'static self,
        connection: &mut SqliteConnection,
        items: &[T],
        bind: impl Fn(Bound, &T) -> Result<Bound, StoreError>,
    ) -> Result<(), StoreError> {
        let mut rest = items;
        for (rows, statement) in &self.statements {
            while let Some((chunk, after)) = rest.split_at_checked(*rows) {
                let mut query = sqlx::query(statement.as_str());
                for item in chunk {
                    query = bind(query, item)?;
                }
                query.execute(&mut *connection).await?;
                rest = after;
                if rest.is_empty() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
