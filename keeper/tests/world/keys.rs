use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy::{
    primitives::{Address, B256},
    signers::{k256::elliptic_curve::rand_core::OsRng, local::PrivateKeySigner},
};

/// Everybody's keys; the same in every test, worthless anywhere else.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Sends; holds the keeper's and the proposer's role.
    pub keeper: PrivateKeySigner,
    pub signers: Vec<PrivateKeySigner>,
    pub guardian: PrivateKeySigner,
    /// Owns the token and deploys.
    pub treasurer: PrivateKeySigner,
    /// Nobody to the vault.
    pub stranger: PrivateKeySigner,
}

impl Keys {
    pub fn fixed() -> Self {
        let key = |byte: u8| PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap();
        Self {
            keeper: key(0x11),
            signers: vec![key(0x21), key(0x22), key(0x23)],
            guardian: key(0x31),
            treasurer: key(0x41),
            stranger: key(0x51),
        }
    }

    pub fn all(&self) -> Vec<Address> {
        self.each().map(PrivateKeySigner::address).collect()
    }

    /// Whose address it is.
    pub fn of(&self, address: Address) -> &PrivateKeySigner {
        let mut each = self.each();
        each.find(|key| key.address() == address).unwrap()
    }

    fn each(&self) -> impl Iterator<Item = &PrivateKeySigner> {
        let others = [
            &self.keeper,
            &self.guardian,
            &self.treasurer,
            &self.stranger,
        ];
        others.into_iter().chain(&self.signers)
    }
}

/// Writes a key as an encrypted keystore that only its owner may read.
pub fn as_keystore(
    directory: &Path,
    name: &str,
    key: &PrivateKeySigner,
    password: &str,
) -> PathBuf {
    let path = directory.join(name);
    let secret = key.to_bytes();
    PrivateKeySigner::encrypt_keystore(directory, &mut OsRng, secret, password, Some(name))
        .unwrap();
    restrict(&path);
    path
}

/// Writes a password where only its owner may read it.
pub fn password_file(directory: &Path, name: &str, password: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, format!("{password}\n")).unwrap();
    restrict(&path);
    path
}

#[cfg(unix)]
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn restrict(_: &Path) {}
