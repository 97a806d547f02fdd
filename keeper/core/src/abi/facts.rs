use alloy_primitives::{B256, Log, U256};
use alloy_sol_types::SolEventInterface;

use super::Vault;
use crate::domain::{
    Batch, BatchId, BlockTime, DomainError, PackedItem, Payment, PaymentNumber, TierIndex,
    VaultDomain, packed_items, unpack_payments,
};

/// What one log of the vault says, checked against itself: an id is recomputed, never believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The vault was created.
    Created,
    /// A batch awaits approval.
    Proposed {
        /// Its id.
        id: BatchId,
        /// Its header.
        header: Batch,
        /// Its payments.
        payments: Vec<Payment>,
    },
    /// Numbers were paid.
    Paid {
        /// The batch.
        id: BatchId,
        /// Its first number.
        first_number: PaymentNumber,
        /// Bit `i` set: number `first_number + i` is paid.
        paid: U256,
        /// The payments of a batch that was never proposed; none for a proposal, whose payments the vault logged before.
        items: Option<Vec<PackedItem>>,
    },
    /// A guardian vetoed a proposal.
    Cancelled {
        /// The batch, or a policy change.
        id: BatchId,
    },
    /// Votes or the clock of a proposal moved.
    Voted {
        /// The batch, or a policy change.
        id: BatchId,
    },
    /// The release policy or the recipient book changed: advice given before is worth nothing.
    Policy,
    /// Something else happened to the vault.
    Other,
}

/// Why a log cannot be what the vault wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// The ABI does not have it.
    #[error("log of the vault with topic {topic}: not an event of the vault")]
    Unknown {
        /// First topic, zero if there is none.
        topic: B256,
    },
    /// A field that the vault cannot have written.
    #[error("log of the vault: {0}")]
    Domain(#[from] DomainError),
    /// The id is not that of what came with it.
    #[error("log of the vault: id {stated} is not that of its header, {actual}")]
    WrongId {
        /// In the log.
        stated: BatchId,
        /// Of the header that the log gives.
        actual: BatchId,
    },
    /// A number is beyond its type.
    #[error("log of the vault: {field} {value} is beyond its type")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// Its value.
        value: U256,
    },
}

/// Reads a log of the vault.
pub fn read_fact(log: &Log, domain: &VaultDomain) -> Result<Fact, FactError> {
    let event = Vault::VaultEvents::decode_log(log).map_err(|_| FactError::Unknown {
        topic: log.topics().first().copied().unwrap_or_default(),
    })?;
    Ok(match event.data {
        Vault::VaultEvents::BatchProposed(proposed) => {
            let header = header(&proposed.order, &proposed.payments)?;
            let payments = unpack_payments(&proposed.payments)?;
            let id = same_id(proposed.id, &header, domain)?;
            Fact::Proposed {
                id,
                header,
                payments,
            }
        }
        Vault::VaultEvents::VaultCreated(_) => Fact::Created,
        Vault::VaultEvents::BatchPaid(paid) => read_paid(&paid, domain)?,
        Vault::VaultEvents::BatchExecuted(executed) => Fact::Paid {
            id: BatchId(executed.id),
            first_number: PaymentNumber(narrow("firstNumber", executed.firstNumber)?),
            paid: executed.paidMask,
            items: None,
        },
        Vault::VaultEvents::Cancelled(cancelled) => Fact::Cancelled {
            id: BatchId(cancelled.id),
        },
        Vault::VaultEvents::Approved(Vault::Approved { id, .. })
        | Vault::VaultEvents::Revoked(Vault::Revoked { id, .. })
        | Vault::VaultEvents::Queued(Vault::Queued { id, .. })
        | Vault::VaultEvents::Unqueued(Vault::Unqueued { id }) => Fact::Voted { id: BatchId(id) },
        Vault::VaultEvents::RecipientSet(_) | Vault::VaultEvents::TierSet(_) => Fact::Policy,
        _ => Fact::Other,
    })
}

/// A batch that was paid at once: by the keeper in an automatic tier, or with signed votes in another.
fn read_paid(event: &Vault::BatchPaid, domain: &VaultDomain) -> Result<Fact, FactError> {
    let header = header(&event.order, &event.payments)?;
    Ok(Fact::Paid {
        id: same_id(event.id, &header, domain)?,
        first_number: header.first_number,
        paid: event.paidMask,
        items: Some(packed_items(&event.payments)?),
    })
}

/// The header that an order and its payments come to.
fn header(order: &Vault::Order, payments: &[u8]) -> Result<Batch, FactError> {
    Ok(Batch::of_packed(
        PaymentNumber(order.first_number()),
        TierIndex::new(order.tier())?,
        payments,
        BlockTime::from_seconds(order.expires_at())?,
        order.context,
    )?)
}

fn same_id(stated: B256, header: &Batch, domain: &VaultDomain) -> Result<BatchId, FactError> {
    let actual = header.id(domain);
    if actual.0 != stated {
        let stated = BatchId(stated);
        return Err(FactError::WrongId { stated, actual });
    }
    Ok(actual)
}

fn narrow(field: &'static str, value: U256) -> Result<u64, FactError> {
    u64::try_from(value).map_err(|_| FactError::TooLarge { field, value })
}
