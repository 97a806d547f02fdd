//! How the vocabulary is written and read as text: in the log, in files, on the command line.

use core::str::FromStr;

use alloy_primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Address, Amount, DomainError, PaymentNumber, PaymentRef};

impl FromStr for PaymentRef {
    type Err = DomainError;

    /// 32 hexadecimal digits, with or without `0x` or the dashes of a UUID, or the 26 characters of a ULID.
    fn from_str(text: &str) -> Result<Self, DomainError> {
        if text.len() == ULID_LEN {
            return ulid(text).ok_or_else(|| DomainError::RefInvalid {
                text: text.to_owned(),
            });
        }
        let digits = text.strip_prefix("0x").unwrap_or(text).replace('-', "");
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| DomainError::RefInvalid {
            text: text.to_owned(),
        })?;
        Ok(Self(bytes))
    }
}

/// Characters of a ULID.
const ULID_LEN: usize = 26;
/// Crockford's base 32: no I, L, O or U.
const ULID_DIGITS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 26 digits of 5 bits are 2 more than 128, so the first is at most 7.
fn ulid(text: &str) -> Option<PaymentRef> {
    let mut value = 0_u128;
    for (place, byte) in text.bytes().enumerate() {
        let byte = byte.to_ascii_uppercase();
        let digit = ULID_DIGITS.iter().position(|known| *known == byte)?;
        if place == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | u128::try_from(digit).ok()?;
    }
    Some(PaymentRef(value.to_be_bytes()))
}

impl FromStr for PaymentNumber {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        text.parse()
            .map(Self)
            .map_err(|_| DomainError::NumberInvalid {
                text: text.to_owned(),
            })
    }
}

impl FromStr for Amount {
    type Err = DomainError;

    /// A whole number of base units.
    fn from_str(text: &str) -> Result<Self, DomainError> {
        Self::parse(text, 0)
    }
}

impl Amount {
    /// Reads a decimal amount of a token with that many decimals, for example `12.5` with 6 decimals. Refuses signs,
    /// blanks, exponents, separators and more decimals than the token has.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, DomainError> {
        let refused = |rule| DomainError::AmountInvalid {
            text: text.to_owned(),
            rule,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || (text.contains('.') && !is_digits(fraction)) {
            return Err(refused(
                "only digits, and one point between digits, are allowed",
            ));
        }
        let missing = usize::from(decimals)
            .checked_sub(fraction.len())
            .ok_or_else(|| refused("more decimals than the token has"))?;
        let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
        digits
            .parse()
            .map(Self)
            .map_err(|_| refused("must be below 2^128 base units"))
    }

    /// The amount as a decimal of a token with that many decimals, without trailing zeros.
    pub fn display(self, decimals: u8) -> String {
        let width = usize::from(decimals).saturating_add(1);
        let digits = format!("{:0>width$}", self.0);
        let point = digits.len().saturating_sub(usize::from(decimals));
        let (whole, fraction) = digits.split_at_checked(point).unwrap_or((&digits, ""));
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        }
    }
}

/// Reads an address. In mixed case its checksum (EIP-55) must be right; all lower or all upper case has none.
pub fn parse_address(text: &str) -> Result<Address, DomainError> {
    let refused = |rule| DomainError::AddressInvalid {
        text: text.to_owned(),
        rule,
    };
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| refused("must start with 0x"))?;
    let address = Address::from_str(text).map_err(|_| refused("must be 40 hexadecimal digits"))?;
    let has_upper = digits.bytes().any(|b| b.is_ascii_uppercase());
    let has_lower = digits.bytes().any(|b| b.is_ascii_lowercase());
    if has_upper && has_lower && Address::parse_checksummed(text, None).is_err() {
        return Err(refused(
            "the checksum (EIP-55) is wrong: a digit was mistyped",
        ));
    }
    Ok(address)
}

/// As a string, because a number in JSON is safe only up to 2^53.
macro_rules! serde_as_text {
    ($($kind:ty),*) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

serde_as_text!(PaymentRef, PaymentNumber, Amount);

/// A whole number as a string, for fields of a plain type: serde cannot read 128 bits inside a tagged enum otherwise.
pub(crate) mod decimal {
    use std::{borrow::Cow, fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
