//! The file of keys.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tidelock_store::beside;

use super::{ApiKey, KeysError, Secret, Uses, Wanted};

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

    /// When keys were last used, which is kept beside them.
    pub fn uses(&self) -> Uses {
        Uses::new(&beside(&self.path, ".used"))
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

    /// Makes a key, and answers with it; it is never shown again.
    pub fn add(&self, wanted: Wanted) -> Result<(ApiKey, Secret), KeysError> {
        let (key, shown) = wanted.make()?;
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
        let lock = open(&beside(&self.path, ".lock"), false).map_err(self.failed())?;
        lock.lock().map_err(self.failed())?;
        let mut keys = self.read()?;
        change(&mut keys)?;
        let text = serde_json::to_vec_pretty(&Document { keys }).map_err(io::Error::from);
        let write = || replace(&self.path, &text?);
        write().map_err(self.failed())
    }

    fn failed(&self) -> impl Fn(io::Error) -> KeysError + use<> {
        let path = self.path.clone();
        move |source| KeysError::File {
            path: path.clone(),
            source,
        }
    }
}

/// A file of this process's user alone.
fn open(path: &Path, empties: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .create(true)
        .write(true)
        .truncate(empties)
        .mode(0o600);
    options.open(path)
}

/// Whoever reads a file sees it before or after.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft_path = beside(path, ".draft");
    let mut draft = open(&draft_path, true)?;
    draft.write_all(text)?;
    draft.sync_all()?;
    fs::rename(draft_path, path)?;
    // Or a key that was ended could be back after a power cut.
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
