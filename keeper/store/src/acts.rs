//! What people did through the API: a chain of its own beside the log, which the engine alone writes. Each entry's hash covers the one
//! before it, and an act that asks for a second person is answered by one entry at most.

use alloy_primitives::{B256, Keccak256};
use tidelock_core::event::Command;

use super::{
    Desk, Reader, StoreError, columns, desk, load,
    sql::{Connection, Dialect, Row, query},
};

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its number, from 1.
    pub seq: u64,
    /// The act that it answers, if it does.
    pub answers: Option<u64>,
    /// What was done, as JSON.
    pub body: String,
    /// The hash of the entry before; zeros before the first.
    pub prev: B256,
    /// [`Act::hash_of`]
    pub hash: B256,
    /// The entry that answers it.
    pub answered_by: Option<u64>,
}

/// What became of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acting {
    /// It is durable.
    Done {
        /// Its number.
        seq: u64,
    },
    /// Another answered first; nothing was done.
    Answered,
}

impl Act {
    /// keccak256 of the hash before, the number and what it answers (8 bytes each, big-endian; 0 for nothing), and the body.
    pub fn hash_of(prev: &B256, seq: u64, answers: Option<u64>, body: &str) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(prev);
        hasher.update(seq.to_be_bytes());
        hasher.update(answers.unwrap_or_default().to_be_bytes());
        hasher.update(body);
        hasher.finalize()
    }

    /// What is wrong with this entry, if `prev` is the one before.
    pub fn fault(&self, prev: Option<&Self>) -> Option<&'static str> {
        let (seq, hash) = prev.map_or((0, B256::ZERO), |prev| (prev.seq, prev.hash));
        if self.seq != seq.saturating_add(1) {
            return Some("entries before it are missing");
        }
        if self.prev != hash {
            return Some("it does not follow the one before");
        }
        let own = Self::hash_of(&self.prev, self.seq, self.answers, &self.body);
        (own != self.hash).then_some("its hash is that of other words")
    }
}

/// Acts held to their hashes at a time.
const PIECE: u32 = 500;

const WITH_ANSWER: &str = "SELECT a.seq, a.answers, a.body, a.prev, a.hash, b.seq AS answered_by \
    FROM act a LEFT JOIN act b ON b.answers = a.seq ";

impl Desk {
    /// Adds an act, and hands in the command that it stands for: both, durable, or neither. `command` is told the act's number, and
    /// `body` also the arrival of the command.
    pub fn act(
        &mut self,
        answers: Option<u64>,
        command: impl Fn(u64) -> Option<Command>,
        body: impl Fn(Option<u64>) -> String,
    ) -> Result<Acting, StoreError> {
        let about = answers.map(|answers| columns::integer("act", answers));
        let about = about.transpose()?;
        self.write(async |connection| {
            one_at_a_time(connection).await?;
            if let Some(about) = about {
                let asked = query("SELECT seq FROM act WHERE answers = $1").bind(about);
                if asked.fetch_optional(connection).await?.is_some() {
                    return Ok(Acting::Answered);
                }
            }
            let last = query("SELECT seq, hash FROM act ORDER BY seq DESC LIMIT 1");
            let last = last.fetch_optional(connection).await?;
            let (last, prev) = match &last {
                Some(row) => (row.integer("seq")?, hash(row, "hash")?),
                None => (0, B256::ZERO),
            };
            let place = last.saturating_add(1);
            let seq = u64::try_from(place).map_err(|_| damaged("seq"))?;
            let command = match command(seq) {
                Some(command) => Some(desk::hand_in(connection, &command).await?),
                None => None,
            };
            let body = body(command);
            let own = Act::hash_of(&prev, seq, answers, &body);
            const INSERT: &str =
                "INSERT INTO act (seq, answers, body, prev, hash) VALUES ($1, $2, $3, $4, $5)";
            let insert = query(INSERT).bind(place).bind(about).bind(body);
            let insert = insert.bind(prev.to_vec()).bind(own.to_vec());
            insert.execute(connection).await?;
            Ok(Acting::Done { seq })
        })
    }
}

/// An entry of the log as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// Its number.
    pub seq: u64,
    /// What happened, in a word.
    pub kind: String,
    /// As it is hashed.
    pub body: String,
    /// The hash of the entry before.
    pub prev: B256,
    /// Its hash.
    pub hash: B256,
}

impl Reader {
    /// Entries of the log after one as they are stored, at most `limit`, in order.
    pub fn raw_after(&mut self, seq: u64, limit: u32) -> Result<Vec<RawEntry>, StoreError> {
        let asked = query(
            "SELECT seq, kind, body, prev, hash FROM event WHERE seq > $1 ORDER BY seq LIMIT $2",
        )
        .bind(columns::integer("entry", seq)?)
        .bind(i64::from(limit))
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let entry = |row: &Row| {
            Ok(RawEntry {
                seq: u64::try_from(row.integer("seq")?).map_err(|_| damaged("seq"))?,
                kind: row.text("kind")?.to_owned(),
                body: row.text("body")?.to_owned(),
                prev: hash(row, "prev")?,
                hash: hash(row, "hash")?,
            })
        };
        rows.iter().map(entry).collect()
    }

    /// Acts after one, at most `limit`, in order.
    pub fn acts(&mut self, after: u64, limit: u32) -> Result<Vec<Act>, StoreError> {
        let asked = acts_after(&mut self.connection, after, limit);
        self.runtime.block_on(asked)
    }

    /// One act.
    pub fn act(&mut self, seq: u64) -> Result<Option<Act>, StoreError> {
        let Some(before) = seq.checked_sub(1) else {
            return Ok(None);
        };
        let found = self.acts(before, 1)?.pop();
        Ok(found.filter(|act| act.seq == seq))
    }
}

async fn acts_after(
    connection: &mut Connection,
    after: u64,
    limit: u32,
) -> Result<Vec<Act>, StoreError> {
    let asked = query(format!(
        "{WITH_ANSWER} WHERE a.seq > $1 ORDER BY a.seq LIMIT $2"
    ))
    .bind(columns::integer("act", after)?)
    .bind(i64::from(limit));
    let rows = asked.fetch_all(connection).await?;
    rows.iter().map(act).collect()
}

/// What is wrong with the first bad act, if one is. Nothing after it can be trusted.
pub(super) async fn fault(connection: &mut Connection) -> Result<Option<String>, StoreError> {
    if !load::has_table(connection, "act").await? {
        return Ok(None); // older stores have none
    }
    let mut prev: Option<Act> = None;
    loop {
        let last = prev.as_ref().map_or(0, |act| act.seq);
        let acts = acts_after(connection, last, PIECE).await?;
        if acts.is_empty() {
            return Ok(None);
        }
        for act in acts {
            if let Some(fault) = act.fault(prev.as_ref()) {
                return Ok(Some(format!("act {}: {fault}", act.seq)));
            }
            prev = Some(act);
        }
    }
}

/// On SQLite whoever writes is alone.
async fn one_at_a_time(connection: &mut Connection) -> Result<(), StoreError> {
    if connection.dialect() == Dialect::Postgres {
        let row = query("SELECT last FROM arrivals WHERE kind = $1 FOR UPDATE").bind("command");
        row.fetch_one(connection).await?;
    }
    Ok(())
}

fn damaged(what: &'static str) -> StoreError {
    StoreError::damaged("act", what)
}

fn hash(row: &Row, column: &'static str) -> Result<B256, StoreError> {
    B256::try_from(row.bytes(column)?).map_err(|_| damaged(column))
}

fn act(row: &Row) -> Result<Act, StoreError> {
    let number = |value: i64| u64::try_from(value).map_err(|_| damaged("number"));
    let optional = |column| {
        let value = row.optional_integer(column)?;
        value.map(number).transpose()
    };
    Ok(Act {
        seq: number(row.integer("seq")?)?,
        answers: optional("answers")?,
        body: row.text("body")?.to_owned(),
        prev: hash(row, "prev")?,
        hash: hash(row, "hash")?,
        answered_by: optional("answered_by")?,
    })
}
