//! What the engine needs of a store. One engine writes; whoever files requests or commands only inserts those.

use crate::{
    domain::{PaymentNumber, PaymentRef},
    event::{Command, Event, Request},
    log::{Entry, LogHead},
    state::{PaymentRow, Rows},
};

/// A store of one log, the rows folded from it, and what waits to be taken in.
///
/// After any error nobody knows whether a commit was made: the process must end, and read again what there is.
pub trait Store {
    /// Why the store failed.
    type Error: std::error::Error;

    /// Everything that can still change, and where the log ends; none if it was never opened.
    fn load(&mut self) -> Result<Option<Snapshot>, Self::Error>;

    /// Requests that arrived after `arrival`, at most `limit`, in order, and how far was looked. Those whose ref a
    /// payment has already, of whatever status, are left out.
    fn unread_requests(&mut self, arrival: u64, limit: u32)
    -> Result<Unread<Request>, Self::Error>;

    /// Commands that arrived after `arrival`, at most `limit`, in order, and how far was looked.
    fn unread_commands(
        &mut self,
        arrival: u64,
        limit: u32,
    ) -> Result<Unread<(u64, Command)>, Self::Error>;

    /// Whether any of these refs or numbers is that of a payment, of whatever status.
    fn has_payment(
        &mut self,
        refs: &[PaymentRef],
        numbers: &[PaymentNumber],
    ) -> Result<bool, Self::Error>;

    /// The payments with these refs, of whatever status; refs that no payment has are left out.
    fn payments(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, Self::Error>;

    /// Whether any of these refs was ever requested, read or not.
    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, Self::Error>;

    /// Entries before one of that number that say what a nonce cost or which block was final, at most `limit`, the newest first.
    fn costs_before(&mut self, seq: u64, limit: u32) -> Result<Vec<(u64, Event)>, Self::Error>;

    /// Appends entries and replaces the rows that changed with them, all or nothing, durable when it returns.
    fn commit(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), Self::Error>;
}

/// Where an engine starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Everything that can still change.
    pub rows: Rows,
    /// Where the log ends.
    pub head: LogHead,
}

/// What has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread<T> {
    /// In order of arrival.
    pub items: Vec<T>,
    /// Every arrival up to this one has been looked at.
    pub through: u64,
}

impl<T> Unread<T> {
    /// Nothing looked at yet after that arrival.
    pub fn after(arrival: u64) -> Self {
        Self {
            items: Vec::new(),
            through: arrival,
        }
    }

    /// Takes a row in, in order of arrival: nothing of one whose payment is known already. One that cannot be read is left
    /// out, for people to find: nothing is done by it, and it must not hold up those after it. Its error is handed back.
    pub fn take<E>(&mut self, arrival: u64, row: Result<Option<T>, E>) -> Result<(), E> {
        self.through = arrival;
        self.items.extend(row?);
        Ok(())
    }
}
