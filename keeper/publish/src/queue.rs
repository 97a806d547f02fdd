//! What is on its way to one receiver, and in which order: an event goes out once nothing that was queued before it is about one of
//! its payments. What is not taken waits ever longer, and is given up after some days.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tidelock_store::Delivery;

/// Why an event waits that was not tried yet.
const BEHIND: &str = "waits for an earlier event about one of its payments";

/// How long what was not taken waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// After the first try; each next wait is three times as long. [milliseconds]
    pub first_ms: u64,
    /// At most. [milliseconds]
    pub longest_ms: u64,
    /// From the first try until it is given up. [milliseconds]
    pub give_up_ms: u64,
}

impl Waits {
    /// After so many tries, of which none was taken. `asked` is what the receiver wants. [milliseconds]
    pub(crate) fn after(&self, tries: u32, asked: Option<u64>) -> u64 {
        let factor = 3_u64.saturating_pow(tries.saturating_sub(1));
        let wait = self.first_ms.saturating_mul(factor);
        wait.max(asked.unwrap_or(0)).min(self.longest_ms)
    }
}

/// One event on its way.
#[derive(Debug)]
struct Item<E> {
    event: E,
    /// The payments it is about, each once.
    refs: Vec<String>,
    /// What is kept of it; none while it has not failed.
    kept: Option<Delivery>,
    /// Payments of which another event goes first.
    behind: usize,
    /// When it may go. [milliseconds since 1970]
    next: u64,
}

/// What is on its way, by entry of the log.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    items: BTreeMap<u64, Item<E>>,
    /// The events of each payment, in order.
    lines: HashMap<String, VecDeque<u64>>,
    /// What may go, by when.
    ready: BTreeSet<(u64, u64)>,
    flying: BTreeSet<u64>,
}

/// What became of what was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub delivery: Delivery,
    /// How long it waits, if it is not given up. [milliseconds]
    pub wait: Option<u64>,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            lines: HashMap::new(),
            ready: BTreeSet::new(),
            flying: BTreeSet::new(),
        }
    }
}

impl<E: Clone> Queue<E> {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn flying(&self) -> usize {
        self.flying.len()
    }

    pub fn has(&self, seq: u64) -> bool {
        self.items.contains_key(&seq)
    }

    /// Puts an event behind the others. `kept` is what is known of one that failed before.
    pub fn push(&mut self, seq: u64, refs: &[String], event: E, kept: Option<Delivery>) {
        if self.has(seq) {
            return;
        }
        let mut refs = refs.to_vec();
        refs.sort_unstable();
        refs.dedup();
        let mut behind = 0_usize;
        for reference in &refs {
            let line = self.lines.entry(reference.clone()).or_default();
            if !line.is_empty() {
                behind = behind.saturating_add(1);
            }
            line.push_back(seq);
        }
        let next = kept.as_ref().map_or(0, |kept| kept.next);
        if behind == 0 {
            self.ready.insert((next, seq));
        }
        let item = Item {
            event,
            refs,
            kept,
            behind,
            next,
        };
        self.items.insert(seq, item);
    }

    /// The next to go at that time, if there is one; it is on its way from now on.
    pub fn next(&mut self, now: u64) -> Option<(u64, E)> {
        let first = *self.ready.first()?;
        let (next, seq) = first;
        if next > now {
            return None;
        }
        self.ready.remove(&first);
        self.flying.insert(seq);
        let item = self.items.get(&seq)?;
        Some((seq, item.event.clone()))
    }

    /// When the next may go. [milliseconds since 1970]
    pub fn wakes_at(&self) -> Option<u64> {
        self.ready.first().map(|(next, _)| *next)
    }

    /// It was taken. True if something was kept of it.
    pub fn taken(&mut self, seq: u64) -> bool {
        self.remove(seq).is_some_and(|item| item.kept.is_some())
    }

    /// It was not taken, for that reason; `asked` is how long the receiver wants it to wait.
    pub fn failed(
        &mut self,
        seq: u64,
        why: String,
        asked: Option<u64>,
        now: u64,
        waits: &Waits,
    ) -> Option<Failed> {
        self.flying.remove(&seq);
        let item = self.items.get_mut(&seq)?;
        let before = item.kept.as_ref();
        let tries = before.map_or(0, |kept| kept.tries).saturating_add(1);
        let first = before.map_or(0, |kept| kept.first);
        let first = if first == 0 { now } else { first };
        let wait = waits.after(tries, asked);
        let is_over = now.saturating_sub(first) >= waits.give_up_ms;
        // The last try is made when its time is over, not a whole wait later.
        let next = now
            .saturating_add(wait)
            .min(first.saturating_add(waits.give_up_ms));
        let delivery = Delivery {
            seq,
            tries,
            first,
            next,
            why,
            dead: is_over.then_some(now),
        };
        if is_over {
            self.remove(seq);
        } else {
            item.kept = Some(delivery.clone());
            item.next = next;
            self.ready.insert((next, seq));
        }
        let wait = (!is_over).then_some(next.saturating_sub(now));
        Some(Failed { delivery, wait })
    }

    /// What waits behind an event that failed, and of which nothing is kept yet: it is to be kept as well, or the cursor would wait
    /// with it, and a restart would tell everything since then again. Only what waits for nothing else: what is kept is queued first
    /// after a restart, and all that goes before it must be among that.
    pub fn park(&mut self) -> Vec<Delivery> {
        let kept = self.items.iter().filter(|(_, item)| item.kept.is_some());
        let mut failed: BTreeSet<u64> = kept.map(|(seq, _)| *seq).collect();
        if failed.is_empty() {
            return Vec::new();
        }
        let mut parked = Vec::new();
        for (seq, item) in &mut self.items {
            let waits = item.kept.is_none()
                && item.behind > 0
                && item.refs.iter().all(|reference| {
                    let line = self.lines.get(reference).into_iter().flatten();
                    let mut before = line.take_while(|other| *other != seq);
                    before.all(|other| failed.contains(other))
                });
            if waits {
                let delivery = Delivery {
                    seq: *seq,
                    tries: 0,
                    first: 0,
                    next: 0,
                    why: BEHIND.to_owned(),
                    dead: None,
                };
                failed.insert(*seq);
                item.kept = Some(delivery.clone());
                parked.push(delivery);
            }
        }
        parked
    }

    /// The first event of which nothing is kept, so that it must be read from the log again after a restart.
    pub fn first_unkept(&self) -> Option<u64> {
        let mut items = self.items.iter();
        let unkept = items.find(|(_, item)| item.kept.is_none());
        unkept.map(|(seq, _)| *seq)
    }

    fn remove(&mut self, seq: u64) -> Option<Item<E>> {
        let item = self.items.remove(&seq)?;
        self.flying.remove(&seq);
        self.ready.remove(&(item.next, seq));
        for reference in &item.refs {
            let Some(line) = self.lines.get_mut(reference) else {
                continue;
            };
            // Those behind it move up only if it was the first.
            let was_first = line.front() == Some(&seq);
            line.retain(|other| *other != seq);
            let front = line.front().copied();
            if line.is_empty() {
                self.lines.remove(reference);
            }
            if was_first && let Some(front) = front {
                self.step_up(front);
            }
        }
        Some(item)
    }

    fn step_up(&mut self, seq: u64) {
        if let Some(item) = self.items.get_mut(&seq) {
            item.behind = item.behind.saturating_sub(1);
            if item.behind == 0 {
                self.ready.insert((item.next, seq));
            }
        }
    }
}

#[cfg(test)]
mod tests;
