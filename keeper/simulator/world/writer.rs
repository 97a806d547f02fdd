//! The store as a keeper's process holds it: through a session of its own, in an epoch of its own.

use std::{cell::RefCell, rc::Rc};

use tidelock_core::{
    domain::{PaymentNumber, PaymentRef},
    event::{Command, Event, Request},
    lease::may_commit,
    log::{Damaged, Entry, LogHead, Regress},
    state::{PaymentRow, Rows},
    store::{Snapshot, Store, Unread},
};

use super::store::Drive;

/// What a host has beside the store.
#[derive(Debug, Clone, Copy)]
pub struct HostFiles {
    /// The last entry that it has seen.
    pub note: LogHead,
    /// It does not reach the store.
    pub is_cut_off: bool,
}

/// The store as one process holds it.
#[derive(Debug, Clone)]
pub struct Writer {
    drive: Drive,
    files: Rc<RefCell<HostFiles>>,
    /// The epoch it leads in; none on a store that no other host can write.
    epoch: Option<u64>,
    session: u64,
}

/// A row that cannot be read.
struct Unreadable;

/// Why the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    /// Nobody can tell whether the commit was made.
    #[error("the store is gone")]
    Gone,
    /// It cannot be reached.
    #[error("the store cannot be reached")]
    Away,
    /// Another keeper leads.
    #[error("another keeper leads, in epoch {by}; this one led in epoch {own}")]
    Deposed {
        /// The epoch of now.
        by: u64,
        /// Its own.
        own: u64,
    },
    /// It is an old copy.
    #[error(transparent)]
    Old(#[from] Regress),
    /// Its end is torn or changed.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

impl Writer {
    /// Opens the store, unless it is older than what this host has seen of it.
    pub fn open(
        drive: Drive,
        files: Rc<RefCell<HostFiles>>,
        epoch: Option<u64>,
    ) -> Result<Self, StoreFailure> {
        let session = drive.0.borrow().session;
        let writer = Self {
            drive,
            files,
            epoch,
            session,
        };
        writer.reach()?;
        writer.follow()?;
        Ok(writer)
    }

    /// Notes how far the log has come, unless it is older than what was noted.
    pub fn follow(&self) -> Result<(), StoreFailure> {
        let disk = self.drive.0.borrow();
        let mut files = self.files.borrow_mut();
        let noted = files.note;
        disk.tables
            .noted
            .must_follow(noted, disk.tables.hash_of(noted.seq))?;
        files.note = disk.tables.noted;
        Ok(())
    }

    fn reach(&self) -> Result<(), StoreFailure> {
        let is_lost = self.session != self.drive.0.borrow().session;
        if is_lost || self.files.borrow().is_cut_off {
            return Err(StoreFailure::Away);
        }
        Ok(())
    }
}

impl Store for Writer {
    type Error = StoreFailure;

    fn load(&mut self) -> Result<Option<Snapshot>, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        if let Some(last) = disk.tables.last_entry() {
            last.must_end(disk.tables.noted)?;
        }
        Ok(disk.tables.snapshot(disk.lean))
    }

    fn unread_requests(
        &mut self,
        arrival: u64,
        limit: u32,
    ) -> Result<Unread<Request>, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        let mut unread = Unread::after(arrival);
        for (arrival, request) in disk.requests_after(arrival).take(limit as usize) {
            let row = request.ok_or(Unreadable).map(|request| {
                let known = disk.payment(request.payment.reference());
                known.is_none().then_some(request)
            });
            let _ = unread.take(arrival, row); // a person's to find
        }
        Ok(unread)
    }

    fn unread_commands(
        &mut self,
        arrival: u64,
        limit: u32,
    ) -> Result<Unread<(u64, Command)>, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        let after = disk.commands.iter().filter(|(at, _)| *at > arrival);
        let mut unread = Unread::after(arrival);
        for (arrival, command) in after.take(limit as usize) {
            let row = command.clone().ok_or(Unreadable);
            let _ = unread.take(*arrival, row.map(|command| Some((*arrival, command))));
        }
        Ok(unread)
    }

    fn payments(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        let rows = refs.iter().filter_map(|known| disk.payment(*known));
        Ok(rows.cloned().collect())
    }

    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        let requested = disk.requests_after(0).filter_map(|(_, request)| request);
        let mut requested = requested.map(|request| request.payment.reference());
        Ok(requested.any(|requested| refs.contains(&requested)))
    }

    fn costs_before(&mut self, seq: u64, limit: u32) -> Result<Vec<(u64, Event)>, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        Ok(disk.tables.costs_before(seq).take(limit as usize).collect())
    }

    fn has_payment(
        &mut self,
        refs: &[PaymentRef],
        numbers: &[PaymentNumber],
    ) -> Result<bool, StoreFailure> {
        self.reach()?;
        let disk = self.drive.0.borrow();
        let paid_for = |row: &PaymentRow| {
            refs.contains(&row.reference()) || row.number.is_some_and(|n| numbers.contains(&n))
        };
        let mut rows = disk.payments();
        Ok(rows.any(paid_for))
    }

    fn commit(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), StoreFailure> {
        self.reach()?;
        let mut disk = self.drive.0.borrow_mut();
        let leads = disk.tables.lease.epoch;
        if let Some(own) = self.epoch
            && !may_commit(leads, own)
        {
            return Err(StoreFailure::Deposed { by: leads, own });
        }
        if disk.is_sprung_by(entries)
            && let Some(ambush) = disk.ambush.take()
        {
            disk.sprung = Some(ambush.fault);
            if ambush.applied {
                disk.apply(entries, rows);
            }
            return Err(StoreFailure::Gone);
        }
        disk.apply(entries, rows);
        self.files.borrow_mut().note = disk.tables.noted;
        Ok(())
    }
}
