//! The shared vocabulary: one word, one meaning, the same in the vault and in the keeper.
//!
//! Each quantity has a type of its own, so that the compiler keeps a number from being used as an amount.

mod batch;
mod error;
mod payment;
mod text;
mod typed_data;

use core::fmt;

use alloy_primitives::{B256, aliases::U40, hex};
use serde::{Deserialize, Serialize};

pub use alloy_primitives::Address;
pub use batch::{Batch, VaultDomain};
pub use error::DomainError;
pub use payment::{
    MAX_BATCH_COUNT, PACKED_PAYMENT_LEN, PackedItem, Payment, pack_payments, packed_items,
    unpack_payments,
};
pub(crate) use text::decimal;
pub use text::parse_address;

/// The requester's own id of a payment, for example a UUID or a ULID. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentRef(pub [u8; 16]);

impl fmt::Display for PaymentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for PaymentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentRef({self})")
    }
}

/// A payment's serial number in one vault, like a cheque number: paid at most once, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentNumber(pub u64);

impl PaymentNumber {
    /// The number `offset` places further on, if there is one.
    pub fn checked_add(self, offset: u16) -> Option<Self> {
        self.0.checked_add(u64::from(offset)).map(Self)
    }
}

impl fmt::Display for PaymentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A quantity of the vault's token. [base units]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u128);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A row of the release policy, 0 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct TierIndex(u8);

impl TierIndex {
    /// Tiers that a vault has at most.
    pub const COUNT: u8 = 4;

    /// Accepts 0 to 3.
    pub fn new(value: u8) -> Result<Self, DomainError> {
        if value < Self::COUNT {
            Ok(Self(value))
        } else {
            Err(DomainError::TierOutOfRange { value })
        }
    }

    /// The index as the header carries it.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for TierIndex {
    type Error = DomainError;

    fn try_from(value: u8) -> Result<Self, DomainError> {
        Self::new(value)
    }
}

impl From<TierIndex> for u8 {
    fn from(tier: TierIndex) -> Self {
        tier.0
    }
}

/// A point in chain time, as the vault compares it with the block's timestamp. [seconds since 1970, below 2^40]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct BlockTime(U40);

impl BlockTime {
    /// Accepts 0 to 2^40 − 1.
    pub fn from_seconds(value: u64) -> Result<Self, DomainError> {
        U40::try_from(value)
            .map(Self)
            .map_err(|_| DomainError::TimeTooLarge { value })
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u64 {
        let [seconds] = self.0.into_limbs();
        seconds
    }
}

impl TryFrom<u64> for BlockTime {
    type Error = DomainError;

    fn try_from(value: u64) -> Result<Self, DomainError> {
        Self::from_seconds(value)
    }
}

impl From<BlockTime> for u64 {
    fn from(time: BlockTime) -> Self {
        time.seconds()
    }
}

/// An EVM chain's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainId(pub u64);

/// The EIP-712 digest of a batch under its vault's domain: what signers approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub B256);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
