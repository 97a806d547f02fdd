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

/// `[next_key]`: which key the keeper goes over to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextKeyConfig {
    /// Whose it is.
    pub address: Address,
    /// Where it is.
    pub key: KeyConfig,
}

/// Fields of `[key]` and the same of `[next_key]`.
const NEXT: &[(&str, &str)] = &[
    ("key.signer", "next_key.signer"),
    ("key.address", "next_key.address"),
    ("key.timeout_ms", "next_key.timeout_ms"),
    ("key.keystore", "next_key.keystore"),
    ("key.password_file", "next_key.password_file"),
    ("key.module", "next_key.module"),
    ("key.token", "next_key.token"),
    ("key.label", "next_key.label"),
    ("key.id", "next_key.id"),
    ("key.pin_file", "next_key.pin_file"),
    ("key.kms_key", "next_key.kms_key"),
    ("key.kms_region", "next_key.kms_region"),
    ("key.kms_endpoint", "next_key.kms_endpoint"),
    ("key.url", "next_key.url"),
];

/// The field of `[next_key]` that is meant, where one of `[key]` is said.
pub fn of_next_key(field: &'static str) -> &'static str {
    let found = NEXT.iter().find(|(of_key, _)| *of_key == field);
    found.map_or(field, |(_, of_next)| of_next)
}

/// A key's id on its token, shown in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(pub Vec<u8>);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&alloy::hex::encode(&self.0))
    }
}
