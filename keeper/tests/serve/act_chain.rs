//! Acts and the log are chains that nobody rewrites unseen, and what a chain says was done is done.

use std::{path::Path, time::Instant};

use alloy::primitives::{B256, Keccak256};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};
use tidelock_core::domain::Payment;
use tidelock_keeper::store::{Act, Reader};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    api::{Api, PATIENCE, block_on},
    keys::until_known,
    people::{People, about, commands},
    support::{self, Kind, payment},
};

#[allow(clippy::too_many_lines, reason = "one story, told in order")]
pub fn acts_and_the_log_are_held_to_their_hashes(kind: Kind) {
    let (mut api, store) = Api::set_up(kind, |location| support::lively(location).0);
    store.close().unwrap();
    api.start();
    let people = People::of(&api);
    block_on(async {
        for _ in 0..3 {
            let halt = json!({"act": "halt", "reason": "look at it"});
            api.tell(&people.anna, "/v1/acts", halt).await.of(201);
        }
        let page = api
            .get(&people.rose, "/v1/acts?after=0&limit=2")
            .await
            .of(200);
        assert_eq!(page["next"], 2);
        let rest = api.get(&people.rose, "/v1/acts?after=2").await.of(200);
        let acts = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .chain(rest["items"].as_array().unwrap());
        let mut prev = B256::ZERO;
        for (seq, act) in (1_u64..).zip(acts) {
            let mut hasher = Keccak256::new();
            hasher.update(prev);
            hasher.update(seq.to_be_bytes());
            hasher.update(0_u64.to_be_bytes());
            hasher.update(act["body"].as_str().unwrap());
            let own = hasher.finalize();
            assert_eq!((&act["prev"], &act["hash"]), (&json!(prev), &json!(own)));
            prev = own;
        }
        // The log as it is, of which nobody but an auditor hears.
        api.get(&people.ben, "/v1/log")
            .await
            .refused(403, "not-allowed");
        let log = api
            .get(&people.rose, "/v1/log?after=0&limit=1000")
            .await
            .of(200);
        let entries = log["items"].as_array().unwrap();
        assert_eq!(entries.len(), 300);
        let pairs = entries.iter().zip(&entries[1..]);
        assert!(
            pairs
                .into_iter()
                .all(|(one, next)| one["hash"] == next["prev"])
        );
        assert!(
            entries
                .iter()
                .any(|entry| entry["kind"] == "attempt_signed")
        );
    });
    let faults = || {
        let mut reader = Reader::open_present(&api.location).unwrap();
        let acts = reader.acts(0, 10).unwrap();
        let before = std::iter::once(None).chain(acts.iter().map(Some));
        let faults: Vec<_> = acts
            .iter()
            .zip(before)
            .map(|(act, prev): (&Act, _)| act.fault(prev))
            .collect();
        faults
    };
    let verify = || -> support::home::Done {
        let mut command = api.command();
        command.arg("verify-log").output().unwrap().into()
    };
    assert_eq!(faults(), [None, None, None]);
    verify().ok();
    support::tamper(
        &api.location,
        "UPDATE act SET body = replace(body, 'look', 'book') WHERE seq = 2",
    );
    assert_eq!(
        faults(),
        [None, Some("its hash is that of other words"), None]
    );
    let verified = verify();
    assert_eq!(verified.code, 5, "{}", verified.out);
    let words = "BAD act 2: its hash is that of other words";
    assert!(verified.out.contains(words), "{}", verified.out);
    support::tamper(&api.location, "DELETE FROM act WHERE seq = 2");
    assert_eq!(faults(), [None, Some("entries before it are missing")]);
}
/// What the chain says was done is done, also when whoever asked for it gets no answer: here because new entries cannot be read.
#[test]
fn what_the_chain_says_was_done_is_done_whoever_hears_of_it() {
    const UNREADABLE: &str = "CREATE TRIGGER unreadable AFTER INSERT ON act \
        BEGIN UPDATE act SET prev = x'00' WHERE seq = NEW.seq; END";
    let api = Api::empty(Kind::Sqlite);
    let people = People::of(&api);
    let shop = api.key_of("Shop", "audit");
    let why = || json!({"reason": "x"});
    block_on(async {
        let mut noted = super::api::body(&payment(1));
        noted["metadata"] = json!({"order": "A-1"});
        let filed = api.tell(&people.rose, "/v1/withdrawals", noted).await;
        filed.of(201);
        api.get(&shop, "/v1/acts").await.of(200);
        let wanted = json!({"name": "Dora", "scopes": "audit", "days": "1", "reason": "x"});
        let asked = api.tell(&people.carl, "/v1/keys", wanted).await.of(201);
        let location = api.location.clone();
        let spoil = move || support::tamper(&location, UNREADABLE);
        tokio::task::spawn_blocking(spoil).await.unwrap();

        let confirmation = format!("/v1/acts/{}/confirmation", asked["act"]["id"]);
        let end = format!("/v1/keys/{}/end", shop.split('_').nth(1).unwrap());
        let done = [
            api.tell(&people.anna_too, &confirmation, why()).await,
            api.tell(&people.carl, &end, why()).await,
            api.tell(&people.carl, "/v1/acts", about("forget_metadata", 1))
                .await,
        ];
        for unheard in done {
            unheard.refused(503, "unavailable");
        }
        let dora = asked["key"].as_str().unwrap();
        for (key, is_known) in [(shop.as_str(), false), (dora, true)] {
            until_known(&api, key, "/v1/acts?after=4", is_known).await;
        }
        let place = format!("/v1/withdrawals/{}", payment(1).reference());
        let found = api.get(&people.rose, &place).await.of(200);
        assert_eq!(found["metadata"], Value::Null);
    });
}

/// A request of which all but the last byte is sent.
async fn begun(api: &Api, key: &str, path: &str, body: &Value) -> (TcpStream, u8) {
    let body = body.to_string();
    let (last, rest) = body.as_bytes().split_last().unwrap();
    let mut stream = TcpStream::connect(&api.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(rest).await.unwrap();
    (stream, *last)
}

/// Keeps others from writing the database until it is dropped.
async fn holding(path: &Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    let begin = sqlx::query("BEGIN IMMEDIATE").execute(&mut connection);
    begin.await.unwrap();
    connection
}

/// A list is filed in pieces. The first waits for the database while the key ends.
#[test]
fn a_key_that_ends_while_a_list_is_filed_files_no_more_of_it() {
    let api = Api::empty(Kind::Sqlite);
    let other = api.key_of("Shop", "request");
    let carl = api.key_of("Carl", "administer");
    block_on(async {
        let payments: Vec<Payment> = (1..=700).map(payment).collect();
        let list = payments.iter().map(super::api::body).collect::<Value>();
        let mut tries = 0;
        // A server that is slower than what waits for the database has patience says that it is busy, and has filed nothing.
        while !ends_while_filing(&api, &carl, &list).await {
            tries += 1;
            assert!(tries < 20, "it never came so far");
        }
        let rest = api.tell(&other, "/v1/withdrawals/bulk", list).await.of(200);
        let (filed, known) = (&rest["filed"], &rest["known"]);
        assert!(
            filed.as_u64().unwrap() >= 444,
            "{filed} filed, {known} known"
        );
    });
}

/// Files the list by a key that ends while the first piece waits; whether it came to that.
async fn ends_while_filing(api: &Api, carl: &str, list: &Value) -> bool {
    let key = api.key_of("Shop", "request");
    let held = holding(&api.location.path).await;
    let files = api.tell(&key, "/v1/withdrawals/bulk", list.clone());
    let ends = async {
        let id = key.split('_').nth(1).unwrap();
        let begin = Instant::now();
        loop {
            let keys = api.get(carl, "/v1/keys").await.of(200);
            let mut keys = keys["items"].as_array().unwrap().iter();
            let is_let_in = |one: &Value| one["id"] == id && one["last_used_at"].is_u64();
            if keys.any(is_let_in) {
                break;
            }
            assert!(begin.elapsed() < PATIENCE, "it was never used");
        }
        let ended = api.command().args(["api-key", "end", id]).output().unwrap();
        assert!(ended.status.success());
        until_known(api, &key, "/v1/session", false).await;
        held.close().await.unwrap();
    };
    let (filed, ()) = tokio::join!(files, ends);
    if filed.status == 503 {
        return false;
    }
    filed.refused(401, "unknown-key");
    true
}

#[test]
fn a_key_that_ends_while_a_body_is_on_its_way_does_nothing() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key_of("Anna", "operate,request");
    let carl = api.key_of("Carl", "administer");
    block_on(async {
        let halt = json!({"act": "halt", "reason": "x"});
        let filed = super::api::body(&payment(1));
        let mut begun = [
            begun(&api, &key, "/v1/acts", &halt).await,
            begun(&api, &key, "/v1/withdrawals", &filed).await,
        ];
        let end = format!("/v1/keys/{}/end", key.split('_').nth(1).unwrap());
        let ended = api.tell(&carl, &end, json!({"reason": "it is lost"}));
        ended.await.of(201);
        until_known(&api, &key, "/v1/acts", false).await;
        for (stream, last) in &mut begun {
            stream.write_all(&[*last]).await.unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
        }
        assert!(commands(&api).await.is_empty());
    });
}
