//! Who may do what.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use super::{
    api::{Api, PATIENCE, Stream, block_on},
    support::{Kind, payment},
};

const ALL: [&str; 5] = ["request", "read", "operate", "audit", "administer"];

/// Each route, and the scopes that open it. A body of nothing is refused by what reads it, not by who asks.
const ROUTES: [(&str, &str, &[&str]); 27] = [
    ("POST", "/v1/withdrawals", &["request"]),
    ("POST", "/v1/withdrawals/bulk", &["request"]),
    ("POST", "/v1/quotes", &["request"]),
    ("GET", "/v1/withdrawals", &["read"]),
    ("GET", "/v1/withdrawals/export", &["read"]),
    ("GET", "/v1/withdrawals/1", &["read"]),
    ("GET", "/v1/withdrawals/1/timeline", &["read"]),
    ("GET", "/v1/events", &["read"]),
    ("GET", "/v1/events/stream?after=x", &["read"]),
    ("GET", "/v1/events/socket", &["read"]),
    ("GET", "/v1/vaults", &["read"]),
    ("GET", "/v1/vaults/1", &["read"]),
    ("GET", "/v1/approvals", &["read"]),
    ("POST", "/v1/approvals/1/signatures", &["read"]),
    ("POST", "/v1/changes/1/signatures", &["read"]),
    ("GET", "/v1/acts", &["operate", "audit", "administer"]),
    ("GET", "/v1/acts/1", &["operate", "audit", "administer"]),
    ("POST", "/v1/acts", &["operate", "administer"]),
    (
        "POST",
        "/v1/acts/1/confirmation",
        &["operate", "administer"],
    ),
    ("POST", "/v1/acts/1/refusal", &["operate", "administer"]),
    ("GET", "/v1/log", &["audit"]),
    ("GET", "/v1/keeper", &["operate", "audit", "administer"]),
    ("GET", "/v1/session", &ALL),
    ("POST", "/v1/session/end", &ALL),
    ("GET", "/v1/keys", &["administer"]),
    ("POST", "/v1/keys", &["administer"]),
    ("POST", "/v1/keys/1/end", &["administer"]),
];

pub fn what_a_key_may_do_is_what_it_was_made_for(kind: Kind) {
    let api = Api::empty(kind);
    let scopes = ALL;
    let keys = scopes.map(|scope| api.key(scope));
    let [files, reads, ..] = &keys;
    block_on(async {
        api.file(files, &payment(1)).await.of(201);
        for (method, path, opens) in ROUTES {
            let ask = async |key: &str| {
                let method = method.parse().unwrap();
                let request = Api::client().request(method, api.url(path)).body("");
                Api::send_in_time(request.header("authorization", format!("Bearer {key}"))).await
            };
            for (scope, key) in scopes.iter().zip(&keys) {
                let answer = ask(key).await;
                if opens.contains(scope) {
                    assert!(![401, 403].contains(&answer.status), "{scope} {path}");
                    continue;
                }
                let problem = answer.refused(403, "not-allowed");
                assert!(
                    problem["detail"].as_str().unwrap().contains(opens[0]),
                    "{problem}"
                );
            }
            for key in ["", "tlk_", &reads[..reads.len() - 1], &format!("{reads}0")] {
                let refused = ask(key).await;
                assert_eq!(refused.headers["www-authenticate"], "Bearer");
                refused.refused(401, "unknown-key");
            }
            let nobody = Api::client().request(method.parse().unwrap(), api.url(path));
            Api::send_in_time(nobody).await.refused(401, "unknown-key");
        }
        let place = format!("/v1/withdrawals/{}", payment(1).reference());
        api.get(reads, &place).await.of(200);
        ends_while_it_serves(&api, reads, &place).await;
    });
    // Neither a key nor what was asked under it is in the log or in the file.
    let kept = fs::read_to_string(api.home.folder.path().join("keeper.api-keys.json")).unwrap();
    for key in &keys {
        let secret = key.rsplit('_').next().unwrap();
        assert!(!api.log().contains(secret), "{}", api.log());
        assert!(!kept.contains(secret), "{kept}");
    }
}

/// A key that was ended is refused, and so is every key of a file that others could change.
async fn ends_while_it_serves(api: &Api, key: &str, page: &str) {
    let mut stream = Stream::open(api.url("/v1/events/stream?after=0"), key, None).await;
    let id = key.split('_').nth(1).unwrap();
    let mut command = api.command();
    let done = command.args(["api-key", "end", id]).output().unwrap();
    assert!(done.status.success());
    until_known(api, key, page, false).await;
    assert!(stream.next().await.is_none(), "a stream ends with its key");

    let other = api.key("read");
    until_known(api, &other, page, true).await;
    api.get(&other, page).await.of(200);
    let path = api.home.folder.path().join("keeper.api-keys.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    until_known(api, &other, page, false).await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Until a key is known, or is no more.
pub async fn until_known(api: &Api, key: &str, page: &str, is_known: bool) {
    let begin = Instant::now();
    while (api.get(key, page).await.status != 401) != is_known {
        assert!(begin.elapsed() < PATIENCE, "known: {}", !is_known);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What stands above is what the document says, and nothing of it is left out.
#[test]
fn every_route_of_the_document_is_tried_with_every_scope() {
    let document = tidelock_api::document().unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let mut told = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parts = path.split('/');
        let parts = parts.map(|part| if part.starts_with('{') { "1" } else { part });
        let place = parts.collect::<Vec<_>>().join("/");
        for (method, operation) in item.as_object().unwrap() {
            let Some(security) = operation["security"].as_array() else {
                assert!(!path.starts_with("/v1/"), "{method} {path} takes no key");
                continue;
            };
            let scopes = security.iter().map(|one| one["key"][0].as_str().unwrap());
            let scopes: BTreeSet<String> = scopes.map(str::to_owned).collect();
            told.insert((method.to_uppercase(), place.clone(), scopes));
        }
    }
    let tried = ROUTES.map(|(method, path, scopes)| {
        let (path, _) = path.split_once('?').unwrap_or((path, ""));
        let scopes = scopes.iter().map(|scope| (*scope).to_owned());
        (method.to_owned(), path.to_owned(), scopes.collect())
    });
    assert_eq!(told, BTreeSet::from(tried));
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
