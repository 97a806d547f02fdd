//! Rows of the core as columns of the database, and back. What cannot be read names its row and says why.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tidelock_core::{
    domain::{
        Amount, Batch, BatchId, BlockTime, DomainError, Payment, PaymentNumber, PaymentRef,
        pack_payments, unpack_payments,
    },
    event::{BlockRef, Event, Fees, Mode, Opening, Request, Route},
    lifecycle::PaymentStatus,
    log::LogHead,
    state::{AttemptRow, BatchRow, Counters, HeadRow, PaymentRow, SlotRow},
};

use super::{StoreError, sql::Row};

/// The columns of [`payment`], in order.
pub(super) const PAYMENT: &[&str] = &[
    "ref",
    "arrival",
    "recipient",
    "amount",
    "status",
    "reason",
    "number",
    "batch",
    "tries",
];
/// The columns of [`batch`], in order.
pub(super) const BATCH: &[&str] = &["id", "header", "payments", "route", "status", "paid"];
/// The columns of [`slot`], in order; `batch` is there for joins only.
pub(super) const SLOT: &[&str] = &["nonce", "status", "job", "batch"];
/// The columns of [`attempt`], in order; `batch` is there for joins only.
pub(super) const ATTEMPT: &[&str] = &[
    "hash", "nonce", "place", "raw", "max_fee", "tip", "job", "batch", "status",
];

/// A whole number as the database has it.
pub(super) fn integer(field: &'static str, value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Value {
        field,
        value: value.to_string(),
        rule: "must be below 2^63",
    })
}

/// JSON text.
pub(super) fn json<T: Serialize>(field: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Value {
        field,
        value: error.to_string(),
        rule: "must be writable as JSON",
    })
}

/// One word, as JSON would spell it, without the quotes.
pub(super) fn word<T: Serialize>(field: &'static str, value: &T) -> Result<String, StoreError> {
    Ok(json(field, value)?.trim_matches('"').to_owned())
}

/// Reads one row, and says which it was if it cannot be read.
struct Reading<'r> {
    row: &'r Row,
    what: String,
}

impl<'r> Reading<'r> {
    fn damaged(&self, column: &str, why: impl ToString) -> StoreError {
        StoreError::damaged(&self.what, format!("{column}: {}", why.to_string()))
    }

    fn bytes(&self, column: &str) -> Result<&'r [u8], StoreError> {
        self.optional_bytes(column)?
            .ok_or_else(|| self.damaged(column, "is missing"))
    }

    /// Never text: the database tells it from bytes, so that a key could be there twice.
    fn optional_bytes(&self, column: &str) -> Result<Option<&'r [u8]>, StoreError> {
        let read = |error| self.damaged(column, error);
        if !self.row.is_blob_or_null(column).map_err(read)? {
            return Err(self.damaged(column, "must be bytes"));
        }
        self.row.optional_bytes(column).map_err(read)
    }

    fn text(&self, column: &str) -> Result<&'r str, StoreError> {
        self.row
            .text(column)
            .map_err(|error| self.damaged(column, error))
    }

    fn fixed<T: TryFrom<&'r [u8]>>(&self, column: &str) -> Result<T, StoreError> {
        T::try_from(self.bytes(column)?).map_err(|_| self.damaged(column, "has the wrong length"))
    }

    fn optional<T: TryFrom<&'r [u8]>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.optional_bytes(column)?
            .map(|bytes| {
                T::try_from(bytes).map_err(|_| self.damaged(column, "has the wrong length"))
            })
            .transpose()
    }

    fn integer<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let value = self
            .row
            .integer(column)
            .map_err(|error| self.damaged(column, error))?;
        T::try_from(value).map_err(|_| self.damaged(column, format!("{value} is out of range")))
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?).map_err(|error| self.damaged(column, error))
    }

    fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text = self.text(column)?;
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|error| self.damaged(column, error))
    }

    fn decimal(&self, column: &str) -> Result<u128, StoreError> {
        let text = self.text(column)?;
        let Amount(value) = text
            .parse()
            .map_err(|error: DomainError| self.damaged(column, error))?;
        Ok(value)
    }

    fn payment(&self) -> Result<Payment, StoreError> {
        let recipient = Address::from(self.fixed::<[u8; 20]>("recipient")?);
        let amount = Amount(self.decimal("amount")?);
        let reference = PaymentRef(self.fixed("ref")?);
        Payment::new(recipient, amount, reference).map_err(|error| self.damaged("payment", error))
    }
}

fn name_of(row: &Row, kind: &str, column: &str) -> String {
    match row.bytes(column) {
        Ok(bytes) => format!("{kind} {}", alloy_primitives::hex::encode_prefixed(bytes)),
        Err(_) => format!("{kind} without {column}"),
    }
}

/// The ref of a payment's row.
pub(super) fn reference(row: &Row) -> Result<PaymentRef, StoreError> {
    let what = "a payment".to_owned();
    Ok(PaymentRef(Reading { row, what }.fixed("ref")?))
}

/// A payment's row.
pub(super) fn payment(row: &Row) -> Result<PaymentRow, StoreError> {
    let what = name_of(row, "payment", "ref");
    let read = Reading { row, what };
    let reason = row
        .optional_text("reason")
        .map_err(|error| read.damaged("reason", error))?;
    Ok(PaymentRow {
        payment: read.payment()?,
        arrival: read.integer("arrival")?,
        status: read.word("status")?,
        hold: reason
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| read.damaged("reason", error))?,
        number: read.optional("number")?.map(number_of),
        batch: read.optional::<B256>("batch")?.map(BatchId),
        returns: read.integer("tries")?,
    })
}

fn number_of(bytes: [u8; 8]) -> PaymentNumber {
    PaymentNumber(u64::from_be_bytes(bytes))
}

/// A number as the database has it.
pub(super) fn number(number: PaymentNumber) -> [u8; 8] {
    number.0.to_be_bytes()
}

/// A request's row. Its hash must be that of its body: it says what is to be paid, and is covered by no chain yet.
pub(super) fn request(row: &Row) -> Result<Request, StoreError> {
    let what = name_of(row, "request", "ref");
    let read = Reading { row, what };
    let payment = read.payment()?;
    if read.fixed::<B256>("body_hash")? != body_hash(&payment) {
        return Err(read.damaged("body_hash", "is not that of recipient, amount and ref"));
    }
    Ok(Request {
        arrival: read.integer("arrival")?,
        payment,
    })
}

/// The arrival of a request's or a command's row.
pub(super) fn arrival(row: &Row) -> Result<u64, StoreError> {
    let what = "an arrival".to_owned();
    Reading { row, what }.integer("arrival")
}

/// What a request's body is known by.
pub(super) fn body_hash(payment: &Payment) -> B256 {
    alloy_primitives::keccak256(payment.pack())
}

/// A command's row.
pub(super) fn command<T: DeserializeOwned>(row: &Row) -> Result<(u64, T), StoreError> {
    let arrival = arrival(row)?;
    let what = format!("command {arrival}");
    Ok((arrival, Reading { row, what }.json("body")?))
}

/// A batch's row.
pub(super) fn batch(row: &Row) -> Result<BatchRow, StoreError> {
    let what = name_of(row, "batch", "id");
    let read = Reading { row, what };
    Ok(BatchRow {
        id: BatchId(read.fixed("id")?),
        header: read.json("header")?,
        payments: unpack_payments(read.bytes("payments")?)
            .map_err(|error| read.damaged("payments", error))?,
        route: read.word("route")?,
        status: read.word("status")?,
        paid: U256::from_be_bytes(read.fixed::<[u8; 32]>("paid")?),
    })
}

/// The payments of a batch as the database has them.
pub(super) fn packed(batch: &BatchRow) -> Vec<u8> {
    pack_payments(&batch.payments)
}

/// A slot's row, without its attempts.
pub(super) fn slot(row: &Row) -> Result<SlotRow, StoreError> {
    let what = "a slot".to_owned();
    let read = Reading { row, what };
    Ok(SlotRow {
        nonce: read.integer("nonce")?,
        status: read.word("status")?,
        job: read.json("job")?,
        attempts: Vec::new(),
    })
}

/// An attempt's row, and the nonce it belongs to.
pub(super) fn attempt(row: &Row) -> Result<(u64, AttemptRow), StoreError> {
    let what = name_of(row, "attempt", "hash");
    let read = Reading { row, what };
    let attempt = AttemptRow {
        hash: read.fixed("hash")?,
        raw: Bytes::copy_from_slice(read.bytes("raw")?),
        fees: Fees {
            max_fee: read.decimal("max_fee")?,
            tip: read.decimal("tip")?,
        },
        job: read.json("job")?,
        status: read.word("status")?,
    };
    if alloy_primitives::keccak256(&attempt.raw) != attempt.hash {
        return Err(read.damaged("raw", "its hash is not the attempt's"));
    }
    Ok((read.integer("nonce")?, attempt))
}

/// Where the log ends and what it says as a whole: one row of `meta`. The finalised block is in `checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogMeta {
    pub seq: u64,
    pub hash: B256,
    pub opening: Opening,
    pub mode: Mode,
    pub quiet_until: Option<BlockTime>,
    pub arrivals: u64,
    pub commands: u64,
    pub next_nonce: u64,
    pub next_direct: u64,
    pub next_proposal: u64,
}

impl LogMeta {
    pub fn new(log: LogHead, head: &HeadRow) -> Self {
        Self {
            seq: log.seq,
            hash: log.hash,
            opening: head.opening,
            mode: head.mode.clone(),
            quiet_until: head.quiet_until,
            arrivals: head.arrivals,
            commands: head.commands,
            next_nonce: head.next_nonce,
            next_direct: head.next_counters.direct,
            next_proposal: head.next_counters.proposal,
        }
    }

    pub fn log(&self) -> LogHead {
        LogHead {
            seq: self.seq,
            hash: self.hash,
        }
    }

    pub fn head(self, finalised: BlockRef) -> HeadRow {
        HeadRow {
            opening: self.opening,
            finalised,
            mode: self.mode,
            quiet_until: self.quiet_until,
            arrivals: self.arrivals,
            commands: self.commands,
            next_nonce: self.next_nonce,
            next_counters: Counters {
                direct: self.next_direct,
                proposal: self.next_proposal,
            },
        }
    }
}

/// The checkpoint's row.
pub(super) fn checkpoint(row: &Row) -> Result<BlockRef, StoreError> {
    let what = "the checkpoint".to_owned();
    let read = Reading { row, what };
    let seconds: u64 = read.integer("time")?;
    Ok(BlockRef {
        number: read.integer("number")?,
        hash: read.fixed("hash")?,
        time: seconds
            .try_into()
            .map_err(|error| read.damaged("time", error))?,
    })
}

/// An entry's number and event, from its number and body.
pub(super) fn event(row: &Row) -> Result<(u64, Event), StoreError> {
    let mut read = Reading {
        row,
        what: "an entry".to_owned(),
    };
    let seq = read.integer("seq")?;
    read.what = format!("entry {seq}");
    Ok((seq, read.json("body")?))
}

/// A number that was counted.
pub(super) fn count_of(row: &Row) -> Result<u64, StoreError> {
    let what = "a count".to_owned();
    Reading { row, what }.integer("count")
}

/// How many payments have a status.
pub(super) fn count(row: &Row) -> Result<(PaymentStatus, u64), StoreError> {
    let what = "a payment".to_owned();
    let read = Reading { row, what };
    Ok((read.word("status")?, read.integer("count")?))
}

/// What a payment's last batch says of it: header and route; none if it was in no batch.
pub(super) fn batch_of_payment(row: &Row) -> Result<Option<(Batch, Route)>, StoreError> {
    let what = name_of(row, "payment", "ref");
    let read = Reading { row, what };
    let header = row
        .optional_text("batch_header")
        .map_err(|error| read.damaged("batch", error))?;
    match header {
        None => Ok(None),
        Some(_) => Ok(Some((
            read.json("batch_header")?,
            read.word("batch_route")?,
        ))),
    }
}
