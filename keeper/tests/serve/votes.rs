//! Votes that signers take back.

use std::time::{Duration, Instant};

use alloy::{
    primitives::{B256, Bytes},
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::{Value, json};
use tidelock_core::abi::Vault;

use super::{
    api::{PATIENCE, Server},
    chain::{beside, key},
    daemon,
    support::Kind,
    world::USDT,
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
