use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use alloy::{
    primitives::{Address, B256, Signature},
    signers::{
        SignerSync,
        k256::elliptic_curve::rand_core::OsRng,
        local::{LocalSignerError, PrivateKeySigner},
    },
};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::{Message, Signer, SignerError, Signing, password::private_file};

const FIELD: &str = "key.keystore";

/// A key from an encrypted file, in memory while the process lives.
pub struct KeystoreSigner {
    key: PrivateKeySigner,
}

impl std::fmt::Debug for KeystoreSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeystoreSigner({})", self.key.address())
    }
}

impl Signer for KeystoreSigner {
    fn address(&self) -> Address {
        self.key.address()
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        Box::pin(async { self.sign_digest(message.digest()) })
    }
}

impl KeystoreSigner {
    /// Signs 32 bytes at once: the key is in memory.
    pub fn sign_digest(&self, digest: B256) -> Result<Signature, SignerError> {
        let signed = self.key.sign_hash_sync(&digest);
        signed.map_err(|error| SignerError::Sign {
            address: self.key.address(),
            reason: error.to_string(),
        })
    }
}

/// Opens an encrypted keystore (version 3 JSON, as geth, cast and others write it).
pub fn open(path: &Path, password: &SecretString) -> Result<KeystoreSigner, SignerError> {
    private_file(FIELD, path)?;
    let opened = PrivateKeySigner::decrypt_keystore(path, password.expose_secret());
    let key = opened.map_err(|error| refused(path, &error))?;
    Ok(KeystoreSigner { key })
}

/// Makes a new key and writes it, encrypted, where nothing is yet.
pub fn create(path: &Path, password: &SecretString) -> Result<KeystoreSigner, SignerError> {
    store(path, password, PrivateKeySigner::random())
}

/// Writes a key, encrypted, where nothing is yet; readable by its owner only from the first byte on.
fn store(
    path: &Path,
    password: &SecretString,
    key: PrivateKeySigner,
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
    let secret = Zeroizing::new(<[u8; 32]>::from(key.to_field_bytes()));
    let written = PrivateKeySigner::encrypt_keystore(
        directory,
        &mut OsRng,
        secret.as_slice(),
        password.expose_secret(),
        Some(name),
    );
    written.map_err(|error| refused(path, &error))?;
    reserved.sync_all().map_err(failed)?;
    fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)?;
    Ok(KeystoreSigner { key })
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

fn refused(path: &Path, error: &LocalSignerError) -> SignerError {
    let reason = error.to_string();
    if reason.contains("Mac Mismatch") {
        return SignerError::WrongPassword {
            field: FIELD,
            path: path.to_owned(),
        };
    }
    SignerError::NotKeystore {
        field: FIELD,
        path: path.to_owned(),
        reason,
    }
}
