//! Keys that administrators make and end.

use std::fs;

use serde_json::{Value, json};

use super::{
    api::{Api, block_on},
    keys::until_known,
    people::People,
    support::{self, Kind},
};

/// Asks for a key as Carl and has it confirmed; the key.
async fn made(api: &Api, people: &People, name: &str, scopes: &str) -> String {
    let wanted = json!({"name": name, "scopes": scopes, "days": "1", "reason": "x"});
    let asked = api.tell(&people.carl, "/v1/keys", wanted).await.of(201);
    let place = format!("/v1/acts/{}/confirmation", asked["act"]["id"]);
    let why = json!({"reason": "x"});
    api.tell(&people.anna_too, &place, why).await.of(201);
    let key = asked["key"].as_str().unwrap().to_owned();
    until_known(api, &key, "/v1/acts", true).await;
    key
}

/// Carl has the secret of the key that he asked for, whatever name is on it.
pub fn whoever_asked_for_a_key_is_not_two_people_with_it(kind: Kind) {
    let api = Api::empty(kind);
    let people = People::of(&api);
    block_on(async {
        let dora = made(&api, &people, "Dora", "administer").await;
        let wanted = json!({"name": "Eve", "scopes": "read", "days": "1", "reason": "x"});
        for (one, other) in [(&people.carl, &dora), (&dora, &people.carl)] {
            let asked = api.tell(one, "/v1/keys", wanted.clone()).await.of(201);
            let place = format!("/v1/acts/{}/confirmation", asked["act"]["id"]);
            let why = || json!({"reason": "x"});
            let refused = api.tell(other, &place, why()).await;
            refused.refused(409, "same-person");
            api.tell(&people.anna_too, &place, why()).await.of(201);
        }
    });
}

#[allow(clippy::too_many_lines, reason = "one story, told in order")]
pub fn a_key_is_made_by_two_people_and_ended_by_one(kind: Kind) {
    let api = Api::empty(kind);
    let people = People::of(&api);
    block_on(async {
        let wanted = json!({"name": "Dora", "scopes": "read, request", "days": "30", "reason": "a new shop"});
        api.tell(&people.ben, "/v1/keys", wanted.clone())
            .await
            .refused(403, "not-allowed");
        let asked = api.tell(&people.carl, "/v1/keys", wanted).await.of(201);
        let dora = asked["key"].as_str().unwrap().to_owned();
        assert_eq!(asked["entry"]["pending"], true);
        api.get(&dora, "/v1/events")
            .await
            .refused(401, "unknown-key");
        let place = format!("/v1/acts/{}/confirmation", asked["act"]["id"]);
        assert_eq!(asked["act"]["deed"]["before"], json!({"status": "none"}));
        let why = json!({"reason": "I know the shop"});
        api.tell(&people.carl, &place, why.clone())
            .await
            .refused(409, "same-person");
        api.tell(&people.ben, &place, why.clone())
            .await
            .refused(403, "not-allowed");
        api.get(&dora, "/v1/events")
            .await
            .refused(401, "unknown-key");
        let listed = api.command().args(["api-key", "list"]).output();
        let listed: support::home::Done = listed.unwrap().into();
        let listed = listed.ok();
        let of_dora = listed.lines().last().unwrap();
        assert!(
            of_dora.contains("Dora  request,read  waits for a second person"),
            "{listed}"
        );
        // Whoever confirms it sees whose it is to be.
        let act = format!("/v1/acts/{}", asked["act"]["id"]);
        let shown = api.get(&people.anna_too, &act).await.of(200);
        assert_eq!(shown["key_name"], "Dora");
        let shown = api.get(&people.rose, &act).await.of(200);
        assert_eq!(shown["key_name"], Value::Null);
        api.tell(&people.anna_too, &place, why.clone())
            .await
            .of(201);
        until_known(&api, &dora, "/v1/events", true).await;
        let listed = api.get(&people.carl, "/v1/keys").await;
        assert!(!listed.text.contains("hash"), "{}", listed.text);
        let listed = listed.of(200);
        let of_dora = listed["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&of_dora["name"], &of_dora["pending"]),
            (&json!("Dora"), &json!(false))
        );
        let end = format!("/v1/keys/{}/end", of_dora["id"].as_str().unwrap());
        api.tell(&people.carl, &end, json!({"reason": "it is lost"}))
            .await
            .of(201);
        until_known(&api, &dora, "/v1/events", false).await;
        let acts = api.get(&people.rose, "/v1/acts").await;
        let secret = dora.rsplit('_').next().unwrap();
        for words in ["Dora", secret, "hash\\\""] {
            assert!(!acts.text.contains(words), "{words}: {}", acts.text);
        }
        let acts = acts.of(200);
        let steps: Vec<&str> = acts["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|act| act["deed"]["step"].as_str().unwrap())
            .collect();
        assert_eq!(steps, ["asked", "confirmed", "done"]);
        for (field, value) in [
            ("scopes", "root"),
            ("days", "0"),
            ("days", "3651"),
            ("name", " "),
            ("reason", ""),
            ("networks", "10.0.0.1/8"),
            ("vaults", "0x12"),
        ] {
            let mut bad = json!({"name": "Eve", "scopes": "read", "days": "1", "reason": "x"});
            bad[field] = json!(value);
            let refused = api
                .tell(&people.carl, "/v1/keys", bad)
                .await
                .refused(422, "invalid");
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
    });
}

/// A key that was refused, or not confirmed within an hour, waits for nobody.
pub fn what_was_refused_or_came_too_late_waits_no_more(kind: Kind) {
    let api = Api::empty(kind);
    let people = People::of(&api);
    let asks = async |name: &str| {
        let wanted = json!({"name": name, "scopes": "read", "days": "1", "reason": "x"});
        api.tell(&people.carl, "/v1/keys", wanted).await.of(201)
    };
    let of = |name: &str| {
        let listed = api.command().args(["--json", "api-key", "list"]).output();
        let listed: support::home::Done = listed.unwrap().into();
        let listed = listed.json();
        let mut each = listed.as_array().unwrap().iter();
        let key = each.find(|key| key["name"] == name).unwrap();
        ["pending", "ended"].map(|field| key[field].as_bool().unwrap())
    };
    block_on(async {
        let dora = asks("Dora").await;
        assert_eq!(of("Dora"), [true, false]);
        let place = format!("/v1/acts/{}/refusal", dora["act"]["id"]);
        let why = json!({"reason": "I do not know her"});
        api.tell(&people.anna_too, &place, why).await.of(201);
        assert_eq!(of("Dora"), [false, true]);
        // As if it had been asked for more than an hour ago.
        asks("Eve").await;
        let path = api.home.folder.path().join("keeper.api-keys.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        let eve = kept["keys"].as_array_mut().unwrap().last_mut().unwrap();
        eve["made_at"] = json!(eve["made_at"].as_u64().unwrap() - 3_602);
        fs::write(&path, kept.to_string()).unwrap();
        assert_eq!(of("Eve"), [false, true]);
        let listed = api.get(&people.carl, "/v1/keys").await.of(200);
        for key in listed["items"].as_array().unwrap() {
            assert_eq!(key["pending"], false, "{key}");
        }
    });
}
