//! API keys, in a file that only its owner may read: what is in it is a hash of each, so whoever steals the file has no key.
//! A key is random and shown once.

mod file;
mod limits;
mod uses;

use std::{collections::BTreeSet, fmt, io, path::PathBuf};

use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use file::KeyFile;
pub use limits::{Limits, Network};
pub use uses::Uses;

/// What a key begins with, so that those who look for lost secrets know one.
const PREFIX: &str = "tlk";
/// Bytes of the part that is secret.
const SECRET_LEN: usize = 32;
/// Days of a key's life at most: ten years.
pub const MOST_DAYS: u64 = 3_650;
/// How long a second person has to put a key in force. [seconds]
pub(crate) const CONFIRM_WITHIN: u64 = 3_600;
/// Characters of a name.
const LONGEST_NAME: usize = 80;

/// What the bearer of a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// File requests.
    Request,
    /// Read payments and events.
    Read,
    /// Hold, release, cancel, halt, resume.
    Operate,
    /// Read the log as it is.
    Audit,
    /// Make and end keys, and forget what was noted beside withdrawals.
    Administer,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::Request,
        Self::Read,
        Self::Operate,
        Self::Audit,
        Self::Administer,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Audit => "audit",
            Self::Administer => "administer",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|scope| scope.word() == text);
        known.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("must be one of {words}")
        })
    }
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What it is called by; part of the key, and no secret.
    pub id: String,
    /// Whose it is, in the words of whoever made it.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of its secret part, in hexadecimal.
    hash: String,
    /// When it was made. [seconds since 1970]
    pub made_at: u64,
    /// From when on it is refused. [seconds since 1970]
    pub ends_at: u64,
    /// It waits for a second person, and is refused until then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pending: bool,
    /// The people who saw it when it was made through the API, by name: whoever asked for it, and who had seen the key that asked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen_by: BTreeSet<String>,
    /// Whose it is by a provider of sign-ins: issuer and subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Where it may be used.
    #[serde(default, skip_serializing_if = "Limits::are_none")]
    pub limits: Limits,
}

/// What a key is to be.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Whose it is.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// When it is made. [seconds since 1970]
    pub made_at: u64,
    /// From when on it is refused. [seconds since 1970]
    pub ends_at: u64,
    /// Where it may be used.
    pub limits: Limits,
    /// Whose it is by a provider of sign-ins: issuer and subject.
    pub person: Option<String>,
    /// For a second person to put in force: those who see it now.
    pub seen_by: Option<BTreeSet<String>>,
}

impl Wanted {
    /// Makes it, or says which value no key may have.
    fn make(self) -> Result<(ApiKey, Secret), KeysError> {
        let refused = |field, value: &str, rule| {
            let value = value.to_owned();
            Err(KeysError::Value { field, value, rule })
        };
        let name = &self.name;
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
            return refused("name", name, "must have 1 to 80 characters");
        }
        if name.chars().any(char::is_control) {
            return refused("name", name, "must be one line of text");
        }
        if self.scopes.is_empty() {
            return refused("scopes", "", "must name at least one");
        }
        let mut random = rand::rng();
        let id = hex(&random.random::<[u8; 4]>());
        let secret = hex(&random.random::<[u8; SECRET_LEN]>());
        let shown = Secret(format!("{PREFIX}_{id}_{secret}"));
        let key = ApiKey {
            id,
            name: self.name,
            scopes: self.scopes,
            hash: hash(&secret),
            made_at: self.made_at,
            ends_at: self.ends_at,
            pending: self.seen_by.is_some(),
            seen_by: self.seen_by.unwrap_or_default(),
            person: self.person,
            limits: self.limits,
        };
        Ok((key, shown))
    }
}

/// A person by a name: two of one name are taken for one.
pub(crate) fn known_as(name: &str) -> String {
    name.trim().to_lowercase()
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl ApiKey {
    /// Whether it is taken at a time.
    pub fn is_in_force(&self, now: u64) -> bool {
        !self.pending && now < self.ends_at
    }

    /// It waits for a second person still: an hour at most.
    pub fn is_pending(&self, now: u64) -> bool {
        self.pending && !self.has_ended(now)
    }

    /// Whether it is over: ended, refused, or not confirmed in time.
    pub fn has_ended(&self, now: u64) -> bool {
        let is_too_late = self.pending && self.made_at.saturating_add(CONFIRM_WITHIN) < now;
        self.ends_at <= now || is_too_late
    }

    /// Everybody who may be the one that uses it: one person may have several keys, made under one name.
    pub fn people(&self) -> BTreeSet<String> {
        let own = [known_as(&self.name)]
            .into_iter()
            .chain(self.person.clone());
        self.seen_by.iter().cloned().chain(own).collect()
    }
}

/// A key in full, to be shown once. Nothing prints it by accident.
pub struct Secret(String);

impl Secret {
    /// The key.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why keys cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could change it, and so give themselves a key.
    #[error("file {}: mode {mode:o}: must be readable and writable by its owner alone, as by chmod 600", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no list of keys.
    #[error("file {}: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A value that no key may have.
    #[error("{field} {value:?}: {rule}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The rule.
        rule: &'static str,
    },
    /// There is no such key.
    #[error("key {id:?}: there is none of that id")]
    Unknown {
        /// The id.
        id: String,
    },
}

/// The key of the list that this is, if it has not ended. How long it takes says nothing of a secret.
pub(crate) fn known<'k>(keys: &'k [ApiKey], given: &str, now: u64) -> Option<&'k ApiKey> {
    let (id, secret) = given
        .strip_prefix(PREFIX)?
        .strip_prefix('_')?
        .split_once('_')?;
    let key = keys.iter().find(|key| key.id == id)?;
    let is_it: bool = hash(secret).as_bytes().ct_eq(key.hash.as_bytes()).into();
    (is_it && key.is_in_force(now)).then_some(key)
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// One that is made at 100 and ends at 200.
    fn wanted(name: &str) -> Wanted {
        Wanted {
            name: name.to_owned(),
            scopes: BTreeSet::from([Scope::Read]),
            made_at: 100,
            ends_at: 200,
            ..Wanted::default()
        }
    }

    fn file() -> (tempfile::TempDir, KeyFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(&folder.path().join("keys.json"));
        (folder, file)
    }

    #[test]
    fn a_key_is_known_until_it_ends_and_no_other_is() {
        let (_folder, file) = file();
        let (key, secret) = file.add(wanted("shop")).unwrap();
        let keys = file.read().unwrap();
        let given = secret.expose();
        assert_eq!(known(&keys, given, 199), Some(&key));
        assert_eq!(known(&keys, given, 200), None, "it has ended");
        let mut wrong = given.to_owned();
        wrong.pop();
        for other in [
            wrong.as_str(),
            &format!("{given}0"),
            "",
            "tlk_",
            &key.id,
            &key.hash,
        ] {
            assert_eq!(known(&keys, other, 150), None, "{other}");
        }
        // The id of one with the secret of another.
        let (second, _) = file.add(wanted("bank")).unwrap();
        let mixed = given.replacen(&key.id, &second.id, 1);
        assert_eq!(known(&file.read().unwrap(), &mixed, 150), None);
        file.end(&key.id, 120).unwrap();
        assert_eq!(known(&file.read().unwrap(), given, 120), None);
        assert_eq!(
            file.end(&key.id, 150).unwrap().ends_at,
            120,
            "it stays ended"
        );
        assert!(matches!(
            file.end("none", 1),
            Err(KeysError::Unknown { .. })
        ));
    }

    #[test]
    fn a_key_that_waits_for_a_second_person_is_not_known() {
        let (_folder, file) = file();
        let (key, secret) = file
            .add(Wanted {
                seen_by: Some(BTreeSet::from(["carl".to_owned()])),
                person: Some("https://id.example|7".to_owned()),
                ends_at: 10_000,
                ..wanted(" Shop")
            })
            .unwrap();
        let people = file.read().unwrap().pop().unwrap().people();
        let all = ["carl", "https://id.example|7", "shop"];
        assert_eq!(people, all.map(str::to_owned).into());
        // For an hour.
        assert!(key.is_pending(3_700) && !key.has_ended(3_700));
        assert!(!key.is_pending(3_701) && key.has_ended(3_701));
        let given = secret.expose();
        assert_eq!(known(&file.read().unwrap(), given, 150), None);
        file.confirm(&key.id).unwrap();
        let keys = file.read().unwrap();
        assert_eq!(known(&keys, given, 9_999).map(|key| &key.id), Some(&key.id));
        assert_eq!(known(&keys, given, 10_000), None);
    }

    #[test]
    fn the_file_holds_no_key_and_is_nobody_elses() {
        let (_folder, file) = file();
        let (_, secret) = file.add(wanted("shop")).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let part = secret.expose().rsplit('_').next().unwrap();
        assert!(!text.contains(part), "{text}");
        assert!(!format!("{secret:?}").contains(part));
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o660)).unwrap();
        assert!(matches!(
            file.read(),
            Err(KeysError::Mode { mode: 0o660, .. })
        ));
    }

    #[test]
    fn what_no_key_may_have_is_refused() {
        let (_folder, file) = file();
        for name in ["", " ", "two\nlines", &"x".repeat(81)] {
            let refused = file.add(wanted(name)).unwrap_err();
            assert!(refused.to_string().starts_with("name "), "{refused}");
        }
        let nothing = Wanted {
            scopes: BTreeSet::new(),
            ..wanted("shop")
        };
        assert!(file.add(nothing).is_err());
        assert!(file.read().unwrap().is_empty());
        assert!("root".parse::<Scope>().is_err());
    }
}
