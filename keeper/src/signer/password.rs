use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::SignerError;

/// Variable of the environment that may hold a keystore's password.
pub const PASSWORD_VARIABLE: &str = "KEEPER_PASSWORD";
/// Variable of the environment that may hold a token's PIN.
pub const PIN_VARIABLE: &str = "KEEPER_PIN";

/// A kind of secret: the setting that names its file, and the variable that may hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub field: &'static str,
    pub variable: &'static str,
}

/// A keystore's.
pub(super) const PASSWORD: Kind = Kind {
    field: "key.password_file",
    variable: PASSWORD_VARIABLE,
};
/// A token's.
pub(super) const PIN: Kind = Kind {
    field: "key.pin_file",
    variable: PIN_VARIABLE,
};
/// Longest password file that is read. [bytes]
const MAX_FILE_LEN: u64 = 4096;

/// Where the password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordSource {
    /// `key.password_file`; first choice. Without it the environment, without that the terminal.
    pub file: Option<PathBuf>,
    /// What to say at the terminal.
    pub prompt: String,
}

/// The password of a keystore that exists.
pub fn read_password(source: &PasswordSource) -> Result<SecretString, SignerError> {
    match given(PASSWORD, source.file.as_deref())? {
        Some(password) => Ok(password),
        None => ask(PASSWORD, &source.prompt),
    }
}

/// The password of a keystore to be: typed twice, if it is typed.
pub fn new_password(source: &PasswordSource) -> Result<SecretString, SignerError> {
    if let Some(password) = given(PASSWORD, source.file.as_deref())? {
        return Ok(password);
    }
    let first = ask(PASSWORD, &source.prompt)?;
    let second = ask(PASSWORD, "again: ")?;
    if first.expose_secret() != second.expose_secret() {
        return Err(SignerError::PasswordsDiffer);
    }
    Ok(first)
}

/// From the file, or else from the environment.
pub(super) fn given(kind: Kind, file: Option<&Path>) -> Result<Option<SecretString>, SignerError> {
    if let Some(path) = file {
        return from_file(kind, path).map(Some);
    }
    match env::var(kind.variable) {
        Ok(password) => checked(Zeroizing::new(password)).map(Some),
        Err(_) => Ok(None),
    }
}

fn from_file(kind: Kind, path: &Path) -> Result<SecretString, SignerError> {
    let length = private_file(kind.field, path)?;
    let failed = |source| SignerError::File {
        field: kind.field,
        path: path.to_owned(),
        source,
    };
    if length > MAX_FILE_LEN {
        return Err(failed(io::Error::other("longer than 4096 bytes")));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
    // An editor ends the line; the line's end is no part of the password.
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    checked(Zeroizing::new(line.to_owned()))
}

/// From whoever sits at the terminal.
pub(super) fn ask(kind: Kind, prompt: &str) -> Result<SecretString, SignerError> {
    let none = || SignerError::NoPassword {
        field: kind.field,
        variable: kind.variable,
    };
    if !io::stdin().is_terminal() {
        return Err(none());
    }
    let typed = rpassword::prompt_password(prompt).map_err(|_| none())?;
    checked(Zeroizing::new(typed))
}

fn checked(mut password: Zeroizing<String>) -> Result<SecretString, SignerError> {
    if password.is_empty() {
        return Err(SignerError::PasswordEmpty);
    }
    Ok(SecretString::from(std::mem::take(&mut *password)))
}

/// Refuses a file that others may read or write; answers its length. [bytes]
pub(super) fn private_file(field: &'static str, path: &Path) -> Result<u64, SignerError> {
    let failed = |source| SignerError::File {
        field,
        path: path.to_owned(),
        source,
    };
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(failed(io::Error::other("not a file")));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = found.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SignerError::Permissions {
                field,
                path: path.to_owned(),
                mode,
            });
        }
    }
    Ok(found.len())
}
