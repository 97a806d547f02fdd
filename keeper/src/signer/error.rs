use std::path::PathBuf;

use alloy::primitives::Address;

use super::password;
use crate::config::of_next_key;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The same may work later: it is tried again, with pauses.
    Transient,
    /// The token is not there. It is looked for again, with pauses.
    Absent,
    /// The same never works: nothing is tried with it before somebody has changed a setting, a file or the key's service.
    Final,
}

/// Why there is no signature, or no key. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A file cannot be read or written.
    #[error("{field} {}: {source}", path.display())]
    File {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others on the machine may read or change it.
    #[error("{field} {}: mode {mode:04o} lets others in; must be 0600 or less (chmod 600)", path.display())]
    Permissions {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something is there already.
    #[error("{field} {}: exists; a key is never overwritten", path.display())]
    Exists {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// The password does not open the keystore.
    #[error("{field} {}: the password does not open it", path.display())]
    WrongPassword {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// It is no keystore.
    #[error("{field} {}: not an encrypted keystore (version 3 JSON): {reason}", path.display())]
    NotKeystore {
        /// The setting.
        field: &'static str,
        /// Where.
        path: PathBuf,
        /// In words.
        reason: String,
    },
    /// There is no password.
    #[error(
        "{field}: not set, {variable} is not set either, and there is no terminal to ask at; one is needed"
    )]
    NoPassword {
        /// The setting.
        field: &'static str,
        /// The variable of the environment that could have held it.
        variable: &'static str,
    },
    /// Two passwords that should be the same.
    #[error("password: the two that were typed differ")]
    PasswordsDiffer,
    /// A password that guards nothing.
    #[error("password: empty; must have at least one character")]
    PasswordEmpty,
    /// A setting leads to no key that may sign: wrong, refused, or not what the key's holder has.
    #[error("{field} = {value}: {rule}")]
    Refused {
        /// The setting.
        field: &'static str,
        /// What it says.
        value: String,
        /// What it would have to be, or why it is refused.
        rule: String,
    },
    /// The token that a setting names is not there.
    #[error("{field} = {value}: the token is not there: {reason}")]
    Absent {
        /// The setting.
        field: &'static str,
        /// What it says.
        value: String,
        /// In words.
        reason: String,
    },
    /// Whoever holds the key does not answer, or not now.
    #[error("{field} = {value}: {reason}")]
    Unavailable {
        /// The setting.
        field: &'static str,
        /// What it says.
        value: String,
        /// In words.
        reason: String,
    },
    /// The answer took too long. It may have signed; the same is asked for again.
    #[error("signature by {address}: none within {timeout_ms} ms (key.timeout_ms)")]
    Late {
        /// Whose key.
        address: Address,
        /// How long it was waited for. [milliseconds]
        timeout_ms: u64,
    },
    /// A signature, but none of these bytes by this key.
    #[error(
        "signature by {address}: what was answered is no signature of these bytes by this key; it is not used"
    )]
    WrongSignature {
        /// Whose key it should be.
        address: Address,
    },
    /// The key did not sign.
    #[error("signature by {address}: {reason}")]
    Sign {
        /// Whose key.
        address: Address,
        /// In words.
        reason: String,
    },
}

impl SignerError {
    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Unavailable { .. } | Self::Late { .. } | Self::Sign { .. } => Class::Transient,
            Self::Absent { .. } => Class::Absent,
            Self::File { .. }
            | Self::Permissions { .. }
            | Self::Exists { .. }
            | Self::WrongPassword { .. }
            | Self::NotKeystore { .. }
            | Self::NoPassword { .. }
            | Self::PasswordsDiffer
            | Self::PasswordEmpty
            | Self::Refused { .. }
            | Self::WrongSignature { .. } => Class::Final,
        }
    }

    /// The same about the key of `[next_key]`.
    pub fn of_next_key(mut self) -> Self {
        if let Self::File { field, .. }
        | Self::Permissions { field, .. }
        | Self::Exists { field, .. }
        | Self::WrongPassword { field, .. }
        | Self::NotKeystore { field, .. }
        | Self::NoPassword { field, .. }
        | Self::Refused { field, .. }
        | Self::Absent { field, .. }
        | Self::Unavailable { field, .. } = &mut self
        {
            *field = of_next_key(field);
        }
        self
    }

    /// The same about a person's key, which the command line names and not the configuration.
    pub fn of_command_line(mut self) -> Self {
        if let Self::File { field, .. }
        | Self::Permissions { field, .. }
        | Self::Exists { field, .. }
        | Self::WrongPassword { field, .. }
        | Self::NotKeystore { field, .. }
        | Self::NoPassword { field, .. } = &mut self
        {
            *field = if *field == password::PASSWORD.field {
                "--password-file"
            } else {
                "--keystore"
            };
        }
        self
    }
}
