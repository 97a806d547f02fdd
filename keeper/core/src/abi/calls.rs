use alloy_primitives::{Bytes, U256, aliases::U40};
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
    Vault::Order {
        firstNumber: header.first_number.0,
        tier: header.tier.get(),
        expiresAt: U40::from(header.expires_at.seconds()),
        context: header.context,
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
