//! A key in AWS's Key Management Service, as moto plays it, in a process of its own for each test.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use alloy::{
    hex,
    primitives::{Bytes, U256},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidelock_keeper::signer::{Class, Message, Signer};

use super::{
    are_paid, in_own_process, office, payments, sent,
    token::{signs, waits_because, with_key},
    web3signer::open_section,
};

/// Half the order of secp256k1.
const HALF_ORDER: &str = "0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

/// Ends with the test.
struct Kms {
    folder: TempDir,
    server: Child,
    url: String,
}

impl Drop for Kms {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Kms {
    fn start(arguments: &[&str]) -> Self {
        let keeper = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = keeper.parent().unwrap().join("target/moto/bin/python");
        assert!(
            python.exists(),
            "{}: scripts/moto makes it",
            python.display()
        );
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(python)
            .arg(keeper.join("tests/signers/kms.py"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let said = server.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}/", port.trim());
        Self {
            folder,
            server,
            url,
        }
    }

    /// As AWS's own tools ask; the server checks no signature of requests.
    async fn ask(&self, action: &str, asked: Value) -> Value {
        let authority = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=0";
        let answer = tidelock_keeper::tls::client()
            .build()
            .unwrap()
            .post(&self.url)
            .header("x-amz-target", format!("TrentService.{action}"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", authority)
            .body(asked.to_string())
            .send();
        let body = answer.await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    async fn make(&self, spec: &str) -> String {
        let asked = json!({"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"});
        let made = self.ask("CreateKey", asked).await;
        made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    fn section(&self, key: &str) -> String {
        format!(
            "[key]\nsigner = \"aws-kms\"\nkms_key = \"{key}\"\nkms_region = \"eu-central-1\"\nkms_endpoint = \"{}\"\n",
            self.url
        )
    }

    fn refuse(&self, code: &str) {
        fs::write(self.folder.path().join("refusal"), code).unwrap();
    }

    fn sign_again(&self) {
        fs::remove_file(self.folder.path().join("refusal")).unwrap();
    }
}

/// AWS's client finds its credentials in the environment, which no test may change: they run in a process of their own.
const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

#[test]
fn a_key_in_aws_signs_low_and_is_told_apart_from_its_failures() {
    in_own_process("kms::signs_and_fails", &CREDENTIALS);
}

#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn signs_and_fails() {
    let kms = Kms::start(&["digests"]);
    let key = kms.make("ECC_SECG_P256K1").await;
    let signer = open_section(&kms.section(&key)).await.unwrap();
    for number in 0_u64..100 {
        let message = Message::new(Bytes::copy_from_slice(&number.to_be_bytes()));
        let signature = signer.sign(&message).await.unwrap();
        assert!(signature.s() <= HALF_ORDER.parse::<U256>().unwrap());
        let recovered = signature.recover_address_from_prehash(&message.digest());
        assert_eq!(recovered.unwrap(), signer.address());
    }
    let message = Message::new(Bytes::from_static(b"transaction"));
    for (code, class) in [
        ("ThrottlingException", Class::Transient),
        ("KMSInternalException", Class::Transient),
        ("DependencyTimeoutException", Class::Transient),
        ("ExpiredTokenException", Class::Transient),
        ("DisabledException", Class::Final),
        ("KMSInvalidStateException", Class::Final),
        ("AccessDeniedException", Class::Final),
        ("NotFoundException", Class::Final),
    ] {
        // A signer of its own each time, for a signer pauses after a failure.
        let signer = open_section(&kms.section(&key)).await.unwrap();
        kms.refuse(code);
        let error = signer.sign(&message).await.unwrap_err();
        let said = error.to_string();
        assert_eq!(error.class(), class, "{said}");
        let expected = format!("key.kms_key = {key}: {code}: so the test wants it");
        assert_eq!(said, expected);
        kms.sign_again();
        signer.sign(&message).await.unwrap();
    }
}

#[test]
fn a_wrong_setting_of_aws_is_named() {
    in_own_process("kms::are_wrong", &CREDENTIALS);
}

#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn are_wrong() {
    let kms = Kms::start(&["digests"]);
    let key = kms.make("ECC_SECG_P256K1").await;
    let other = kms.make("ECC_NIST_P256").await;
    let missing = "11111111-2222-3333-4444-555555555555";
    let nowhere = kms.section(&key).replace(&kms.url, "http://127.0.0.1:1/");
    let no_region = kms
        .section(&key)
        .replace("kms_region = \"eu-central-1\"\n", "");
    for (section, class, words) in [
        (
            kms.section(missing),
            Class::Final,
            format!("key.kms_key = {missing}: NotFoundException"),
        ),
        (
            kms.section(&other),
            Class::Final,
            format!("key.kms_key = {other}: must be of the curve"),
        ),
        (nowhere, Class::Transient, format!("key.kms_key = {key}: ")),
        (
            no_region,
            Class::Final,
            "key.kms_region = \"\": must be given".to_owned(),
        ),
        (
            kms.section(&key) + "address = \"0x00000000000000000000000000000000000000a4\"\n",
            Class::Final,
            "key.address = 0x00000000000000000000000000000000000000a4: the key is of ".to_owned(),
        ),
    ] {
        let error = open_section(&section).await.unwrap_err();
        let said = error.to_string();
        assert_eq!(error.class(), class, "{said}");
        assert!(said.contains(&words), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_service_that_hashes_once_more_is_found_out() {
    in_own_process("kms::hashes_once_more", &CREDENTIALS);
}

#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn hashes_once_more() {
    let kms = Kms::start(&["hashes"]);
    let key = kms.make("ECC_SECG_P256K1").await;
    let signer = open_section(&kms.section(&key)).await.unwrap();
    let message = Message::new(Bytes::from_static(b"transaction"));
    let said = signer.sign(&message).await.unwrap_err().to_string();
    assert!(
        said.contains("is no signature of these bytes by this key"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_pays_with_a_key_in_aws_and_waits_while_it_is_throttled() {
    let mut office = office().await;
    let secret = hex::encode(office.world.keys.keeper.to_bytes());
    let kms = Kms::start(&["digests", &secret]);
    let key = kms.make("ECC_SECG_P256K1").await;
    with_key(&office, &kms.section(&key));
    let credentials = CREDENTIALS.map(|(name, value)| (name, PathBuf::from(value)));
    office.variables = credentials.into();
    let daemon = office.daemon().await;
    let all = payments(0x61..0x6b);
    let paid = async |through: usize| {
        let what = format!("{through} are paid");
        let are_so = async || are_paid(&office.world, &all[..through]).await;
        office.until(&what, are_so).await;
    };
    office.request(all[..5].to_vec());
    paid(5).await;
    kms.refuse("ThrottlingException");
    let before = sent(&office.world).await;
    office.request(all[5..].to_vec());
    waits_because(&office, "ThrottlingException").await;
    assert_eq!(sent(&office.world).await, before);
    kms.sign_again();
    paid(10).await;
    signs(&office).await;
    daemon.stop();
    assert!(!office.log().contains("hunter2"));
}
