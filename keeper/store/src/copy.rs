//! Copies of a store, each a SQLite file: made while it is in use, and read without a trace.

use std::path::Path;

use super::{
    Overview, Reader, StoreError, Verified, export,
    guard::{folder_of, sync_folder},
    load,
    location::Role,
    sql::{Dialect, query},
    sqlite,
};

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// What its log was found to be.
    pub verified: Verified,
    /// What it holds.
    pub overview: Overview,
    /// Its size. [bytes]
    pub size: u64,
}

impl Reader {
    /// Opens a copy that nobody writes. Nothing is written beside it either.
    pub fn open_copy(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path.into(), Role::Copy)
    }

    /// Copies the store as it is at one moment, whichever database it is in, holds the copy to its hashes and its rows to its log, and forces it to
    /// disk. The file appears under its name when it is whole, and replaces none.
    pub fn copy_to(&mut self, to: &Path) -> Result<Copied, StoreError> {
        let exists = || StoreError::Exists {
            place: to.display().to_string(),
        };
        if to.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let failed = |source| StoreError::File {
            path: to.to_owned(),
            source,
        };
        let folder = folder_of(to);
        // Readable by its owner only, like every temporary file.
        let file = tempfile::Builder::new()
            .prefix(".keeper-backup-")
            .tempfile_in(folder)
            .map_err(failed)?;
        match self.connection.dialect() {
            Dialect::Sqlite => {
                self.vacuum_into(file.path())?;
                self.runtime.block_on(without_sessions(file.path()))?;
            }
            Dialect::Postgres => {
                let exported = export::export(&mut self.connection, file.path());
                self.runtime.block_on(exported)?;
            }
        }
        let (verified, overview) = examine(file.path())?;
        file.as_file().sync_all().map_err(failed)?;
        let size = file.as_file().metadata().map_err(failed)?.len();
        file.persist_noclobber(to)
            .map_err(|error| match error.error.kind() {
                std::io::ErrorKind::AlreadyExists => exists(),
                _ => failed(error.error),
            })?;
        sync_folder(folder)?;
        Ok(Copied {
            verified,
            overview,
            size,
        })
    }

    /// Reads within one transaction, beside whoever writes.
    fn vacuum_into(&mut self, to: &Path) -> Result<(), StoreError> {
        let name = to.to_str().ok_or_else(|| StoreError::Value {
            field: "file",
            value: to.display().to_string(),
            rule: "must be a name in UTF-8",
        })?;
        let copied = query("VACUUM INTO $1")
            .bind(name.to_owned())
            .execute(&mut self.connection);
        self.runtime.block_on(copied).map(drop)
    }
}

/// A copy that is put back later must not bring back sessions that have ended since.
async fn without_sessions(path: &Path) -> Result<(), StoreError> {
    let mut copy = sqlite::fill(path).await?;
    if load::has_table(&mut copy, "session").await? {
        copy.run("PRAGMA secure_delete = ON; DELETE FROM session")
            .await?;
    }
    copy.close().await
}

/// Refuses a copy in which anything is wrong.
fn examine(path: &Path) -> Result<(Verified, Overview), StoreError> {
    let mut copy = Reader::open_copy(path)?;
    let verified = copy.verify(true, |_| {})?;
    if let Some(finding) = verified.findings.first() {
        let what = finding
            .seq
            .map_or_else(|| "the log".to_owned(), |seq| format!("entry {seq}"));
        return Err(StoreError::damaged(what, &finding.why));
    }
    let overview = copy.overview()?;
    copy.close()?;
    Ok((verified, overview))
}
