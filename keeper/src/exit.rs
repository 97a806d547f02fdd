//! How a command ends: one list of exit codes, for scripts to rely on.

use std::{fmt::Display, process::ExitCode};

/// What a command's exit code says. The numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExitStatus {
    /// Done.
    Done,
    /// It failed, or it compared and found a difference.
    Failed,
    /// Bad usage, a bad value, or a configuration that is bad or not what chain or store have. Nothing was done.
    Usage,
    /// A rule refuses it. Nothing was done.
    Refused,
    /// The chain cannot be reached, or does not answer as it must.
    Chain,
    /// The store is damaged, changed by somebody, full, missing or in use.
    Store,
}

impl ExitStatus {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Chain => 4,
            Self::Store => 5,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a command ends without having done what was asked: what to tell the user, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub status: ExitStatus,
    /// What went wrong, with its causes.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure with a message of its own.
    pub fn new(status: ExitStatus, message: impl Display) -> Self {
        Self {
            status,
            error: anyhow::anyhow!("{message}"),
        }
    }

    /// A failure because of an error.
    pub fn of(status: ExitStatus, error: impl Into<anyhow::Error>) -> Self {
        Self {
            status,
            error: error.into(),
        }
    }

    /// The same, with what was being done put before it.
    pub fn while_doing(mut self, what: impl Display + Send + Sync + 'static) -> Self {
        self.error = self.error.context(what);
        self
    }

    /// What went wrong, with each cause once: many messages tell their cause already.
    pub fn message(&self) -> String {
        let mut message = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if message.is_empty() {
                message = cause;
            } else if !message.contains(&cause) {
                message.push_str(": ");
                message.push_str(&cause);
            }
        }
        message
    }
}

/// What a command comes to.
pub type Outcome = Result<ExitStatus, Failure>;

#[cfg(test)]
mod tests {
    use std::{io, path::PathBuf};

    use super::*;
    use crate::store::StoreError;

    #[test]
    fn each_cause_is_told_once() {
        let told = StoreError::File {
            path: PathBuf::from("a.db"),
            source: io::Error::other("no such thing"),
        };
        let failure = Failure::of(ExitStatus::Store, told).while_doing("store.path a.db");
        assert_eq!(
            failure.message(),
            "store.path a.db: file a.db: no such thing"
        );
        let untold = io::Error::other("no such thing");
        let failure = Failure::of(ExitStatus::Failed, untold).while_doing("--file x");
        assert_eq!(failure.message(), "--file x: no such thing");
    }
}
