//! Policy changes that wait for votes, as signers find them.

use std::time::Instant;

use alloy::{
    primitives::{B256, Bytes},
    signers::SignerSync,
};
use alloy_sol_types::SolValue;
use serde_json::{Value, json};
use tidelock_core::abi::Vault;

use super::{
    api::{PATIENCE, Server},
    chain::{beside, key},
    support::Kind,
    vault::script,
    votes::votes,
};

alloy_sol_types::sol! {
    struct RoleChange {
        address account;
        uint8 role;
        uint40 oldUntil;
        uint40 until;
        uint64 nonce;
        uint40 expiresAt;
    }
}

const ROLE_CHANGE: u8 = 3;
const DAY: u64 = 86_400;

/// The changes that wait, once it is so.
async fn waiting(api: &Server, key: &str, is_it: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let begin = Instant::now();
    loop {
        let list = api.get(key, "/v1/approvals").await.of(200);
        let changes = list["changes"].as_array().unwrap();
        if is_it(changes) {
            assert!(list["changes_from"].is_u64(), "{list}");
            return changes.clone();
        }
        assert!(begin.elapsed() < PATIENCE, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one story, told in order")]
async fn a_policy_change_is_listed_voted_on_and_brought() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "read");
    assert!(waiting(&api, &key, |_| true).await.is_empty());
    let now = world.head().await.time.seconds();
    let change = RoleChange {
        account: world.keys.stranger.address(),
        role: 1,
        oldUntil: Default::default(),
        until: (now + 100 * DAY).try_into().unwrap(),
        nonce: 7,
        expiresAt: (now + 10 * DAY).try_into().unwrap(),
    };
    let propose = Vault::proposeChangeCall {
        kind: ROLE_CHANGE,
        change: Bytes::from(change.abi_encode()),
    };
    let [first, second, third] = &world.keys.signers[..] else {
        panic!()
    };
    assert!(world.vault_call(first.address(), &propose).await.success);
    let listed = waiting(&api, &key, |changes| !changes.is_empty()).await;
    let [item] = &listed[..] else {
        panic!("{listed:?}")
    };
    let id = item["id"].as_str().unwrap();
    assert_eq!(item["kind"], "role");
    assert_eq!(item["expires_at"], now + 10 * DAY);
    assert_eq!(item["typed_data"]["message"]["until"], now + 100 * DAY);
    assert_eq!(
        (&item["standing"]["votes"], &item["standing"]["required"]),
        (&json!(1), &json!(2))
    );
    // The same as what signers are told to hold it to, which comes from the vault's log by another program.
    assert_eq!(item["typed_data"], script(&world, id, None));
    let people = item["standing"]["waits_for"].as_array().unwrap();
    assert_eq!(people.len(), 2);
    for one in people {
        assert_eq!(
            one["typed_data"],
            script(&world, id, one["signer"].as_str())
        );
    }
    let place = format!("/v1/changes/{id}/signatures");
    let digest: B256 = people[0]["digest"].as_str().unwrap().parse().unwrap();
    let vote = |signer: &alloy::signers::local::PrivateKeySigner, of: &str| {
        let signature = signer.sign_hash_sync(&digest).unwrap();
        json!({"signer": of, "signature": Bytes::from(signature.as_bytes())})
    };
    let own = people[0]["signer"].as_str().unwrap();
    let (signer, another) = if own == second.address().to_string() {
        (second, third)
    } else {
        (third, second)
    };
    let refused = api
        .tell(&key, &place, vote(another, own))
        .await
        .refused(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "signature", "{refused}");
    let nowhere = format!("/v1/changes/0x{:064}/signatures", 1);
    api.tell(&key, &nowhere, vote(signer, own))
        .await
        .refused(404, "missing");
    // A vote for a change is none for a batch.
    let batch = format!("/v1/approvals/{id}/signatures");
    api.tell(&key, &batch, vote(signer, own))
        .await
        .refused(404, "missing");
    api.tell(&key, &place, vote(signer, own)).await.of(201);
    let kept = api.tell(&key, &place, vote(signer, own)).await.of(200);
    assert_eq!(kept["signatures"].as_array().unwrap().len(), 1);
    let (code, said, _) = votes(daemon.folder(), &["list", id]).await;
    let said = &said["proposals"][0];
    assert_eq!(
        (code, &said["kind"], &said["call"]),
        (0, &json!("role"), &kept["relay"])
    );
    let data: Bytes = kept["relay"]["data"].as_str().unwrap().parse().unwrap();
    let stranger = world.keys.stranger.address();
    assert!(
        world
            .send(stranger, Some(world.domain.vault), data)
            .await
            .success
    );
    let has_votes = |changes: &[Value]| changes[0]["standing"]["votes"] == 2;
    let item = &waiting(&api, &key, has_votes).await[0];
    assert_eq!(
        (&item["standing"]["state"], &item["relay"]),
        (&json!("queued"), &Value::Null)
    );
    // A signer's own call is the third vote.
    let data: Bytes = item["approve"]["data"].as_str().unwrap().parse().unwrap();
    assert!(
        world
            .send(another.address(), Some(world.domain.vault), data)
            .await
            .success
    );
    // What was vetoed waits for nobody.
    let cancel = Vault::cancelCall {
        id: id.parse().unwrap(),
    };
    assert!(
        world
            .vault_call(world.keys.guardian.address(), &cancel)
            .await
            .success
    );
    waiting(&api, &key, <[Value]>::is_empty).await;
}
