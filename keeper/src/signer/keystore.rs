use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use alloy::primitives::{Address, B256, Signature};
use eth_keystore::KeystoreError;
use k256::{ecdsa::SigningKey, elliptic_curve::rand_core::OsRng};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::{Message, Signer, SignerError, Signing, password::private_file};

const FIELD: &str = "key.keystore";

/// A key from an encrypted file, in memory while the process lives.
pub struct KeystoreSigner {
    key: SigningKey,
    address: Address,
}

impl std::fmt::Debug for KeystoreSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeystoreSigner({})", self.address)
    }
}

impl Signer for KeystoreSigner {
    fn address(&self) -> Address {
        self.address
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        Box::pin(async { self.sign_digest(message.digest()) })
    }
}

impl From<SigningKey> for KeystoreSigner {
    fn from(key: SigningKey) -> Self {
        let address = Address::from_public_key(key.verifying_key());
        Self { key, address }
    }
}

impl KeystoreSigner {
    /// Signs 32 bytes at once: the key is in memory.
    pub fn sign_digest(&self, digest: B256) -> Result<Signature, SignerError> {
        let signed = self.key.sign_prehash_recoverable(digest.as_slice());
        let signed = signed.map_err(|error| SignerError::Sign {
            address: self.address,
            reason: error.to_string(),
        });
        signed.map(Signature::from)
    }
}

/// Opens an encrypted keystore (version 3 JSON, as geth, cast and others write it).
pub fn open(path: &Path, password: &SecretString) -> Result<KeystoreSigner, SignerError> {
    private_file(FIELD, path)?;
    let opened = eth_keystore::decrypt_key(path, password.expose_secret());
    let secret = Zeroizing::new(opened.map_err(|error| refused(path, error))?);
    let key = SigningKey::from_slice(&secret).map_err(|_| SignerError::NotKeystore {
        field: FIELD,
        path: path.to_owned(),
        reason: "what it holds is no key of secp256k1".to_owned(),
    })?;
    Ok(key.into())
}

/// Makes a new key and writes it, encrypted, where nothing is yet.
pub fn create(path: &Path, password: &SecretString) -> Result<KeystoreSigner, SignerError> {
    store(path, password, SigningKey::random(&mut OsRng))
}

/// Writes a key, encrypted, where nothing is yet; readable by its owner only from the first byte on.
fn store(
    path: &Path,
    password: &SecretString,
    key: SigningKey,
) -> Result<KeystoreSigner, SignerError> {
    let failed = |source| file_error(path, source);
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(name), Some(directory)) = (name, path.parent()) else {
        return Err(failed(io::Error::other("not the path of a file")));
    };
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let reserved = reserve(path)?;
    let secret = Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
    let written = eth_keystore::encrypt_key(
        directory,
        &mut OsRng,
        secret.as_slice(),
        password.expose_secret(),
        Some(name),
    );
    written.map_err(|error| refused(path, error))?;
    reserved.sync_all().map_err(failed)?;
    fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)?;
    Ok(key.into())
}

/// An empty file that only its owner may open.
fn reserve(path: &Path) -> Result<fs::File, SignerError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => SignerError::Exists {
            field: FIELD,
            path: path.to_owned(),
        },
        _ => file_error(path, source),
    })
}

fn file_error(path: &Path, source: io::Error) -> SignerError {
    SignerError::File {
        field: FIELD,
        path: path.to_owned(),
        source,
    }
}

fn refused(path: &Path, error: KeystoreError) -> SignerError {
    let path = path.to_owned();
    match error {
        KeystoreError::MacMismatch => SignerError::WrongPassword { field: FIELD, path },
        other => SignerError::NotKeystore {
            field: FIELD,
            path,
            reason: other.to_string(),
        },
    }
}
