use alloy_primitives::{B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Batch, BatchId, Payment, PaymentNumber, PaymentRef},
    event::{Fees, HoldReason, Job, Route},
    lifecycle::{AttemptStatus, BatchStatus, PaymentStatus, SlotStatus},
};

/// A payment as the keeper knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRow {
    /// What is asked for.
    pub payment: Payment,
    /// Place in the queue; 0 if it was adopted from a foreign proposal.
    pub arrival: u64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Why it is held, while it is; in a batch, why it will be once no batch can pay it.
    pub hold: Option<HoldReason>,
    /// Its number, from its first sealing on, for life.
    pub number: Option<PaymentNumber>,
    /// The last batch it was in.
    pub batch: Option<BatchId>,
    /// How often a batch paid others and left it behind.
    pub returns: u32,
}

impl PaymentRow {
    /// Its ref.
    pub fn reference(&self) -> PaymentRef {
        self.payment.reference()
    }

    /// It was taken over from somebody else's proposal; nobody requested it.
    pub fn is_adopted(&self) -> bool {
        self.arrival == 0
    }
}

/// A batch as the keeper knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// Its id.
    pub id: BatchId,
    /// Its header.
    pub header: Batch,
    /// Its payments, in the order of their numbers.
    pub payments: Vec<Payment>,
    /// How it is paid.
    pub route: Route,
    /// Where it stands.
    pub status: BatchStatus,
    /// Bit `i` set: a finalised block paid payment `i`, or something else under its number.
    pub paid: U256,
}

impl BatchRow {
    /// The place of a number in the batch.
    pub fn offset_of(&self, number: PaymentNumber) -> Option<usize> {
        let offset = number.0.checked_sub(self.header.first_number.0)?;
        let offset = usize::try_from(offset).ok()?;
        (offset < self.payments.len()).then_some(offset)
    }

    /// Payments of the batch that no finalised block has paid.
    pub fn open(&self) -> usize {
        self.payments.len().saturating_sub(self.paid.count_ones())
    }
}

/// One nonce of the keeper's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRow {
    /// The nonce.
    pub nonce: u64,
    /// Where it stands.
    pub status: SlotStatus,
    /// What the last attempt does, or the first will do.
    pub job: Job,
    /// Every transaction ever signed with this nonce, oldest first.
    pub attempts: Vec<AttemptRow>,
}

impl SlotRow {
    /// Not consumed.
    pub fn is_live(&self) -> bool {
        self.status != SlotStatus::Consumed
    }
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Its hash.
    pub hash: B256,
    /// Its bytes.
    pub raw: Bytes,
    /// What it offers.
    pub fees: Fees,
    /// What it does.
    pub job: Job,
    /// Where it stands.
    pub status: AttemptStatus,
}
