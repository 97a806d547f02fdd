//! Keys: an address, and signatures of 32 bytes. Where the secret is and what guards it is the signer's own affair.

#[cfg(feature = "aws-kms")]
mod aws_kms;
mod error;
mod guard;
mod keystore;
mod open;
mod password;
mod pkcs11;
mod terminal;
mod web3signer;

use std::{future::Future, pin::Pin};

use alloy::primitives::{Address, B256, Bytes, Signature, keccak256};

#[cfg(feature = "aws-kms")]
pub use aws_kms::AwsKmsSigner;
pub use error::{Class, SignerError};
pub use guard::Guarded;
pub use keystore::{KeystoreSigner, create, open};
pub use open::open_key;
pub use password::{PASSWORD_VARIABLE, PIN_VARIABLE, PasswordSource, new_password, read_password};
pub use pkcs11::Pkcs11Signer;
pub use web3signer::Web3Signer;

/// A signature, some day.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Signature, SignerError>> + Send + 'a>>;

/// A key that signs.
pub trait Signer: Send + Sync {
    /// Whose key it is.
    fn address(&self) -> Address;

    /// Signs the message's digest.
    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a>;
}

/// What is signed: the 32 bytes, and what they are the hash of, for signers that hash for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    digest: B256,
    preimage: Bytes,
}

impl Message {
    /// Of a transaction without its signature, encoded as EIP-2718 says.
    pub fn new(preimage: Bytes) -> Self {
        Self {
            digest: keccak256(&preimage),
            preimage,
        }
    }

    /// The 32 bytes to sign.
    pub fn digest(&self) -> B256 {
        self.digest
    }

    /// The bytes that the digest is the Keccak-256 hash of.
    pub fn preimage(&self) -> &Bytes {
        &self.preimage
    }
}
