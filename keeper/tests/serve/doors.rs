//! From where a key may be used, and TLS, as clients meet them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use super::{
    api::{Answer, Api, PATIENCE, block_on, key_with},
    keys::until_known,
    support::{Kind, VAULT, home::Done},
};

/// Lines of `[serve]` beside what an installation has.
pub fn settings(api: &Api, lines: &str) {
    let path = api.home.folder.path().join("keeper.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (head, tail) = text.split_once("[serve]\n").unwrap();
    fs::write(&path, format!("{head}[serve]\n{lines}\n{tail}")).unwrap();
}

async fn forwarded(api: &Api, key: &str, by: &[&str]) -> Answer {
    let mut request = Api::client().get(api.url("/v1/events"));
    for line in by {
        request = request.header("x-forwarded-for", *line);
    }
    Api::send(request.header("authorization", format!("Bearer {key}"))).await
}

pub fn a_key_is_refused_from_elsewhere(kind: Kind) {
    let api = Api::empty(kind);
    let vault = VAULT.to_string();
    let with = |options: &[&str]| key_with(api.command(), "Shop", "read", options);
    let here = with(&["--network", "127.0.0.0/8", "--vault", &vault]);
    let far = with(&["--network", "192.0.2.0/24", "--network", "2001:db8::1"]);
    let other = with(&["--vault", "0x00000000000000000000000000000000000000b1"]);
    let carl = api.key_of("Carl", "administer");
    block_on(async {
        until_known(&api, &carl, "/v1/keys", true).await;
        api.get(&here, "/v1/events").await.of(200);
        // What whoever asks says of itself is nobody's word.
        for (key, rule) in [(&far, "networks: "), (&other, "vaults: ")] {
            let refused = forwarded(&api, key, &["192.0.2.1"])
                .await
                .refused(403, "not-from-there");
            let detail = refused["detail"].as_str().unwrap();
            assert!(detail.starts_with(rule), "{refused}");
        }
        let listed = api.get(&carl, "/v1/keys").await.of(200);
        let keys = listed["items"].as_array().unwrap();
        assert_eq!(keys[0]["networks"], json!(["127.0.0.0/8"]));
        assert_eq!(keys[0]["vaults"], json!([vault]));
        assert!(
            keys[0]["last_used_at"].is_u64() && keys[3]["last_used_at"].is_u64(),
            "{listed}"
        );
        // A use that was refused is none.
        assert!(
            keys[1]["last_used_at"].is_null() && keys[2]["last_used_at"].is_null(),
            "{listed}"
        );
    });
    // It is written when the server ends.
    let mut api = api;
    api.ask_to_end();
    assert!(api.ended().success());
    let listed: Done = api
        .command()
        .args(["api-key", "list"])
        .output()
        .unwrap()
        .into();
    let listed = listed.ok();
    let lines: Vec<&str> = listed.lines().collect();
    assert!(
        lines[0].contains(" from 127.0.0.0/8 for 0x") && lines[0].contains("last used"),
        "{listed}"
    );
    assert!(!lines[1].contains("last used"), "{listed}");
}

#[test]
fn a_named_proxy_says_from_where_a_key_is_used() {
    let (mut api, store) = Api::set_up(Kind::Sqlite, |location| super::support::create(location));
    store.close().unwrap();
    settings(&api, "proxies = [\"127.0.0.1\"]");
    api.start();
    let far = key_with(
        api.command(),
        "Shop",
        "read",
        &["--network", "192.0.2.0/24"],
    );
    let any = api.key("read");
    block_on(async {
        forwarded(&api, &far, &["192.0.2.1"]).await.of(200);
        forwarded(&api, &far, &["198.51.100.1, 192.0.2.1"])
            .await
            .of(200);
        for by in [
            &["192.0.2.1, 198.51.100.1"][..],
            &["192.0.2.1", "198.51.100.1"],
            &["192.0.2.1, x"],
            &[],
        ] {
            forwarded(&api, &far, by)
                .await
                .refused(403, "not-from-there");
        }
        forwarded(&api, &any, &[]).await.of(200);
    });
}

/// A certificate of an authority of its own, for 127.0.0.1.
fn certificate(folder: &Path, name: &str) {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    openssl.args([
        "-nodes",
        "-days",
        "2",
        "-subj",
        &format!("/CN={name}"),
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args([
        "-keyout",
        &format!("{name}.key"),
        "-out",
        &format!("{name}.crt"),
    ]);
    let done: Done = openssl.output().expect("openssl is not there").into();
    done.ok();
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(folder.join(format!("{name}.key")), mode).unwrap();
}

/// What a server says that does not begin to serve.
fn refused(api: &Api) -> Done {
    let mut command = api.command();
    let command = command
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let begin = std::time::Instant::now();
    while process.try_wait().unwrap().is_none() && begin.elapsed() < PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // It may serve all the same.
    let _ = process.kill();
    process.wait_with_output().unwrap().into()
}

/// curl's exit code, and what it printed.
fn curl(api: &Api, options: &[&str]) -> (i32, String) {
    let folder = api.home.folder.path();
    let mut curl = Command::new("curl");
    curl.current_dir(folder)
        .args(["-sS", "--max-time", "30"])
        .args(options);
    let done: Done = curl.output().expect("curl is not there").into();
    (done.code, done.out + &done.err)
}

#[test]
fn tls_is_served_and_a_renewed_certificate_without_a_restart() {
    let (mut api, store) = Api::set_up(Kind::Sqlite, |location| super::support::create(location));
    store.close().unwrap();
    let folder = api.home.folder.path().to_owned();
    for name in ["old", "new"] {
        certificate(&folder, name);
    }
    let place = |from: &str, to: &str| fs::rename(folder.join(from), folder.join(to)).unwrap();
    fs::copy(folder.join("old.crt"), folder.join("a.crt")).unwrap();
    fs::copy(folder.join("old.key"), folder.join("a.key")).unwrap();
    settings(
        &api,
        "tls_certificate_file = \"a.crt\"\ntls_key_file = \"a.key\"",
    );
    // A key that others of this host could read is refused.
    fs::set_permissions(folder.join("a.key"), fs::Permissions::from_mode(0o604)).unwrap();
    refused(&api).refused(2, &["a.key", "must not be open to every user"]);
    fs::set_permissions(folder.join("a.key"), fs::Permissions::from_mode(0o600)).unwrap();
    api.start();
    let url = format!("https://{}/healthz", api.address);
    let trusts = |name: &str, more: &[&str]| {
        let file = format!("{name}.crt");
        let options = [&["--cacert", &file, "--fail-with-body", &url][..], more].concat();
        curl(&api, &options)
    };
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let (code, said) = trusts("old", version);
        assert_eq!(code, 0, "{said}");
    }
    // Too old, of nobody whom the client trusts, without TLS.
    let (code, said) = trusts(
        "old",
        &[
            "--tls-max",
            "1.1",
            "--tlsv1.0",
            "--ciphers",
            "DEFAULT@SECLEVEL=0",
        ],
    );
    assert_eq!(code, 35, "{said}");
    assert_eq!(trusts("new", &[]).0, 60);
    assert_ne!(curl(&api, &[&api.url("/healthz")]).0, 0);
    // One whose key has not come yet is not served.
    place("new.crt", "a.crt");
    fs::copy(folder.join("a.crt"), folder.join("new.crt")).unwrap();
    let begin = std::time::Instant::now();
    while !api.log().contains("the certificate of before is served on") {
        assert_eq!(trusts("old", &[]).0, 0);
        assert!(begin.elapsed() < PATIENCE, "{}", api.log());
    }
    place("new.key", "a.key");
    while trusts("new", &[]).0 != 0 {
        assert!(begin.elapsed() < PATIENCE, "{}", api.log());
    }
    assert_eq!(trusts("old", &[]).0, 60);
}
