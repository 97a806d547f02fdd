//! From `[key]` to a key.

#[cfg(feature = "aws-kms")]
use super::AwsKmsSigner;
use super::{
    Guarded, PasswordSource, Pkcs11Signer, Signer, SignerError, Web3Signer, keystore, read_password,
};
use crate::config::{KeyConfig, KeyHolder, KeystoreConfig};

/// Opens the configured key. May ask for a password or PIN at the terminal.
pub async fn open_key(config: &KeyConfig) -> Result<Guarded, SignerError> {
    let limit = config.timeout_ms;
    let key = match &config.holder {
        KeyHolder::Keystore(keystore) => Guarded::new(open_keystore(keystore)?, limit),
        KeyHolder::Pkcs11(token) => Guarded::new(Pkcs11Signer::open(token)?, limit),
        #[cfg(feature = "aws-kms")]
        KeyHolder::AwsKms(kms) => Guarded::new(AwsKmsSigner::open(kms, limit).await?, limit),
        #[cfg(not(feature = "aws-kms"))]
        KeyHolder::AwsKms(_) => {
            return Err(SignerError::Refused {
                field: "key.signer",
                value: "aws-kms".to_owned(),
                rule: "this keeper was built without it; cargo build needs --features aws-kms"
                    .to_owned(),
            });
        }
        KeyHolder::Web3Signer(remote) => {
            Guarded::new(Web3Signer::open(remote, limit).await?, limit)
        }
    };
    match config.address {
        Some(address) if address != key.address() => Err(SignerError::Refused {
            field: "key.address",
            value: address.to_string(),
            rule: format!("the key is of {}; must be the same", key.address()),
        }),
        _ => Ok(key),
    }
}

fn open_keystore(config: &KeystoreConfig) -> Result<keystore::KeystoreSigner, SignerError> {
    let source = PasswordSource {
        file: config.password_file.clone(),
        prompt: format!("password of {}: ", config.keystore.display()),
    };
    keystore::open(&config.keystore, &read_password(&source)?)
}
