//! From `[key]` to a key.

#[cfg(feature = "aws-kms")]
use super::AwsKmsSigner;
use super::{
    Guarded, PasswordSource, Pkcs11Signer, Signer, SignerError, Web3Signer, keystore,
    read_password, terminal::Terminal,
};
use crate::config::{KeyConfig, KeyHolder, KeystoreConfig};

/// Opens the configured key. May ask for a password or PIN at the terminal.
pub async fn open_key(config: &KeyConfig) -> Result<Guarded, SignerError> {
    let limit = config.timeout_ms;
    let key = match &config.holder {
        KeyHolder::Keystore(keystore) => {
            let keystore = keystore.clone();
            Guarded::new(aside(move || open_keystore(&keystore)).await?, limit)
        }
        KeyHolder::Pkcs11(token) => {
            let token = token.clone();
            Guarded::new(aside(move || Pkcs11Signer::open(&token)).await?, limit)
        }
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

/// On a thread that may wait, for a person or a token, so that whoever waits here can be told to end. The terminal is as it was
/// when that happens.
async fn aside<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, SignerError> + Send + 'static,
) -> Result<T, SignerError> {
    let _terminal = Terminal::save();
    let opened = tokio::task::spawn_blocking(open).await;
    opened.unwrap_or_else(|broken| {
        Err(SignerError::Unavailable {
            field: "key",
            value: "opening it".to_owned(),
            reason: broken.to_string(),
        })
    })
}

fn open_keystore(config: &KeystoreConfig) -> Result<keystore::KeystoreSigner, SignerError> {
    let source = PasswordSource {
        file: config.password_file.clone(),
        prompt: format!("password of {}: ", config.keystore.display()),
    };
    keystore::open(&config.keystore, &read_password(&source)?)
}
