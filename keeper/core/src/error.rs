//! Why the engine must stop.

use crate::journal::JournalError;

/// Why the engine must stop. What was decided and not stored is gone, and is decided again after a start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError<E: std::error::Error + 'static> {
    /// The store failed; whether the last commit was made is unknown.
    #[error("store: {0}")]
    Store(#[source] E),
    /// The keeper's own rules contradict its log.
    #[error("log: {0}")]
    Journal(#[from] JournalError),
    /// The store holds no log.
    #[error("the log was never opened")]
    NotOpened,
    /// The store holds a log already.
    #[error("the log was opened before")]
    Opened,
}
