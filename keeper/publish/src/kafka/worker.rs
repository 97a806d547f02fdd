//! The work for one topic: reads the log behind the topic's own cursor and writes page after page, each in a transaction. Whatever goes
//! wrong, the link is made anew and the cursor read again: what was written is known by it, and nothing else is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tidelock_api::KeyedEvent;
use tidelock_store::{Advance, Cursor, Delivery, Outbox, StoreError, Turn};
use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

use super::{
    Kafka,
    link::{Link, Why},
};
use crate::{PublishError, clock, figures::Ends, sink::wants, webhook::Beginning, worker::Shared};

/// Between two looks at the log's end.
const LOOK: Duration = Duration::from_millis(50);
/// Between two notes, and two renewals of the turn.
const NOTE: Duration = Duration::from_millis(250);
/// How long a transaction that is under way may take once the publisher is asked to end.
const END: Duration = Duration::from_secs(5);
/// Records of one transaction from which on no more entries are added.
const MANY: usize = 10_000;
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
            wrote_at: Instant::now(),
            noted_at: None,
        }
    }

    async fn run(mut self) -> Result<(), PublishError> {
        let turn = self.turn.clone();
        let waiting = self.shared.outbox.ask(move |outbox| outbox.waiting(&turn));
        self.kept = waiting.await?.into_iter().map(|kept| kept.seq).collect();
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
            let (open, events, last) = (Arc::clone(open), Arc::clone(&page.events), page.last);
            self.tried = Some(last);
            match self.aside(move || open.write(&events, last)).await? {
                Some(Ok(())) => self.wrote(&page).await?,
                Some(Err(why)) => {
                    leave(link.take());
                    self.failed(why).await?;
                }
                None => break,
            }
        }
        leave(link);
        let turn = self.turn.clone();
        let back = move |outbox: &mut Outbox| outbox.give_back(&turn);
        Ok(self.shared.outbox.ask(back).await?)
    }

    /// Takes the topic over, and goes on from its cursor; none if that failed, and it was waited.
    async fn open(&mut self) -> Result<Option<Arc<Link>>, PublishError> {
        let (sink, source) = (self.sink.clone(), self.source.to_owned());
        let (link, cursor) = match self.aside(move || Link::open(&sink, &source)).await? {
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
        self.end = self.shared.log.end().await?;
        let told = self.told.map_or(0, |cursor| cursor.seq);
        let (mut entries, mut events) = (0_u64, Vec::new());
        let mut last = self.read;
        while last < self.end && entries == 0 && !self.shared.is_stopped() {
            for entry in self.shared.log.after(last).await? {
                last = entry.sequence;
                if wants(&self.sink.types, entry.kind.word()) {
                    entries = entries.saturating_add(1);
                    events.extend(entry.keyed());
                }
                if events.len() >= MANY {
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
        }))
    }

    async fn wrote(&mut self, page: &Page) -> Result<(), StoreError> {
        (self.told, self.tried, self.read) = (Some(page.last), None, page.last.seq);
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

    /// Notes it for people and for whoever takes over, and waits; the longer, the more often it failed.
    async fn failed(&mut self, why: Why) -> Result<(), StoreError> {
        let now = clock::now_ms();
        let told = self.told.unwrap_or(self.turn.cursor);
        let first = told.seq.saturating_add(1);
        if self.tries == 0 {
            self.first_failed = now;
        }
        self.tries = self.tries.saturating_add(1);
        let wait = self.sink.waits.after(self.tries, None);
        let tries = self.tries;
        warn!(
            sink = self.sink.name,
            tries,
            why,
            again_in_ms = wait,
            "not taken"
        );
        self.shared.board.change(&self.sink.name, |figures| {
            figures.refused = figures.refused.saturating_add(1);
        });
        let kept = Delivery {
            seq: first,
            tries,
            first: self.first_failed,
            next: now.saturating_add(wait),
            why,
            dead: None,
        };
        if !self.kept.contains(&first) {
            self.kept.push(first);
        }
        self.commit(vec![kept], Vec::new()).await?;
        let end = Instant::now().checked_add(Duration::from_millis(wait));
        while let Some(left) = end.and_then(|end| end.checked_duration_since(Instant::now())) {
            if !self.shared.pause(left.min(NOTE)).await {
                return Ok(());
            }
            self.note().await?;
        }
        Ok(())
    }

    /// Notes how far the topic has come, if that is time, and renews the turn.
    async fn note(&mut self) -> Result<(), StoreError> {
        if self.noted_at.is_some_and(|at| at.elapsed() < NOTE) && self.kept.is_empty() {
            return Ok(());
        }
        let taken = if self.tries == 0 && self.told.is_some() {
            std::mem::take(&mut self.kept)
        } else {
            Vec::new()
        };
        self.commit(Vec::new(), taken).await
    }

    async fn commit(&mut self, kept: Vec<Delivery>, taken: Vec<u64>) -> Result<(), StoreError> {
        self.noted_at = Some(Instant::now());
        let told = self.told.filter(|told| told.seq > self.turn.cursor.seq);
        let progress = Advance {
            cursor: told,
            kept,
            taken,
        };
        let (turn, lease) = (self.turn.clone(), self.shared.lease);
        let note = move |outbox: &mut Outbox| {
            if progress != Advance::default() {
                outbox.commit(&turn, &progress)?;
            }
            if !outbox.renew(&turn, lease)? {
                return Err(StoreError::TurnLost { sink: turn.sink });
            }
            outbox.sink(&turn.sink)
        };
        let view = self.shared.outbox.ask(note).await?;
        self.turn.cursor = told.unwrap_or(self.turn.cursor);
        self.end = self.shared.log.end().await?;
        let now = Instant::now();
        self.ends.saw(self.end, now);
        // What nobody is to be told of does not count as behind.
        let age = self.ends.age_after(self.read, self.end, now);
        let (end, read) = (self.end, self.read);
        self.shared.board.change(&self.sink.name, |figures| {
            figures.lag_entries = end.saturating_sub(read);
            figures.lag_seconds = age;
            figures.retrying = view.as_ref().map_or(0, |view| view.waiting);
            figures.dead = view.as_ref().map_or(0, |view| view.dead);
        });
        Ok(())
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
