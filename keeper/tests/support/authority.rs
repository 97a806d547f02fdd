//! An authority of a test's own, and a certificate of `localhost` by it.

use std::process::Command;

use tempfile::TempDir;

const MAKE: &str = r#"
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $new -keyout ca.key -out ca.pem -subj "/CN=authority of a test" -days 2
openssl req $new -keyout key.pem -out csr.pem -subj /CN=localhost
echo "subjectAltName=DNS:localhost" >names
openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
"#;

/// A folder with `ca.pem`, and with `cert.pem` and `key.pem` of whoever is vouched for.
pub fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("sh")
        .args(["-euc", MAKE])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{words}");
    folder
}
