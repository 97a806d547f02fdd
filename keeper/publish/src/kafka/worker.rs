//! The work for one topic: reads the log behind the topic's own cursor and writes page after page, each in a transaction. Whatever goes
//! wrong, the link is made anew and the cursor read again: what was written is known by it, and nothing else is.

mod notes;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use tidelock_api::KeyedEvent;
use tidelock_store::{Cursor, Outbox, StoreError, Turn};
use tokio::{task::spawn_blocking, time::sleep};
use tracing::info;

use super::{
    Kafka,
    link::{Link, Unwritten, Writing},
};
use crate::{PublishError, figures::Ends, sink::wants, webhook::Beginning, worker::Shared};

/// Between two looks at the log's end.
const LOOK: Duration = Duration::from_millis(50);
/// Between two notes, and two renewals of the turn.
const NOTE: Duration = Duration::from_millis(250);
/// How long a transaction that is under way may take once the publisher is asked to end.
const END: Duration = Duration::from_secs(5);
/// Records of one transaction from which on no more entries are added.
const MANY: usize = 10_000;
/// Bytes of a record that every topic is to take: one that does not is set up wrongly, and not the event too large.
const LEAST: usize = 4_096;
/// The cursor goes on at least this often, also while there is nothing to tell of what happens.
const PASSED: Duration = Duration::from_secs(10);

/// What goes into one transaction.
#[derive(Debug, Clone)]
struct Page {
    /// The last entry, told or not.
    last: Cursor,
    /// Entries that are told.
    entries: u64,
    events: Arc<Vec<KeyedEvent>>,
    /// One that had been left out, which a person has had sent again.
    is_again: bool,
}

/// The work of one turn.
pub(super) struct Work<'a> {
    sink: &'a Kafka,
    source: &'a str,
    shared: &'a Shared,
    turn: Turn,
    /// The last cursor that is known to be in the topic; none before it was read.
    told: Option<Cursor>,
    /// One that may be there: whether its transaction was committed is not known.
    tried: Option<Cursor>,
    /// All up to there was read.
    read: u64,
    end: u64,
    ends: Ends,
    /// Failures one after the other.
    tries: u32,
    first_failed: u64,
    /// Entries of which it is kept that they are tried again.
    kept: Vec<u64>,
    /// Entries after the cursor that are left out, as too large.
    left_out: BTreeSet<u64>,
    /// Each record is sent by itself, since some were too large, together or not.
    alone: bool,
    /// Up to there each entry is told by itself, until it is known which is too large.
    one_by_one: u64,
    /// What a person has had sent again.
    again: VecDeque<u64>,
    wrote_at: Instant,
    noted_at: Option<Instant>,
}

/// Works until the publisher is asked to end.
pub(crate) async fn run(sink: Kafka, source: String, shared: Shared) -> Result<(), PublishError> {
    loop {
        let worked = match shared.take_turn(&sink.name, Beginning::Start).await {
            Ok(None) => return Ok(()),
            Ok(Some(turn)) => Work::new(&sink, &source, &shared, turn).run().await,
            Err(error) => Err(error),
        };
        if !shared.goes_on(&sink.name, worked).await? {
            return Ok(());
        }
    }
}

impl<'a> Work<'a> {
    fn new(sink: &'a Kafka, source: &'a str, shared: &'a Shared, turn: Turn) -> Self {
        Self {
            sink,
            source,
            shared,
            read: turn.cursor.seq,
            turn,
            told: None,
            tried: None,
            end: 0,
            ends: Ends::default(),
            tries: 0,
            first_failed: 0,
            kept: Vec::new(),
            left_out: BTreeSet::new(),
            alone: false,
            one_by_one: 0,
            again: VecDeque::new(),
            wrote_at: Instant::now(),
            noted_at: None,
        }
    }

    async fn run(mut self) -> Result<(), PublishError> {
        let turn = self.turn.clone();
        let known = move |outbox: &mut Outbox| {
            let waiting = outbox.waiting(&turn)?;
            Ok((waiting, outbox.kept_after(&turn, turn.cursor.seq)?))
        };
        let (waiting, kept) = self.shared.outbox.ask(known).await?;
        self.kept = waiting.into_iter().map(|kept| kept.seq).collect();
        self.left_out = kept.into_iter().collect();
        self.left_out.retain(|seq| !self.kept.contains(seq));
        self.shared
            .board
            .change(&self.sink.name, |figures| figures.active = true);
        let mut link: Option<Arc<Link>> = None;
        while !self.shared.is_stopped() {
            let Some(open) = &link else {
                link = self.open().await?;
                continue;
            };
            let Some(page) = self.next().await? else {
                self.note().await?;
                self.shared.pause(LOOK).await;
                continue;
            };
            if !self.write(&page, Arc::clone(open)).await? {
                leave(link.take());
            }
        }
        leave(link);
        let turn = self.turn.clone();
        let back = move |outbox: &mut Outbox| outbox.give_back(&turn);
        Ok(self.shared.outbox.ask(back).await?)
    }

    /// Has a page written; false if the link is of no more use.
    async fn write(&mut self, page: &Page, link: Arc<Link>) -> Result<bool, PublishError> {
        let (events, cursor, is_again) = (Arc::clone(&page.events), page.last, page.is_again);
        if !is_again {
            self.tried = Some(cursor);
        }
        let write = move || {
            if is_again && link.was_written(cursor.seq)? {
                return Ok(());
            }
            link.write(&Writing {
                events: &events,
                cursor,
                is_again,
            })
        };
        match self.aside(write).await? {
            Some(Ok(())) => {
                self.wrote(page).await?;
                return Ok(true);
            }
            Some(Err(unwritten)) => self.unwritten(page, unwritten).await?,
            // It is asked to end.
            None => {}
        }
        Ok(false)
    }

    /// What is too large is looked for: records by themselves, then entries by themselves; and what is known to be too large is left out.
    async fn unwritten(&mut self, page: &Page, unwritten: Unwritten) -> Result<(), StoreError> {
        let bytes = match &unwritten {
            Unwritten::TooLarge { bytes, .. } => *bytes,
            Unwritten::Failed(why) => return self.failed(why.clone()).await,
        };
        if !self.alone {
            self.alone = true;
        } else if page.entries > 1 {
            self.one_by_one = page.last.seq;
        } else if bytes < LEAST {
            self.failed(unwritten.to_string()).await?;
        } else {
            self.leave_out(page.last.seq, unwritten.to_string()).await?;
        }
        Ok(())
    }

    /// Takes the topic over, and goes on from its cursor; none if that failed, and it was waited.
    async fn open(&mut self) -> Result<Option<Arc<Link>>, PublishError> {
        let (sink, source) = (self.sink.clone(), self.source.to_owned());
        let alone = self.alone;
        let known = self.told.unwrap_or(self.turn.cursor);
        let open = move || Link::open(&sink, &source, known, alone);
        let (link, cursor) = match self.aside(open).await? {
            None => return Ok(None),
            Some(Ok(opened)) => opened,
            Some(Err(why)) => {
                self.failed(why).await?;
                return Ok(None);
            }
        };
        let cursor = cursor.unwrap_or(Cursor::START);
        self.must_be_ours(cursor).await?;
        if self.told.is_none() {
            info!(sink = self.sink.name, after = cursor.seq, "publishing");
        }
        (self.told, self.tried, self.read) = (Some(cursor), None, cursor.seq);
        Ok(Some(Arc::new(link)))
    }

    /// Whether a cursor that was found in the topic is one that this publisher, or one before it with the same log, has written.
    async fn must_be_ours(&mut self, found: Cursor) -> Result<(), PublishError> {
        let name = self.sink.name.clone();
        let sink = || name.clone();
        if let Some(told) = self.told {
            if found != told && Some(found) != self.tried {
                // Another who has the turn meanwhile may: then this one stands by.
                self.commit(Vec::new(), Vec::new()).await?;
                let (sink, seq) = (sink(), found.seq);
                return Err(PublishError::Elsewhere { sink, seq });
            }
        } else if found.seq < self.turn.cursor.seq {
            return Err(PublishError::Forgotten {
                sink: sink(),
                seq: self.turn.cursor.seq,
                found: found.seq,
            });
        }
        if !self.shared.log.has(found).await? {
            let (sink, seq) = (sink(), found.seq);
            return Err(PublishError::OtherLog { sink, seq });
        }
        Ok(())
    }

    /// What is to be written next; none if there is nothing.
    async fn next(&mut self) -> Result<Option<Page>, StoreError> {
        while let Some(seq) = self.again.front().copied() {
            if let Some(entry) = self.shared.log.entry(seq).await? {
                return Ok(Some(Page {
                    last: self.shared.log.cursor(seq).await?,
                    entries: 1,
                    events: Arc::new(entry.keyed()),
                    is_again: true,
                }));
            }
            self.again.pop_front();
        }
        self.end = self.shared.log.end().await?;
        let told = self.told.map_or(0, |cursor| cursor.seq);
        let (mut entries, mut events) = (0_u64, Vec::new());
        let mut last = self.read;
        while last < self.end && entries == 0 && !self.shared.is_stopped() {
            for entry in self.shared.log.after(last).await? {
                last = entry.sequence;
                let is_told = !self.left_out.contains(&last);
                if is_told && wants(&self.sink.types, entry.kind.word()) {
                    entries = entries.saturating_add(1);
                    events.extend(entry.keyed());
                }
                if events.len() >= MANY || (entries > 0 && last <= self.one_by_one) {
                    break;
                }
            }
            if entries == 0 {
                self.read = last;
            }
        }
        let has_passed = last > told && self.wrote_at.elapsed() >= PASSED;
        if entries == 0 && !has_passed {
            return Ok(None);
        }
        Ok(Some(Page {
            last: self.shared.log.cursor(last).await?,
            entries,
            events: Arc::new(events),
            is_again: false,
        }))
    }

    async fn wrote(&mut self, page: &Page) -> Result<(), StoreError> {
        if page.is_again {
            return self.commit(Vec::new(), vec![page.last.seq]).await;
        }
        (self.told, self.tried, self.read) = (Some(page.last), None, page.last.seq);
        self.left_out = self.left_out.split_off(&page.last.seq);
        self.wrote_at = Instant::now();
        if self.tries > 0 {
            info!(sink = self.sink.name, "taken again");
        }
        self.tries = 0;
        self.shared.board.change(&self.sink.name, |figures| {
            figures.taken = figures.taken.saturating_add(page.entries);
        });
        // Of the next page, when nothing is to be told of this one: whoever looks is told soon enough.
        if self.kept.is_empty() && self.noted_at.is_some_and(|at| at.elapsed() < NOTE) {
            return Ok(());
        }
        self.note().await
    }

    /// Has something done that blocks, and keeps the turn meanwhile; none if the publisher is asked to end and it takes too long. A
    /// producer that is left behind like that can still write, once, what is not known to be written: the next one ends or sees it.
    async fn aside<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, PublishError> {
        let mut work = spawn_blocking(work);
        let mut since: Option<Instant> = None;
        loop {
            tokio::select! {
                done = &mut work => return done.map(Some).map_err(|_| PublishError::Broken),
                () = sleep(NOTE) => {}
            }
            if self.shared.is_stopped() {
                let since = *since.get_or_insert_with(Instant::now);
                if since.elapsed() >= END {
                    return Ok(None);
                }
            }
            self.commit(Vec::new(), Vec::new()).await?;
        }
    }
}

/// It may take a moment, and others may wait for what it holds.
fn leave(link: Option<Arc<Link>>) {
    drop(spawn_blocking(move || drop(link)));
}
