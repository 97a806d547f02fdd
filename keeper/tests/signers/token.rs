//! The daemon with its key on a token.

use std::fs;

use super::{
    are_paid, office, payments, sent,
    signing::write_pin,
    softhsm::{Folder, LABEL, PIN, TOKEN, change_pin, import, log_in, make_token, module, start},
    world::{Office, expect, json_of},
};

const NEW_PIN: &str = "a-pin-5150";

/// Another section `[key]`.
pub fn with_key(office: &Office, section: &str) {
    office.configure(|text| {
        let default = "[key]\nkeystore = \"keeper-key.json\"\npassword_file = \"password\"\n";
        assert!(text.contains(default));
        text.replace(default, section)
    });
}

/// The keeper's key, on a token of its own.
fn with_token(office: &mut Office, folder: &Folder) {
    folder.run("token::imports_the_keepers_key");
    write_pin(folder.path(), PIN);
    let section = format!(
        "[key]\nsigner = \"pkcs11\"\naddress = \"{}\"\nmodule = \"{}\"\ntoken = \"{TOKEN}\"\nlabel = \"{LABEL}\"\npin_file = \"{}\"\n",
        office.world.keys.keeper.address(),
        module().display(),
        folder.path().join("pin").display(),
    );
    with_key(office, &section);
    office.variables = vec![("SOFTHSM2_CONF", folder.configuration())];
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn imports_the_keepers_key() {
    let context = start();
    let token = make_token(&context, TOKEN);
    let key = super::world::Keys::fixed().keeper;
    let address = import(&log_in(&context, token, PIN), key.credential(), LABEL, 1);
    assert_eq!(address, key.address());
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn changes_the_pin() {
    change_pin(&start(), PIN, NEW_PIN);
}

/// What the daemon waits for, by its last sign of life.
async fn waits(office: &Office) -> String {
    let status = json_of(&office.keeper(&["--json", "status"]).await);
    status["heartbeat"]["waits"].to_string()
}

/// Waits until the daemon says that it has no signature, and why.
pub async fn waits_because(office: &Office, why: &str) {
    let what = format!("it waits because {why:?}");
    let is_said = async || {
        let waits = waits(office).await;
        waits.contains("the key has not signed: ") && waits.contains(why)
    };
    office.until(&what, is_said).await;
}

/// Waits until it says no such thing any more.
pub async fn signs(office: &Office) {
    let is_over = async || !waits(office).await.contains("the key has not signed");
    office.until("it signs", is_over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_pays_with_a_token_and_outlives_its_pulling_and_a_wrong_pin() {
    let folder = Folder::new();
    let mut office = office().await;
    with_token(&mut office, &folder);
    let checked = office.keeper(&["check"]).await;
    expect(&checked, 0, &office.world.keys.keeper.address().to_string());
    let daemon = office.daemon().await;
    let all = payments(0x61..0x70);
    let paid = async |through: usize| {
        let what = format!("{through} are paid");
        office
            .until(&what, async || {
                are_paid(&office.world, &all[..through]).await
            })
            .await;
    };
    office.request(all[..5].to_vec());
    paid(5).await;

    let away = folder.path().join("away");
    fs::rename(folder.tokens(), &away).unwrap();
    let before = sent(&office.world).await;
    office.request(all[5..10].to_vec());
    waits_because(
        &office,
        "key.token = keeper: the token is not there: its module does not start",
    )
    .await;
    assert_eq!(sent(&office.world).await, before);
    fs::rename(&away, folder.tokens()).unwrap();
    paid(10).await;
    signs(&office).await;

    // Pulled, and back with another PIN.
    fs::rename(folder.tokens(), &away).unwrap();
    let before = sent(&office.world).await;
    office.request(all[10..].to_vec());
    waits_because(
        &office,
        "key.token = keeper: the token is not there: its module does not start",
    )
    .await;
    fs::rename(&away, folder.tokens()).unwrap();
    folder.run("token::changes_the_pin");
    waits_because(
        &office,
        "the token refuses this PIN (C_Login: PinIncorrect)",
    )
    .await;
    assert_eq!(sent(&office.world).await, before);
    write_pin(folder.path(), NEW_PIN);
    paid(15).await;
    daemon.stop();
    let said = office.log();
    assert!(!said.contains(PIN) && !said.contains(NEW_PIN), "{said}");
}
