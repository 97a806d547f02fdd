//! The numbers of one log: a namespace of their own, and a counter.

use serde::{Deserialize, Serialize};

use super::Route;
use crate::domain::PaymentNumber;

/// The half of numbers that only proposals have.
const PROPOSAL: u64 = 1 << 63;

impl Route {
    /// How a batch with that number is paid.
    pub fn of(number: PaymentNumber) -> Self {
        if number.0 & PROPOSAL == 0 {
            Self::Direct
        } else {
            Self::Proposal
        }
    }
}

/// 23 random bits that keep the numbers of one log apart from those of every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Namespace(u32);

impl Namespace {
    /// Namespaces there are; number 0 is for people who propose by hand.
    pub const COUNT: u32 = 1 << 23;
    /// Bits of the counter in a number.
    const COUNTER_BITS: u32 = 40;

    /// Accepts 1 to 2^23 − 1.
    pub fn new(value: u32) -> Result<Self, InvalidNamespace> {
        if value == 0 || value >= Self::COUNT {
            return Err(InvalidNamespace { value });
        }
        Ok(Self(value))
    }

    /// The number with that counter, in the half of automatic batches or of proposals; none past the last counter.
    pub fn number(self, route: Route, counter: u64) -> Option<PaymentNumber> {
        if counter >> Self::COUNTER_BITS != 0 {
            return None;
        }
        let half = match route {
            Route::Direct => 0,
            Route::Proposal => PROPOSAL,
        };
        Some(PaymentNumber(
            half | (u64::from(self.0) << Self::COUNTER_BITS) | counter,
        ))
    }

    /// The half and the counter of a number of this namespace; none for any other number.
    pub fn counter_of(self, number: PaymentNumber) -> Option<(Route, u64)> {
        let (route, low) = (Route::of(number), number.0 & !PROPOSAL);
        let counter = low & ((1 << Self::COUNTER_BITS) - 1);
        (low >> Self::COUNTER_BITS == u64::from(self.0)).then_some((route, counter))
    }
}

/// A namespace outside 1 to 2^23 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("namespace {value}: must be 1 to 8388607")]
pub struct InvalidNamespace {
    value: u32,
}

impl TryFrom<u32> for Namespace {
    type Error = InvalidNamespace;

    fn try_from(value: u32) -> Result<Self, InvalidNamespace> {
        Self::new(value)
    }
}

impl From<Namespace> for u32 {
    fn from(namespace: Namespace) -> Self {
        namespace.0
    }
}
