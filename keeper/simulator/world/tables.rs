//! What a backup of the store holds: the log, its rows, and who leads.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use tidelock_core::{
    domain::{BatchId, PaymentRef},
    event::Event,
    log::{Entry, LastEntry, LogHead, entry_hash},
    state::{BatchRow, HeadRow, PaymentRow, Rows, SlotRow, State},
    store::Snapshot,
};

use super::{lease::LeaseRow, transitions::Seen};
use crate::coverage::EdgeKey;

/// The tables.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// The log.
    pub entries: Vec<Entry>,
    /// Its end, as noted with the last commit.
    pub noted: LogHead,
    /// The row about the log as a whole.
    pub head: Option<HeadRow>,
    /// Payments by ref.
    pub payments: BTreeMap<PaymentRef, PaymentRow>,
    /// Batches by id.
    pub batches: BTreeMap<BatchId, BatchRow>,
    /// Slots of the key that sends now, by nonce.
    pub slots: BTreeMap<u64, SlotRow>,
    /// Slots of the key before it, as they were when it was changed.
    pub slots_of_old_key: Vec<SlotRow>,
    /// Who leads.
    pub lease: LeaseRow,
    fold: Option<State>,
}

impl Tables {
    /// A commit. Answers what is wrong with it, if anything: entries must follow one another, and rows be their fold.
    pub fn apply(
        &mut self,
        entries: &[Entry],
        rows: &Rows,
        edges: &mut BTreeMap<EdgeKey, u64>,
    ) -> Result<(), String> {
        self.check_chain(entries)?;
        self.check_fold(entries, rows, edges)?;
        self.entries.extend(entries.iter().cloned());
        self.noted = entries.last().map_or(self.noted, Entry::head);
        self.head = Some(rows.head.clone());
        if entries.iter().any(|entry| entry.kind == "key_changed") {
            self.change_key()?;
        }
        for row in &rows.payments {
            self.payments.insert(row.reference(), row.clone());
        }
        for row in &rows.batches {
            self.batches.insert(row.id, row.clone());
        }
        for row in &rows.slots {
            self.slots.insert(row.nonce, row.clone());
        }
        Ok(())
    }

    /// Nonces of another key are other nonces. None of the old one may be left.
    fn change_key(&mut self) -> Result<(), String> {
        if let Some(slot) = self.slots.values().find(|slot| slot.is_live()) {
            let nonce = slot.nonce;
            return Err(format!(
                "the key is changed, and nonce {nonce} of the old one is not used up"
            ));
        }
        self.slots_of_old_key = std::mem::take(&mut self.slots).into_values().collect();
        Ok(())
    }

    fn check_chain(&self, entries: &[Entry]) -> Result<(), String> {
        let mut head = self.entries.last().map_or(LogHead::EMPTY, Entry::head);
        for entry in entries {
            let follows = entry.seq == head.seq + 1 && entry.prev == head.hash;
            if !follows || entry.hash != entry_hash(entry.prev, entry.seq, &entry.body) {
                return Err(format!("entry {} does not follow", entry.seq));
            }
            head = entry.head();
        }
        Ok(())
    }

    /// Folds the entries one by one, counts the transitions they make, and compares the rows.
    fn check_fold(
        &mut self,
        entries: &[Entry],
        rows: &Rows,
        edges: &mut BTreeMap<EdgeKey, u64>,
    ) -> Result<(), String> {
        let mut seen = Seen::of(self);
        for entry in entries {
            let event: Event = serde_json::from_str(&entry.body).expect("entries can be read");
            if let Event::LogOpened(opening) = event {
                self.fold = Some(State::open(opening));
                continue;
            }
            let fold = self.fold.as_mut().expect("the first entry opens the log");
            let folded = fold.apply(&event);
            folded.map_err(|error| format!("entry {}: {error}", entry.seq))?;
            let touched = fold.clone().take_changes();
            seen.count(&event, &touched, edges);
        }
        let folded = self.fold.as_mut().expect("opened").take_changes();
        if folded.head != rows.head || (entries.len() > 1 && folded != *rows) {
            return Err("rows are not the fold of their entries".to_owned());
        }
        Ok(())
    }

    /// What an engine starts from, without what is final or with it.
    pub fn snapshot(&self, lean: bool) -> Option<Snapshot> {
        let rows = Rows {
            head: self.head.clone()?,
            payments: self.payments.values().cloned().collect(),
            batches: self.batches.values().cloned().collect(),
            slots: self.slots.values().cloned().collect(),
        };
        let rows = if lean {
            let mut open = State::restore(rows).open_rows();
            open.slots.retain(SlotRow::is_live);
            open
        } else {
            rows
        };
        let head = self.noted;
        Some(Snapshot { rows, head })
    }

    /// The last entry, as it is stored.
    pub fn last_entry(&self) -> Option<LastEntry<'_>> {
        let last = self.entries.last()?;
        Some(LastEntry {
            seq: last.seq,
            body: &last.body,
            prev: last.prev,
            hash: last.hash,
        })
    }

    /// Entries before one, newest first, that say what gas was paid and when.
    pub fn costs_before(&self, seq: u64) -> impl Iterator<Item = (u64, Event)> {
        let entries = self.entries.iter().rev().filter(move |entry| {
            entry.seq < seq && ["slot_consumed", "finalised_advanced"].contains(&entry.kind)
        });
        entries.filter_map(|entry| {
            let event = serde_json::from_str(&entry.body).ok()?;
            Some((entry.seq, event))
        })
    }

    /// The hash stored with an entry.
    pub fn hash_of(&self, seq: u64) -> Option<B256> {
        let index = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.entries.get(index).map(|entry| entry.hash)
    }

    /// Every entry must be what its hash says.
    pub fn must_be_whole(&self) -> Result<(), String> {
        let mut entries = self.entries.iter();
        let is_other =
            |entry: &&Entry| entry.hash != entry_hash(entry.prev, entry.seq, &entry.body);
        match entries.find(is_other) {
            Some(entry) => Err(format!("entry {} is not what its hash says", entry.seq)),
            None => Ok(()),
        }
    }
}
