use super::{Address, Amount, PaymentNumber};

/// Why a value is not part of the vocabulary. Each message names the field, the value and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// A payment of nothing.
    #[error("amount 0: a payment must be more than 0 base units")]
    AmountZero,
    /// A payment that does not fit its 12 bytes.
    #[error("amount {value}: a payment must be below 2^96 base units")]
    AmountTooLarge {
        /// The refused amount.
        value: Amount,
    },
    /// A payment to nobody.
    #[error("recipient {}: the zero address is never paid", Address::ZERO)]
    RecipientZero,
    /// An amount that cannot be read.
    #[error("amount {text:?}: {rule}")]
    AmountInvalid {
        /// What was given.
        text: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// An address that cannot be read.
    #[error("address {text:?}: {rule}")]
    AddressInvalid {
        /// What was given.
        text: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// A ref that cannot be read.
    #[error("ref {text:?}: must be 16 bytes as 32 hexadecimal digits, or a UUID or a ULID")]
    RefInvalid {
        /// What was given.
        text: String,
    },
    /// A number that cannot be read.
    #[error("number {text:?}: must be a whole number below 2^64")]
    NumberInvalid {
        /// What was given.
        text: String,
    },
    /// Packed payments that are cut short or run over.
    #[error("packed payments of {len} bytes: the length must be a multiple of 48")]
    PackedLength {
        /// The length found. [bytes]
        len: usize,
    },
    /// One of several packed payments is wrong.
    #[error("payment {index} of the batch: {source}")]
    PaymentAt {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<DomainError>,
    },
    /// An empty or oversized batch.
    #[error("count {count}: a batch holds 1 to 256 payments")]
    CountOutOfRange {
        /// Payments given.
        count: usize,
    },
    /// The numbers of the batch run past the end of 64 bits.
    #[error("first number {first_number} with count {count}: the last number must be below 2^64")]
    NumbersOverflow {
        /// Number of the first payment.
        first_number: PaymentNumber,
        /// Payments in the batch.
        count: u16,
    },
    /// A tier that no vault has.
    #[error("tier {value}: a vault has tiers 0 to 3")]
    TierOutOfRange {
        /// The refused tier.
        value: u8,
    },
    /// A time that does not fit its 40 bits.
    #[error("time {value}: seconds must be below 2^40")]
    TimeTooLarge {
        /// The refused time. [seconds]
        value: u64,
    },
    /// A header that says something else than the payments it came with.
    #[error("{field} {header}: the payments give {payments}")]
    HeaderMismatch {
        /// The header's field.
        field: &'static str,
        /// What the header says.
        header: String,
        /// What follows from the payments.
        payments: String,
    },
}
