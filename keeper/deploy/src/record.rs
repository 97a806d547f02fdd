//! `deployment.json`: what was verified, for the keeper's configuration and for people.

use std::{io::ErrorKind, path::Path};

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::{DeployError, Deployment, chain::Receipt};

/// Version of the file's form.
const FORMAT: u32 = 1;

/// A verified deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this form.
    pub format: u32,
    /// The chain.
    pub chain_id: u64,
    /// The vault.
    pub vault: Address,
    /// What answers questions about it.
    pub lens: Address,
    /// Its token.
    pub token: Address,
    /// What created it.
    pub factory: Address,
    /// The rules that it created for itself.
    pub rules: Address,
    /// keccak256 of its encoded configuration.
    pub configuration_hash: B256,
    /// keccak256 of its creation code, without the configuration.
    pub creation_code_hash: B256,
    /// keccak256 of its code with zeros for immutables.
    pub code_hash: B256,
    /// Which compiler made it.
    pub compiler: String,
    /// What created it.
    pub transaction: B256,
    /// In which block.
    pub block: u64,
    /// That block.
    pub block_hash: B256,
    /// Whether that block was final when it was verified.
    pub is_final: bool,
}

impl Record {
    pub(crate) fn new(
        deployment: &Deployment,
        receipt: &Receipt,
        block: u64,
        is_final: bool,
    ) -> Self {
        let (at, vault) = (&deployment.at, &deployment.release.vault);
        Self {
            format: FORMAT,
            chain_id: deployment.policy.chain_id,
            vault: at.vault,
            lens: at.lens,
            token: deployment.policy.configuration.token,
            factory: at.factory,
            rules: at.rules,
            configuration_hash: at.configuration_hash,
            creation_code_hash: vault.creation_code_hash(),
            code_hash: vault.masked_hash(),
            compiler: vault.compiler.clone(),
            transaction: receipt.transaction_hash,
            block,
            block_hash: receipt.block_hash,
            is_final,
        }
    }

    /// The file's text.
    pub fn to_text(&self) -> Result<String, DeployError> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|error| DeployError::Malformed(vec![error.to_string()]))?;
        Ok(format!("{text}\n"))
    }

    /// Reads a record.
    pub fn read(path: &Path) -> Result<Self, DeployError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| DeployError::File {
            path: shown.clone(),
            source,
        })?;
        let malformed = |rule: String| DeployError::Malformed(vec![format!("{shown}: {rule}")]);
        let record: Self =
            serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if record.format != FORMAT {
            return Err(malformed(format!(
                "format = {}: must be {FORMAT}",
                record.format
            )));
        }
        Ok(record)
    }

    /// Writes it where nothing is yet, or another verification of the same vault.
    pub fn write(&self, path: &Path) -> Result<(), DeployError> {
        let failed = |source| DeployError::File {
            path: path.display().to_string(),
            source,
        };
        if path.exists() {
            let is_same = Self::read(path)
                .is_ok_and(|old| (old.chain_id, old.vault) == (self.chain_id, self.vault));
            if !is_same {
                let source = std::io::Error::new(
                    ErrorKind::AlreadyExists,
                    "exists, and is not about this vault; it is left as it is",
                );
                return Err(failed(source));
            }
        }
        std::fs::write(path, self.to_text()?).map_err(failed)
    }
}
