//! Votes that signers take back, and those that are collected and brought.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{B256, Bytes},
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::{Value, json};
use tidelock_core::{abi::Vault, domain::BatchId};
use tidelock_keeper::store::{Desk, Vote};

use super::{
    api::{PATIENCE, Server},
    chain::{beside, keeper, key},
    daemon,
    support::Kind,
    world::{USDT, as_keystore, password_file},
};

/// What waits for signers first, once it is so.
pub async fn waiting(api: &Server, key: &str, is_it: &dyn Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let list = api.get(key, "/v1/approvals").await.of(200);
        if let Some(item) = list["items"].get(0).filter(|item| is_it(item)) {
            return item.clone();
        }
        assert!(begin.elapsed() < PATIENCE, "{list}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A signer's vote, as it is brought.
fn vote(item: &Value, signer: &PrivateKeySigner) -> Value {
    let name = signer.address().to_string();
    let mut people = item["standing"]["waits_for"].as_array().unwrap().iter();
    let one = people.find(|one| one["signer"] == name).unwrap();
    let digest: B256 = one["digest"].as_str().unwrap().parse().unwrap();
    let signature = signer.sign_hash_sync(&digest).unwrap();
    json!({"signer": name, "signature": Bytes::from(signature.as_bytes())})
}

/// Of votes that are brought together, one that was taken back makes the vault refuse all.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_was_taken_back_spoils_no_other() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "request,read");
    api.file(&key, &daemon::payment(1, 5_000 * USDT))
        .await
        .of(201);
    let is_proposed = |item: &Value| item["standing"]["state"] == "proposed";
    let item = waiting(&api, &key, &is_proposed).await;
    let id = item["id"].as_str().unwrap();
    let place = format!("/v1/approvals/{id}/signatures");
    let [first, second, third] = &world.keys.signers[..] else {
        panic!()
    };
    for signer in [first, second, third] {
        api.tell(&key, &place, vote(&item, signer)).await.of(201);
    }
    let revoke = Vault::revokeCall {
        id: id.parse().unwrap(),
    };
    let receipt = world.vault_call(first.address(), &revoke).await;
    assert!(receipt.success);
    let of_first = |item: &Value| {
        let people = item["standing"]["waits_for"].as_array().unwrap();
        let name = first.address().to_string();
        let one = people.iter().find(|one| one["signer"] == name.as_str());
        one.is_some_and(|one| one["revoked"] == true)
    };
    let item = waiting(&api, &key, &of_first).await;
    let people = item["standing"]["waits_for"].as_array().unwrap();
    let taken_back = people.iter().filter(|one| one["revoked"] == true);
    assert_eq!((people.len(), taken_back.count()), (3, 1), "{item}");
    // Its signature counts no more, and none is taken in its place.
    let refused = api
        .tell(&key, &place, vote(&item, first))
        .await
        .refused(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "signer", "{refused}");
    // The others' are brought without it.
    let data: Bytes = item["relay"]["data"].as_str().unwrap().parse().unwrap();
    let stranger = world.keys.stranger.address();
    let receipt = world.send(stranger, Some(world.domain.vault), data).await;
    assert!(receipt.success);
    let item = waiting(&api, &key, &|item| item["standing"]["votes"] == 2).await;
    assert_eq!(item["relay"], Value::Null, "nothing is left to bring");
    // Its own call votes again, and then it is among those who voted.
    let data: Bytes = item["approve"]["data"].as_str().unwrap().parse().unwrap();
    let receipt = world
        .send(first.address(), Some(world.domain.vault), data)
        .await;
    assert!(receipt.success);
    let item = waiting(&api, &key, &|item| item["standing"]["votes"] == 3).await;
    assert_eq!(item["standing"]["waits_for"], json!([]));
}

/// `keeper votes …` in a daemon's folder: its status, what it said, and what it complained of.
pub async fn votes(folder: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let mut command = keeper(folder);
    command.args(["--json", "votes"]).args(arguments);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await;
    let ran = ran.unwrap();
    let said = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    let complained = String::from_utf8(ran.stderr).unwrap();
    (ran.status.code().unwrap(), said, complained)
}

/// The API collects; `keeper votes` brings, from the account of whoever pays for it: by these votes alone the batch has its quorum.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one story, told in order")]
async fn collected_votes_are_brought_by_anybody_but_the_keeper() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let folder = daemon.folder();
    let key = key(folder, "request,read");
    api.file(&key, &daemon::payment(1, 5_000 * USDT))
        .await
        .of(201);
    let is_proposed = |item: &Value| item["standing"]["state"] == "proposed";
    let item = waiting(&api, &key, &is_proposed).await;
    let id = item["id"].as_str().unwrap();
    let (code, said, _) = votes(folder, &["list"]).await;
    assert_eq!((code, &said["proposals"]), (0, &json!([])));
    let place = format!("/v1/approvals/{id}/signatures");
    let [first, second, third] = &world.keys.signers[..] else {
        panic!()
    };
    for signer in [first, second] {
        api.tell(&key, &place, vote(&item, signer)).await.of(201);
    }
    // Whoever may write the store adds one that its signer never gave; of votes that are brought together the vault would refuse all for it.
    let other = vote(&item, first)["signature"].clone();
    let forged = Vote {
        batch: BatchId(id.parse().unwrap()),
        signer: third.address(),
        epoch: 1,
        signature: serde_json::from_value(other).unwrap(),
    };
    let location = daemon.location();
    let kept = tokio::task::spawn_blocking(move || {
        let mut desk = Desk::open(location).unwrap();
        desk.keep_vote(&forged).unwrap()
    });
    assert!(kept.await.unwrap());
    let words = |said: &Value| {
        let each = said["proposals"][0]["signatures"].as_array().unwrap();
        let mut words: Vec<String> = each.iter().map(|one| one["is"].to_string()).collect();
        words.sort();
        words.join(" ")
    };
    let (code, said, _) = votes(folder, &["list", id]).await;
    assert_eq!(
        (code, said["proposals"][0]["kind"].as_str()),
        (0, Some("batch"))
    );
    assert_eq!(words(&said), r#""not_theirs" "to_bring" "to_bring""#);
    // What the API offers to be sent leaves it out too.
    let both = |item: &Value| item["relay"]["data"] == said["proposals"][0]["call"]["data"];
    waiting(&api, &key, &both).await;

    password_file(folder, "own.password", "mine");
    as_keystore(folder, "own.keystore", &world.keys.stranger, "mine");
    let own = [
        "--keystore",
        "own.keystore",
        "--password-file",
        "own.password",
    ];
    let bring =
        async |options: &[&str]| votes(folder, &[&["bring"], &own[..], options].concat()).await;
    let (code, said, _) = bring(&["--dry-run"]).await;
    assert_eq!(
        (code, &said[0]["sent"], &said[0]["brings"]),
        (0, &json!(false), &json!(2))
    );
    assert!(said[0]["gas"].as_u64().unwrap() > 21_000);
    let (code, _, why) = bring(&[]).await;
    assert!(
        code == 2 && why.contains("--yes"),
        "nobody is there to say yes: {why}"
    );
    // The keeper's nonces are the daemon's, and whoever has no key of their own brings nothing.
    let keepers = [
        "bring",
        "--yes",
        "--keystore",
        "keeper.keystore",
        "--password-file",
        "keeper.password",
    ];
    let (code, _, why) = votes(folder, &keepers).await;
    assert!(code == 3 && why.contains("keeper's role"), "{why}");
    let standing = waiting(&api, &key, &|_| true).await["standing"].clone();
    assert_eq!(standing["votes"], 0, "{standing}");

    let (code, said, why) = bring(&["--yes", id]).await;
    assert_eq!(code, 0, "{why}");
    assert_eq!(
        (&said[0]["votes"], &said[0]["required"]),
        (&json!(2), &json!(2)),
        "{said}"
    );
    let item = waiting(&api, &key, &|item| item["standing"]["votes"] == 2).await;
    assert_ne!(
        item["standing"]["state"], "proposed",
        "its delay runs, or it is over"
    );
    let (_, said, _) = votes(folder, &["list"]).await;
    assert_eq!(words(&said), r#""counts" "counts" "not_theirs""#);
    let (code, _, why) = bring(&["--yes"]).await;
    assert!(code == 3 && why.contains("nothing was sent"), "{why}");
}
