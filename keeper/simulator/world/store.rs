//! A store in memory that keeps its promises, and dies where dying hurts: a commit may be made or not, and either way the
//! answer may be lost. It checks what it is given: the chain of entries, and that rows are the fold of the entries.

use std::{cell::RefCell, collections::BTreeMap, collections::BTreeSet, rc::Rc};

use alloy_primitives::B256;
use tidelock_core::{
    domain::{BatchId, Payment, PaymentNumber, PaymentRef},
    event::{Command, Event, Request},
    lifecycle::{AttemptStatus, BatchStatus, PaymentStatus, SlotStatus},
    log::{Entry, LogHead, entry_hash},
    machine::Machine,
    state::{AttemptRow, BatchRow, HeadRow, PaymentRow, Rows, SlotRow, State},
    store::{Snapshot, Store, Unread},
};

use crate::{
    coverage::{EdgeKey, edge_between},
    faults::Fault,
};

/// The store as its user holds it. What it stands on outlives every process.
#[derive(Debug, Clone)]
pub struct Drive(pub Rc<RefCell<Disk>>);

/// Where a commit is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambush {
    /// Which fault it is; says what the commit must hold.
    pub fault: Fault,
    /// Whether the commit is made all the same.
    pub applied: bool,
}

/// A failure of which nobody can tell whether the commit was made.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the store is gone")]
pub struct Gone;

/// What survives a crash.
#[derive(Debug, Default)]
pub struct Disk {
    entries: Vec<Entry>,
    head: Option<HeadRow>,
    payments: BTreeMap<PaymentRef, PaymentRow>,
    batches: BTreeMap<BatchId, BatchRow>,
    slots: BTreeMap<u64, SlotRow>,
    requests: Vec<Request>,
    commands: Vec<(u64, Command)>,
    /// Where the next fitting commit fails.
    pub ambush: Option<Ambush>,
    /// The fault that the last commit failed by.
    pub sprung: Option<Fault>,
    /// Rows are handed out without what is final, or with it.
    pub lean: bool,
    /// How often each transition was made.
    pub edges: BTreeMap<EdgeKey, u64>,
    /// What is wrong with what was committed.
    pub wrong: Option<String>,
    fold: Option<State>,
}

impl Disk {
    /// Files a request, as the intake of the daemon does. True if it is new, an error if the ref has another body.
    pub fn file(&mut self, payment: Payment) -> Result<bool, Payment> {
        let reference = payment.reference();
        let filed = self.requests.iter();
        let known = filed
            .map(|request| request.payment)
            .find(|known| known.reference() == reference)
            .or_else(|| Some(self.payments.get(&reference)?.payment));
        match known {
            Some(known) if known == payment => Ok(false),
            Some(known) => Err(known),
            None => {
                let arrival = self.requests.len() as u64 + 1;
                self.requests.push(Request { arrival, payment });
                Ok(true)
            }
        }
    }

    /// Files a command.
    pub fn command(&mut self, command: Command) {
        self.commands
            .push((self.commands.len() as u64 + 1, command));
    }

    /// Payments that the log knows, final ones too.
    pub fn payments(&self) -> impl Iterator<Item = &PaymentRow> {
        self.payments.values()
    }

    /// A payment that the log knows.
    pub fn payment(&self, reference: PaymentRef) -> Option<&PaymentRow> {
        self.payments.get(&reference)
    }

    /// Slots that are not consumed.
    pub fn live_slots(&self) -> impl Iterator<Item = &SlotRow> {
        self.slots.values().filter(|slot| slot.is_live())
    }

    /// Slots whose nonce is used up.
    pub fn used_slots(&self) -> impl Iterator<Item = &SlotRow> {
        self.slots.values().filter(|slot| !slot.is_live())
    }

    /// The row about the log as a whole.
    pub fn head(&self) -> &HeadRow {
        self.head.as_ref().expect("opened")
    }

    /// A signed transaction that is durable.
    pub fn attempt(&self, hash: B256) -> Option<&AttemptRow> {
        let mut attempts = self.slots.values().flat_map(|slot| &slot.attempts);
        attempts.find(|attempt| attempt.hash == hash)
    }

    /// Proposals of somebody else's that may still be executed, and that would pay again what is paid.
    pub fn repeating(&self) -> impl Iterator<Item = BatchId> {
        let is_paid = |payment: &Payment| {
            let row = self.payments.get(&payment.reference());
            row.is_some_and(|row| row.status == PaymentStatus::Paid)
        };
        let batches = self.batches.values();
        let foreign = batches.filter(|batch| batch.status == BatchStatus::Foreign);
        let repeating = foreign.filter(move |batch| batch.payments.iter().any(is_paid));
        repeating.map(|batch| batch.id)
    }

    fn log_head(&self) -> LogHead {
        self.entries.last().map_or(LogHead::EMPTY, Entry::head)
    }

    fn is_sprung_by(&self, entries: &[Entry]) -> bool {
        let Some(ambush) = self.ambush else {
            return false;
        };
        let has = |kind: &str| entries.iter().any(|entry| entry.kind == kind);
        match ambush.fault {
            Fault::CrashBeforeSigning => has("batch_sealed") || has("slot_reserved"),
            Fault::CrashMidReplacement => entries.iter().any(|entry| self.replaces(entry)),
            Fault::CommitUnclear => true,
            _ => has("attempt_signed"),
        }
    }

    fn replaces(&self, entry: &Entry) -> bool {
        match serde_json::from_str(&entry.body) {
            Ok(Event::AttemptSigned { nonce, .. }) => {
                let slot = self.slots.get(&nonce);
                slot.is_some_and(|slot| !slot.attempts.is_empty())
            }
            _ => false,
        }
    }

    fn apply(&mut self, entries: &[Entry], rows: &Rows) {
        self.check_chain(entries);
        self.check_fold(entries, rows);
        self.entries.extend(entries.iter().cloned());
        self.head = Some(rows.head.clone());
        for row in &rows.payments {
            self.payments.insert(row.reference(), row.clone());
        }
        for row in &rows.batches {
            self.batches.insert(row.id, row.clone());
        }
        for row in &rows.slots {
            self.slots.insert(row.nonce, row.clone());
        }
    }

    fn check_chain(&mut self, entries: &[Entry]) {
        let mut head = self.log_head();
        for entry in entries {
            let follows = entry.seq == head.seq + 1 && entry.prev == head.hash;
            if !follows || entry.hash != entry_hash(entry.prev, entry.seq, &entry.body) {
                self.wrong = Some(format!("entry {} does not follow", entry.seq));
            }
            head = entry.head();
        }
    }

    /// Folds the entries one by one, counts the transitions they make, and compares the rows.
    fn check_fold(&mut self, entries: &[Entry], rows: &Rows) {
        let mut seen = Seen::of(self);
        for entry in entries {
            let event: Event = serde_json::from_str(&entry.body).expect("entries can be read");
            if let Event::LogOpened(opening) = event {
                self.fold = Some(State::open(opening));
                continue;
            }
            let fold = self.fold.as_mut().expect("the first entry opens the log");
            if let Err(error) = fold.apply(&event) {
                self.wrong = Some(format!("entry {}: {error}", entry.seq));
                return;
            }
            let touched = fold.clone().take_changes();
            seen.count(&event, &touched, &mut self.edges);
        }
        let folded = self.fold.as_mut().expect("opened").take_changes();
        if folded.head != rows.head || (entries.len() > 1 && folded != *rows) {
            self.wrong = Some("rows are not the fold of their entries".to_owned());
        }
    }
}

/// Where everything stood before an event.
struct Seen {
    payments: BTreeMap<PaymentRef, PaymentStatus>,
    batches: BTreeMap<BatchId, BatchStatus>,
    slots: BTreeMap<u64, SlotStatus>,
    attempts: BTreeMap<B256, AttemptStatus>,
}

impl Seen {
    fn of(disk: &Disk) -> Self {
        let attempts = disk.slots.values().flat_map(|slot| &slot.attempts);
        Self {
            payments: (disk.payments.iter())
                .map(|(reference, row)| (*reference, row.status))
                .collect(),
            batches: (disk.batches.iter())
                .map(|(id, row)| (*id, row.status))
                .collect(),
            slots: (disk.slots.iter())
                .map(|(nonce, row)| (*nonce, row.status))
                .collect(),
            attempts: attempts.map(|row| (row.hash, row.status)).collect(),
        }
    }

    fn count(&mut self, event: &Event, touched: &Rows, edges: &mut BTreeMap<EdgeKey, u64>) {
        let again: BTreeSet<PaymentRef> = match event {
            Event::Held { refs, .. } | Event::BatchSealed { refs, .. } => {
                refs.iter().copied().collect()
            }
            _ => BTreeSet::new(),
        };
        for row in &touched.payments {
            let key = row.reference();
            let again = again.contains(&key);
            step(&mut self.payments, key, row.status, again, edges);
        }
        for row in &touched.batches {
            step(&mut self.batches, row.id, row.status, false, edges);
        }
        for row in &touched.slots {
            let signed = |attempt: &AttemptRow| !self.attempts.contains_key(&attempt.hash);
            let again = row.attempts.iter().any(signed);
            step(&mut self.slots, row.nonce, row.status, again, edges);
            for attempt in &row.attempts {
                let (hash, status) = (attempt.hash, attempt.status);
                step(&mut self.attempts, hash, status, false, edges);
            }
        }
    }
}

/// Counts the edge to a status, if it is another one, or the same `again`.
fn step<K: Ord, M: Machine>(
    seen: &mut BTreeMap<K, M>,
    key: K,
    now: M,
    again: bool,
    edges: &mut BTreeMap<EdgeKey, u64>,
) {
    let before = seen.insert(key, now);
    if (before != Some(now) || again)
        && let Some(edge) = edge_between(before, now)
    {
        *edges.entry(edge).or_default() += 1;
    }
}

impl Store for Drive {
    type Error = Gone;

    fn load(&mut self) -> Result<Option<Snapshot>, Gone> {
        let disk = self.0.borrow();
        let Some(head) = disk.head.clone() else {
            return Ok(None);
        };
        let rows = Rows {
            head,
            payments: disk.payments.values().cloned().collect(),
            batches: disk.batches.values().cloned().collect(),
            slots: disk.slots.values().cloned().collect(),
        };
        let rows = if disk.lean {
            let mut open = State::restore(rows).open_rows();
            open.slots.retain(SlotRow::is_live);
            open
        } else {
            rows
        };
        let head = disk.log_head();
        Ok(Some(Snapshot { rows, head }))
    }

    fn unread_requests(&mut self, arrival: u64, limit: u32) -> Result<Unread<Request>, Gone> {
        let disk = self.0.borrow();
        let unread = disk.requests.iter().filter(|r| r.arrival > arrival);
        let looked: Vec<Request> = unread.take(limit as usize).copied().collect();
        let through = looked.last().map_or(arrival, |request| request.arrival);
        let is_new = |request: &Request| !disk.payments.contains_key(&request.payment.reference());
        Ok(Unread {
            items: looked.into_iter().filter(is_new).collect(),
            through,
        })
    }

    fn unread_commands(
        &mut self,
        arrival: u64,
        limit: u32,
    ) -> Result<Unread<(u64, Command)>, Gone> {
        let disk = self.0.borrow();
        let unread = disk.commands.iter().filter(|(at, _)| *at > arrival);
        let items: Vec<(u64, Command)> = unread.take(limit as usize).cloned().collect();
        let through = items.last().map_or(arrival, |(at, _)| *at);
        Ok(Unread { items, through })
    }

    fn payments(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, Gone> {
        let disk = self.0.borrow();
        let rows = refs.iter().filter_map(|known| disk.payments.get(known));
        Ok(rows.cloned().collect())
    }

    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, Gone> {
        let disk = self.0.borrow();
        let mut requested = disk.requests.iter().map(|r| r.payment.reference());
        Ok(requested.any(|requested| refs.contains(&requested)))
    }

    fn costs_before(&mut self, seq: u64, limit: u32) -> Result<Vec<(u64, Event)>, Gone> {
        let disk = self.0.borrow();
        let entries = disk.entries.iter().rev().filter(|entry| {
            entry.seq < seq && ["slot_consumed", "finalised_advanced"].contains(&entry.kind)
        });
        let events = entries.take(limit as usize).filter_map(|entry| {
            let event = serde_json::from_str(&entry.body).ok()?;
            Some((entry.seq, event))
        });
        Ok(events.collect())
    }

    fn has_payment(
        &mut self,
        refs: &[PaymentRef],
        numbers: &[PaymentNumber],
    ) -> Result<bool, Gone> {
        let disk = self.0.borrow();
        let paid_for = |row: &PaymentRow| {
            refs.contains(&row.reference()) || row.number.is_some_and(|n| numbers.contains(&n))
        };
        Ok(disk.payments.values().any(paid_for))
    }

    fn commit(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), Gone> {
        let mut disk = self.0.borrow_mut();
        if disk.is_sprung_by(entries)
            && let Some(ambush) = disk.ambush.take()
        {
            disk.sprung = Some(ambush.fault);
            if ambush.applied {
                disk.apply(entries, rows);
            }
            return Err(Gone);
        }
        disk.apply(entries, rows);
        Ok(())
    }
}
