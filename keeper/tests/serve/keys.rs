//! Who may do what.

use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

use super::{
    api::{Api, PATIENCE, block_on},
    support::{Kind, payment},
};

pub fn what_a_key_may_do_is_what_it_was_made_for(kind: Kind) {
    let api = Api::empty(kind);
    let (files, reads) = (api.key("request"), api.key("read"));
    let useless = api.key("operate,audit,administer");
    block_on(async {
        api.file(&files, &payment(1)).await.of(201);
        for key in [&reads, &useless] {
            let problem = api.file(key, &payment(2)).await.refused(403, "not-allowed");
            assert!(problem["detail"].as_str().unwrap().contains("request"));
            let bulk = api.post(key, "/v1/withdrawals/bulk", "application/jsonl", "");
            bulk.await.refused(403, "not-allowed");
        }
        let place = format!("/v1/withdrawals/{}", payment(1).reference());
        let pages = [
            place.as_str(),
            &format!("{place}/timeline"),
            "/v1/withdrawals",
            "/v1/events",
            "/v1/events/stream",
        ];
        for page in pages {
            for key in [&files, &useless] {
                api.get(key, page).await.refused(403, "not-allowed");
            }
            for key in ["", "tlk_", &reads[..reads.len() - 1], &format!("{reads}0")] {
                let refused = api.get(key, page).await;
                assert_eq!(refused.headers["www-authenticate"], "Bearer");
                refused.refused(401, "unknown-key");
            }
            let nobody = Api::send(Api::client().get(api.url(page))).await;
            nobody.refused(401, "unknown-key");
        }
        api.get(&reads, &place).await.of(200);
        ends_while_it_serves(&api, &reads, &place).await;
    });
    // Neither a key nor what was asked under it is in the log or in the file.
    let kept = fs::read_to_string(api.home.folder.path().join("keeper.api-keys.json")).unwrap();
    for key in [&files, &reads, &useless] {
        let secret = key.rsplit('_').next().unwrap();
        assert!(!api.log().contains(secret), "{}", api.log());
        assert!(!kept.contains(secret), "{kept}");
    }
}

/// A key that was ended is refused, and so is every key of a file that others could change.
async fn ends_while_it_serves(api: &Api, key: &str, page: &str) {
    let id = key.split('_').nth(1).unwrap();
    let mut command = api.command();
    let done = command.args(["api-key", "end", id]).output().unwrap();
    assert!(done.status.success());
    until_refused(api, key, page).await;

    let other = api.key("read");
    let begin = Instant::now();
    while api.get(&other, page).await.status != 200 {
        assert!(begin.elapsed() < PATIENCE, "a new key is never known");
    }
    let path = api.home.folder.path().join("keeper.api-keys.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    until_refused(api, &other, page).await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn until_refused(api: &Api, key: &str, page: &str) {
    let begin = Instant::now();
    while api.get(key, page).await.status != 401 {
        assert!(begin.elapsed() < PATIENCE, "it is still known");
    }
}

#[test]
fn too_many_requests_are_refused_key_by_key() {
    let mut api = Api::empty(Kind::Sqlite);
    api.kill();
    api.variables
        .push(("KEEPER_SERVE__REQUESTS_PER_SECOND", "1".to_owned()));
    let (one, other) = (api.key("read"), api.key("read"));
    api.start();
    block_on(async {
        let mut refused = None;
        // Of two within a second, one is refused.
        for _ in 0..200 {
            let answer = api.get(&one, "/v1/events").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("no limit");
        assert_eq!(refused.headers["retry-after"], "1");
        refused.refused(429, "too-often");
        api.get(&other, "/v1/events").await.of(200);
    });
}

#[test]
fn keys_are_listed_without_what_is_secret() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key("read,request");
    let mut command = api.command();
    let listed = command
        .args(["--json", "api-key", "list"])
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(
        text.contains("\"a test\"") && text.contains("\"ended\":false"),
        "{text}"
    );
    assert!(!text.contains(key.rsplit('_').next().unwrap()), "{text}");
    assert!(!text.contains("hash"), "{text}");
    for bad in [
        ["--scope", "root", "--days", "1"],
        ["--scope", "read", "--days", "0"],
    ] {
        let mut command = api.command();
        command.args(["api-key", "add", "--name", "x"]).args(bad);
        assert_eq!(command.output().unwrap().status.code(), Some(2));
    }
}
