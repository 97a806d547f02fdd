//! Checking a log: each entry against the one before it, and the stored rows against what the entries fold to. Piece by
//! piece, so that no log is too long.
//!
//! One thread reads, one hashes and one folds. Entries come as one text for each piece: asking for each row by itself
//! would take most of the time.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use alloy_primitives::{B256, hex};
use tidelock_core::{
    event::Event,
    log::{LogHead, entry_hash},
};
use tokio::runtime::Runtime;

use super::{
    Reader, StoreError, acts, columns,
    fold::Fold,
    load,
    sql::{Access, Connection, Dialect, query},
};

/// Entries read in one piece, some 50 KiB each at most. The database may be written between two pieces.
const PIECE: u16 = 500;
/// Pieces that are read or hashed before the next thread is done with the last one.
const AHEAD: usize = 2;

/// The entries after one, in order, a line for each; a body has no line breaks, or its hash is wrong. A row without one of
/// its values has no line, and is not counted.
const ENTRIES_OF_SQLITE: &str = "SELECT COUNT(line) AS count, MAX(seq) AS last, \
    GROUP_CONCAT(line, char(10)) AS lines FROM ( \
    SELECT seq, seq || ' ' || kind || ' ' || hex(prev) || ' ' || hex(hash) || ' ' || body AS line \
    FROM event WHERE seq > $1 ORDER BY seq LIMIT $2)";
const ENTRIES_OF_POSTGRES: &str = "SELECT COUNT(line) AS count, MAX(seq) AS last, \
    convert_to(STRING_AGG(line, chr(10) ORDER BY seq), 'UTF8') AS lines FROM ( \
    SELECT seq, seq || ' ' || kind || ' ' || encode(prev, 'hex') || ' ' || encode(hash, 'hex') || ' ' || body AS line \
    FROM event WHERE seq > $1 ORDER BY seq LIMIT $2) AS entries";

/// What came of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where the log ended, as far as it holds.
    pub head: LogHead,
    /// What is wrong. Nothing, if there is none.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The entry, if it is one.
    pub seq: Option<u64>,
    /// What is wrong.
    pub why: String,
}

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries done.
    pub done: u64,
    /// Entries there are.
    pub of: u64,
}

impl Reader {
    /// Reads the whole log. Each entry must follow the one before it and have the hash of its body, and with `fold` the
    /// rows that the log folds to must be those that are stored. The chain of acts is held to its hashes too. `report` is told now and
    /// then how far it has come.
    ///
    /// Stops at the first bad entry: nothing after it can be trusted.
    pub fn verify(
        &mut self,
        fold: bool,
        report: impl FnMut(Progress),
    ) -> Result<Verified, StoreError> {
        let beside = fold.then(|| Self::open_as(self.location.clone(), self.role));
        let beside = beside.transpose()?;
        let Self {
            runtime,
            connection,
            ..
        } = self;
        let end = runtime.block_on(end_of(connection))?.seq;
        let (mut chain, mut fold) = bulk((runtime, &mut *connection), beside, end, report)?;
        runtime.block_on(async {
            // What was added meanwhile, and the rows of the same moment.
            let rest = async |connection: &mut Connection| {
                let noted = end_of(connection).await?;
                while chain.finding.is_none()
                    && let Some(piece) = Piece::after(connection, chain.head.seq).await?
                {
                    let events = chain.take(&piece, fold.is_some());
                    if let Some(fold) = &mut fold {
                        chain.finding = fold.take(events).or(chain.finding.take());
                        fold.settle(connection).await?;
                    }
                }
                let mut verified = finish(chain, fold, connection, noted).await?;
                let of_acts = acts::fault(connection).await?;
                let of_acts = of_acts.map(|why| Finding { seq: None, why });
                verified.findings.extend(of_acts);
                Ok(verified)
            };
            connection.transaction(Access::Read, rest).await
        })
    }
}

/// Where the log ends, by what is noted beside it.
async fn end_of(connection: &mut Connection) -> Result<LogHead, StoreError> {
    let meta = load::log_meta(connection).await?;
    Ok(meta.map_or(LogHead::EMPTY, |meta| meta.log()))
}

/// Takes in what there is up to `end` or more, each thread at its own pace. Folds if there is a reader to compare by.
fn bulk(
    (runtime, connection): (&Runtime, &mut Connection),
    beside: Option<Reader>,
    end: u64,
    mut report: impl FnMut(Progress),
) -> Result<(Chain, Option<Fold>), StoreError> {
    thread::scope(|scope| {
        let (pieces, read) = sync_channel(AHEAD);
        let reading = scope.spawn(move || runtime.block_on(read_on(connection, end, &pieces)));
        let (hashed, events) = sync_channel(AHEAD);
        let folding = beside.map(|beside| scope.spawn(move || fold_all(beside, &events)));
        let mut chain = Chain::default();
        for piece in &read {
            let events = chain.take(&piece, folding.is_some());
            let is_over = folding.is_some() && hashed.send(events).is_err();
            report(Progress {
                done: chain.head.seq,
                of: end.max(chain.head.seq),
            });
            if is_over || chain.finding.is_some() {
                break;
            }
        }
        drop((read, hashed)); // the other threads end
        joined(reading)?;
        let Some((fold, finding)) = folding.map(joined).transpose()? else {
            return Ok((chain, None));
        };
        // What cannot be folded comes before what cannot be hashed.
        chain.finding = finding.or(chain.finding.take());
        Ok((chain, Some(fold)))
    })
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn read_on(
    connection: &mut Connection,
    end: u64,
    pieces: &SyncSender<Piece>,
) -> Result<(), StoreError> {
    let mut last = 0;
    while last < end
        && let Some(piece) = Piece::after(connection, last).await?
    {
        last = piece.last;
        if pieces.send(piece).is_err() {
            break; // nobody wants to know more
        }
    }
    Ok(())
}

fn fold_all(
    mut beside: Reader,
    events: &Receiver<Vec<(u64, Event)>>,
) -> Result<(Fold, Option<Finding>), StoreError> {
    let mut fold = Fold::default();
    for events in events {
        let finding = fold.take(events);
        beside
            .runtime
            .block_on(fold.settle(&mut beside.connection))?;
        if finding.is_some() {
            return Ok((fold, finding));
        }
    }
    beside.close()?;
    Ok((fold, None))
}

/// Some entries that follow each other.
struct Piece {
    /// How many rows they are.
    count: usize,
    /// The number of the last.
    last: u64,
    lines: String,
}

impl Piece {
    /// Those after one; none if there are none.
    async fn after(connection: &mut Connection, seq: u64) -> Result<Option<Self>, StoreError> {
        let entries = match connection.dialect() {
            Dialect::Sqlite => ENTRIES_OF_SQLITE,
            Dialect::Postgres => ENTRIES_OF_POSTGRES,
        };
        let row = query(entries)
            .bind(columns::integer("entry", seq)?)
            .bind(i64::from(PIECE))
            .fetch_one(connection)
            .await?;
        let count = row.integer("count")?;
        if count == 0 {
            return Ok(None);
        }
        let last = row.integer("last")?;
        let lines = row.optional_bytes("lines")?;
        Ok(Some(Self {
            count: usize::try_from(count).unwrap_or(usize::MAX),
            last: u64::try_from(last).unwrap_or(u64::MAX),
            lines: String::from_utf8_lossy(lines.unwrap_or_default()).into_owned(),
        }))
    }
}

/// The log as far as it holds.
struct Chain {
    head: LogHead,
    finding: Option<Finding>,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            head: LogHead::EMPTY,
            finding: None,
        }
    }
}

impl Chain {
    /// Takes a piece in, up to what is wrong with it. Gives its events, if they are wanted.
    fn take(&mut self, piece: &Piece, wants_events: bool) -> Vec<(u64, Event)> {
        let mut events = Vec::new();
        let mut count = 0_usize;
        for line in piece.lines.split('\n') {
            count = count.saturating_add(1);
            match self.entry(line, wants_events) {
                Ok(event) => events.extend(event.map(|event| (self.head.seq, event))),
                Err(why) => {
                    self.finding = Some(self.finding_after(why));
                    return events;
                }
            }
        }
        if count != piece.count {
            let (rows, last) = (piece.count, piece.last);
            self.finding = Some(Finding {
                seq: None,
                why: format!(
                    "up to entry {last} {count} entries are in {rows} rows: each must have its own"
                ),
            });
        }
        events
    }

    fn finding_after(&self, why: String) -> Finding {
        Finding {
            seq: Some(self.head.seq.saturating_add(1)),
            why,
        }
    }

    fn entry(&mut self, line: &str, wants_event: bool) -> Result<Option<Event>, String> {
        let unreadable = || "cannot be read".to_owned();
        let mut parts = line.splitn(5, ' ');
        let mut part = || parts.next().ok_or_else(unreadable);
        let (seq, kind, prev, stored, body) = (part()?, part()?, part()?, part()?, part()?);
        let expected = self.head.seq.saturating_add(1);
        if seq.parse() != Ok(expected) {
            return Err(format!("is missing; the next one is {seq}"));
        }
        if hash_of(prev) != Some(self.head.hash) {
            return Err("does not name the hash of the entry before it".to_owned());
        }
        let hash = entry_hash(self.head.hash, expected, body);
        if hash_of(stored) != Some(hash) {
            return Err("its hash is not that of its body".to_owned());
        }
        let event = wants_event.then(|| event_of(kind, body)).transpose()?;
        self.head = LogHead {
            seq: expected,
            hash,
        };
        Ok(event)
    }
}

fn hash_of(digits: &str) -> Option<B256> {
    hex::decode_to_array(digits).ok().map(B256::new)
}

fn event_of(kind: &str, body: &str) -> Result<Event, String> {
    let event: Event =
        serde_json::from_str(body).map_err(|error| format!("is no event: {error}"))?;
    if event.kind() != kind {
        let is = event.kind();
        return Err(format!("is noted as {kind}, but its body is {is}"));
    }
    Ok(event)
}

async fn finish(
    chain: Chain,
    fold: Option<Fold>,
    connection: &mut Connection,
    noted: LogHead,
) -> Result<Verified, StoreError> {
    let head = chain.head;
    let mut findings: Vec<Finding> = chain.finding.into_iter().collect();
    let general = |why: String| Finding { seq: None, why };
    if findings.is_empty() && head != noted {
        findings.push(general(format!(
            "the log ends at entry {} with hash {}, but entry {} with hash {} is noted as its last",
            head.seq, head.hash, noted.seq, noted.hash
        )));
    }
    if findings.is_empty()
        && let Some(fold) = fold
    {
        let differences = fold.differences(connection).await?;
        findings.extend(differences.into_iter().map(general));
    }
    Ok(Verified { head, findings })
}
