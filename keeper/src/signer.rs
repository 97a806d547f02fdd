//! Keys: an address, and signatures of 32 bytes. Where the secret is and what guards it is the signer's own affair.

mod keystore;
mod password;

use std::{future::Future, path::PathBuf, pin::Pin};

use alloy::primitives::{Address, B256, Signature};

pub use keystore::{KeystoreSigner, create, open};
pub use password::{PASSWORD_VARIABLE, PasswordSource, new_password, read_password};

/// A signature, some day.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Signature, SignerError>> + Send + 'a>>;

/// A key that signs.
pub trait Signer: Send + Sync {
    /// Whose key it is.
    fn address(&self) -> Address;

    /// Signs 32 bytes.
    fn sign(&self, digest: B256) -> Signing<'_>;
}

/// Why there is no signature, or no key. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A file cannot be read or written.
    #[error("{field} {}: {source}", path.display())]
    File {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others on the machine may read or change it.
    #[error("{field} {}: mode {mode:04o} lets others in; must be 0600 or less (chmod 600)", path.display())]
    Permissions {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something is there already.
    #[error("{field} {}: exists; a key is never overwritten", path.display())]
    Exists {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The password does not open the keystore.
    #[error("{field} {}: the password does not open it", path.display())]
    WrongPassword {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// It is no keystore.
    #[error("{field} {}: not an encrypted keystore (version 3 JSON): {reason}", path.display())]
    NotKeystore {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
        /// In words.
        reason: String,
    },
    /// There is no password.
    #[error(
        "{field}: not set, KEEPER_PASSWORD is not set either, and there is no terminal to ask at; one is needed"
    )]
    NoPassword {
        /// The setting.
        field: &'static str,
    },
    /// Two passwords that should be the same.
    #[error("password: the two that were typed differ")]
    PasswordsDiffer,
    /// A password that guards nothing.
    #[error("password: empty; must have at least one character")]
    PasswordEmpty,
    /// The key did not sign.
    #[error("signature by {address}: {reason}")]
    Sign {
        /// Whose key.
        address: Address,
        /// In words.
        reason: String,
    },
}

impl SignerError {
    /// The same about a person's key, which the command line names and not the configuration.
    pub fn of_command_line(mut self) -> Self {
        match &mut self {
            Self::File { field, .. }
            | Self::Permissions { field, .. }
            | Self::Exists { field, .. }
            | Self::WrongPassword { field, .. }
            | Self::NotKeystore { field, .. }
            | Self::NoPassword { field } => {
                *field = if *field == password::FIELD {
                    "--password-file"
                } else {
                    "--keystore"
                };
            }
            Self::PasswordsDiffer | Self::PasswordEmpty | Self::Sign { .. } => {}
        }
        self
    }
}
