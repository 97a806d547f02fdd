use serde::{Deserialize, Serialize};

use super::{Address, Amount, DomainError, PaymentRef};

/// Bytes of one packed payment: 20 recipient, 12 amount (big-endian), 16 ref.
pub const PACKED_PAYMENT_LEN: usize = 48;

/// Payments in the largest batch.
pub const MAX_BATCH_COUNT: usize = 256;

/// First amount that does not fit 12 bytes. [base units]
const AMOUNT_LIMIT: Amount = Amount(1 << 96);

/// One payment: a valid recipient, a valid amount and the requester's ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Payment {
    recipient: Address,
    amount: Amount,
    #[serde(rename = "ref")]
    reference: PaymentRef,
}

/// A payment as read from text, before its rules were applied.
#[derive(Deserialize)]
struct Unchecked {
    recipient: Address,
    amount: Amount,
    #[serde(rename = "ref")]
    reference: PaymentRef,
}

impl TryFrom<Unchecked> for Payment {
    type Error = DomainError;

    fn try_from(read: Unchecked) -> Result<Self, DomainError> {
        Self::new(read.recipient, read.amount, read.reference)
    }
}

impl Payment {
    /// Refuses the zero address, amount 0 and amounts from 2^96 on.
    pub fn new(
        recipient: Address,
        amount: Amount,
        reference: PaymentRef,
    ) -> Result<Self, DomainError> {
        if recipient.is_zero() {
            return Err(DomainError::RecipientZero);
        }
        if amount == Amount(0) {
            return Err(DomainError::AmountZero);
        }
        if amount >= AMOUNT_LIMIT {
            return Err(DomainError::AmountTooLarge { value: amount });
        }
        Ok(Self {
            recipient,
            amount,
            reference,
        })
    }

    /// Who is paid.
    pub fn recipient(&self) -> Address {
        self.recipient
    }

    /// How much is paid; more than 0 and below 2^96. [base units]
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// The requester's id of this payment.
    pub fn reference(&self) -> PaymentRef {
        self.reference
    }

    /// The payment as it travels in calldata and logs.
    pub fn pack(&self) -> [u8; PACKED_PAYMENT_LEN] {
        // `new` holds the amount below 2^96, so its first four bytes are zero.
        let [_, _, _, _, amount @ ..] = self.amount.0.to_be_bytes();
        let fields = self
            .recipient
            .iter()
            .chain(&amount)
            .chain(&self.reference.0);
        let mut packed = [0; PACKED_PAYMENT_LEN];
        for (slot, byte) in packed.iter_mut().zip(fields) {
            *slot = *byte;
        }
        packed
    }

    /// Reads one packed payment, with the same refusals as [`Payment::new`].
    pub fn unpack(packed: &[u8]) -> Result<Self, DomainError> {
        let item = PackedItem::read(packed)?;
        Self::new(item.recipient, item.amount, item.reference)
    }
}

/// One packed payment as it reads, valid or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedItem {
    /// Who would be paid.
    pub recipient: Address,
    /// How much. [base units, below 2^96]
    pub amount: Amount,
    /// The requester's id.
    pub reference: PaymentRef,
}

impl PackedItem {
    /// Reads 48 bytes, whatever they say.
    pub fn read(packed: &[u8]) -> Result<Self, DomainError> {
        let wrong_len = DomainError::PackedLength { len: packed.len() };
        let Some((recipient, rest)) = packed.split_first_chunk::<20>() else {
            return Err(wrong_len);
        };
        let Some((amount, rest)) = rest.split_first_chunk::<12>() else {
            return Err(wrong_len);
        };
        let Ok(reference) = <[u8; 16]>::try_from(rest) else {
            return Err(wrong_len);
        };
        let amount = amount
            .iter()
            .fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
        Ok(Self {
            recipient: Address::from(*recipient),
            amount: Amount(amount),
            reference: PaymentRef(reference),
        })
    }
}

/// Payments one after the other, as `propose`, `pay` and `execute` take them.
pub fn pack_payments(payments: &[Payment]) -> Vec<u8> {
    payments.iter().flat_map(Payment::pack).collect()
}

/// Reads the packed payments of one batch: 1 to 256 of them, nothing left over, each valid.
pub fn unpack_payments(packed: &[u8]) -> Result<Vec<Payment>, DomainError> {
    each(packed, Payment::unpack)
}

/// Reads the packed payments of one batch: 1 to 256 of them, nothing left over, valid or not.
pub fn packed_items(packed: &[u8]) -> Result<Vec<PackedItem>, DomainError> {
    each(packed, PackedItem::read)
}

fn each<T>(
    packed: &[u8],
    read: impl Fn(&[u8]) -> Result<T, DomainError>,
) -> Result<Vec<T>, DomainError> {
    let (chunks, rest) = packed.as_chunks::<PACKED_PAYMENT_LEN>();
    if !rest.is_empty() {
        return Err(DomainError::PackedLength { len: packed.len() });
    }
    check_count(chunks.len())?;
    let read_at = |(index, chunk): (usize, &[u8; PACKED_PAYMENT_LEN])| {
        read(chunk).map_err(|error| DomainError::PaymentAt {
            index,
            source: Box::new(error),
        })
    };
    chunks.iter().enumerate().map(read_at).collect()
}

/// The count of a batch as its header carries it.
pub(super) fn check_count(count: usize) -> Result<u16, DomainError> {
    match u16::try_from(count) {
        Ok(valid) if (1..=MAX_BATCH_COUNT).contains(&count) => Ok(valid),
        _ => Err(DomainError::CountOutOfRange { count }),
    }
}
