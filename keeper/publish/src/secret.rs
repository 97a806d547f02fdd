//! What webhooks are signed with, as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body. Secrets are in files or in the
//! environment, and are shown nowhere.

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use rand::Rng;
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, by the standard.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a secret that is made here.
const MADE: usize = 32;

/// Where a secret is. It is read anew whenever something is signed, so that it may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file that only its owner may read.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Variable(name) => write!(f, "env:{name}"),
        }
    }
}

/// Why a secret cannot be used. What is in its place is not repeated.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("secret file:{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("secret file:{}: mode {mode:03o}: only its owner may have rights to it (chmod 600)", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// There is no such variable.
    #[error("secret env:{0}: there is no such variable")]
    Variable(String),
    /// What is there is no secret.
    #[error("secret {0}: must be whsec_ and the base64 of 24 to 64 bytes")]
    Malformed(SecretPlace),
}

/// A secret. Nothing prints it by accident.
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl SecretPlace {
    /// Reads what webhooks are signed with.
    pub fn read(&self) -> Result<Secret, SecretError> {
        Secret::parse(&self.text()?).ok_or_else(|| SecretError::Malformed(self.clone()))
    }

    /// Reads whatever is there, without the space around it.
    pub fn text(&self) -> Result<String, SecretError> {
        let text = match self {
            Self::File(path) => read_private(path)?,
            Self::Variable(name) => {
                std::env::var(name).map_err(|_| SecretError::Variable(name.clone()))?
            }
        };
        Ok(text.trim().to_owned())
    }
}

fn read_private(path: &Path) -> Result<String, SecretError> {
    let failed = |source| SecretError::File {
        path: path.to_owned(),
        source,
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(SecretError::Open { path, mode });
    }
    fs::read_to_string(path).map_err(failed)
}

impl Secret {
    fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        LENGTH.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// A new one, as text for both sides.
    pub fn make() -> String {
        let bytes: [u8; MADE] = rand::rng().random();
        format!("{PREFIX}{}", STANDARD.encode(bytes))
    }

    fn sign(&self, content: &[u8]) -> Option<String> {
        // Keys of any length are taken.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(content);
        Some(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ))
    }
}

/// The header `webhook-signature`: one signature for each secret, so that a receiver that knows one of them is content.
pub fn signatures(secrets: &[Secret], id: &str, seconds: u64, body: &[u8]) -> String {
    let mut content = format!("{id}.{seconds}.").into_bytes();
    content.extend_from_slice(body);
    let signed = secrets.iter().filter_map(|secret| secret.sign(&content));
    signed.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standards_example() {
        // The example of the specification, "Signature scheme".
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signatures(
                &[secret],
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                body
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_has_a_form_and_is_not_shown() {
        let made = Secret::make();
        assert_ne!(made, Secret::make());
        let secret = Secret::parse(&made).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let of = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
        for length in [24, 64] {
            assert!(Secret::parse(&of(length)).is_some(), "{length}");
        }
        for bad in [
            of(23),
            of(65),
            made.trim_start_matches("whsec_").to_owned(),
            "whsec_?".to_owned(),
            String::new(),
        ] {
            assert!(Secret::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, format!("{}\n", Secret::make())).unwrap();
        let place = SecretPlace::File(path.clone());
        for (mode, is_taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(place.read().is_ok(), is_taken, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "hunter2").unwrap();
        let refused = place.read().unwrap_err().to_string();
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}
