//! A payment as it is shown: the same fields and names in every command's JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, B256};
use serde::Serialize;
use tidelock_core::{
    calendar::span,
    domain::{Amount, BatchId, PaymentNumber, PaymentRef},
    event::Request,
    lifecycle::AttemptStatus,
};

use super::words;
use crate::store::{PaymentView, Reader, StoreError};

/// A payment, or a request that is not taken in yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    #[serde(rename = "ref")]
    pub reference: PaymentRef,
    pub recipient: String,
    /// In tokens.
    pub amount: String,
    /// `waiting` until the daemon takes it in, then as in the log.
    pub status: &'static str,
    /// Why it is held, in words.
    pub reason: Option<String>,
    pub number: Option<PaymentNumber>,
    /// The last batch it was in.
    pub batch: Option<BatchId>,
    /// The transaction that paid it, or the last one that was signed for its batch.
    pub transaction: Option<B256>,
    /// The transaction of the keeper's that a final block holds.
    #[serde(skip)]
    pub landed: Option<B256>,
    #[serde(skip)]
    pub payee: Address,
    /// When it was taken in: time of the last block that was final then. [seconds since 1970]
    pub accepted_at: Option<u64>,
    pub tier: Option<u8>,
    pub route: Option<&'static str>,
    /// How often a batch paid others and left it behind.
    pub returns: u32,
    /// Place in the queue; 0 if it was not requested here.
    pub arrival: u64,
}

/// What a request that is not taken in yet is shown as.
pub(super) const WAITING: &str = "waiting";
/// What a request is shown as that is never taken in.
const LEFT_OUT: &str = "left out";

impl Shown {
    pub fn of_view(view: &PaymentView, decimals: u8) -> Self {
        let row = &view.row;
        Self {
            reference: row.reference(),
            recipient: row.payment.recipient().to_string(),
            payee: row.payment.recipient(),
            amount: in_tokens(row.payment.amount(), decimals),
            status: words::status(row.status),
            reason: row.hold.as_ref().map(words::hold),
            number: row.number,
            batch: row.batch,
            transaction: None,
            landed: None,
            accepted_at: None,
            tier: view.tier.map(|tier| tier.get()),
            route: view.route.map(words::route),
            returns: row.returns,
            arrival: row.arrival,
        }
    }

    pub fn of_request(request: &Request, decimals: u8) -> Self {
        let payment = &request.payment;
        Self {
            reference: payment.reference(),
            recipient: payment.recipient().to_string(),
            payee: payment.recipient(),
            amount: in_tokens(payment.amount(), decimals),
            status: WAITING,
            reason: None,
            number: None,
            batch: None,
            transaction: None,
            landed: None,
            accepted_at: None,
            tier: None,
            route: None,
            returns: 0,
            arrival: request.arrival,
        }
    }

    pub fn left_out(request: &Request, decimals: u8) -> Self {
        Self {
            status: LEFT_OUT,
            ..Self::of_request(request, decimals)
        }
    }

    /// Looks up when it was taken in, and what it travels in.
    pub fn traced(mut self, reader: &mut Reader) -> Result<Self, StoreError> {
        if self.arrival > 0 {
            let accepted = reader.accepted_at(self.arrival)?;
            self.accepted_at = accepted.map(|time| time.seconds());
        }
        if let Some(batch) = &self.batch {
            let signed = reader.signed_for(batch)?;
            let landed = signed
                .iter()
                .find(|one| one.status == AttemptStatus::Consumed);
            self.landed = landed.map(|one| one.hash);
            self.transaction = landed.or(signed.last()).map(|one| one.hash);
        }
        Ok(self)
    }

    fn age(&self) -> String {
        self.accepted_at
            .map_or("-".to_owned(), |time| span(now().saturating_sub(time)))
    }

    /// One line of a table.
    pub fn line(&self) -> String {
        let number = self
            .number
            .map_or("-".to_owned(), |number| number.to_string());
        let tier = self.tier.map_or("-".to_owned(), |tier| tier.to_string());
        let batch = self
            .batch
            .map_or("-".to_owned(), |batch| short(&batch.to_string()));
        let transaction = self
            .transaction
            .map_or("-".to_owned(), |hash| short(&hash.to_string()));
        let reason = self.reason.as_deref().unwrap_or_default();
        format!(
            "{:<34} {:<42} {:>18} {:<9} {:>11} {tier:>4} {number:>20} {batch:<13} {transaction:<13} {reason}",
            self.reference.to_string(),
            self.recipient,
            self.amount,
            self.status,
            self.age(),
        )
        .trim_end()
        .to_owned()
    }

    /// The table's first line.
    pub fn heading() -> String {
        format!(
            "{:<34} {:<42} {:>18} {:<9} {:>11} {:>4} {:>20} {:<13} {:<13} REASON",
            "REF", "RECIPIENT", "AMOUNT", "STATUS", "AGE", "TIER", "NUMBER", "BATCH", "TRANSACTION"
        )
    }
}

/// The first digits of an id; the JSON has all of them.
fn short(id: &str) -> String {
    let start: String = id.chars().take(10).collect();
    format!("{start}…")
}

fn in_tokens(amount: Amount, decimals: u8) -> String {
    amount.display(decimals)
}

/// By this machine's clock. [seconds since 1970]
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
