//! What the token signs: ten thousand times, by many at once, and across sessions that are lost.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use alloy::primitives::{Bytes, U256, keccak256};
use tidelock_keeper::{
    config::Pkcs11Config,
    signer::{Class, Guarded, Message, Pkcs11Signer, Signer, SignerError},
};

use super::softhsm::{
    Folder, LABEL, PIN, TOKEN, change_pin, generate, log_in, make_token, module, slot, start,
    told_folder,
};

/// Half the order of secp256k1; an s above it is refused by the chain.
const HALF_ORDER: &str = "0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

pub fn config(folder: &Path) -> Pkcs11Config {
    Pkcs11Config {
        module: module(),
        token: TOKEN.to_owned(),
        label: Some(LABEL.to_owned()),
        id: None,
        pin_file: Some(folder.join("pin")),
    }
}

pub fn write_pin(folder: &Path, pin: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("pin");
    fs::write(&path, format!("{pin}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A token with a key that it made itself, and a signer for it.
fn open() -> Guarded {
    let folder = told_folder();
    let context = start();
    let token = make_token(&context, TOKEN);
    generate(&log_in(&context, token, PIN), LABEL, 1);
    context.finalize().unwrap();
    write_pin(&folder, PIN);
    Guarded::new(Pkcs11Signer::open(&config(&folder)).unwrap(), 10_000)
}

fn message(number: u64) -> Message {
    Message::new(Bytes::copy_from_slice(&number.to_be_bytes()))
}

async fn sign(signer: &Guarded, number: u64) -> Result<(), SignerError> {
    let message = message(number);
    let signature = signer.sign(&message).await?;
    assert!(signature.s() <= HALF_ORDER.parse::<U256>().unwrap());
    let digest = keccak256(number.to_be_bytes());
    let recovered = signature.recover_address_from_prehash(&digest);
    assert_eq!(recovered.unwrap(), signer.address());
    Ok(())
}

#[test]
fn ten_thousand_signatures_are_low_and_lead_to_the_address() {
    Folder::new().run("signing::signs_ten_thousand_times");
}

#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn signs_ten_thousand_times() {
    let signer = open();
    for number in 0..10_000 {
        sign(&signer, number).await.unwrap();
    }
}

#[test]
fn many_ask_at_once() {
    Folder::new().run("signing::signs_for_many_at_once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another test, in a process of its own"]
async fn signs_for_many_at_once() {
    let signer = Arc::new(open());
    let tasks = (0..32).map(|task| {
        let signer = Arc::clone(&signer);
        tokio::spawn(async move {
            for number in 0..20 {
                sign(&signer, task * 1_000 + number).await.unwrap();
            }
            task
        })
    });
    let mut done = BTreeSet::new();
    for task in tasks.collect::<Vec<_>>() {
        done.insert(task.await.unwrap());
    }
    assert_eq!(done.len(), 32);
}

#[test]
fn a_token_that_was_pulled_is_named_and_signs_again_once_it_is_back() {
    Folder::new().run("signing::is_pulled");
}

#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn is_pulled() {
    let signer = open();
    sign(&signer, 1).await.unwrap();
    let (there, away) = (told_folder().join("tokens"), told_folder().join("away"));
    // SoftHSM without its folder does not start; with an empty one it has no token.
    for empty in [false, true] {
        fs::rename(&there, &away).unwrap();
        if empty {
            fs::create_dir(&there).unwrap();
        }
        for _ in 0..3 {
            let error = sign(&signer, 2).await.unwrap_err();
            assert_eq!(error.class(), Class::Absent, "{error}");
            let said = error.to_string();
            assert!(said.starts_with("key.token = keeper: "), "{said}");
        }
        if empty {
            fs::remove_dir_all(&there).unwrap();
        }
        fs::rename(&away, &there).unwrap();
        sign(&signer, 3).await.unwrap();
    }
}

#[test]
fn a_pin_that_the_token_refuses_is_tried_once() {
    Folder::new().run("signing::is_refused_its_pin");
}

#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn is_refused_its_pin() {
    let signer = open();
    sign(&signer, 1).await.unwrap();
    let folder = told_folder();
    let (there, away) = (folder.join("tokens"), folder.join("away"));
    fs::rename(&there, &away).unwrap();
    sign(&signer, 2).await.unwrap_err();
    fs::rename(&away, &there).unwrap();
    let other = "1111";
    // The keeper's module has ended with the token, so this process may start it.
    let context = start();
    change_pin(&context, PIN, other);
    context.finalize().unwrap();

    let refused = sign(&signer, 2).await.unwrap_err();
    assert_eq!(refused.class(), Class::Final, "{refused}");
    let said = refused.to_string();
    assert!(
        said.contains("key.pin_file = ") && said.contains("PinIncorrect"),
        "{said}"
    );
    assert!(!said.contains(PIN), "{said}");

    // The token counts wrong PINs: the flag is put out by a right one, and the keeper must not light it again.
    let context = start();
    drop(log_in(&context, slot(&context), other));
    context.finalize().unwrap();
    for _ in 0..2 {
        let again = sign(&signer, 2).await.unwrap_err();
        assert_eq!(again.class(), Class::Final, "{again}");
        let context = start();
        let is_low = context
            .get_token_info(slot(&context))
            .unwrap()
            .user_pin_count_low();
        context.finalize().unwrap();
        assert!(!is_low, "the PIN was tried again: {again}");
    }
    // Written again, it is tried again, once: somebody has asked for that.
    write_pin(&folder, PIN);
    for _ in 0..2 {
        let said = sign(&signer, 2).await.unwrap_err().to_string();
        assert!(said.contains("and it is not tried again"), "{said}");
    }
    write_pin(&folder, other);
    sign(&signer, 3).await.unwrap();
}
