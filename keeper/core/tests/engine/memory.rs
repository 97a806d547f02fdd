//! A store in memory, which others file into and which outlives the engine.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use tidelock_core::{
    domain::{BatchId, Payment, PaymentNumber, PaymentRef},
    event::{Command, Event, Request},
    log::{Entry, LogHead},
    state::{BatchRow, PaymentRow, Rows, SlotRow},
    store::{Snapshot, Store, Unread},
};

/// A handle on the tables; its clones share them.
#[derive(Debug, Default, Clone)]
pub struct Memory(pub Rc<RefCell<Tables>>);

#[derive(Debug, Default)]
pub struct Tables {
    rows: Option<Rows>,
    pub entries: Vec<Entry>,
    pub payments: BTreeMap<PaymentRef, PaymentRow>,
    pub batches: BTreeMap<BatchId, BatchRow>,
    pub slots: BTreeMap<u64, SlotRow>,
    requests: Vec<Request>,
    commands: Vec<(u64, Command)>,
    /// What somebody files right after the store was asked what it knows.
    pub late: Option<Payment>,
    /// Of the requests, so many at the end are not handed out.
    pub backlog: usize,
}

/// The only thing that memory refuses.
#[derive(Debug, thiserror::Error)]
#[error("the entries do not follow the log")]
pub struct Gap;

impl Tables {
    pub fn events(&self) -> Vec<Event> {
        let read = |entry: &Entry| serde_json::from_str(&entry.body).unwrap();
        self.entries.iter().map(read).collect()
    }

    pub fn file_request(&mut self, payment: Payment) {
        let arrival = u64::try_from(self.requests.len()).unwrap() + 1;
        self.requests.push(Request { arrival, payment });
    }

    /// Files a request that the engine has not come to yet.
    pub fn file_unread(&mut self, payment: Payment) {
        self.file_request(payment);
        self.backlog = 1;
    }

    pub fn file_command(&mut self, command: Command) {
        let arrival = u64::try_from(self.commands.len()).unwrap() + 1;
        self.commands.push((arrival, command));
    }
}

impl Store for Memory {
    type Error = Gap;

    fn load(&mut self) -> Result<Option<Snapshot>, Gap> {
        let tables = self.0.borrow();
        let (Some(rows), Some(last)) = (&tables.rows, tables.entries.last()) else {
            return Ok(None);
        };
        let rows = Rows {
            head: rows.head.clone(),
            payments: tables.payments.values().cloned().collect(),
            batches: tables.batches.values().cloned().collect(),
            slots: tables.slots.values().cloned().collect(),
        };
        let head = last.head();
        Ok(Some(Snapshot { rows, head }))
    }

    fn unread_requests(&mut self, arrival: u64, _: u32) -> Result<Unread<Request>, Gap> {
        let tables = self.0.borrow();
        let count = tables.requests.len() - tables.backlog;
        let requests = &tables.requests[..count];
        let unread = requests.iter().filter(|request| {
            let reference = request.payment.reference();
            request.arrival > arrival && !tables.payments.contains_key(&reference)
        });
        let through = requests.last().map_or(0, |last| last.arrival);
        Ok(Unread {
            items: unread.copied().collect(),
            through: through.max(arrival),
        })
    }

    fn unread_commands(&mut self, arrival: u64, _: u32) -> Result<Unread<(u64, Command)>, Gap> {
        let tables = self.0.borrow();
        let unread = tables.commands.iter().filter(|(at, _)| *at > arrival);
        let through = tables.commands.last().map_or(0, |(at, _)| *at);
        Ok(Unread {
            items: unread.cloned().collect(),
            through: through.max(arrival),
        })
    }

    fn has_payment(&mut self, refs: &[PaymentRef], numbers: &[PaymentNumber]) -> Result<bool, Gap> {
        let tables = self.0.borrow();
        let mut known = tables.payments.keys();
        let mut given = tables.payments.values().filter_map(|row| row.number);
        Ok(known.any(|known| refs.contains(known)) || given.any(|given| numbers.contains(&given)))
    }

    fn payments(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, Gap> {
        let tables = self.0.borrow();
        let rows = refs.iter().filter_map(|known| tables.payments.get(known));
        Ok(rows.cloned().collect())
    }

    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, Gap> {
        let mut tables = self.0.borrow_mut();
        let mut requested = tables.requests.iter().map(|r| r.payment.reference());
        let has = requested.any(|requested| refs.contains(&requested));
        if let Some(late) = tables.late.take() {
            tables.file_request(late);
        }
        Ok(has)
    }

    fn costs_before(&mut self, seq: u64, limit: u32) -> Result<Vec<(u64, Event)>, Gap> {
        let tables = self.0.borrow();
        let entries = tables.entries.iter().rev().filter(|entry| {
            entry.seq < seq && ["slot_consumed", "finalised_advanced"].contains(&entry.kind)
        });
        let entries = entries.take(usize::try_from(limit).unwrap());
        let read = |entry: &Entry| (entry.seq, serde_json::from_str(&entry.body).unwrap());
        Ok(entries.map(read).collect())
    }

    fn commit(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), Gap> {
        let mut tables = self.0.borrow_mut();
        let head = tables.entries.last().map_or(LogHead::EMPTY, Entry::head);
        if entries.first().map(|first| first.prev) != Some(head.hash) {
            return Err(Gap);
        }
        tables.entries.extend_from_slice(entries);
        tables.rows = Some(rows.clone());
        let keyed = rows
            .payments
            .iter()
            .map(|row| (row.reference(), row.clone()));
        tables.payments.extend(keyed);
        let keyed = rows.batches.iter().map(|row| (row.id, row.clone()));
        tables.batches.extend(keyed);
        let keyed = rows.slots.iter().map(|row| (row.nonce, row.clone()));
        tables.slots.extend(keyed);
        Ok(())
    }
}
