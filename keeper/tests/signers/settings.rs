//! What a wrong setting gets: field, value, rule.

use std::path::Path;

use alloy::{primitives::Address, signers::k256::ecdsa::SigningKey};
use tidelock_keeper::{
    config::{KeyId, Pkcs11Config},
    signer::{Class, Pkcs11Signer, Signer},
};

use super::{
    signing::{config, write_pin},
    softhsm::{
        Folder, LABEL, PIN, TOKEN, generate, generate_foreign, import, log_in, make_token, slot,
        start, told_folder,
    },
};

#[test]
fn a_wrong_setting_is_named() {
    Folder::new().run("settings::are_wrong");
}

fn refused(config: &Pkcs11Config) -> (Class, String) {
    match Pkcs11Signer::open(config) {
        Ok(signer) => panic!("opened: {}", signer.address()),
        Err(error) => (error.class(), error.to_string()),
    }
}

/// A token with two keys of one label, one of another curve, and one that is known.
fn furnish() -> Address {
    let context = start();
    let token = make_token(&context, TOKEN);
    let session = log_in(&context, token, PIN);
    generate(&session, LABEL, 1);
    generate(&session, LABEL, 2);
    generate_foreign(&session, "foreign", 3);
    let key = SigningKey::from_slice(&[0x11; 32]).unwrap();
    let address = import(&session, &key, "imported", 4);
    drop(session);
    context.finalize().unwrap();
    address
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn are_wrong() {
    let folder = told_folder();
    let address = furnish();
    write_pin(&folder, PIN);
    let right = Pkcs11Config {
        label: Some("imported".to_owned()),
        ..config(&folder)
    };
    assert_eq!(Pkcs11Signer::open(&right).unwrap().address(), address);
    let by_id = |id| Pkcs11Config {
        label: None,
        id: Some(KeyId(vec![id])),
        ..right.clone()
    };
    assert_eq!(Pkcs11Signer::open(&by_id(4)).unwrap().address(), address);
    let labelled = |label: &str| Pkcs11Config {
        label: Some(label.to_owned()),
        ..right.clone()
    };
    let with_module = |module: &str| Pkcs11Config {
        module: module.into(),
        ..right.clone()
    };
    let on_token = |token: &str| Pkcs11Config {
        token: token.to_owned(),
        ..right.clone()
    };
    for (config, class, words) in [
        (
            with_module("/nowhere.so"),
            Class::Final,
            "key.module = /nowhere.so: no such file",
        ),
        (
            with_module("/etc/hosts"),
            Class::Final,
            "key.module = /etc/hosts: must be a PKCS#11 module",
        ),
        (
            on_token("another"),
            Class::Absent,
            "key.token = another: the token is not there: pulled",
        ),
        (
            labelled("nothing"),
            Class::Final,
            "key.label = nothing: names no private key on token keeper",
        ),
        (
            labelled(LABEL),
            Class::Final,
            "key.label = withdrawals: names more than one private key",
        ),
        (
            labelled("foreign"),
            Class::Final,
            "key.label = foreign: is of another curve; must be secp256k1",
        ),
        (by_id(9), Class::Final, "key.id = 09: names no private key"),
    ] {
        let (found, said) = refused(&config);
        assert_eq!(found, class, "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains(PIN), "{said}");
    }
    wrong_pin_at_the_start(&folder, &right);
}

/// Whoever starts it again and again must not lock the token.
fn wrong_pin_at_the_start(folder: &Path, config: &Pkcs11Config) {
    write_pin(folder, "0000");
    let (class, said) = refused(config);
    assert_eq!(class, Class::Final, "{said}");
    assert!(
        said.contains("PinIncorrect") && !said.contains("0000"),
        "{said}"
    );
    for pin in ["0000", PIN] {
        write_pin(folder, pin);
        let (class, said) = refused(config);
        assert_eq!(class, Class::Final, "{said}");
        assert!(
            said.contains("a wrong PIN was tried since the last right one"),
            "{said}"
        );
    }
    let context = start();
    drop(log_in(&context, slot(&context), PIN));
    context.finalize().unwrap();
    assert!(Pkcs11Signer::open(config).is_ok());
}
