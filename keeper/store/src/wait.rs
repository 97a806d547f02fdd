//! Waiting while another process holds the database: SQLite lets one write at a time, and does not say who it is.

use std::{
    fmt,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::StoreError;

/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(1);
/// How long whoever files many requests pauses after each piece: longer than that, so that the writer of the log comes in between.
pub const BETWEEN_PIECES: Duration = Duration::from_millis(3);
/// Between two questions whether to go on waiting.
const ASK: Duration = Duration::from_millis(100);
/// How long anybody waits who was not told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of a wait that is not over.
#[derive(Debug)]
pub struct Held<'a> {
    database: &'a Path,
    /// How long it has lasted.
    pub since: Duration,
}

impl Held<'_> {
    /// Who holds the database, in words.
    pub fn by(&self) -> String {
        holder(self.database)
            .map_or_else(|| "another process".to_owned(), |holder| holder.to_string())
    }
}

/// Is asked again and again while another process holds the database; gives up by answering no.
pub type GoOn = Box<dyn FnMut(&Held<'_>) -> bool + Send>;

/// Tries again what found the database held.
pub(super) struct Patience {
    database: PathBuf,
    go_on: GoOn,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patience").field(&self.database).finish()
    }
}

impl Patience {
    /// That of somebody who was told nothing.
    pub fn new(database: &Path) -> Self {
        Self::with(database, Box::new(|held| held.since < PATIENCE))
    }

    pub fn with(database: &Path, go_on: GoOn) -> Self {
        Self {
            database: database.to_owned(),
            go_on,
        }
    }

    /// Does it, again and again while the database is held. What found it held has done nothing.
    pub fn until_free<T>(
        &mut self,
        mut attempt: impl FnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let start = Instant::now();
        let mut next_question = ASK;
        loop {
            let source = match attempt() {
                Err(StoreError::Busy { source, .. }) => source,
                other => return other,
            };
            let held = Held {
                database: &self.database,
                since: start.elapsed(),
            };
            if held.since >= next_question {
                next_question = held.since.saturating_add(ASK);
                if !(self.go_on)(&held) {
                    let (by, waited) = (held.by(), held.since);
                    return Err(StoreError::Held { by, waited, source });
                }
            }
            thread::sleep(TRY_AGAIN);
        }
    }
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    id: u32,
    name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "process {} ({name})", self.id),
            None => write!(f, "process {}", self.id),
        }
    }
}

/// Byte of the file `-shm` that is locked by whoever writes a database with a write-ahead log.
const WRITE_LOCK: u64 = 120;

/// Who holds the database, where the system tells: Linux does.
fn holder(database: &Path) -> Option<Holder> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let node = |ending| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        // Never opened: closing it would give up the locks that this process has on it.
        fs::metadata(name).ok().as_ref().map(Metadata::ino)
    };
    let (index, main) = (node("-shm"), node(""));
    let id = locks.lines().find_map(|line| {
        let lock = Lock::read(line)?;
        let is_writer = Some(lock.node) == index && lock.covers(WRITE_LOCK);
        (is_writer || Some(lock.node) == main).then_some(lock.process)
    })?;
    let name = fs::read_to_string(format!("/proc/{id}/comm")).ok();
    let name = name.map(|name| name.trim().to_owned());
    Some(Holder { id, name })
}

/// A lock that keeps others out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lock {
    process: u32,
    node: u64,
    first: u64,
    last: u64,
}

impl Lock {
    /// A line of `/proc/locks`, such as `3: POSIX  ADVISORY  WRITE 4711 fe:00:5644881 120 120`; none of a lock that is shared,
    /// or waited for.
    fn read(line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, "WRITE", process, file, first, last] = parts.as_slice() else {
            return None;
        };
        let last = if *last == "EOF" {
            u64::MAX
        } else {
            last.parse().ok()?
        };
        Some(Self {
            process: process.parse().ok()?,
            node: file.rsplit(':').next()?.parse().ok()?,
            first: first.parse().ok()?,
            last,
        })
    }

    fn covers(&self, byte: u64) -> bool {
        (self.first..=self.last).contains(&byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_locks_that_keep_others_out_count() {
        let line = "12: POSIX  ADVISORY  WRITE 4711 fe:00:5644881 120 120";
        let lock = Lock::read(line).unwrap();
        assert_eq!((lock.process, lock.node), (4711, 5644881));
        assert!(lock.covers(120) && !lock.covers(121));
        let whole = "1: POSIX  ADVISORY  WRITE 1 00:2a:7 1073741824 EOF";
        assert_eq!(Lock::read(whole).unwrap().last, u64::MAX);
        for other in [
            "1: -> POSIX  ADVISORY  WRITE 4711 fe:00:5644881 120 120",
            "1: POSIX  ADVISORY  READ 4711 fe:00:5644881 120 120",
            "1: FLOCK  ADVISORY  WRITE 4711 fe:00:5644881 0 EOF",
            "1: POSIX  ADVISORY  WRITE x fe:00:5644881 120 120",
            "",
        ] {
            assert_eq!(Lock::read(other), None, "{other}");
        }
    }
}
