//! The token: found, logged in to, asked, and after a failure looked for from the start. A token that was pulled leaves
//! handles behind that are worth nothing, in the session and often in the module, so nothing of them is kept.

use std::{path::Path, time::SystemTime};

use alloy::primitives::{Address, B256, Signature};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::{Slot, TokenInfo},
};
use secrecy::{ExposeSecret, SecretString};

use super::point;
use crate::{
    config::Pkcs11Config,
    signer::{
        SignerError,
        password::{PIN, ask, given},
    },
};

/// A token, and the connection to it while there is one.
pub(super) struct Token {
    config: Pkcs11Config,
    /// Loaded once: a module is started and ended as often as needed, but not every one can be loaded twice.
    library: Option<Pkcs11>,
    /// What was typed at the start, if it was.
    typed: Option<SecretString>,
    /// What became of the last PIN.
    last: Option<Tried>,
    connection: Option<Connection>,
    /// The key's address, once it is known. Another one later is another key.
    address: Option<Address>,
}

/// A PIN that was tried.
struct Tried {
    pin: SecretString,
    /// When its file was last written.
    written: Option<SystemTime>,
    was_right: bool,
}

/// A session that is logged in. The session ends before the module does.
struct Connection {
    session: Session,
    key: ObjectHandle,
    _module: Module,
}

/// The module, at work until dropped.
struct Module(Option<Pkcs11>);

impl Drop for Module {
    fn drop(&mut self) {
        if let Some(context) = self.0.take() {
            // A module that does not end is started again all the same, and then says so.
            let _ = context.finalize();
        }
    }
}

impl Token {
    /// Asks for the PIN now, if it has to be typed.
    pub(super) fn new(config: Pkcs11Config) -> Result<Self, SignerError> {
        let typed = match given(PIN, config.pin_file.as_deref())? {
            Some(_) => None,
            None => Some(ask(PIN, &format!("PIN of token {}: ", config.token))?),
        };
        Ok(Self {
            config,
            library: None,
            typed,
            last: None,
            connection: None,
            address: None,
        })
    }

    /// Whose key it is.
    pub(super) fn address(&mut self) -> Result<Address, SignerError> {
        self.connect()?;
        self.address.ok_or_else(|| self.no_key("has no public key"))
    }

    /// Signs 32 bytes. A session that was lost since the last time is made anew, once.
    pub(super) fn sign(&mut self, digest: B256) -> Result<Signature, SignerError> {
        loop {
            let is_new = self.connection.is_none();
            let connection = self.connect()?;
            let signed =
                connection
                    .session
                    .sign(&Mechanism::Ecdsa, connection.key, digest.as_slice());
            match signed {
                Ok(bytes) => return self.read(&bytes),
                Err(error) => {
                    self.connection = None;
                    if is_new {
                        return Err(self.failed(&error));
                    }
                }
            }
        }
    }

    /// r and s, each of 32 bytes. The parity is for others to find.
    fn read(&self, bytes: &[u8]) -> Result<Signature, SignerError> {
        let bare = <&[u8; 64]>::try_from(bytes);
        let bare = bare.map_err(|_| self.no_key("answers with something that is no signature"))?;
        Ok(Signature::from_bytes_and_parity(bare, false))
    }

    // ── Connection ───────────────────────────────────────────────────────────────────────────────────────────────

    fn connect(&mut self) -> Result<&Connection, SignerError> {
        if self.connection.is_none() {
            let connection = self.connected()?;
            self.connection = Some(connection);
        }
        self.connection
            .as_ref()
            .ok_or_else(|| self.absent("no connection"))
    }

    fn connected(&mut self) -> Result<Connection, SignerError> {
        let module = self.module()?;
        let Some(context) = &module.0 else {
            return Err(self.absent("the module has ended"));
        };
        let (slot, info) = self.slot(context)?;
        let session = context.open_ro_session(slot);
        let session = session.map_err(|error| self.failed(&error))?;
        self.log_in(&session, &info)?;
        let key = self.key(&session)?;
        Ok(Connection {
            session,
            key,
            _module: module,
        })
    }

    fn module(&mut self) -> Result<Module, SignerError> {
        let path = &self.config.module;
        let refused = |rule: String| SignerError::Refused {
            field: "key.module",
            value: path.display().to_string(),
            rule,
        };
        if !path.is_file() {
            return Err(refused(
                "no such file; must be the token's PKCS#11 module".to_owned(),
            ));
        }
        let library = match self.library.take() {
            Some(library) => library,
            None => Pkcs11::new(path)
                .map_err(|error| refused(format!("must be a PKCS#11 module: {error}")))?,
        };
        let context = self.library.insert(library).clone();
        let flags = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match context.initialize(flags) {
            Ok(()) => Ok(Module(Some(context))),
            // SoftHSM: its folder is gone. Others: no reader, no daemon, no network to the HSM.
            Err(error) => {
                Err(self.absent(&format!("its module does not start ({})", name(&error))))
            }
        }
    }

    /// The slot of the one token that has this label or serial number.
    fn slot(&self, context: &Pkcs11) -> Result<(Slot, TokenInfo), SignerError> {
        let slots = context.get_slots_with_token();
        let slots = slots.map_err(|error| self.failed(&error))?;
        let found = slots.into_iter().filter_map(|slot| {
            let info = context.get_token_info(slot).ok()?;
            let is_it =
                info.label() == self.config.token || info.serial_number() == self.config.token;
            (is_it && info.token_initialized()).then_some((slot, info))
        });
        let mut found: Vec<_> = found.collect();
        match (found.pop(), found.len()) {
            (None, _) => {
                Err(self
                    .absent("pulled, switched off, or never one of that label or serial number"))
            }
            (Some(one), 0) => Ok(one),
            (Some(_), more) => Err(SignerError::Refused {
                field: "key.token",
                value: self.config.token.clone(),
                rule: format!("{more} more of that label; must be the serial number then"),
            }),
        }
    }

    // ── PIN ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Logs in, with a PIN that the token has not refused yet: tokens lock after a few wrong ones.
    fn log_in(&mut self, session: &Session, info: &TokenInfo) -> Result<(), SignerError> {
        let (pin, written) = self.pin()?;
        let before = self.last.as_ref();
        let before = before.filter(|last| last.pin.expose_secret() == pin.expose_secret());
        let was_refused = before.is_some_and(|last| !last.was_right && last.written == written);
        if was_refused {
            return Err(self.pin_refused(
                "the token has refused this PIN, and it is not tried again, for tokens lock",
            ));
        }
        if info.user_pin_locked() {
            return Err(
                self.pin_refused("the token is locked: its security officer must set a new PIN")
            );
        }
        let is_known = self.last.is_some() || self.typed.is_some();
        if (info.user_pin_final_try() || info.user_pin_count_low()) && !is_known {
            return Err(self.pin_refused(
                "the token says that a wrong PIN was tried since the last right one, and the keeper does not use up what tries are left: \
                 log in once with another tool, or have the keeper ask at a terminal",
            ));
        }
        let tried = session.login(UserType::User, Some(&pin));
        let was_right = tried.is_ok();
        let is_about_pin = matches!(
            &tried,
            Err(Error::Pkcs11(
                RvError::PinIncorrect
                    | RvError::PinInvalid
                    | RvError::PinLenRange
                    | RvError::PinLocked
                    | RvError::PinExpired,
                _
            ))
        );
        if was_right || is_about_pin {
            self.last = Some(Tried {
                pin,
                written,
                was_right,
            });
        }
        match tried {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) if is_about_pin => {
                let rule = format!(
                    "the token refuses this PIN ({}), and it is not tried again, for tokens lock",
                    name(&error)
                );
                Err(self.pin_refused(&rule))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The PIN as it is now, and when its file was last written.
    fn pin(&self) -> Result<(SecretString, Option<SystemTime>), SignerError> {
        if let Some(typed) = &self.typed {
            return Ok((typed.clone(), None));
        }
        let file = self.config.pin_file.as_deref();
        let written = file.and_then(written);
        match given(PIN, file)? {
            Some(pin) => Ok((pin, written)),
            None => Err(SignerError::NoPassword {
                field: PIN.field,
                variable: PIN.variable,
            }),
        }
    }

    fn pin_refused(&self, rule: &str) -> SignerError {
        let (field, value, next) = match (&self.config.pin_file, &self.typed) {
            (Some(path), _) => (
                PIN.field,
                path.display().to_string(),
                "; write the right one there, and the keeper goes on",
            ),
            (None, Some(_)) => ("PIN", "(typed)".to_owned(), "; start the keeper again"),
            (None, None) => (
                PIN.variable,
                "(not shown)".to_owned(),
                "; start the keeper again with the right one",
            ),
        };
        SignerError::Refused {
            field,
            value,
            rule: format!("{rule}{next}"),
        }
    }

    // ── Key ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// The private key to sign with, after a look at whose it is.
    fn key(&mut self, session: &Session) -> Result<ObjectHandle, SignerError> {
        let key = self.only(session, ObjectClass::PRIVATE_KEY, "private key")?;
        let wanted = [AttributeType::EcParams, AttributeType::AlwaysAuthenticate];
        let attributes = session.get_attributes(key, &wanted);
        for attribute in attributes.map_err(|error| self.failed(&error))? {
            match attribute {
                Attribute::EcParams(curve) if curve != point::SECP256K1 => {
                    return Err(self.no_key("is of another curve; must be secp256k1"));
                }
                Attribute::AlwaysAuthenticate(true) => {
                    return Err(self.no_key(
                        "asks for its PIN at each signature (CKA_ALWAYS_AUTHENTICATE); must not",
                    ));
                }
                _ => {}
            }
        }
        let address = self.address_on(session)?;
        match self.address {
            Some(known) if known != address => Err(self.no_key(&format!(
                "is of address {address} now; it was {known} before"
            ))),
            _ => {
                self.address = Some(address);
                Ok(key)
            }
        }
    }

    fn address_on(&self, session: &Session) -> Result<Address, SignerError> {
        let public = self.only(session, ObjectClass::PUBLIC_KEY, "public key")?;
        let attributes = session.get_attributes(public, &[AttributeType::EcPoint]);
        let attributes = attributes.map_err(|error| self.failed(&error))?;
        let found = attributes.iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(bytes) => point::address(bytes),
            _ => None,
        });
        found.ok_or_else(|| self.no_key("has a public key that is no point of secp256k1"))
    }

    /// The one object of that class with the configured label and id.
    fn only(
        &self,
        session: &Session,
        class: ObjectClass,
        what: &str,
    ) -> Result<ObjectHandle, SignerError> {
        let mut template = vec![Attribute::Class(class)];
        let label = self.config.label.as_ref();
        template.extend(label.map(|label| Attribute::Label(label.clone().into_bytes())));
        let id = self.config.id.as_ref();
        template.extend(id.map(|id| Attribute::Id(id.0.clone())));
        let found = session.find_objects(&template);
        let mut found = found.map_err(|error| self.failed(&error))?;
        match (found.pop(), found.len()) {
            (Some(one), 0) => Ok(one),
            (None, _) => {
                Err(self.no_key(&format!("names no {what} on token {}", self.config.token)))
            }
            (Some(_), _) => Err(self.no_key(&format!(
                "names more than one {what} on token {}; give key.label and key.id",
                self.config.token
            ))),
        }
    }

    // ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────

    fn no_key(&self, rule: &str) -> SignerError {
        let (field, value) = match (&self.config.id, &self.config.label) {
            (Some(id), None) => ("key.id", id.to_string()),
            (_, label) => ("key.label", label.clone().unwrap_or_default()),
        };
        SignerError::Refused {
            field,
            value,
            rule: rule.to_owned(),
        }
    }

    fn absent(&self, reason: &str) -> SignerError {
        SignerError::Absent {
            field: "key.token",
            value: self.config.token.clone(),
            reason: reason.to_owned(),
        }
    }

    fn failed(&self, error: &Error) -> SignerError {
        if let Error::Pkcs11(
            RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::DeviceRemoved
            | RvError::SlotIdInvalid,
            _,
        ) = error
        {
            return self.absent(&format!("pulled ({})", name(error)));
        }
        SignerError::Unavailable {
            field: "key.token",
            value: self.config.token.clone(),
            reason: format!("the token fails ({})", name(error)),
        }
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}

/// An error by the standard's names, such as `C_Sign: DeviceError`.
fn name(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, function) => format!("C_{function:?}: {value:?}"),
        other => other.to_string(),
    }
}
