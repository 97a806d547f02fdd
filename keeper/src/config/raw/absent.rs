//! A section that this keeper was built without.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// Whether anything is said in it; what, is of no use here. `keeper init` writes the section with nothing but comments.
#[derive(Debug, Default)]
pub(in crate::config) struct Absent {
    pub is_given: bool,
}

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, IgnoredAny>::deserialize(deserializer)?;
        Ok(Self {
            is_given: !fields.is_empty(),
        })
    }
}
