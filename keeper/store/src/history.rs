//! When things happened, and what they travelled in. Entries have no clock of their own: an entry's time is that of the last
//! block that was final when it was written.

use alloy_primitives::B256;
use tidelock_core::{
    domain::{BatchId, BlockTime},
    event::{Event, Route},
    lifecycle::AttemptStatus,
};

use super::{
    Reader, StoreError, columns, load,
    sql::{Connection, query},
};

/// Entries of the log that count as recent.
const RECENT: u64 = 20_000;

/// A transaction that was signed for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// What is known of it.
    pub status: AttemptStatus,
}

impl Reader {
    /// What was signed for a batch, the oldest first.
    pub fn signed_for(&mut self, batch: &BatchId) -> Result<Vec<Signed>, StoreError> {
        let asked = query("SELECT * FROM attempt WHERE batch = $1 ORDER BY nonce, place")
            .bind(batch.0.to_vec())
            .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let signed = rows.iter().map(|row| {
            let (nonce, attempt) = columns::attempt(row)?;
            Ok(Signed {
                nonce,
                hash: attempt.hash,
                status: attempt.status,
            })
        });
        signed.collect()
    }

    /// The time of an entry; none of an entry that is not there.
    pub fn time_of(&mut self, seq: u64) -> Result<Option<BlockTime>, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(time_of(connection, seq))
    }

    /// When the request of that arrival was taken in; none if it was not.
    pub fn accepted_at(&mut self, arrival: u64) -> Result<Option<BlockTime>, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(async {
            match entry_of(connection, arrival).await? {
                Some(seq) => time_of(connection, seq).await,
                None => Ok(None),
            }
        })
    }

    /// The last arrival that was taken in up to that time.
    pub fn arrivals_until(&mut self, time: u64) -> Result<u64, StoreError> {
        let Self {
            runtime,
            connection,
            ..
        } = self;
        runtime.block_on(async {
            let Some(end) = end(connection).await? else {
                return Ok(0);
            };
            let (mut done, mut open) = (0_u64, end.saturating_add(1));
            while done.saturating_add(1) < open {
                let middle = u64::midpoint(done, open);
                let at = time_of(connection, middle).await?;
                if at.is_some_and(|at| at.seconds() <= time) {
                    done = middle;
                } else {
                    open = middle;
                }
            }
            read_through(connection, done).await
        })
    }
}

impl Reader {
    /// The time of the final block with which an entry was taken in: that of the first one after it; none of what no such block follows.
    pub fn final_at(&mut self, seq: u64) -> Result<Option<BlockTime>, StoreError> {
        const NEXT: &str = "SELECT seq, body FROM event WHERE seq > $1 AND kind = 'finalised_advanced' ORDER BY seq LIMIT 1";
        let asked = query(NEXT)
            .bind(columns::integer("entry", seq)?)
            .fetch_optional(&mut self.connection);
        let Some(row) = self.runtime.block_on(asked)? else {
            return Ok(None);
        };
        Ok(match columns::event(&row)? {
            (_, Event::FinalisedAdvanced { block }) => Some(block.time),
            _ => None,
        })
    }

    /// How long recent payments took from when they were taken in until they were final, of those that no signer had to approve: two of each
    /// batch, the first and the last that were asked for, the newest batch first. [seconds]
    pub fn recently_took(&mut self, batches: u32) -> Result<Vec<u64>, StoreError> {
        let end = self.end()?;
        // What is long ago says nothing of now, and is not searched for.
        let rows = query(
            "SELECT seq, body FROM event WHERE seq > $1 AND kind = 'outcome_final' ORDER BY seq DESC LIMIT $2",
        )
        .bind(columns::integer("entry", end.saturating_sub(RECENT))?)
        .bind(i64::from(batches))
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows)?;
        let mut took = Vec::new();
        for row in &rows {
            let (
                seq,
                Event::OutcomeFinal {
                    first_number, paid, ..
                },
            ) = columns::event(row)?
            else {
                continue;
            };
            if Route::of(first_number) == Route::Proposal {
                continue;
            }
            let Some(until) = self.final_at(seq)? else {
                continue;
            };
            let arrivals = self.arrivals_of(first_number, paid)?;
            let arrivals = arrivals.into_iter().map(|(_, arrival)| arrival);
            let mut arrivals: Vec<u64> = arrivals.filter(|arrival| *arrival > 0).collect();
            arrivals.sort_unstable();
            for arrival in [arrivals.first(), arrivals.last()].into_iter().flatten() {
                let since = self.accepted_at(*arrival)?;
                let time = since.map(|since| until.seconds().saturating_sub(since.seconds()));
                took.extend(time);
            }
        }
        Ok(took)
    }
}

async fn end(connection: &mut Connection) -> Result<Option<u64>, StoreError> {
    let meta = load::log_meta(connection).await?;
    Ok(meta.map(|meta| meta.seq))
}

/// Up to so many entries one is looked for by halving what is left; before, by how the arrivals lie.
const FEW: u64 = 8;

/// The entry that took the request of that arrival in; none if none did. Arrivals grow with the log, and mostly evenly, so where one must be is
/// guessed from where its neighbours are; every third guess is the middle, so that no log takes long.
async fn entry_of(connection: &mut Connection, arrival: u64) -> Result<Option<u64>, StoreError> {
    let Some(end) = end(connection).await? else {
        return Ok(None);
    };
    let Some(last) = taken_in(connection, end).await?.into_iter().next() else {
        return Ok(None);
    };
    if last.through < arrival {
        return Ok(None);
    }
    // What was taken in up to `least` is short of it; the entry `most` is not.
    let (mut least, mut most) = (Intake::default(), last);
    for guess in 1_u32.. {
        let between = most.seq.saturating_sub(least.seq);
        if between <= 1 {
            break;
        }
        let step = if between <= FEW || guess.is_multiple_of(3) {
            between.div_euclid(2)
        } else {
            least.share(most, arrival)
        };
        let at = least
            .seq
            .saturating_add(step.clamp(1, between.saturating_sub(1)));
        let found = taken_in(connection, at).await?;
        let mut found = found.into_iter();
        let (one, before) = (found.next().unwrap_or_default(), found.next());
        if one.through < arrival {
            // Nothing was taken in between the one that was found and the guess.
            least = Intake { seq: at, ..one };
        } else if before.unwrap_or_default().through < arrival {
            return Ok(Some(one.seq));
        } else {
            most = one;
        }
    }
    Ok(Some(most.seq))
}

/// An entry that took requests in, and up to which arrival; 0 before the first.
#[derive(Debug, Clone, Copy, Default)]
struct Intake {
    seq: u64,
    through: u64,
}

impl Intake {
    /// How many entries after this one an arrival would be, if they were even up to another.
    fn share(self, most: Self, arrival: u64) -> u64 {
        let of = |more: u64, less: u64| u128::from(more.saturating_sub(less));
        let entries = of(most.seq, self.seq).saturating_mul(of(arrival, self.through));
        let step = entries.div_ceil(of(most.through, self.through).max(1));
        u64::try_from(step).unwrap_or(u64::MAX)
    }
}

/// The last two entries up to one that took requests in, the last one first.
async fn taken_in(connection: &mut Connection, seq: u64) -> Result<Vec<Intake>, StoreError> {
    /// Of what can be hundreds of requests nothing else is read.
    #[derive(serde::Deserialize)]
    struct Through {
        through: u64,
    }
    const LAST: &str = "SELECT seq, body FROM event WHERE seq <= $1 AND kind = 'requests_accepted' \
        ORDER BY seq DESC LIMIT 2";
    let rows = query(LAST)
        .bind(columns::integer("entry", seq)?)
        .fetch_all(connection)
        .await?;
    let each = rows.iter().map(|row| {
        let seq = u64::try_from(row.integer("seq")?).unwrap_or_default();
        let read = serde_json::from_str(row.text("body")?);
        let Through { through } =
            read.map_err(|error| StoreError::damaged(format!("entry {seq}"), error))?;
        Ok(Intake { seq, through })
    });
    each.collect()
}

/// The last entry of a kind up to one.
async fn last_of(
    connection: &mut Connection,
    kind: &'static str,
    seq: u64,
) -> Result<Option<Event>, StoreError> {
    const LAST: &str =
        "SELECT seq, body FROM event WHERE seq <= $1 AND kind = $2 ORDER BY seq DESC LIMIT 1";
    let row = query(LAST)
        .bind(columns::integer("entry", seq)?)
        .bind(kind)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(columns::event(&row)?.1)).transpose()
}

async fn time_of(connection: &mut Connection, seq: u64) -> Result<Option<BlockTime>, StoreError> {
    if let Some(Event::FinalisedAdvanced { block }) =
        last_of(connection, "finalised_advanced", seq).await?
    {
        return Ok(Some(block.time));
    }
    match last_of(connection, "log_opened", seq).await? {
        Some(Event::LogOpened(opening)) => Ok(Some(opening.start.time)),
        _ => Ok(None),
    }
}

/// Up to which arrival requests were taken in by an entry.
async fn read_through(connection: &mut Connection, seq: u64) -> Result<u64, StoreError> {
    let last = taken_in(connection, seq).await?.into_iter().next();
    Ok(last.unwrap_or_default().through)
}
