//! The contracts' code: the release that is built in, or what a compiler made.

use std::{collections::BTreeMap, fmt::Debug};

use alloy_primitives::{B256, Bytes, keccak256};
use serde::{Deserialize, Serialize};

use crate::DeployError;

/// Bytes of an immutable's value in the code.
const WORD: usize = 32;

/// Code of one contract.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Which compiler made it.
    pub compiler: String,
    /// What creates it, without arguments.
    pub creation_code: Bytes,
    /// What stays, with zeros for immutables.
    pub runtime_code: Bytes,
    /// Where the values of each immutable stand in it.
    pub immutables: Vec<Vec<usize>>,
}

impl Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Artifact({})", self.creation_code_hash())
    }
}

/// The contracts that a deployment puts on a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The vault.
    pub vault: Artifact,
    /// What each vault creates for itself.
    pub rules: Artifact,
    /// What creates vaults.
    pub factory: Artifact,
    /// What answers questions about vaults.
    pub lens: Artifact,
}

impl Release {
    /// The release that this program was built with.
    pub fn embedded() -> Result<Self, DeployError> {
        Self::parse(include_str!("../../../contracts/artifacts/release.json"))
    }

    /// Reads what `scripts/artifacts` writes.
    pub fn parse(text: &str) -> Result<Self, DeployError> {
        let all: BTreeMap<String, Artifact> =
            serde_json::from_str(text).map_err(|error| DeployError::Release(error.to_string()))?;
        Self::of(all)
    }

    /// Out of contracts by name.
    pub fn of(mut all: BTreeMap<String, Artifact>) -> Result<Self, DeployError> {
        let mut take = |name: &str| {
            let missing = || DeployError::Release(format!("{name} is missing"));
            all.remove(name).ok_or_else(missing)
        };
        Ok(Self {
            vault: take("Vault")?,
            rules: take("VaultRules")?,
            factory: take("VaultFactory")?,
            lens: take("VaultLens")?,
        })
    }
}

impl Artifact {
    /// keccak256 of the creation code.
    pub fn creation_code_hash(&self) -> B256 {
        keccak256(&self.creation_code)
    }

    /// Hash of the code with zeros for immutables: the same for every contract of this code.
    pub fn masked_hash(&self) -> B256 {
        keccak256(&self.runtime_code)
    }

    /// That hash of code found on a chain.
    pub fn masked_hash_of(&self, code: &[u8]) -> B256 {
        let mut code = code.to_vec();
        for place in self.immutables.iter().flatten() {
            let end = place.saturating_add(WORD);
            if let Some(value) = code.get_mut(*place..end) {
                value.fill(0);
            }
        }
        keccak256(code)
    }

    /// Value of each immutable in code found on a chain, in the order of `immutables`; none if two places of one differ.
    pub fn immutables_of(&self, code: &[u8]) -> Option<Vec<B256>> {
        let value = |place: &usize| {
            let end = place.saturating_add(WORD);
            code.get(*place..end).map(B256::from_slice)
        };
        let each = self.immutables.iter().map(|places| {
            let first = value(places.first()?)?;
            places
                .iter()
                .all(|place| value(place) == Some(first))
                .then_some(first)
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_complete() {
        let release = Release::embedded().unwrap();
        assert_eq!(release.vault.immutables.len(), 12);
        assert_eq!(release.factory.immutables.len(), 1);
        assert!(release.lens.immutables.is_empty() && release.rules.immutables.is_empty());
        assert!(
            release.vault.runtime_code.len() <= 24_576,
            "the limit on code"
        );
    }

    #[test]
    fn masks_hide_immutables_only() {
        let artifact = Artifact {
            compiler: String::new(),
            creation_code: Bytes::new(),
            runtime_code: vec![0; 100].into(),
            immutables: vec![vec![1, 40]],
        };
        let mut code = vec![0; 100];
        code[1..33].fill(7);
        code[40..72].fill(7);
        assert_eq!(artifact.masked_hash_of(&code), artifact.masked_hash());
        assert_eq!(
            artifact.immutables_of(&code),
            Some(vec![B256::repeat_byte(7)])
        );
        code[41] = 8;
        assert_eq!(artifact.masked_hash_of(&code), artifact.masked_hash());
        assert_eq!(artifact.immutables_of(&code), None, "two values of one");
        code[99] = 1;
        assert_ne!(artifact.masked_hash_of(&code), artifact.masked_hash());
    }
}
