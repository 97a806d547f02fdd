//! What operators and administrators do: who may, who else it takes, and that it cannot be rewritten unseen.

use std::sync::{Arc, Mutex};

use alloy::primitives::{B256, Keccak256};
use serde_json::{Value, json};
use tidelock_core::{
    domain::PaymentNumber,
    event::{Command, Event, HaltReason, HoldReason, Mode},
    store::Store,
};
use tidelock_keeper::store::{Act, Acting, Desk, LogStore, Reader};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    api::{Api, block_on},
    keys::until_known,
    support::{self, History, Kind, payment},
};

/// The commands that the engine would take in. The store blocks.
async fn commands(api: &Api) -> Vec<Command> {
    let location = api.location.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut reader = Reader::open(location).unwrap();
        let commands = reader.commands_after(0).unwrap();
        reader.close().unwrap();
        commands
    });
    read.await.unwrap()
}

fn about(act: &str, index: u64) -> Value {
    json!({"act": act, "ref": payment(index).reference(), "reason": "a person called"})
}

/// Anna and Ben operate, Anna with two keys; Rose reads.
struct People {
    anna: String,
    anna_too: String,
    ben: String,
    rose: String,
    carl: String,
}

impl People {
    fn of(api: &Api) -> Self {
        Self {
            anna: api.key_of("Anna", "operate"),
            anna_too: api.key_of(" anna", "operate,administer"),
            ben: api.key_of("Ben", "operate"),
            rose: api.key_of("Rose", "read,request,audit"),
            carl: api.key_of("Carl", "administer"),
        }
    }
}

/// A server beside a log whose payment 1 is held, and which is halted. No engine takes commands in; the log goes on by hand.
fn stopped(kind: Kind) -> (Api, LogStore, History) {
    let mut history = None;
    let (mut api, store) = Api::set_up(kind, |location| {
        let mut store = support::create(location);
        let (mut log, first) = History::open(1);
        store.commit(&[first], &log.state.take_changes()).unwrap();
        let payments = log.accept(3);
        go_on(&mut store, &mut log, &payments);
        go_on(&mut store, &mut log, &held(HoldReason::AboveLimit));
        go_on(&mut store, &mut log, &halted("the node looks odd"));
        history = Some(log);
        store
    });
    api.start();
    (api, store, history.unwrap())
}

fn go_on(store: &mut LogStore, log: &mut History, event: &Event) {
    let entry = log.apply(event);
    store.commit(&[entry], &log.state.take_changes()).unwrap();
}

fn held(reason: HoldReason) -> Event {
    let refs = vec![payment(1).reference()];
    Event::Held { refs, reason }
}

fn halted(note: &str) -> Event {
    let note = note.to_owned();
    let reason = HaltReason::Operator { note };
    let mode = Mode::Halted { reason };
    Event::ModeChanged { mode }
}

pub fn what_is_confirmed_is_what_stood_when_it_was_asked_for(kind: Kind) {
    let (api, store, log) = stopped(kind);
    let people = People::of(&api);
    let log = Arc::new(Mutex::new((store, log)));
    // The store blocks.
    let happens = async |event: Event| {
        let log = Arc::clone(&log);
        let work = move || {
            let (store, log) = &mut *log.lock().unwrap();
            go_on(store, log, &event);
        };
        tokio::task::spawn_blocking(work).await.unwrap();
    };
    let why = || json!({"reason": "I looked too"});
    let resume = || json!({"act": "resume", "reason": "all is well"});
    let asks = async |body: Value| api.tell(&people.anna, "/v1/acts", body).await.of(201);
    let confirms = async |asked: &Value| {
        let place = format!("/v1/acts/{}/confirmation", asked["id"]);
        api.tell(&people.ben, &place, why()).await
    };
    block_on(async {
        let number = PaymentNumber(77);
        let elsewhere = HoldReason::PaidElsewhere { number };
        for (body, event, before, after) in [
            (
                about("release", 1),
                held(elsewhere),
                "held: above_limit",
                "held: paid_elsewhere: 77",
            ),
            (
                resume(),
                halted("somebody is at the key"),
                "halted: operator: the node looks odd",
                "halted: operator: somebody is at the key",
            ),
        ] {
            let asked = asks(body.clone()).await;
            assert_eq!(asked["deed"]["before"], before);
            happens(event).await;
            let refused = confirms(&asked).await.refused(409, "changed");
            let words = refused["detail"].as_str().unwrap();
            assert!(words.contains(after), "{words}");
            assert!(commands(&api).await.is_empty());
            let again = asks(body).await;
            assert_eq!(again["deed"]["before"], after);
        }
        // What there is nothing to do about is not asked for.
        let refused = api.tell(&people.anna, "/v1/acts", about("release", 2));
        refused.await.refused(409, "not-held");
        let asked = asks(resume()).await;
        happens(Event::ModeChanged { mode: Mode::Armed }).await;
        confirms(&asked).await.refused(409, "changed");
        let refused = api.tell(&people.anna, "/v1/acts", resume()).await;
        refused.refused(409, "not-halted");
        assert!(commands(&api).await.is_empty());
    });
}

#[allow(clippy::too_many_lines, reason = "one story, told in order")]
pub fn what_lets_money_flow_takes_two_people(kind: Kind) {
    let (api, _store, _) = stopped(kind);
    let people = People::of(&api);
    block_on(async {
        // What stops is done at once.
        for (act, after) in [("hold", "held"), ("cancel", "cancelled")] {
            let done = api
                .tell(&people.anna, "/v1/acts", about(act, 1))
                .await
                .of(201);
            assert_eq!(done["deed"]["step"], "done");
            assert_eq!(
                (&done["deed"]["before"], &done["deed"]["after"]),
                (&json!("held: above_limit"), &json!(after))
            );
            assert!(done["deed"]["command"].is_u64(), "{done}");
        }
        let halt = json!({"act": "halt", "reason": "look at it"});
        api.tell(&people.ben, "/v1/acts", halt).await.of(201);
        assert_eq!(commands(&api).await.len(), 3);
        // What lets money flow is only asked for.
        for body in [
            about("release", 1),
            json!({"act": "resume", "reason": "all is well"}),
        ] {
            let before = commands(&api).await.len();
            let asked = api.tell(&people.anna, "/v1/acts", body).await.of(201);
            assert_eq!(asked["deed"]["step"], "asked");
            let at = asked["deed"]["at"].as_u64().unwrap();
            assert_eq!(asked["deed"]["until"].as_u64().unwrap(), at + 3_600);
            assert_eq!(commands(&api).await.len(), before, "nothing is done yet");
            let place = format!("/v1/acts/{}/confirmation", asked["id"]);
            let why = || json!({"reason": "I looked too"});
            for same in [&people.anna, &people.anna_too] {
                api.tell(same, &place, why())
                    .await
                    .refused(409, "same-person");
            }
            for other in [&people.rose, &people.carl] {
                api.tell(other, &place, why())
                    .await
                    .refused(403, "not-allowed");
            }
            assert_eq!(commands(&api).await.len(), before);
            let done = api.tell(&people.ben, &place, why()).await.of(201);
            assert_eq!(done["deed"]["step"], "confirmed");
            assert_eq!(done["answers"], asked["id"]);
            assert_eq!(commands(&api).await.len(), before + 1);
            api.tell(&people.ben, &place, why())
                .await
                .refused(409, "answered");
            let asked = api
                .get(&people.ben, &format!("/v1/acts/{}", asked["id"]))
                .await
                .of(200);
            assert_eq!(asked["answered_by"], done["id"]);
            assert_eq!(commands(&api).await.len(), before + 1);
        }
        let all = commands(&api).await;
        let Command::Release { reference, note } = &all[3] else {
            panic!("{all:?}")
        };
        assert_eq!(*reference, payment(1).reference());
        // Who and which act, by ids: the log has no names.
        assert!(
            note.contains("I looked too (act 5 of key ") && !note.contains("Ben"),
            "{note}"
        );
        refused_and_too_late(&api, &people).await;
    });
}

/// Who says no ends it, and so does an hour.
async fn refused_and_too_late(api: &Api, people: &People) {
    let why = json!({"reason": "I know nothing of it"});
    let asked = api
        .tell(&people.anna, "/v1/acts", about("release", 1))
        .await
        .of(201);
    let place = format!("/v1/acts/{}", asked["id"]);
    let no = api
        .tell(&people.ben, &format!("{place}/refusal"), why.clone())
        .await
        .of(201);
    assert_eq!(no["deed"]["step"], "refused");
    let confirmation = format!("{place}/confirmation");
    let late = api.tell(&people.ben, &confirmation, why.clone());
    late.await.refused(409, "answered");
    // As if it had been asked for an hour ago.
    let mut deed = asked["deed"].clone();
    deed["until"] = json!(deed["at"].as_u64().unwrap() - 1);
    let location = api.location.clone();
    let old = tokio::task::spawn_blocking(move || {
        let mut desk = Desk::open(location).unwrap();
        desk.act(None, |_| None, |_| deed.to_string()).unwrap()
    });
    let Acting::Done { seq, .. } = old.await.unwrap() else {
        panic!()
    };
    let place = format!("/v1/acts/{seq}/confirmation");
    api.tell(&people.ben, &place, why)
        .await
        .refused(409, "too-late");
    for (body, field) in [
        (json!({"act": "release", "reason": "x"}), "ref"),
        (
            json!({"act": "halt", "ref": payment(1).reference(), "reason": "x"}),
            "ref",
        ),
        (json!({"act": "halt", "reason": " "}), "reason"),
        (json!({"act": "halt", "reason": "two\nlines"}), "reason"),
        (json!({"act": "halt", "reason": "x".repeat(501)}), "reason"),
        (json!({"act": "halt"}), "reason"),
        (json!({"act": "add_key", "reason": "x"}), "act"),
        (json!({"act": "pay", "reason": "x"}), "act"),
        (
            json!({"act": "halt", "reason": "x", "amount": "1"}),
            "amount",
        ),
    ] {
        let refused = api
            .tell(&people.anna, "/v1/acts", body)
            .await
            .refused(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let nobody = about("hold", 77);
    api.tell(&people.anna, "/v1/acts", nobody)
        .await
        .refused(404, "missing");
}

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

#[allow(clippy::too_many_lines, reason = "one story, told in order")]
pub fn metadata_stays_beside_the_log_and_can_be_forgotten(kind: Kind) {
    let api = Api::empty(kind);
    let people = People::of(&api);
    block_on(async {
        let mut noted = super::api::body(&payment(1));
        noted["metadata"] = json!({"customer": "Erika Mustermann", "order": "A-1"});
        let filed = api
            .tell(&people.rose, "/v1/withdrawals", noted.clone())
            .await
            .of(201);
        assert_eq!(filed["metadata"], noted["metadata"]);
        let place = format!("/v1/withdrawals/{}", payment(1).reference());
        // What was noted first stays, and a repeat is the same request.
        let mut other = noted.clone();
        other["metadata"] = json!({"customer": "somebody else"});
        for body in [other, super::api::body(&payment(1))] {
            let again = api
                .tell(&people.rose, "/v1/withdrawals", body)
                .await
                .of(200);
            assert_eq!(again["metadata"], noted["metadata"]);
        }
        let list = api.get(&people.rose, "/v1/withdrawals").await.of(200);
        assert_eq!(list["items"][0]["metadata"], noted["metadata"]);
        let mut bad = super::api::body(&payment(2));
        bad["metadata"] = json!({"customer": "x".repeat(501)});
        let refused = api
            .tell(&people.rose, "/v1/withdrawals", bad)
            .await
            .refused(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], "metadata.customer");
        let lines = format!("{noted}\n{}\n", {
            let mut row = super::api::body(&payment(3));
            row["metadata"] = json!({"order": "B"});
            row
        });
        let bulk = api
            .post(
                &people.rose,
                "/v1/withdrawals/bulk",
                "application/jsonl",
                lines,
            )
            .await
            .of(200);
        assert_eq!((&bulk["filed"], &bulk["known"]), (&json!(1), &json!(1)));
        let third = format!("/v1/withdrawals/{}", payment(3).reference());
        assert_eq!(
            api.get(&people.rose, &third).await.of(200)["metadata"]["order"],
            "B"
        );

        let forget = about("forget_metadata", 1);
        api.tell(&people.anna, "/v1/acts", forget.clone())
            .await
            .refused(403, "not-allowed");
        api.tell(&people.carl, "/v1/acts", forget).await.of(201);
        assert_eq!(
            api.get(&people.rose, &place).await.of(200)["metadata"],
            Value::Null
        );
        // A request that is sent again does not bring it back.
        let again = api.tell(&people.rose, "/v1/withdrawals", noted).await;
        assert_eq!(again.of(200)["metadata"], Value::Null);
        for page in ["/v1/acts", "/v1/log", "/v1/events"] {
            let text = api.get(&people.rose, page).await.text;
            assert!(!text.contains("Mustermann"), "{page}: {text}");
        }
    });
    assert!(!api.log().contains("Mustermann"), "{}", api.log());
}
