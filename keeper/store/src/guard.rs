//! Two files beside the database: a lock for its only writer, and a note of the last commit.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use alloy_primitives::B256;
use tidelock_core::log::LogHead;

use super::StoreError;

/// A file beside another one: its name with that ending added.
pub fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|path| *path != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Forces to disk which files there are.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed(folder))
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    |source| StoreError::File {
        path: path.to_owned(),
        source,
    }
}

/// The right to write a database, until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Whoever asks whether a keeper runs holds the lock for a moment, so one refusal is no refusal.
    const TRIES: u32 = 10;
    const PAUSE: Duration = Duration::from_millis(20);

    /// Takes it, or says who has it. The folder must exist.
    pub fn take(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, ".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed(&path))?;
        for _ in 0..Self::TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(Self::PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
            }
        }
        Err(StoreError::InUse {
            path: database.to_owned(),
            lock: path,
        })
    }

    /// Whether a process holds it.
    pub fn is_taken(database: &Path) -> bool {
        let file = OpenOptions::new()
            .write(true)
            .open(beside(database, ".lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// The last entry that was ever committed, in a file of its own, so that an old copy of the database is noticed.
///
/// One line of fixed length, overwritten in place after each commit and not forced to disk: a note that is older than the
/// database says nothing wrong.
#[derive(Debug)]
pub(super) struct HighWater {
    path: PathBuf,
    file: File,
}

impl HighWater {
    /// Makes the note for a new database, durable with its folder.
    pub fn create(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, ".high-water");
        let file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .read(true)
            .open(&path)
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => StoreError::Exists {
                    place: path.display().to_string(),
                },
                _ => failed(&path)(error),
            })?;
        let mut note = Self { path, file };
        note.write(LogHead::EMPTY)?;
        note.file.sync_all().map_err(failed(&note.path))?;
        sync_folder(folder_of(&note.path))?;
        Ok(note)
    }

    pub fn open(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, ".high-water");
        let file = OpenOptions::new().read(true).write(true).open(&path);
        match file {
            Ok(file) => Ok(Self { path, file }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(StoreError::HighWaterMissing { file: path })
            }
            Err(error) => Err(failed(&path)(error)),
        }
    }

    /// For a host that has not seen the database before: nothing is noted yet.
    pub fn open_or_create(database: &Path) -> Result<Self, StoreError> {
        match Self::open(database) {
            Err(StoreError::HighWaterMissing { .. }) => Self::create(database),
            other => other,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn write(&mut self, head: LogHead) -> Result<(), StoreError> {
        let line = format!("{:020} {}\n", head.seq, head.hash);
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(line.as_bytes()))
            .map_err(failed(&self.path))
    }

    pub fn read(&mut self) -> Result<LogHead, StoreError> {
        let mut text = String::new();
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.read_to_string(&mut text))
            .map_err(failed(&self.path))?;
        parse(&text).ok_or_else(|| {
            StoreError::damaged(
                self.path.display(),
                "must be one line: the last entry's number and its hash",
            )
        })
    }
}

fn parse(text: &str) -> Option<LogHead> {
    let (seq, hash) = text.strip_suffix('\n')?.split_once(' ')?;
    let hash: B256 = hash.parse().ok()?;
    let seq = seq.parse().ok()?;
    Some(LogHead { seq, hash })
}
