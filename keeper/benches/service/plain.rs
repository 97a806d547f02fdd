//! What one would write without much thought: a handler of axum that inserts one row by sqlx and answers once that is durable. No key, no
//! rule, no second look at a ref. A process of its own, as the keeper's server is one.

use std::{env, process::Command, sync::Arc};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::Deserialize;
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tempfile::TempDir;

use super::server::{Database, Program, fresh_url};

/// What this program is called with to be that server.
pub const WORD: &str = "--plain";
const TABLE: &str = "CREATE TABLE request (ref TEXT NOT NULL PRIMARY KEY, recipient TEXT NOT NULL, amount TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO request (ref, recipient, amount) VALUES ($1, $2, $3)";
const SAYS: &str = "the plain handler is served address=";

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "ref")]
    reference: String,
    to: String,
    amount: String,
}

enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Starts it on an empty database.
pub fn start(database: Database) -> (TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let place = match database {
        Database::Sqlite => folder.path().join("plain.db").display().to_string(),
        Database::Postgres => fresh_url(),
    };
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([WORD, &place]);
    let program = Program::start(command, &folder.path().join("log"), SAYS);
    (folder, program)
}

/// Serves until it is killed.
pub async fn serve(place: &str) {
    let pool = if place.starts_with("postgres:") {
        let pool = PgPoolOptions::new().max_connections(64).connect(place);
        let pool = pool.await.unwrap();
        sqlx::query(TABLE).execute(&pool).await.unwrap();
        Pool::Postgres(pool)
    } else {
        let options = SqliteConnectOptions::new()
            .filename(place)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        // More than one would only wait for each other.
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect_with(options).await.unwrap();
        sqlx::query(TABLE).execute(&pool).await.unwrap();
        Pool::Sqlite(pool)
    };
    let router = Router::new()
        .route("/v1/withdrawals", post(file))
        .with_state(Arc::new(pool));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("{SAYS}{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn file(State(pool): State<Arc<Pool>>, Json(request): Json<Request>) -> StatusCode {
    let Request {
        reference,
        to,
        amount,
    } = request;
    let filed = match &*pool {
        Pool::Sqlite(pool) => {
            let insert = sqlx::query(INSERT).bind(reference).bind(to).bind(amount);
            insert.execute(pool).await.map(drop)
        }
        Pool::Postgres(pool) => {
            let insert = sqlx::query(INSERT).bind(reference).bind(to).bind(amount);
            insert.execute(pool).await.map(drop)
        }
    };
    filed.map_or(StatusCode::INTERNAL_SERVER_ERROR, |()| StatusCode::CREATED)
}
