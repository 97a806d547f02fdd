use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::{Duration, SystemTime},
};

use alloy::primitives::B256;
use tidelock_core::{
    abi::Fact,
    domain::BatchId,
    event::BlockRef,
    observe::Polled,
    port::{Key, Outcome},
    submit::Reply,
};
use tracing::debug;

use super::{collector::Collector, way::Ways};
use crate::{
    store::{Location, LoggedEvent, Reader, StoreError},
    witness::Witness,
};

/// Words that wait for the follower; what comes beyond is lost.
const WAITING: usize = 4_096;
/// Entries that are read at once.
const AT_ONCE: u64 = 256;
/// What the follower may take at the end, with what the collector takes.
const FAREWELL: Duration = Duration::from_secs(3);

/// What the loop has done.
enum Word {
    /// The log is stored up to this entry.
    Stored(u64, SystemTime),
    /// A transaction was sent.
    Sent(Sending),
    /// A block shows what became of a batch.
    Seen(BatchId, BlockRef, SystemTime),
    /// Nothing follows.
    End,
}

/// One sending of a transaction.
pub(super) struct Sending {
    pub hash: B256,
    pub from: SystemTime,
    pub to: SystemTime,
    /// What the node said, in a word of ours.
    pub reply: &'static str,
    pub failed: bool,
}

/// Makes spans of words and entries, on a thread of its own.
pub(super) struct Follower {
    words: SyncSender<Word>,
    ended: Receiver<()>,
}

impl Follower {
    /// From the entry after `seq`, where the engine starts.
    pub fn start(store: Location, seq: u64, collector: Collector) -> Self {
        let (words, heard) = mpsc::sync_channel(WAITING);
        let (ends, ended) = mpsc::channel();
        let mut work = Work {
            store,
            seq,
            reader: None,
            ways: None,
            collector,
        };
        thread::spawn(move || {
            work.follow(&heard);
            drop(work);
            let _ = ends.send(());
        });
        Self { words, ended }
    }

    pub fn witness(&self) -> Arc<dyn Witness> {
        Arc::new(Ear(self.words.clone()))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // If there is no room for it, the follower hangs on the store, and ends with the process.
        if self.words.try_send(Word::End).is_ok() {
            let _ = self.ended.recv_timeout(FAREWELL);
        }
    }
}

/// Leaves words for the follower.
struct Ear(SyncSender<Word>);

impl Ear {
    fn leave(&self, word: Word) {
        // Whoever is not heard in time is not traced.
        let _ = self.0.try_send(word);
    }
}

impl Witness for Ear {
    fn stored(&self, seq: u64) {
        self.leave(Word::Stored(seq, SystemTime::now()));
    }

    fn answered(&self, key: &Key, asked: SystemTime, outcome: &Outcome) {
        let now = SystemTime::now();
        match (key, outcome) {
            (Key::Send(hash), outcome) => {
                let (reply, failed) = said(outcome);
                self.leave(Word::Sent(Sending {
                    hash: *hash,
                    from: asked,
                    to: now,
                    reply,
                    failed,
                }));
            }
            (_, Outcome::Polled(polled)) => {
                shown(polled).for_each(|(batch, block)| self.leave(Word::Seen(batch, block, now)))
            }
            _ => {}
        }
    }
}

/// What a node said to a transaction, and whether it was a refusal: in words of ours, for its own may hold anything.
fn said(outcome: &Outcome) -> (&'static str, bool) {
    match outcome {
        Outcome::Sent(Reply::Accepted) => ("accepted", false),
        Outcome::Sent(Reply::Known) => ("known", false),
        Outcome::Sent(Reply::Refused(_)) => ("refused", true),
        _ => ("no usable answer", true),
    }
}

/// The batches that new blocks say something of.
fn shown(polled: &Polled) -> impl Iterator<Item = (BatchId, BlockRef)> {
    polled.blocks.iter().flat_map(|block| {
        let facts = block.facts.iter().filter_map(|fact| match fact {
            Fact::Proposed { id, .. } | Fact::Paid { id, .. } => Some(*id),
            _ => None,
        });
        facts.map(|id| (id, block.id))
    })
}

struct Work {
    store: Location,
    /// The last entry that was taken in.
    seq: u64,
    reader: Option<Reader>,
    ways: Option<Ways>,
    collector: Collector,
}

impl Work {
    fn follow(&mut self, heard: &Receiver<Word>) {
        while let Ok(word) = heard.recv() {
            match word {
                Word::End => return,
                Word::Stored(seq, at) => self.read(seq, at),
                Word::Sent(sending) => self.with_ways(|ways| ways.sent(&sending)),
                Word::Seen(batch, block, at) => self.with_ways(|ways| ways.seen(&batch, block, at)),
            }
            if let Some(ways) = &mut self.ways {
                ways.take_spans().for_each(|span| self.collector.take(span));
            }
        }
    }

    fn with_ways(&mut self, act: impl FnOnce(&mut Ways)) {
        if let Some(ways) = &mut self.ways {
            act(ways);
        }
    }

    fn read(&mut self, seq: u64, at: SystemTime) {
        if let Err(error) = self.try_read(seq, at) {
            debug!(%error, "the store cannot be read for traces");
            self.reader = None; // it is opened anew
        }
    }

    /// Takes in what was stored at that time: everything up to this entry.
    fn try_read(&mut self, seq: u64, at: SystemTime) -> Result<(), StoreError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::open(self.store.clone())?),
        };
        let ways = match &mut self.ways {
            Some(ways) => ways,
            none => none.insert(Ways::start(reader)?),
        };
        while let left @ 1.. = seq.saturating_sub(self.seq) {
            let limit = u32::try_from(left.min(AT_ONCE)).unwrap_or(1);
            let entries = reader.events_after(self.seq, limit)?;
            if entries.is_empty() {
                break;
            }
            for LoggedEvent { seq, event } in entries {
                ways.take(reader, &event, at)?;
                self.seq = seq;
            }
        }
        Ok(())
    }
}
