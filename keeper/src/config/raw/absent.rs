//! A section that this keeper was built without.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// Whether it is there; what it says is of no use here.
#[derive(Debug, Default)]
pub(in crate::config) struct Absent {
    pub is_given: bool,
}

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self { is_given: true })
    }
}
