//! Holding the whole log to its hashes, and the stored rows to the log. In pieces, so that no log is too long.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteRow};
use tidelock_core::{
    event::Event,
    lifecycle::PaymentStatus,
    log::{LogHead, entry_hash},
    state::{Rows, State},
};

use super::{Reader, StoreError, columns, load};

/// Entries read in one piece. The database may be written between two pieces.
const PIECE: u64 = 20_000;

/// Entries between two times at which the fold forgets what is final.
const FORGET: u64 = 1_000;

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
    /// rows that the log folds to must be those that are stored. `report` is told now and then how far it has come.
    ///
    /// Stops at the first bad entry: nothing after it can be trusted.
    pub fn verify(
        &mut self,
        fold: bool,
        mut report: impl FnMut(Progress),
    ) -> Result<Verified, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(async {
            let mut check = Check::new(fold);
            // The bulk, in pieces.
            let end = end_of(connection).await?.seq;
            while check.head.seq < end && check.finding.is_none() {
                let from = check.head.seq;
                let to = from.saturating_add(PIECE).min(end);
                check.piece(connection, to).await?;
                if check.head.seq == from {
                    break; // the log ends too early
                }
                report(Progress {
                    done: check.head.seq,
                    of: end,
                });
            }
            // What was added meanwhile, and the rows of the same moment.
            let mut transaction = connection.begin().await?;
            let noted = end_of(&mut transaction).await?;
            if check.finding.is_none() {
                check.piece(&mut transaction, u64::MAX).await?;
            }
            let verified = check.finish(&mut transaction, noted).await?;
            transaction.commit().await?;
            Ok(verified)
        })
    }
}

/// Where the log ends, by what is noted beside it.
async fn end_of(connection: &mut SqliteConnection) -> Result<LogHead, StoreError> {
    let meta = load::log_meta(connection).await?;
    Ok(meta.map_or(LogHead::EMPTY, |meta| meta.log()))
}

struct Check {
    head: LogHead,
    fold: Option<Fold>,
    finding: Option<Finding>,
}

impl Check {
    fn new(fold: bool) -> Self {
        Self {
            head: LogHead::EMPTY,
            fold: fold.then(Fold::default),
            finding: None,
        }
    }

    /// Entries after the last one, up to `to`.
    async fn piece(
        &mut self,
        connection: &mut SqliteConnection,
        to: u64,
    ) -> Result<(), StoreError> {
        let to = i64::try_from(to).unwrap_or(i64::MAX);
        let mut rows = sqlx::query(
            "SELECT seq, body, prev, hash, kind FROM event WHERE seq > $1 AND seq <= $2 ORDER BY seq",
        )
        .bind(columns::integer("entry", self.head.seq)?)
        .bind(to)
        .fetch(connection);
        while let Some(row) = rows.try_next().await? {
            if let Err(why) = self.entry(&row) {
                let seq = Some(self.head.seq.saturating_add(1));
                self.finding = Some(Finding { seq, why });
                break;
            }
        }
        Ok(())
    }

    fn entry(&mut self, row: &SqliteRow) -> Result<(), String> {
        let expected = self.head.seq.saturating_add(1);
        let unreadable = |error: sqlx::Error| format!("cannot be read: {error}");
        let seq: i64 = row.try_get(0).map_err(unreadable)?;
        if u64::try_from(seq) != Ok(expected) {
            return Err(format!("is missing; the next one is {seq}"));
        }
        let body: &str = row.try_get(1).map_err(unreadable)?;
        let prev: &[u8] = row.try_get(2).map_err(unreadable)?;
        let stored: &[u8] = row.try_get(3).map_err(unreadable)?;
        if prev != self.head.hash.as_slice() {
            return Err("does not name the hash of the entry before it".to_owned());
        }
        let hash = entry_hash(self.head.hash, expected, body);
        if stored != hash.as_slice() {
            return Err("its hash is not that of its body".to_owned());
        }
        if let Some(fold) = &mut self.fold {
            let kind: &str = row.try_get(4).map_err(unreadable)?;
            fold.entry(expected, kind, body)?;
        }
        self.head = LogHead {
            seq: expected,
            hash,
        };
        Ok(())
    }

    async fn finish(
        self,
        connection: &mut SqliteConnection,
        noted: LogHead,
    ) -> Result<Verified, StoreError> {
        let Self {
            head,
            fold,
            finding,
        } = self;
        let mut findings: Vec<Finding> = finding.into_iter().collect();
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
}

/// The state that the log folds to.
#[derive(Default)]
struct Fold {
    state: Option<State>,
    /// Payments that are final, and so not in the state any more.
    done: BTreeMap<PaymentStatus, u64>,
}

impl Fold {
    fn entry(&mut self, seq: u64, kind: &str, body: &str) -> Result<(), String> {
        let event: Event =
            serde_json::from_str(body).map_err(|error| format!("is no event: {error}"))?;
        if event.kind() != kind {
            let is = event.kind();
            return Err(format!("is noted as {kind}, but its body is {is}"));
        }
        let state = match (&mut self.state, &event) {
            (Some(state), event) => {
                state.apply(event).map_err(|error| error.to_string())?;
                state
            }
            (None, Event::LogOpened(opening)) => self.state.insert(State::open(*opening)),
            (None, _) => return Err("comes before the log was opened".to_owned()),
        };
        if seq.is_multiple_of(FORGET) {
            let changes = state.take_changes();
            count_final(&mut self.done, &changes);
        }
        Ok(())
    }

    /// What the stored rows say otherwise.
    async fn differences(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<String>, StoreError> {
        let stored = load::snapshot(connection).await?;
        let (Some(mut state), Some(stored)) = (self.state, stored) else {
            return Ok(Vec::new()); // an empty log, and nothing stored
        };
        count_final(&mut self.done, &state.take_changes());
        let folded = state.open_rows();
        let stored = State::restore(stored.rows).open_rows();
        let mut differences = compare(&folded, &stored);
        let counts = load::counts(connection).await?;
        for (status, stored) in counts.iter().filter(|(status, _)| status.is_final()) {
            let folded = self.done.remove(status).unwrap_or_default();
            if folded != *stored {
                differences.push(format!(
                    "the log makes {folded} payments {status:?}, but {stored} are stored so"
                ));
            }
        }
        for (status, folded) in self.done {
            differences.push(format!(
                "the log makes {folded} payments {status:?}, but none are stored so"
            ));
        }
        Ok(differences)
    }
}

fn count_final(done: &mut BTreeMap<PaymentStatus, u64>, changes: &Rows) {
    for row in changes.payments.iter().filter(|row| row.status.is_final()) {
        let count = done.entry(row.status).or_default();
        *count = count.saturating_add(1);
    }
}

fn compare(folded: &Rows, stored: &Rows) -> Vec<String> {
    let mut differences = Vec::new();
    if folded.head != stored.head {
        differences.push(format!(
            "the log as a whole: folded {:?}, stored {:?}",
            folded.head, stored.head
        ));
    }
    differences.extend(unlike(
        "payment",
        &folded.payments,
        &stored.payments,
        |row| row.reference(),
    ));
    differences.extend(unlike("batch", &folded.batches, &stored.batches, |row| {
        row.id
    }));
    differences.extend(unlike("nonce", &folded.slots, &stored.slots, |row| {
        row.nonce
    }));
    differences
}

/// Keys whose rows differ, or are on one side only.
fn unlike<R: PartialEq, K: Ord + std::fmt::Display>(
    kind: &str,
    folded: &[R],
    stored: &[R],
    key: impl Fn(&R) -> K,
) -> Vec<String> {
    let mut pairs: BTreeMap<K, (Option<&R>, Option<&R>)> = BTreeMap::new();
    for row in folded {
        pairs.entry(key(row)).or_default().0 = Some(row);
    }
    for row in stored {
        pairs.entry(key(row)).or_default().1 = Some(row);
    }
    pairs
        .into_iter()
        .filter(|(_, (folded, stored))| folded != stored)
        .map(|(key, pair)| {
            let how = match pair {
                (Some(_), None) => "is open by the log, but not stored so",
                (None, Some(_)) => "is stored as open, but not open by the log",
                _ => "is stored with other values than the log folds to",
            };
            format!("{kind} {key} {how}")
        })
        .collect()
}
