//! Tokens of SoftHSM, each in a folder of its own. SoftHSM finds its folder by a variable of the environment, so whatever works
//! with a token is done in a process of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use alloy::{primitives::Address, signers::k256::ecdsa::SigningKey};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::{Attribute, KeyType, ObjectClass},
    session::{Session, UserType},
    slot::Slot,
};
use secrecy::SecretString;
use tempfile::TempDir;

use super::in_own_process;

pub const TOKEN: &str = "keeper";
pub const LABEL: &str = "withdrawals";
/// Digits alone would be found in the time of day of some line of a log.
pub const PIN: &str = "a-pin-8472";
const SO_PIN: &str = "officer-1234";
const FOLDER: &str = "TIDELOCK_TEST_FOLDER";

/// secp256k1, as an object identifier in DER.
const SECP256K1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
/// secp256r1, likewise.
const SECP256R1: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

pub fn module() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let note = repository.join("target/softhsm/module");
    let module = fs::read_to_string(&note)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/softhsm makes it", note.display()));
    PathBuf::from(module.trim_end())
}

/// A folder with SoftHSM's configuration, and later its tokens.
pub struct Folder {
    folder: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Self { folder };
        fs::create_dir(made.tokens()).unwrap();
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            made.tokens().display()
        );
        fs::write(made.configuration(), text).unwrap();
        made
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn configuration(&self) -> PathBuf {
        self.path().join("softhsm2.conf")
    }

    pub fn tokens(&self) -> PathBuf {
        self.path().join("tokens")
    }

    /// Runs one of the ignored tests with this folder; it must pass.
    pub fn run(&self, test: &str) {
        let configuration = self.configuration();
        let configuration = configuration.to_str().unwrap();
        let folder = self.path().to_str().unwrap();
        in_own_process(test, &[("SOFTHSM2_CONF", configuration), (FOLDER, folder)]);
    }
}

/// In the process of its own: the folder that it was told.
pub fn told_folder() -> PathBuf {
    PathBuf::from(env::var_os(FOLDER).expect("run by another test only"))
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// In a process of its own: the module, at work.
pub fn start() -> Pkcs11 {
    let context = Pkcs11::new(module()).unwrap();
    let flags = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    context.initialize(flags).unwrap();
    context
}

/// Makes a token, without keys.
pub fn make_token(context: &Pkcs11, label: &str) -> Slot {
    let mut slots = context.get_slots_with_token().unwrap();
    let free = slots.pop().unwrap(); // the last one is always free
    context.init_token(free, &secret(SO_PIN), label).unwrap();
    let slots = context.get_slots_with_initialized_token().unwrap();
    let is_it = |slot: &Slot| context.get_token_info(*slot).unwrap().label() == label;
    let slot = slots.into_iter().rfind(is_it).unwrap();
    let session = context.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&secret(SO_PIN))).unwrap();
    session.init_pin(&secret(PIN)).unwrap();
    slot
}

/// Logs in for changes.
pub fn log_in(context: &Pkcs11, slot: Slot, pin: &str) -> Session {
    let session = context.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&secret(pin))).unwrap();
    session
}

/// The token that is there.
pub fn slot(context: &Pkcs11) -> Slot {
    context.get_slots_with_initialized_token().unwrap()[0]
}

/// The user's PIN becomes another one.
pub fn change_pin(context: &Pkcs11, from: &str, to: &str) {
    let session = log_in(context, slot(context), from);
    session.set_pin(&secret(from), &secret(to)).unwrap();
}

/// Lets the token make a key.
pub fn generate(session: &Session, label: &str, id: u8) {
    generate_on(session, &SECP256K1, label, id);
}

/// A key of a curve that Ethereum does not know.
pub fn generate_foreign(session: &Session, label: &str, id: u8) {
    generate_on(session, &SECP256R1, label, id);
}

fn generate_on(session: &Session, curve: &[u8], label: &str, id: u8) {
    let mut public = both(label, id);
    public.extend([
        Attribute::Private(false),
        Attribute::EcParams(curve.to_vec()),
    ]);
    let private = [both(label, id), private()].concat();
    session
        .generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)
        .unwrap();
}

/// Puts a key on the token that is known elsewhere.
pub fn import(session: &Session, key: &SigningKey, label: &str, id: u8) -> Address {
    let kind = [
        Attribute::KeyType(KeyType::EC),
        Attribute::EcParams(SECP256K1.to_vec()),
    ];
    let point = key.verifying_key().to_encoded_point(false);
    let wrapped = [&[4, 65], point.as_bytes()].concat();
    let of_public = [
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Private(false),
        Attribute::EcPoint(wrapped),
    ];
    let of_private = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Value(key.to_bytes().to_vec()),
    ];
    let public = [both(label, id), kind.to_vec(), of_public.to_vec()].concat();
    let private = [
        both(label, id),
        kind.to_vec(),
        of_private.to_vec(),
        private(),
    ]
    .concat();
    session.create_object(&public).unwrap();
    session.create_object(&private).unwrap();
    Address::from_public_key(key.verifying_key())
}

fn both(label: &str, id: u8) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Id(vec![id]),
    ]
}

fn private() -> Vec<Attribute> {
    vec![
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Sign(true),
    ]
}
