//! API keys, in a file that only its owner may read: what is in it is a hash of each, so whoever steals the file has no key.
//! A key is random and shown once.

use std::{
    collections::BTreeSet,
    fmt, fs,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tidelock_store::beside;

/// What a key begins with, so that those who look for lost secrets know one.
const PREFIX: &str = "tlk";
/// Bytes of the part that is secret.
const SECRET_LEN: usize = 32;
/// Days of a key's life at most: ten years.
pub const MOST_DAYS: u64 = 3_650;
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
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl ApiKey {
    /// Whether it is taken at a time.
    pub fn is_in_force(&self, now: u64) -> bool {
        !self.pending && now < self.ends_at
    }

    /// Everybody who may be the one that uses it: one person may have several keys, made under one name.
    pub fn people(&self) -> BTreeSet<String> {
        let own = self.name.trim().to_lowercase();
        self.seen_by.iter().cloned().chain([own]).collect()
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

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<ApiKey>,
}

/// The file.
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The file at a path; it need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every key, also those that have ended; none if there is no file.
    pub fn read(&self) -> Result<Vec<ApiKey>, KeysError> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(self.failed())?,
        };
        let found = fs::metadata(&self.path).map_err(self.failed())?;
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = self.path.clone();
            return Err(KeysError::Mode { path, mode });
        }
        let document: Document =
            serde_json::from_slice(&text).map_err(|error| KeysError::Damaged {
                path: self.path.clone(),
                why: error.to_string(),
            })?;
        Ok(document.keys)
    }

    /// Makes a key that ends at `ends_at`, and answers with it; it is never shown again.
    pub fn add(
        &self,
        name: &str,
        scopes: BTreeSet<Scope>,
        times: (u64, u64),
    ) -> Result<(ApiKey, Secret), KeysError> {
        self.add_as(name, scopes, times, None)
    }

    /// The same, for a second person to put in force. `seen_by` are those who see it now.
    pub fn add_pending(
        &self,
        name: &str,
        scopes: BTreeSet<Scope>,
        times: (u64, u64),
        seen_by: BTreeSet<String>,
    ) -> Result<(ApiKey, Secret), KeysError> {
        self.add_as(name, scopes, times, Some(seen_by))
    }

    fn add_as(
        &self,
        name: &str,
        scopes: BTreeSet<Scope>,
        (now, ends_at): (u64, u64),
        seen_by: Option<BTreeSet<String>>,
    ) -> Result<(ApiKey, Secret), KeysError> {
        let refused = |field, value: &str, rule| {
            let value = value.to_owned();
            Err(KeysError::Value { field, value, rule })
        };
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
            return refused("name", name, "must have 1 to 80 characters");
        }
        if name.chars().any(char::is_control) {
            return refused("name", name, "must be one line of text");
        }
        if scopes.is_empty() {
            return refused("scopes", "", "must name at least one");
        }
        let mut random = rand::rng();
        let id = hex(&random.random::<[u8; 4]>());
        let secret = hex(&random.random::<[u8; SECRET_LEN]>());
        let key = ApiKey {
            id,
            name: name.to_owned(),
            scopes,
            hash: hash(&secret),
            made_at: now,
            ends_at,
            pending: seen_by.is_some(),
            seen_by: seen_by.unwrap_or_default(),
        };
        let shown = Secret(format!("{PREFIX}_{}_{secret}", key.id));
        self.change(|keys| {
            keys.push(key.clone());
            Ok(())
        })?;
        Ok((key, shown))
    }

    /// Ends a key now, unless it has ended.
    pub fn end(&self, id: &str, now: u64) -> Result<ApiKey, KeysError> {
        self.alter(id, |key| key.ends_at = key.ends_at.min(now))
    }

    /// Puts a key in force that waited for a second person.
    pub fn confirm(&self, id: &str) -> Result<ApiKey, KeysError> {
        self.alter(id, |key| key.pending = false)
    }

    fn alter(&self, id: &str, alter: impl FnOnce(&mut ApiKey)) -> Result<ApiKey, KeysError> {
        let mut altered = None;
        self.change(|keys| {
            let key = keys.iter_mut().find(|key| key.id == id);
            let key = key.ok_or_else(|| KeysError::Unknown { id: id.to_owned() })?;
            alter(key);
            altered = Some(key.clone());
            Ok(())
        })?;
        altered.ok_or_else(|| KeysError::Unknown { id: id.to_owned() })
    }

    /// One changes it at a time, and whoever reads sees it before or after.
    fn change(
        &self,
        change: impl FnOnce(&mut Vec<ApiKey>) -> Result<(), KeysError>,
    ) -> Result<(), KeysError> {
        let lock = self.private(".lock", false)?;
        lock.lock().map_err(self.failed())?;
        let mut keys = self.read()?;
        change(&mut keys)?;
        let text = serde_json::to_vec_pretty(&Document { keys }).map_err(io::Error::from);
        let write = || {
            let mut draft = self.open(".draft", true)?;
            draft.write_all(&text?)?;
            draft.sync_all()?;
            fs::rename(beside(&self.path, ".draft"), &self.path)?;
            // Or a key that was ended could be back after a power cut.
            let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(self.failed())
    }

    fn open(&self, ending: &str, empties: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .create(true)
            .write(true)
            .truncate(empties)
            .mode(0o600);
        options.open(beside(&self.path, ending))
    }

    fn private(&self, ending: &str, empties: bool) -> Result<File, KeysError> {
        self.open(ending, empties).map_err(self.failed())
    }

    fn failed(&self) -> impl Fn(io::Error) -> KeysError + use<> {
        let path = self.path.clone();
        move |source| KeysError::File {
            path: path.clone(),
            source,
        }
    }
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
    use super::*;

    fn file() -> (tempfile::TempDir, KeyFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(&folder.path().join("keys.json"));
        (folder, file)
    }

    fn read_only() -> BTreeSet<Scope> {
        BTreeSet::from([Scope::Read])
    }

    #[test]
    fn a_key_is_known_until_it_ends_and_no_other_is() {
        let (_folder, file) = file();
        let (key, secret) = file.add("shop", read_only(), (100, 200)).unwrap();
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
        let (second, _) = file.add("bank", read_only(), (100, 200)).unwrap();
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
        let seen_by = BTreeSet::from(["carl".to_owned()]);
        let (key, secret) = file
            .add_pending(" Shop", read_only(), (100, 200), seen_by)
            .unwrap();
        let people = file.read().unwrap().pop().unwrap().people();
        assert_eq!(people, ["carl", "shop"].map(str::to_owned).into());
        let given = secret.expose();
        assert_eq!(known(&file.read().unwrap(), given, 150), None);
        file.confirm(&key.id).unwrap();
        let keys = file.read().unwrap();
        assert_eq!(known(&keys, given, 150).map(|key| &key.id), Some(&key.id));
        assert_eq!(known(&keys, given, 200), None);
    }

    #[test]
    fn the_file_holds_no_key_and_is_nobody_elses() {
        let (_folder, file) = file();
        let (_, secret) = file.add("shop", read_only(), (100, 200)).unwrap();
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
            let refused = file.add(name, read_only(), (1, 2)).unwrap_err();
            assert!(refused.to_string().starts_with("name "), "{refused}");
        }
        assert!(file.add("shop", BTreeSet::new(), (1, 2)).is_err());
        assert!(file.read().unwrap().is_empty());
        assert!("root".parse::<Scope>().is_err());
    }
}
