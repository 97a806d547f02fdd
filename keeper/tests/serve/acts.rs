//! What operators do: who may, who else it takes, and that it is done to what stood when it was asked for.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidelock_core::{
    domain::PaymentNumber,
    event::{Command, Event, HoldReason, Mode},
};
use tidelock_keeper::store::{Acting, Desk};

use super::{
    api::{Api, block_on},
    people::{People, about, commands, go_on, halted, held, stopped},
    support::{Kind, payment},
};

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
                json!({"status": "held", "reason": "above_limit"}),
                json!({"status": "held", "reason": "paid_elsewhere", "detail": "77"}),
            ),
            (
                resume(),
                halted("somebody is at the key"),
                json!({"status": "halted", "reason": "operator", "detail": "the node looks odd"}),
                json!({"status": "halted", "reason": "operator", "detail": "somebody is at the key"}),
            ),
        ] {
            let asked = asks(body.clone()).await;
            assert_eq!(asked["deed"]["before"], before);
            happens(event).await;
            let refused = confirms(&asked).await.refused(409, "changed");
            let words = refused["detail"].as_str().unwrap();
            assert!(words.contains(after["detail"].as_str().unwrap()), "{words}");
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
                (
                    &json!({"status": "held", "reason": "above_limit"}),
                    &json!({"status": after})
                )
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
