use std::{fmt, path::PathBuf};

use tidelock_core::domain::Address;

use super::RpcUrl;

/// `[key]`: which key the keeper signs with, and who holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyConfig {
    /// Whose key it must be. Without it, whichever the rest leads to.
    pub address: Option<Address>,
    /// How long a signature may take. [milliseconds]
    pub timeout_ms: u64,
    /// Who holds it.
    pub holder: KeyHolder,
}

/// Who holds the key: `key.signer`, with what each needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHolder {
    /// `keystore`
    Keystore(KeystoreConfig),
    /// `pkcs11`
    Pkcs11(Pkcs11Config),
    /// `aws-kms`
    AwsKms(AwsKmsConfig),
    /// `web3signer`
    Web3Signer(Web3SignerConfig),
}

/// An encrypted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeystoreConfig {
    /// An encrypted JSON keystore.
    pub keystore: PathBuf,
    /// A file with its password; without it, `KEEPER_PASSWORD` or a prompt.
    pub password_file: Option<PathBuf>,
}

/// A token behind a PKCS#11 module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Config {
    /// The vendor's module, a shared library.
    pub module: PathBuf,
    /// The token's label or serial number.
    pub token: String,
    /// The key's `CKA_LABEL`.
    pub label: Option<String>,
    /// The key's `CKA_ID`.
    pub id: Option<KeyId>,
    /// A file with the user's PIN; without it, `KEEPER_PIN` or a prompt.
    pub pin_file: Option<PathBuf>,
}

/// A key in AWS's Key Management Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKmsConfig {
    /// Its id, its ARN, or an alias.
    pub key: String,
    /// The region; without it, as AWS's tools find it.
    pub region: Option<String>,
    /// Another address of the service than the region's own.
    pub endpoint: Option<RpcUrl>,
}

/// A Web3Signer in eth1 mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web3SignerConfig {
    /// Where it is.
    pub url: RpcUrl,
    /// Which of its keys.
    pub address: Address,
}

/// A key's id on its token, shown in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(pub Vec<u8>);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&alloy::hex::encode(&self.0))
    }
}
