use alloy_primitives::{B256, Bytes, FixedBytes, U256, aliases::U40};
use alloy_sol_types::SolCall;

use super::Vault;
use crate::{
    domain::{Batch, Payment, pack_payments},
    event::Job,
};

/// A header as the vault's functions take it.
pub fn header_argument(header: &Batch) -> Vault::Batch {
    Vault::Batch {
        firstNumber: header.first_number.0,
        count: header.count,
        tier: header.tier.get(),
        total: header.total.0,
        recipient: header.recipient,
        expiresAt: U40::from(header.expires_at.seconds()),
        paymentsHash: header.payments_hash,
        context: header.context,
    }
}

/// What a call states of a batch; the vault derives the rest of the header from the payments.
pub fn order_argument(header: &Batch) -> Vault::Order {
    Vault::Order::new(
        header.first_number.0,
        header.expires_at.seconds(),
        header.tier.get(),
        header.context,
    )
}

impl Vault::Order {
    /// An order of its parts. `expires_at` in seconds, of which 40 bits count.
    pub fn new(first_number: u64, expires_at: u64, tier: u8, context: B256) -> Self {
        let [_, _, _, expiry @ ..] = expires_at.to_be_bytes();
        let number = first_number.to_be_bytes();
        let mut bytes = number.into_iter().chain(expiry).chain([tier]);
        let head = core::array::from_fn(|_| bytes.next().unwrap_or_default());
        Self {
            context,
            head: FixedBytes(head),
        }
    }

    /// Number of the first payment.
    pub fn first_number(&self) -> u64 {
        let [number @ .., _, _, _, _, _, _] = self.head.0;
        u64::from_be_bytes(number)
    }

    /// First second at which nothing of the batch can be paid any more.
    pub fn expires_at(&self) -> u64 {
        let [.., a, b, c, d, e, _] = self.head.0;
        u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
    }

    /// Row of the release policy.
    pub fn tier(&self) -> u8 {
        let [.., tier] = self.head.0;
        tier
    }
}

/// Calldata of a job about a batch; none for a job that calls nothing.
pub fn encode_job(job: &Job, header: &Batch, payments: &[Payment]) -> Option<Bytes> {
    let order = order_argument(header);
    let payments = Bytes::from(pack_payments(payments));
    let data = match job {
        Job::Pay { .. } => Vault::payCall { order, payments }.abi_encode(),
        Job::Propose { .. } => Vault::proposeCall { order, payments }.abi_encode(),
        Job::Execute { skip, .. } => Vault::executeCall {
            order,
            payments,
            skipMask: *skip,
        }
        .abi_encode(),
        Job::Void => return None,
    };
    Some(data.into())
}

/// The mask of payments that a simulated `pay` or `execute` would pay. `propose` answers an id, and would pay none.
pub fn decode_paid_mask(job: &Job, answer: &[u8]) -> Option<U256> {
    match job {
        Job::Pay { .. } => Vault::payCall::abi_decode_returns(answer).ok(),
        Job::Execute { .. } => Vault::executeCall::abi_decode_returns(answer).ok(),
        Job::Propose { .. } => Vault::proposeCall::abi_decode_returns(answer)
            .ok()
            .map(|_| U256::ZERO),
        Job::Void => None,
    }
}
