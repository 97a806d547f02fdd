//! Keys: what opens, what is refused, and that nothing secret is ever said.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use alloy::primitives::B256;
use secrecy::{ExposeSecret, SecretString};
use tidelock_keeper::signer::{
    PasswordSource, Signer, SignerError, create, new_password, open, read_password,
};

const PASSWORD: &str = "correct horse battery staple";

fn password() -> SecretString {
    SecretString::from(PASSWORD)
}

fn with_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn file(directory: &Path, text: &str, mode: u32) -> PathBuf {
    let path = directory.join("password");
    fs::write(&path, text).unwrap();
    with_mode(&path, mode);
    path
}

fn source(file: &Path) -> PasswordSource {
    PasswordSource {
        file: Some(file.to_owned()),
        prompt: String::new(),
    }
}

#[test]
fn a_new_key_is_private_from_the_start_and_opens_with_its_password_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.json");
    let made = create(&path, &password()).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let opened = open(&path, &password()).unwrap();
    assert_eq!(opened.address(), made.address());
    let digest = B256::repeat_byte(7);
    let signature = opened.sign_digest(digest).unwrap();
    let signed_by = signature.recover_address_from_prehash(&digest).unwrap();
    assert_eq!(signed_by, made.address());

    let wrong = open(&path, &SecretString::from("another")).unwrap_err();
    assert!(
        matches!(wrong, SignerError::WrongPassword { .. }),
        "{wrong}"
    );
    let again = create(&path, &password()).unwrap_err();
    assert!(matches!(again, SignerError::Exists { .. }), "{again}");
    assert_eq!(open(&path, &password()).unwrap().address(), made.address());
    let said = format!("{made:?} {wrong} {again}");
    assert!(!said.contains(PASSWORD), "{said}");
}

#[test]
fn two_new_keys_differ() {
    let directory = tempfile::tempdir().unwrap();
    let make = |name| create(&directory.path().join(name), &password()).unwrap();
    assert_ne!(make("one").address(), make("two").address());
}

#[test]
fn files_that_others_may_open_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.json");
    create(&path, &password()).unwrap();
    for (mode, refused) in [
        (0o600, false),
        (0o400, false),
        (0o640, true),
        (0o604, true),
        (0o620, true),
    ] {
        with_mode(&path, mode);
        let is_refused = matches!(
            open(&path, &password()),
            Err(SignerError::Permissions { .. })
        );
        assert_eq!(is_refused, refused, "key of mode {mode:o}");
        let file = file(directory.path(), PASSWORD, mode);
        let is_refused = matches!(
            read_password(&source(&file)),
            Err(SignerError::Permissions { .. })
        );
        assert_eq!(is_refused, refused, "password of mode {mode:o}");
        fs::remove_file(file).unwrap();
    }
    with_mode(&path, 0o644);
    let words = open(&path, &password()).unwrap_err().to_string();
    let expected = format!(
        "key.keystore {}: mode 0644 lets others in; must be 0600 or less (chmod 600)",
        path.display()
    );
    assert_eq!(words, expected);
}

#[test]
fn what_is_no_keystore_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(directory.path(), "{\"version\": 3}", 0o600);
    let refused = open(&path, &password()).unwrap_err();
    assert!(
        matches!(refused, SignerError::NotKeystore { .. }),
        "{refused}"
    );
    let missing = open(&directory.path().join("nothing"), &password()).unwrap_err();
    assert!(matches!(missing, SignerError::File { .. }), "{missing}");
    let folder = open(directory.path(), &password()).unwrap_err();
    assert!(matches!(folder, SignerError::File { .. }), "{folder}");
}

#[test]
fn a_password_file_is_one_line() {
    let directory = tempfile::tempdir().unwrap();
    for (text, expected) in [
        (format!("{PASSWORD}\n"), PASSWORD.to_owned()),
        (format!("{PASSWORD}\r\n"), PASSWORD.to_owned()),
        (PASSWORD.to_owned(), PASSWORD.to_owned()),
        (format!(" {PASSWORD} \n"), format!(" {PASSWORD} ")),
    ] {
        let file = file(directory.path(), &text, 0o600);
        let read = read_password(&source(&file)).unwrap();
        assert_eq!(read.expose_secret(), expected);
        assert!(!format!("{read:?}").contains(PASSWORD));
    }
    let empty = file(directory.path(), "\n", 0o600);
    assert!(matches!(
        read_password(&source(&empty)),
        Err(SignerError::PasswordEmpty)
    ));
    assert!(matches!(
        new_password(&source(&empty)),
        Err(SignerError::PasswordEmpty)
    ));
    let long = file(directory.path(), &"a".repeat(5_000), 0o600);
    assert!(matches!(
        read_password(&source(&long)),
        Err(SignerError::File { .. })
    ));
}
