//! Following the log while it grows, for whoever counts what it says.

use alloy_primitives::{B256, U256};
use tidelock_core::{
    domain::{PaymentNumber, PaymentRef},
    event::Command,
    state::PaymentRow,
};

use super::{
    LoggedEvent, Reader, StoreError, columns, load,
    sql::{among, query},
};

/// Numbers in one question; a batch has at most so many.
const NUMBERS: usize = 256;

impl Reader {
    /// The number of the last entry; 0 if there is none.
    pub fn end(&mut self) -> Result<u64, StoreError> {
        let read = load::log_meta(&mut self.connection);
        let meta = self.runtime.block_on(read)?;
        Ok(meta.map_or(0, |meta| meta.seq))
    }

    /// Entries after `seq`, at most `limit`, in order.
    pub fn events_after(&mut self, seq: u64, limit: u32) -> Result<Vec<LoggedEvent>, StoreError> {
        let rows = query("SELECT seq, body FROM event WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(columns::integer("entry", seq)?)
            .bind(i64::from(limit))
            .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows)?;
        let events = rows.iter().map(|row| {
            let (seq, event) = columns::event(row)?;
            Ok(LoggedEvent { seq, event })
        });
        events.collect()
    }

    /// The hash of an entry; none of one that is not there.
    pub fn hash_of(&mut self, seq: u64) -> Result<Option<B256>, StoreError> {
        let asked = query("SELECT hash FROM event WHERE seq = $1")
            .bind(columns::integer("entry", seq)?)
            .fetch_optional(&mut self.connection);
        let row = self.runtime.block_on(asked)?;
        row.map(|row| {
            B256::try_from(row.bytes("hash")?).map_err(|_| {
                StoreError::damaged(format!("entry {seq}"), "hash: has the wrong length")
            })
        })
        .transpose()
    }

    /// Operators' commands after `arrival`, in order; those that cannot be read are left out, as by the engine.
    pub fn commands_after(&mut self, arrival: u64) -> Result<Vec<Command>, StoreError> {
        let rows = query("SELECT arrival, body FROM command WHERE arrival > $1 ORDER BY arrival")
            .bind(columns::integer("arrival", arrival)?)
            .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows)?;
        let commands = rows.iter().filter_map(|row| columns::command(row).ok());
        Ok(commands.map(|(_, command)| command).collect())
    }

    /// The payments with these refs, of whatever status; a few hundred at most.
    pub fn rows_of(&mut self, refs: &[PaymentRef]) -> Result<Vec<PaymentRow>, StoreError> {
        let rows = load::payments(&mut self.connection, refs);
        self.runtime.block_on(rows)?.into_values().collect()
    }

    /// The payments that bits of a mask name, counted from a number, each with its arrival; 0 for one that nobody asked for here.
    pub fn arrivals_of(
        &mut self,
        first: PaymentNumber,
        mask: U256,
    ) -> Result<Vec<(PaymentRef, u64)>, StoreError> {
        let numbers = (0..NUMBERS).zip(first.0..);
        let numbers = numbers.filter(|(bit, _)| mask.bit(*bit));
        let numbers: Vec<Vec<u8>> = numbers
            .map(|(_, number)| columns::number(PaymentNumber(number)).to_vec())
            .collect();
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let asked = among(
            "SELECT ref, arrival AS count FROM payment WHERE number",
            numbers,
        );
        let rows = self
            .runtime
            .block_on(asked.fetch_all(&mut self.connection))?;
        let arrival = |row| Ok((columns::reference(row)?, columns::count_of(row)?));
        rows.iter().map(arrival).collect()
    }
}
