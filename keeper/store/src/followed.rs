//! The store of an engine that follows another keeper's log: it looks up what is known, and never writes.

use tidelock_core::{
    domain::{PaymentNumber, PaymentRef},
    event::{Command, Event, Request},
    log::Entry,
    state::{PaymentRow, Rows},
    store::{Snapshot, Store, Unread},
};

use super::{
    Reader, StoreError, columns, load,
    sql::{Access, query},
};

/// A log that another keeper writes.
#[derive(Debug)]
pub struct Followed(Reader);

impl Followed {
    /// Looks on through a reader.
    pub fn new(reader: Reader) -> Self {
        Self(reader)
    }

    fn has(
        &mut self,
        statement: &'static str,
        mut keys: impl Iterator<Item = Vec<u8>>,
    ) -> Result<bool, StoreError> {
        let Reader {
            runtime,
            connection,
            ..
        } = &mut self.0;
        keys.try_fold(false, |found, key| {
            let asked = query(statement).bind(key).fetch_optional(connection);
            Ok(found || runtime.block_on(asked)?.is_some())
        })
    }
}

impl Store for Followed {
    type Error = StoreError;

    fn load(&mut self) -> Result<Option<Snapshot>, StoreError> {
        let Reader {
            runtime,
            connection,
            ..
        } = &mut self.0;
        runtime.block_on(connection.transaction(Access::Read, load::snapshot))
    }

    /// Requests are taken in by the other.
    fn unread_requests(&mut self, arrival: u64, _: u32) -> Result<Unread<Request>, StoreError> {
        Ok(Unread::after(arrival))
    }

    /// And so are commands.
    fn unread_commands(
        &mut self,
        arrival: u64,
        _: u32,
    ) -> Result<Unread<(u64, Command)>, StoreError> {
        Ok(Unread::after(arrival))
    }

    fn costs_before(&mut self, seq: u64, limit: u32) -> Result<Vec<(u64, Event)>, StoreError> {
        let Reader {
            runtime,
            connection,
            ..
        } = &mut self.0;
        runtime.block_on(load::costs_before(connection, seq, limit))
    }

    fn has_payment(
        &mut self,
        refs: &[PaymentRef],
        numbers: &[PaymentNumber],
    ) -> Result<bool, StoreError> {
        let refs = refs.iter().map(|reference| reference.0.to_vec());
        let numbers = numbers
            .iter()
            .map(|number| columns::number(*number).to_vec());
        Ok(self.has("SELECT 1 FROM payment WHERE ref = $1", refs)?
            || self.has("SELECT 1 FROM payment WHERE number = $1", numbers)?)
    }

    fn payments(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, StoreError> {
        self.0.rows_of(refs)
    }

    fn has_request(&mut self, refs: &[PaymentRef]) -> Result<bool, StoreError> {
        let refs = refs.iter().map(|reference| reference.0.to_vec());
        self.has("SELECT 1 FROM request WHERE ref = $1", refs)
    }

    /// An engine that follows has nothing to store.
    fn commit(&mut self, entries: &[Entry], _: &Rows) -> Result<(), StoreError> {
        match entries.first() {
            None => Ok(()),
            Some(entry) => Err(StoreError::NotNext {
                seq: entry.seq,
                last: entry.seq.saturating_sub(1),
            }),
        }
    }
}
