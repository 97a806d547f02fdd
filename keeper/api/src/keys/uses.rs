//! When keys were last used, in a file beside theirs: written seldom, so that the file of keys changes by people's acts alone.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tidelock_store::beside;

use super::file::replace;

/// When each key was last used, by its id. [seconds since 1970]
type Times = BTreeMap<String, u64>;

/// Last uses, as this process saw them and as the file has them.
#[derive(Debug)]
pub struct Uses {
    path: PathBuf,
    /// Those that the file does not have.
    seen: Mutex<Times>,
}

impl Uses {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            seen: Mutex::default(),
        }
    }

    /// A key is used now.
    pub(crate) fn saw(&self, id: &str, now: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(id) {
            Some(last) => *last = now,
            None => {
                seen.insert(id.to_owned(), now);
            }
        }
    }

    /// When each key was last used. A file that cannot be read tells nothing, for nothing depends on it.
    pub fn read(&self) -> Times {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.with(&seen)
    }

    fn with(&self, seen: &Times) -> Times {
        let text = std::fs::read(&self.path).unwrap_or_default();
        let mut times: Times = serde_json::from_slice(&text).unwrap_or_default();
        for (id, at) in seen {
            let last = times.entry(id.clone()).or_default();
            *last = (*at).max(*last);
        }
        times
    }

    /// Writes what was seen. Several servers may share the file.
    pub(crate) fn keep(&self) -> io::Result<()> {
        let seen = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *seen)
        };
        if seen.is_empty() {
            return Ok(());
        }
        let lock = beside(&self.path, ".lock");
        let lock = File::options().create(true).append(true).open(lock)?;
        lock.lock()?;
        let text = serde_json::to_vec(&self.with(&seen))?;
        replace(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_share_a_file_keep_the_latest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("used");
        let (one, other) = (Uses::new(&path), Uses::new(&path));
        one.saw("a", 5);
        one.saw("a", 7);
        other.saw("a", 6);
        other.saw("b", 1);
        assert_eq!(one.read()["a"], 7);
        one.keep().unwrap();
        other.keep().unwrap();
        let kept = Uses::new(&path).read();
        assert_eq!(
            kept,
            Times::from([("a".to_owned(), 7), ("b".to_owned(), 1)])
        );
    }
}
