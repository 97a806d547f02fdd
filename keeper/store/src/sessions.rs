//! Sessions of people who signed in. Not of the log: what is over is deleted. What a browser shows is random; its hash is kept.

use super::{
    Desk, Reader, StoreError, columns,
    sql::{Connection, Row, query},
};

/// Sessions of one person at a time: the one that ends first makes room for another.
const A_PERSON: i64 = 16;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of what the browser shows.
    pub hash: [u8; 32],
    /// What acts of its person are kept under.
    pub person: String,
    /// Whose it is and what they may, as JSON.
    pub body: String,
    /// From when on it is none. [seconds since 1970]
    pub ends_at: u64,
}

impl Desk {
    /// Opens a session, and deletes those that are over now, whoever's they are. [seconds since 1970]
    pub fn open_session(&mut self, session: &Session, now: u64) -> Result<(), StoreError> {
        const OVER: &str = "DELETE FROM session WHERE ends_at <= $1";
        const BEYOND: &str = "DELETE FROM session WHERE person = $1 AND hash NOT IN \
            (SELECT hash FROM session WHERE person = $1 ORDER BY ends_at DESC, hash LIMIT $2)";
        const OPEN: &str =
            "INSERT INTO session (hash, person, body, ends_at) VALUES ($1, $2, $3, $4)";
        let (now, ends_at) = (
            columns::integer("now", now)?,
            columns::integer("ends_at", session.ends_at)?,
        );
        self.write(async |connection: &mut Connection| {
            query(OVER).bind(now).execute(connection).await?;
            let beyond = query(BEYOND).bind(session.person.clone());
            let others = A_PERSON.saturating_sub(1);
            beyond.bind(others).execute(connection).await?;
            let open = query(OPEN)
                .bind(session.hash.to_vec())
                .bind(session.person.clone())
                .bind(session.body.clone())
                .bind(ends_at);
            open.execute(connection).await.map(drop)
        })
    }

    /// Ends every session of a person. How many there were.
    pub fn end_sessions(&mut self, person: &str) -> Result<u64, StoreError> {
        self.write(async |connection: &mut Connection| {
            let gone = query("DELETE FROM session WHERE person = $1").bind(person.to_owned());
            gone.execute(connection).await
        })
    }
}

impl Reader {
    /// The session that a browser shows, over or not.
    pub fn session(&mut self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        let asked = query("SELECT hash, person, body, ends_at FROM session WHERE hash = $1")
            .bind(hash.to_vec())
            .fetch_optional(&mut self.connection);
        let row = self.runtime.block_on(asked)?;
        row.as_ref().map(session).transpose()
    }

    /// A person's session that lasts longest, over or not.
    pub fn session_of(&mut self, person: &str) -> Result<Option<Session>, StoreError> {
        const OF: &str = "SELECT hash, person, body, ends_at FROM session WHERE person = $1 \
            ORDER BY ends_at DESC LIMIT 1";
        let asked = query(OF)
            .bind(person.to_owned())
            .fetch_optional(&mut self.connection);
        let row = self.runtime.block_on(asked)?;
        row.as_ref().map(session).transpose()
    }
}

fn session(row: &Row) -> Result<Session, StoreError> {
    let damaged = |what: &str| StoreError::damaged("session", what);
    Ok(Session {
        hash: <[u8; 32]>::try_from(row.bytes("hash")?).map_err(|_| damaged("hash"))?,
        person: row.text("person")?.to_owned(),
        body: row.text("body")?.to_owned(),
        ends_at: u64::try_from(row.integer("ends_at")?).map_err(|_| damaged("ends_at"))?,
    })
}
