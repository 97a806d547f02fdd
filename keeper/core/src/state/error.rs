//! Why an event does not fit the state.

use std::fmt::Display;

use crate::machine::ForbiddenStep;

/// Why an event does not fit the state: the log is damaged, or a rule of the keeper is wrong. Never a reason to go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A step that a lifecycle does not have.
    #[error("{subject}: {source}")]
    Forbidden {
        /// Which payment, batch or slot.
        subject: String,
        /// The step.
        source: ForbiddenStep,
    },
    /// An event about something that does not exist, or is final.
    #[error("{subject}: unknown, or final already")]
    Unknown {
        /// Which payment, batch or slot.
        subject: String,
    },
    /// An event that creates what exists.
    #[error("{subject}: exists already")]
    Exists {
        /// Which payment, batch or slot.
        subject: String,
    },
    /// A value that contradicts the state.
    #[error("{field} {value}: {rule}")]
    Contradiction {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The rule it breaks.
        rule: &'static str,
    },
}

pub(super) fn unknown(subject: impl Display) -> LogError {
    LogError::Unknown {
        subject: subject.to_string(),
    }
}

pub(super) fn exists(subject: impl Display) -> LogError {
    LogError::Exists {
        subject: subject.to_string(),
    }
}

pub(super) fn forbidden(subject: impl Display, source: ForbiddenStep) -> LogError {
    LogError::Forbidden {
        subject: subject.to_string(),
        source,
    }
}

pub(super) fn contradiction(
    field: &'static str,
    value: impl Display,
    rule: &'static str,
) -> LogError {
    LogError::Contradiction {
        field,
        value: value.to_string(),
        rule,
    }
}
