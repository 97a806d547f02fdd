//! What requesters note beside withdrawals.

use serde_json::{Value, json};

use super::{
    api::{Api, block_on},
    people::{People, about},
    support::{Kind, payment},
};

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
        let text = super::api::body(&payment(2)).to_string();
        let bad = text.replacen('{', r#"{"metadata":{"order":"A","order":"B"},"#, 1);
        let refused = api.post(&people.rose, "/v1/withdrawals", "application/json", &bad);
        let refused = refused.await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], "metadata.order", "{refused}");
        assert_eq!(refused["errors"][0]["rule"], "is there twice");
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
