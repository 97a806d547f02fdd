//! Inserting many rows with few statements. Every statement's text is made once, so that the database's cache finds it.

use super::{
    StoreError,
    sql::{Connection, Dialect, Query, query},
};

/// Inserts rows into one table.
pub(super) struct Insert {
    /// Statements, the one of most rows first; the last one takes one row.
    statements: Vec<Statement>,
}

struct Statement {
    rows: usize,
    sqlite: String,
    postgres: String,
}

impl Statement {
    fn text(&self, dialect: Dialect) -> &str {
        match dialect {
            Dialect::Sqlite => &self.sqlite,
            Dialect::Postgres => &self.postgres,
        }
    }
}

/// Rows a statement: any number takes a few. Parameters stay far below what either database allows (32,766 and 65,535).
const ROWS: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

impl Insert {
    /// `on_conflict` is what follows the rows, or nothing.
    pub fn new(table: &str, columns: &[&str], on_conflict: &str) -> Self {
        let statement = |rows: usize, parameter: &dyn Fn(usize) -> String| {
            let mut parameters = (1..).map(parameter);
            let mut row = || {
                let row: Vec<String> = parameters.by_ref().take(columns.len()).collect();
                format!("({})", row.join(", "))
            };
            let rows: Vec<String> = (0..rows).map(|_| row()).collect();
            let (columns, rows) = (columns.join(", "), rows.join(", "));
            format!("INSERT INTO {table} ({columns}) VALUES {rows} {on_conflict}")
        };
        let statements = ROWS.iter().map(|rows| Statement {
            rows: *rows,
            // SQLite looks a numbered parameter up from the front each time it is bound, which makes long statements slow.
            sqlite: statement(*rows, &|_| "?".to_owned()),
            // PostgreSQL knows numbered ones only.
            postgres: statement(*rows, &|place| format!("${place}")),
        });
        Self {
            statements: statements.collect(),
        }
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
        connection: &mut Connection,
        items: &[T],
        bind: impl Fn(Query, &T) -> Result<Query, StoreError>,
    ) -> Result<(), StoreError> {
        let mut rest = items;
        for statement in &self.statements {
            while let Some((chunk, after)) = rest.split_at_checked(statement.rows) {
                let mut bound = query(statement.text(connection.dialect()));
                for item in chunk {
                    bound = bind(bound, item)?;
                }
                bound.execute(connection).await?;
                rest = after;
                if rest.is_empty() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
