//! An authority of a test's own, and a certificate of this host by it; and another authority, that vouches for nobody.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const MAKE: &str = r#"
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $new -keyout ca.key -out ca.pem -subj "/CN=authority of a test" -days 2
openssl req -x509 $new -keyout other.key -out other.pem -subj "/CN=another authority" -days 2
openssl req $new -keyout key.pem -out csr.pem -subj /CN=localhost
echo "subjectAltName=$1" >names
openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
cat key.pem cert.pem >both.pem
"#;

pub struct Certificates(TempDir);

impl Certificates {
    pub fn make() -> Self {
        Self::of("DNS:localhost,IP:127.0.0.1")
    }

    /// For these names alone.
    pub fn of(names: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("sh")
            .args(["-euc", MAKE, "sh", names])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        Self(folder)
    }

    /// Who vouches for this host.
    pub fn authority(&self) -> PathBuf {
        self.at("ca.pem")
    }

    /// Who does not.
    pub fn stranger(&self) -> PathBuf {
        self.at("other.pem")
    }

    /// This host's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.at("cert.pem")
    }

    /// Its key.
    pub fn key(&self) -> PathBuf {
        self.at("key.pem")
    }

    /// Key and certificate in one file.
    pub fn both(&self) -> PathBuf {
        self.at("both.pem")
    }

    /// Where all of it is.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
