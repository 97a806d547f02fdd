//! What the API tells of the vault on a real chain: what may leave and when, quotes, votes that anybody brings.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use alloy::{
    primitives::{Bytes, U256},
    signers::SignerSync,
};
use serde_json::{Value, json};
use tidelock_core::abi::VaultLens;

use super::{
    api::{self, Api, PATIENCE},
    chain::{beside, key, stands},
    daemon,
    support::Kind,
    votes::waiting,
    world::{USDT, World, repository},
};

fn units(text: &Value) -> u128 {
    let (whole, part) = text
        .as_str()
        .unwrap()
        .split_once('.')
        .unwrap_or((text.as_str().unwrap(), ""));
    format!("{whole}{part:0<6}").parse().unwrap()
}

async fn fits_at(world: &World, tier: u8, total: u128) -> u64 {
    let call = VaultLens::fitsAtCall {
        vault: world.domain.vault,
        tier: U256::from(tier),
        total: U256::from(total),
    };
    world.read(world.lens, &call).await.to::<u64>()
}

#[allow(clippy::too_many_lines, reason = "one story, told in order")]
async fn what_may_leave_is_what_the_vault_says(kind: Kind) {
    let (world, daemon, api) = beside(kind).await;
    let key = key(daemon.folder(), "request,read");
    let place = format!("/v1/vaults/{}", world.domain.vault);
    let listed = api.get(&key, "/v1/vaults").await.of(200);
    assert_eq!(listed["items"][0]["id"], world.domain.vault.to_string());
    let payment = daemon::payment(1, 900 * USDT);
    // Quoted, filed, held to what happened.
    let asked =
        json!({"ref": payment.reference(), "to": payment.recipient().to_string(), "amount": "900"});
    let quote = api.tell(&key, "/v1/quotes", asked.clone()).await.of(200);
    assert_eq!(
        (&quote["held"], &quote["ref"]),
        (&Value::Null, &json!(payment.reference()))
    );
    let estimate = &quote["estimate"];
    assert_eq!(
        (&estimate["tier"], &estimate["approvals"]),
        (&json!(0), &json!(0))
    );
    assert!(estimate["gas"].as_u64().unwrap() > 21_000, "{quote}");
    assert!(
        estimate["room_at"].is_u64() && estimate["as_of"]["age_s"].is_u64(),
        "{quote}"
    );
    assert!(estimate["expected_s"].as_u64() <= estimate["most_s"].as_u64());
    assert!(estimate["p50_s"].as_u64().unwrap() > 0);
    assert!(estimate["p50_s"].as_u64() <= estimate["p95_s"].as_u64());
    api.file(&key, &payment).await.of(201);
    stands(&api, &key, &payment, "paid").await;
    let scores = daemon.ask(&["--json", "quote", "--scores"]);
    assert_eq!(scores["quotes"][0]["status"], "paid", "{scores}");
    // Why it would be held, in words.
    let mut beyond = asked.clone();
    beyond["amount"] = json!("99999999999");
    let held = api.tell(&key, "/v1/quotes", beyond).await.of(200);
    assert!(
        held["held"]
            .as_str()
            .unwrap()
            .contains("no tier takes that amount"),
        "{held}"
    );
    assert_eq!(held["estimate"], Value::Null);
    let mut number = asked;
    number["amount"] = json!(900);
    api.tell(&key, "/v1/quotes", number)
        .await
        .refused(422, "invalid");

    let vault = api.get(&key, &place).await.of(200);
    assert_eq!(vault["decimals"], 6);
    assert!(vault["as_of"]["block"].as_u64().unwrap() > 0);
    let first = &vault["tiers"][0];
    assert_eq!(units(&first["headroom"]), (100_000 - 900) * USDT);
    // Whatever it says of the future, the lens says too.
    let returns = first["returns"].as_array().unwrap();
    assert_eq!(returns.len(), 1, "{first}");
    let mut before = units(&first["headroom"]);
    for step in returns {
        let (from, room) = (step["from"].as_u64().unwrap(), units(&step["headroom"]));
        assert_eq!(fits_at(&world, 0, room).await, from);
        assert_eq!(fits_at(&world, 0, before + USDT).await, from);
        before = room;
    }
    assert_eq!(before, 100_000 * USDT);
    assert_eq!(fits_at(&world, 0, before + 1).await, 0);
    assert_eq!(units(&vault["most_per_day"]["automatic"]), 100_000 * USDT);
    assert_eq!(units(&vault["most_per_day"]["policy"]), 2_600_000 * USDT);
    let parties = vault["parties"].as_array().unwrap();
    assert_eq!(parties.len(), 5, "three signers, a guardian, the keeper");
    for party in parties {
        let account = party["account"].as_str().unwrap().parse().unwrap();
        let said = world.party(account).await;
        assert_eq!(party["signer"], said.isSigner);
        let end = said.keeperUntil.to::<u64>();
        assert_eq!(
            party["keeper_until"],
            if end > 0 { json!(end) } else { Value::Null }
        );
    }
    let other = "/v1/vaults/0x1111111111111111111111111111111111111111";
    api.get(&key, other).await.refused(404, "missing");
    // A freeze is seen.
    let freeze = tidelock_core::abi::Vault::freezeCall {};
    assert!(
        world
            .vault_call(world.keys.guardian.address(), &freeze)
            .await
            .success
    );
    let begin = Instant::now();
    loop {
        let vault = api.get(&key, &place).await.of(200);
        if vault["frozen_until"].is_u64() {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{vault}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_leave_is_what_the_vault_says_on_sqlite() {
    what_may_leave_is_what_the_vault_says(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_leave_is_what_the_vault_says_on_postgres() {
    what_may_leave_is_what_the_vault_says(Kind::Postgres).await;
}

/// What `scripts/typed-data` writes of a proposal, which reads it from the vault's own log.
pub fn script(world: &World, id: &str, signer: Option<&str>) -> Value {
    let mut command = Command::new("node");
    command
        .arg(repository().join("scripts/typed-data"))
        .args(["--vault", &world.domain.vault.to_string()])
        .args(["--rpc-url", world.node.url().as_str()])
        .args(signer.iter().flat_map(|signer| ["--signer", signer]))
        .arg(id);
    let done = command.output().unwrap();
    let why = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{why}");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one story, told in order")]
async fn votes_are_collected_and_anybody_brings_them() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "request,read");
    let large = daemon::payment(1, 5_000 * USDT);
    api.file(&key, &large).await.of(201);
    let waits = async |is_it: &dyn Fn(&Value) -> bool| waiting(&api, &key, is_it).await;
    let item = waits(&|item| item["standing"]["state"] == "proposed").await;
    let id = item["id"].as_str().unwrap();
    assert_eq!(item["payments"][0]["ref"], json!(large.reference()));
    assert_eq!(item["standing"]["required"], 2);
    assert_eq!(item["relay"], Value::Null);
    let people = item["standing"]["waits_for"].as_array().unwrap();
    assert_eq!(people.len(), 3);
    // The same as what signers are told to hold it to.
    assert_eq!(item["typed_data"], script(&world, id, None));
    for one in people {
        let signer = one["signer"].as_str().unwrap();
        assert_eq!(one["typed_data"], script(&world, id, Some(signer)));
    }
    let place = format!("/v1/approvals/{id}/signatures");
    let digest_of = |signer: &str| {
        let one = people.iter().find(|one| one["signer"] == signer).unwrap();
        one["digest"].as_str().unwrap().parse().unwrap()
    };
    let [first, second, _] = &world.keys.signers[..] else {
        panic!()
    };
    let vote = |signer: &alloy::signers::local::PrivateKeySigner, of: String| {
        let signature = signer.sign_hash_sync(&digest_of(&of)).unwrap();
        (
            signature,
            json!({"signer": of, "signature": Bytes::from(signature.as_bytes())}),
        )
    };
    // None is taken that the vault would refuse.
    let own = first.address().to_string();
    let (good, body) = vote(first, own.clone());
    let (_, of_another) = vote(second, own.clone());
    let order = U256::from_str_radix(
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        16,
    )
    .unwrap();
    let high = alloy::primitives::Signature::new(good.r(), order - good.s(), !good.v());
    let stranger = world.keys.stranger.address().to_string();
    for (signer, signature, field) in [
        (&own, json!(of_another["signature"]), "signature"),
        (&own, json!(Bytes::from(high.as_bytes())), "signature"),
        (&own, json!("0x1234"), "signature"),
        (&own, json!("no"), "signature"),
        (&stranger, body["signature"].clone(), "signer"),
        (&"0x12".to_owned(), body["signature"].clone(), "signer"),
    ] {
        let bad = json!({"signer": signer, "signature": signature});
        let refused = api.tell(&key, &place, bad).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let none = format!("/v1/approvals/0x{:064}/signatures", 1);
    api.tell(&key, &none, body.clone())
        .await
        .refused(404, "missing");

    api.tell(&key, &place, body.clone()).await.of(201);
    api.tell(&key, &place, body).await.of(200);
    let kept = api
        .tell(&key, &place, vote(second, second.address().to_string()).1)
        .await
        .of(201);
    assert_eq!(kept["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(kept["standing"]["votes"], 0, "kept is not counted");
    // Nobody to the vault brings them.
    let data: Bytes = kept["relay"]["data"].as_str().unwrap().parse().unwrap();
    let receipt = world
        .send(
            world.keys.stranger.address(),
            Some(world.domain.vault),
            data,
        )
        .await;
    assert!(receipt.success);
    let item = waits(&|item| item["standing"]["votes"] == 2).await;
    assert_eq!(item["standing"]["state"], "queued");
    assert_eq!(item["relay"], Value::Null, "nothing is left to bring");
    assert_eq!(item["standing"]["voted"].as_array().unwrap().len(), 2);
    // A signer's own call.
    let data: Bytes = item["approve"]["data"].as_str().unwrap().parse().unwrap();
    let third = world.keys.signers[2].address();
    assert!(
        world
            .send(third, Some(world.domain.vault), data)
            .await
            .success
    );
    waits(&|item| item["standing"]["votes"] == 3).await;
}

/// A server that asks no node says so, and tells what it knows.
#[test]
fn without_a_node_what_only_the_chain_knows_is_missing() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key("request,read");
    api::block_on(async {
        let place = format!("/v1/vaults/{}", super::support::VAULT);
        let missing = api.get(&key, &place).await.refused(404, "missing");
        assert!(
            missing["detail"]
                .as_str()
                .unwrap()
                .contains("serve.asks_node"),
            "{missing}"
        );
        let body = api::body(&super::support::payment(1));
        api.tell(&key, "/v1/quotes", body)
            .await
            .refused(404, "missing");
        let list = api.get(&key, "/v1/approvals").await.of(200);
        assert_eq!((&list["as_of"], &list["items"]), (&Value::Null, &json!([])));
    });
}
