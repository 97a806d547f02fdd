//! One way to ask either database: the text of a statement serves both, with numbered parameters. What differs is here, and in
//! [`super::sqlite`] and [`super::postgres`].

use std::borrow::Cow;
#[cfg(feature = "postgres")]
use std::time::Duration;

#[cfg(feature = "postgres")]
use futures_util::stream::try_unfold;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Column, Connection as _, Database, Encode, Row as _, SqliteConnection, Type,
    TypeInfo, ValueRef,
    query::Query as Bound,
    sqlite::{Sqlite, SqliteRow},
};
#[cfg(feature = "postgres")]
use sqlx::{
    ColumnIndex, PgConnection,
    postgres::{PgRow, Postgres},
};

use super::StoreError;

/// The kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// A connection to a database.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    /// With the longest time that an answer may take: a network that is cut does not say so.
    #[cfg(feature = "postgres")]
    Postgres(Box<PgConnection>, Duration),
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To see one moment.
    Read,
    /// To write; on SQLite nobody else writes meanwhile.
    Write,
}

impl Connection {
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(..) => Dialect::Postgres,
        }
    }

    /// Statements without parameters, and without answers.
    pub async fn run(
        &mut self,
        statements: impl Into<Cow<'static, str>>,
    ) -> Result<(), StoreError> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements.into()));
        match self {
            Self::Sqlite(connection) => statements.execute(connection).await.map(drop)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection, limit) => {
                within(*limit, statements.execute(&mut **connection))
                    .await
                    .map(drop)?;
            }
        }
        Ok(())
    }

    /// Does all of it or nothing. After an error nothing was done, unless it is the commit that failed.
    pub async fn transaction<T>(
        &mut self,
        access: Access,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let begin = match (self.dialect(), access) {
            (Dialect::Sqlite, Access::Read) => "BEGIN",
            (Dialect::Sqlite, Access::Write) => "BEGIN IMMEDIATE",
            (Dialect::Postgres, Access::Read) => {
                "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            }
            // Whoever writes locks the rows that others must not write meanwhile.
            (Dialect::Postgres, Access::Write) => {
                "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED"
            }
        };
        self.run(begin).await?;
        let done = match work(self).await {
            Ok(done) => self.run("COMMIT").await.map(|()| done),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // If this fails too, the connection is gone, and the transaction with it.
            let _ = self.run("ROLLBACK").await;
        }
        done
    }

    pub async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(connection, limit) => within(limit, connection.close()).await?,
        }
        Ok(())
    }
}

/// What a network does not bring in time is lost.
#[cfg(feature = "postgres")]
pub(super) async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::silent(limit)),
    }
}

/// A value to be bound.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<Cow<'static, str>>),
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<&'static str> for Value {
    fn from(value: &'static str) -> Self {
        Self::Text(Some(value.into()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value.into()))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(Into::into))
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Bytes(value)
    }
}

/// A statement and the values bound to it so far.
#[derive(Debug)]
pub(super) struct Query {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement whose parameters are `$1`, `$2` and so on.
pub(super) fn query(text: impl Into<Cow<'static, str>>) -> Query {
    Query {
        text: text.into(),
        values: Vec::new(),
    }
}

/// So many parameters, from `$1`.
pub(super) fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// A statement about any of these keys: its text, ` IN ` and their places. It has one of a few lengths, so that the database finds it among
/// those that it knows already; the last key fills it up.
pub(super) fn among(text: &str, keys: Vec<Vec<u8>>) -> Query {
    let count = LENGTHS.into_iter().find(|count| *count >= keys.len());
    let count = count.unwrap_or(keys.len());
    let last = keys.last().cloned();
    let asked = query(format!("{text} IN ({})", places(count)));
    let filled = keys
        .into_iter()
        .chain(std::iter::repeat_n(last, count).flatten());
    filled.take(count).fold(asked, Query::bind)
}

/// Lengths of lists of keys.
const LENGTHS: [usize; 5] = [1, 8, 32, 128, 256];

impl Query {
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// For the driver of one of the two.
    fn on<DB: Database>(self) -> Bound<'static, DB, DB::Arguments>
    where
        Option<i64>: Encode<'static, DB> + Type<DB>,
        Option<Cow<'static, str>>: Encode<'static, DB> + Type<DB>,
        Option<Vec<u8>>: Encode<'static, DB> + Type<DB>,
    {
        let asked = sqlx::query(AssertSqlSafe(self.text));
        self.values
            .into_iter()
            .fold(asked, |asked, value| match value {
                Value::Integer(value) => asked.bind(value),
                Value::Text(value) => asked.bind(value),
                Value::Bytes(value) => asked.bind(value),
            })
    }

    /// How many rows it changed.
    pub async fn execute(self, connection: &mut Connection) -> Result<u64, StoreError> {
        Ok(match connection {
            Connection::Sqlite(connection) => self
                .on::<Sqlite>()
                .execute(connection)
                .await?
                .rows_affected(),
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection, limit) => {
                let asked = self.on::<Postgres>().execute(&mut **connection);
                within(*limit, asked).await?.rows_affected()
            }
        })
    }

    pub async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, StoreError> {
        match connection {
            Connection::Sqlite(connection) => {
                let rows = self.on::<Sqlite>().fetch_all(connection).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection, limit) => {
                let asked = self.on::<Postgres>().fetch_all(&mut **connection);
                let rows = within(*limit, asked).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    pub async fn fetch_optional(
        self,
        connection: &mut Connection,
    ) -> Result<Option<Row>, StoreError> {
        match connection {
            Connection::Sqlite(connection) => {
                let row = self.on::<Sqlite>().fetch_optional(connection).await?;
                Ok(row.map(Row::Sqlite))
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection, limit) => {
                let asked = self.on::<Postgres>().fetch_optional(&mut **connection);
                Ok(within(*limit, asked).await?.map(Row::Postgres))
            }
        }
    }

    /// The one row.
    pub async fn fetch_one(self, connection: &mut Connection) -> Result<Row, StoreError> {
        let row = self.fetch_optional(connection).await?;
        row.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Rows as they come; of a server, each in time.
    pub fn fetch(self, connection: &mut Connection) -> BoxStream<'_, Result<Row, StoreError>> {
        match connection {
            Connection::Sqlite(connection) => {
                let rows = self.on::<Sqlite>().fetch(connection);
                rows.map_ok(Row::Sqlite).map_err(StoreError::from).boxed()
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection, limit) => {
                let (limit, rows) = (*limit, self.on::<Postgres>().fetch(&mut **connection));
                let in_time = try_unfold(rows, move |mut rows| async move {
                    let row = within(limit, rows.try_next()).await?;
                    Ok(row.map(|row| (Row::Postgres(row), rows)))
                });
                in_time.boxed()
            }
        }
    }
}

/// A row of an answer.
#[derive(Debug)]
pub(super) enum Row {
    Sqlite(SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(PgRow),
}

/// The same reading of a column from either row.
macro_rules! get {
    ($row:expr, $column:expr) => {
        match $row {
            Row::Sqlite(row) => row.try_get($column),
            #[cfg(feature = "postgres")]
            Row::Postgres(row) => row.try_get($column),
        }
    };
}

impl Row {
    pub fn integer(&self, column: &str) -> Result<i64, sqlx::Error> {
        get!(self, column)
    }

    pub fn optional_integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        get!(self, column)
    }

    pub fn text(&self, column: &str) -> Result<&str, sqlx::Error> {
        get!(self, column)
    }

    pub fn optional_text(&self, column: &str) -> Result<Option<&str>, sqlx::Error> {
        get!(self, column)
    }

    pub fn bytes(&self, column: &str) -> Result<&[u8], sqlx::Error> {
        get!(self, column)
    }

    pub fn optional_bytes(&self, column: &str) -> Result<Option<&[u8]>, sqlx::Error> {
        get!(self, column)
    }

    /// The names of its columns, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Sqlite(row) => row.columns().iter().map(Column::name).collect(),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.columns().iter().map(Column::name).collect(),
        }
    }

    /// Its values in that order, to be bound again.
    pub fn values(&self) -> Result<Vec<Value>, sqlx::Error> {
        let value = |column: usize| {
            let kind = match self {
                Self::Sqlite(row) => row.try_get_raw(column)?.type_info().name().to_owned(),
                #[cfg(feature = "postgres")]
                Self::Postgres(row) => row.try_get_raw(column)?.type_info().name().to_owned(),
            };
            Ok(match kind.as_str() {
                "INTEGER" | "INT8" => Value::Integer(get!(self, column)?),
                "BLOB" | "BYTEA" => Value::Bytes(get!(self, column)?),
                _ => Value::Text(
                    get!(self, column).map(|text: Option<String>| text.map(Into::into))?,
                ),
            })
        };
        (0..self.names().len()).map(value).collect()
    }

    /// Whether the value is of a column's own type, or missing: SQLite takes any type in any column.
    pub fn is_blob_or_null(&self, column: &str) -> Result<bool, sqlx::Error> {
        match self {
            Self::Sqlite(row) => {
                let value = row.try_get_raw(column)?;
                Ok(value.is_null() || value.type_info().name() == "BLOB")
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => {
                column.index(row)?;
                Ok(true)
            }
        }
    }
}
