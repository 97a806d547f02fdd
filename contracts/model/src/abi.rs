//! The vault's interface as its build states it, and the structs that signers sign, spelt out once more.

use alloc::vec::Vec;

use alloy_primitives::{
    Address, B256, Bytes, FixedBytes, U256,
    aliases::{U24, U40},
};
use alloy_sol_types::{Eip712Domain, SolStruct, SolValue};

#[allow(missing_docs, clippy::all, reason = "generated from the ABI")]
mod generated {
    alloy_sol_types::sol!(
        #[sol(all_derives)]
        Vault,
        "../abi/Vault.json"
    );
}

/// EIP-712 structs by their names and fields, for their type strings follow from these.
#[allow(missing_docs, clippy::all, reason = "generated from the structs")]
pub mod signed {
    alloy_sol_types::sol! {
        #![sol(all_derives)]
        struct Batch { uint64 firstNumber; uint16 count; uint8 tier; uint128 total; address recipient; uint40 expiresAt; bytes32 paymentsHash; bytes32 context; }
        struct Tier { uint128 maxKnown; uint128 maxUnknown; uint128 cap; uint8 approvals; uint32 delay; }
        struct SignersChange { address[] signers; uint8 threshold; uint64 nonce; uint40 expiresAt; }
        struct TiersChange { Tier[] tiers; uint32 policyDelay; uint40 oldTermsChangedAt; uint64 nonce; uint40 expiresAt; }
        struct RecipientsChange { address[] recipients; uint8 oldStanding; uint8 standing; uint64 nonce; uint40 expiresAt; }
        struct RoleChange { address account; uint8 role; uint40 oldUntil; uint40 until; uint64 nonce; uint40 expiresAt; }
        struct GuardiansChange { address[] guardians; uint40 until; uint64 nonce; uint40 expiresAt; }
        struct UnfreezeChange { uint40 haltedUntil; uint64 nonce; uint40 expiresAt; }
        struct SuccessorChange { address successor; uint64 nonce; uint40 expiresAt; }
        struct SweepChange { address token; uint64 nonce; uint40 expiresAt; }
        struct TightenChange { Tier[] tiers; uint64 nonce; uint40 expiresAt; }

        struct Approval { address signer; uint24 epoch; Batch batch; }
        struct SignersApproval { address signer; uint24 epoch; SignersChange change; }
        struct TiersApproval { address signer; uint24 epoch; TiersChange change; }
        struct RecipientsApproval { address signer; uint24 epoch; RecipientsChange change; }
        struct RoleApproval { address signer; uint24 epoch; RoleChange change; }
        struct GuardiansApproval { address signer; uint24 epoch; GuardiansChange change; }
        struct UnfreezeApproval { address signer; uint24 epoch; UnfreezeChange change; }
        struct SuccessorApproval { address signer; uint24 epoch; SuccessorChange change; }
        struct SweepApproval { address signer; uint24 epoch; SweepChange change; }
        struct TightenApproval { address signer; uint24 epoch; TightenChange change; }
    }
}

pub use generated::Vault::*;

/// Bytes of one packed payment.
pub const PAYMENT_BYTES: usize = 48;

/// One packed payment. [amount: base units]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Who is paid.
    pub recipient: Address,
    /// How much.
    pub amount: u128,
    /// The requester's id.
    pub reference: [u8; 16],
}

/// Reads packed payments: 20 bytes recipient, 12 bytes amount, 16 bytes ref each. Whole ones only.
pub fn unpack(packed: &[u8]) -> Vec<Item> {
    let read = |chunk: &[u8]| {
        let (recipient, rest) = chunk.split_at(20);
        let (amount, reference) = rest.split_at(12);
        Item {
            recipient: Address::from_slice(recipient),
            amount: amount
                .iter()
                .fold(0, |sum, byte| sum * 256 + u128::from(*byte)),
            reference: reference.try_into().unwrap_or_default(),
        }
    };
    packed.chunks_exact(PAYMENT_BYTES).map(read).collect()
}

/// Packs payments. 96 bits of each amount count.
pub fn pack(items: &[Item]) -> Bytes {
    let mut packed = Vec::with_capacity(items.len() * PAYMENT_BYTES);
    for item in items {
        let [_, _, _, _, amount @ ..] = item.amount.to_be_bytes();
        packed.extend_from_slice(item.recipient.as_slice());
        packed.extend_from_slice(&amount);
        packed.extend_from_slice(&item.reference);
    }
    packed.into()
}

impl Order {
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

/// The header that follows from an order and its payments.
pub fn header(order: &Order, payments: &[u8]) -> Batch {
    let items = unpack(payments);
    Batch {
        firstNumber: order.first_number(),
        count: u16::try_from(items.len()).unwrap_or_default(),
        tier: order.tier(),
        total: items.iter().map(|item| item.amount).sum(),
        recipient: match items.as_slice() {
            [sole] => sole.recipient,
            _ => Address::ZERO,
        },
        expiresAt: U40::from(order.expires_at()),
        paymentsHash: alloy_primitives::keccak256(payments),
        context: order.context,
    }
}

/// What votes are for: a batch, or a change of one of nine kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A header.
    Batch(signed::Batch),
    /// Kind 0.
    Signers(signed::SignersChange),
    /// Kind 1.
    Tiers(signed::TiersChange),
    /// Kind 2.
    Recipients(signed::RecipientsChange),
    /// Kind 3.
    Role(signed::RoleChange),
    /// Kind 4.
    Guardians(signed::GuardiansChange),
    /// Kind 5.
    Unfreeze(signed::UnfreezeChange),
    /// Kind 6.
    Successor(signed::SuccessorChange),
    /// Kind 7.
    Sweep(signed::SweepChange),
    /// Kind 8.
    Tighten(signed::TightenChange),
}

/// Applies the same expression to whichever struct it is.
macro_rules! each {
    ($content:expr, $name:ident => $value:expr) => {
        match $content {
            Content::Batch($name) => $value,
            Content::Signers($name) => $value,
            Content::Tiers($name) => $value,
            Content::Recipients($name) => $value,
            Content::Role($name) => $value,
            Content::Guardians($name) => $value,
            Content::Unfreeze($name) => $value,
            Content::Successor($name) => $value,
            Content::Sweep($name) => $value,
            Content::Tighten($name) => $value,
        }
    };
}

impl Content {
    /// A header.
    pub fn of_batch(batch: &Batch) -> Self {
        Self::Batch(signed::Batch {
            firstNumber: batch.firstNumber,
            count: batch.count,
            tier: batch.tier,
            total: batch.total,
            recipient: batch.recipient,
            expiresAt: batch.expiresAt,
            paymentsHash: batch.paymentsHash,
            context: batch.context,
        })
    }

    /// A change in the one encoding that its kind has; nothing for any other bytes, or for values beyond their types.
    pub fn of_change(kind: u8, bytes: &[u8]) -> Option<Self> {
        fn read<T: SolValue + From<<T::SolType as alloy_sol_types::SolType>::RustType>>(
            bytes: &[u8],
        ) -> Option<T> {
            let value = T::abi_decode_validate(bytes).ok()?;
            (value.abi_encode() == bytes).then_some(value)
        }
        Some(match kind {
            0 => Self::Signers(read(bytes)?),
            1 => Self::Tiers(read(bytes)?),
            2 => Self::Recipients(read(bytes)?),
            3 => Self::Role(read(bytes)?),
            4 => Self::Guardians(read(bytes)?),
            5 => Self::Unfreeze(read(bytes)?),
            6 => Self::Successor(read(bytes)?),
            7 => Self::Sweep(read(bytes)?),
            8 => Self::Tighten(read(bytes)?),
            _ => return None,
        })
    }

    /// ABI encoding.
    pub fn encode(&self) -> Bytes {
        each!(self, content => content.abi_encode()).into()
    }

    /// Number of the change's kind; nothing for a batch.
    pub fn kind(&self) -> Option<u8> {
        match self {
            Self::Batch(_) => None,
            Self::Signers(_) => Some(0),
            Self::Tiers(_) => Some(1),
            Self::Recipients(_) => Some(2),
            Self::Role(_) => Some(3),
            Self::Guardians(_) => Some(4),
            Self::Unfreeze(_) => Some(5),
            Self::Successor(_) => Some(6),
            Self::Sweep(_) => Some(7),
            Self::Tighten(_) => Some(8),
        }
    }

    /// First dead second.
    pub fn expires_at(&self) -> u64 {
        each!(self, content => content.expiresAt.to::<u64>())
    }

    /// EIP-712 digest in a vault: the id.
    pub fn id(&self, domain: &Eip712Domain) -> B256 {
        each!(self, content => content.eip712_signing_hash(domain))
    }

    /// EIP-712 digest of a signer's vote.
    pub fn vote_digest(&self, domain: &Eip712Domain, signer: Address, epoch: u64) -> B256 {
        use signed as s;
        let epoch = U24::from(epoch);
        macro_rules! digest {
            ($type:ident, $change:expr) => {{
                let change = $change.clone();
                let vote = s::$type {
                    signer,
                    epoch,
                    change,
                };
                vote.eip712_signing_hash(domain)
            }};
        }
        match self {
            Self::Batch(batch) => {
                let batch = batch.clone();
                let vote = s::Approval {
                    signer,
                    epoch,
                    batch,
                };
                vote.eip712_signing_hash(domain)
            }
            Self::Signers(change) => digest!(SignersApproval, change),
            Self::Tiers(change) => digest!(TiersApproval, change),
            Self::Recipients(change) => digest!(RecipientsApproval, change),
            Self::Role(change) => digest!(RoleApproval, change),
            Self::Guardians(change) => digest!(GuardiansApproval, change),
            Self::Unfreeze(change) => digest!(UnfreezeApproval, change),
            Self::Successor(change) => digest!(SuccessorApproval, change),
            Self::Sweep(change) => digest!(SweepApproval, change),
            Self::Tighten(change) => digest!(TightenApproval, change),
        }
    }
}

/// The EIP-712 domain of a vault.
pub fn domain(chain_id: u64, vault: Address) -> Eip712Domain {
    Eip712Domain {
        name: Some("Tidelock Vault".into()),
        version: Some("1".into()),
        chain_id: Some(U256::from(chain_id)),
        verifying_contract: Some(vault),
        salt: None,
    }
}
