//! Filing and looking.

use std::collections::BTreeSet;

use serde_json::Value;
use tidelock_core::domain::{Amount, Payment};

use super::{
    api::{Api, block_on, body},
    support::{Kind, payment},
};

/// The same with another amount.
fn other(payment: &Payment) -> Payment {
    let more = Amount(payment.amount().0 + 1);
    Payment::new(payment.recipient(), more, payment.reference()).unwrap()
}

pub fn a_request_is_durable_before_it_is_answered(kind: Kind) {
    let mut api = Api::empty(kind);
    let key = api.key("request,read");
    let one = payment(1);
    let filed = block_on(api.file(&key, &one));
    let place = format!("/v1/withdrawals/{}", one.reference());
    assert_eq!(filed.headers["location"], place.as_str());
    let shown = filed.of(201);
    assert_eq!(shown["ref"], one.reference().to_string());
    assert_eq!(shown["amount"], "1.000001");
    assert_eq!(shown["status"], "waiting");
    assert_eq!(shown["arrival"], 1);
    // At once, before anything could be written later.
    api.kill();
    api.start();
    block_on(async {
        assert_eq!(api.get(&key, &place).await.of(200)["status"], "waiting");
        assert_eq!(api.file(&key, &one).await.of(200)["arrival"], 1);
        let problem = api.file(&key, &other(&one)).await.refused(409, "ref-taken");
        assert_eq!(problem["errors"][0]["field"], "ref");
        assert!(!problem.to_string().contains("1.000001"), "{problem}");

        // The ref by the header, in another form.
        let two = payment(2);
        let mut asked = body(&two);
        asked.as_object_mut().unwrap().remove("ref");
        let hex = two.reference().to_string();
        let uuid = [
            &hex[2..10],
            &hex[10..14],
            &hex[14..18],
            &hex[18..22],
            &hex[22..],
        ]
        .join("-");
        let post = || {
            let request = Api::client().post(api.url("/v1/withdrawals"));
            let request = request.header("authorization", format!("Bearer {key}"));
            let request = request.header("idempotency-key", &uuid);
            request.header("content-type", "application/json")
        };
        let first = Api::send(post().body(asked.to_string())).await.of(201);
        assert_eq!(first["ref"], hex.as_str());
        Api::send(post().body(asked.to_string())).await.of(200);
        Api::send(post().body(body(&two).to_string())).await.of(200);
        let not_its = Api::send(post().body(body(&one).to_string())).await;
        let problem = not_its.refused(422, "invalid");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    });
}

pub fn of_many_at_once_one_is_filed(kind: Kind) {
    let api = Api::empty(kind);
    let key = api.key("request,read");
    let statuses = |payments: Vec<Payment>| {
        let posts = payments.into_iter().map(|payment| {
            let (api, key) = (&api, &key);
            async move { api.file(key, &payment).await.status }
        });
        block_on(futures_util::future::join_all(posts))
    };
    let count = |statuses: &[u16], status| statuses.iter().filter(|one| **one == status).count();

    let same = statuses(vec![payment(1); 64]);
    assert_eq!((count(&same, 201), count(&same, 200)), (1, 63), "{same:?}");

    // Two bodies under one ref: whichever comes first is the one.
    let (a, b) = (payment(2), other(&payment(2)));
    let mixed: Vec<Payment> = (0..64)
        .map(|index| if index % 2 == 0 { a } else { b })
        .collect();
    let mixed = statuses(mixed);
    let counts = [201, 200, 409].map(|status| count(&mixed, status));
    assert_eq!(counts, [1, 31, 32], "{mixed:?}");

    let each = statuses((10..74).map(payment).collect());
    assert_eq!(count(&each, 201), 64, "{each:?}");
    let page = block_on(api.get(&key, "/v1/withdrawals?limit=500")).of(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 66);
}

fn jsonl(payments: &[Payment]) -> String {
    payments
        .iter()
        .map(|payment| format!("{}\n", body(payment)))
        .collect()
}

/// Payments as a list in a file of a spreadsheet.
pub fn csv(payments: &[Payment]) -> String {
    let row = |payment: &Payment| {
        let amount = payment.amount().display(6);
        format!("{},{},{amount}\n", payment.reference(), payment.recipient())
    };
    let rows: String = payments.iter().map(row).collect();
    format!("ref,recipient,amount\n{rows}")
}

const BULK: &str = "/v1/withdrawals/bulk";

pub fn a_list_is_filed_as_a_whole_and_once(kind: Kind) {
    let api = Api::empty(kind);
    let key = api.key("request,read");
    let payments: Vec<Payment> = (1..=600).map(payment).collect();
    let counts =
        |answer: &Value| ["filed", "known", "taken"].map(|name| answer[name].as_u64().unwrap());
    block_on(async {
        let dry = format!("{BULK}?dry_run=true");
        let asked = api
            .post(&key, &dry, "text/csv", csv(&payments))
            .await
            .of(200);
        assert_eq!(counts(&asked), [600, 0, 0]);
        let place = format!("/v1/withdrawals/{}", payments[0].reference());
        api.get(&key, &place).await.refused(404, "missing");

        let filed = api
            .post(&key, BULK, "text/csv; charset=utf-8", csv(&payments[..400]))
            .await;
        let filed = filed.of(200);
        assert_eq!(counts(&filed), [400, 0, 0]);
        assert_eq!(filed["rows"][0]["line"], 2);
        let again = api
            .post(&key, BULK, "application/jsonl", jsonl(&payments))
            .await
            .of(200);
        assert_eq!(counts(&again), [200, 400, 0]);
        assert_eq!(again["rows"][599]["outcome"], "filed");
        let asked = api
            .post(&key, &dry, "application/x-ndjson", jsonl(&payments))
            .await
            .of(200);
        assert_eq!(counts(&asked), [0, 600, 0]);
    });
}

#[allow(clippy::too_many_lines, reason = "one story, told in order")]
pub fn a_list_with_a_bad_line_is_not_filed(kind: Kind) {
    let api = Api::empty(kind);
    let key = api.key("request,read");
    block_on(async {
        api.file(&key, &payment(5)).await.of(201);
        // One that is taken, and nothing is filed.
        let list = [payment(700), other(&payment(5))];
        let problem = api
            .post(&key, BULK, "application/jsonl", jsonl(&list))
            .await;
        let problem = problem.refused(409, "ref-taken");
        assert_eq!(problem["errors"][0]["line"], 2);

        // Each bad line is named, and nothing is filed.
        let bad = format!(
            "{}x\n\n{{\"ref\":1}}\n{}",
            jsonl(&list[..1]),
            jsonl(&list[..1])
        );
        let problem = api
            .post(&key, BULK, "application/jsonl", bad)
            .await
            .refused(422, "invalid");
        let lines = problem["errors"].as_array().unwrap().iter();
        let lines: BTreeSet<u64> = lines.map(|error| error["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, BTreeSet::from([2, 4]), "{problem}");
        let twice = jsonl(&[payment(700), payment(701), payment(700)]);
        let problem = api
            .post(&key, BULK, "application/jsonl", twice)
            .await
            .refused(422, "invalid");
        assert_eq!(problem["errors"][0]["line"], 3, "{problem}");
        let bad = format!("{}0x12,0x34,1e9\n", csv(&list[..1]));
        let problem = api
            .post(&key, BULK, "text/csv", bad)
            .await
            .refused(422, "invalid");
        assert_eq!(problem["errors"][0]["line"], 3, "{problem}");
        assert_eq!(problem["errors"][0]["field"], "ref", "{problem}");
        let bad = format!("[{},{{\"ref\":1}}]", super::api::body(&list[0]));
        let refused = api.post(&key, BULK, "application/json", bad).await;
        assert_eq!(refused.refused(422, "invalid")["errors"][0]["line"], 2);
        // A line whose shape is wrong is named too.
        for (bad, line) in [
            ("ref,recipient\n", 1),
            ("ref,recipient,amount\n\n0x12,0x34\n", 3),
            ("ref,recipient,amount\n\"0x12\"x,0x34,1\n", 2),
        ] {
            let refused = api
                .post(&key, BULK, "text/csv", bad)
                .await
                .refused(422, "invalid");
            let error = &refused["errors"][0];
            assert_eq!(
                (&error["field"], &error["line"]),
                (&"line".into(), &line.into()),
                "{error}"
            );
            assert!(
                !error["rule"].as_str().unwrap().starts_with("line"),
                "{error}"
            );
        }
        let place = format!("/v1/withdrawals/{}", payment(700).reference());
        api.get(&key, &place).await.refused(404, "missing");

        for (kind, body) in [
            ("text/csv", ""),
            ("text/csv", "ref,recipient,amount\n"),
            ("application/jsonl", "\n"),
            ("application/json", "[]"),
            ("application/json", "{}"),
            ("application/json", "[1]"),
        ] {
            api.post(&key, BULK, kind, body)
                .await
                .refused(422, "invalid");
        }
        let many = jsonl(&(1..=10_001).map(payment).collect::<Vec<Payment>>());
        api.post(&key, BULK, "application/jsonl", many)
            .await
            .refused(422, "invalid");
    });
}

/// A list is read a line at a time: what is small as text can be large once it is read.
#[test]
fn a_list_takes_no_more_memory_than_its_lines() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key("request");
    let mut crowd = body(&payment(1));
    crowd["metadata"] = "@".into();
    let crowd = crowd.to_string();
    let crowd = |count: usize| crowd.replace("\"@\"", &format!("[0{}]", ",{\"\":0}".repeat(count)));
    // One of a list's own size, and as many as fit that a request alone may be.
    let large = crowd(590_000);
    let small = vec![crowd(2_250); 250];
    block_on(async {
        for (kind, list, field) in [
            ("application/json", format!("[{large}]"), "line"),
            ("application/jsonl", large, "line"),
            (
                "application/json",
                format!("[{}]", small.join(",")),
                "metadata",
            ),
            ("application/jsonl", small.join("\n"), "metadata"),
        ] {
            let refused = api.post(&key, BULK, kind, list).await;
            let refused = refused.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["field"], field, "{refused}");
        }
        // One that is read as a whole takes several times that.
        if let Some(most) = api.most_memory() {
            assert!(most < 150_000_000, "{most} bytes");
        }
    });
}

pub fn pages_show_each_once(kind: Kind) {
    let api = Api::empty(kind);
    let key = api.key("request,read");
    let payments: Vec<Payment> = (1..=1_200).map(payment).collect();
    block_on(async {
        let path = "/v1/withdrawals/bulk";
        api.post(&key, path, "application/jsonl", jsonl(&payments))
            .await
            .of(200);
        let mut seen = Vec::new();
        let mut next = String::new();
        let mut pages = 0;
        loop {
            let page = api
                .get(&key, &format!("/v1/withdrawals?limit=97{next}"))
                .await
                .of(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 97);
            seen.extend(items.iter().map(|item| item["arrival"].as_u64().unwrap()));
            pages += 1;
            let Some(cursor) = page["next"].as_str() else {
                break;
            };
            next = format!("&cursor={cursor}");
            assert!(pages < 100);
        }
        let expected: Vec<u64> = (1..=1_200).rev().collect();
        assert_eq!(seen, expected, "the newest first, each once");

        // The one that is looked for is far behind.
        let to = payment(3).recipient();
        let mut found = Vec::new();
        next = String::new();
        loop {
            let page = api
                .get(
                    &key,
                    &format!("/v1/withdrawals?to={to}&status=waiting{next}"),
                )
                .await;
            let page = page.of(200);
            found.extend(page["items"].as_array().unwrap().clone());
            let Some(cursor) = page["next"].as_str() else {
                break;
            };
            next = format!("&cursor={cursor}");
        }
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["ref"], payment(3).reference().to_string());
        for (query, field) in [
            ("status=sent", "status"),
            ("to=0x12", "to"),
            ("since=yesterday", "since"),
            ("batch=0x12", "batch"),
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("cursor=-1", "cursor"),
            ("page=2", "page"),
            ("limit=1&limit=2", "limit"),
        ] {
            let problem = api.get(&key, &format!("/v1/withdrawals?{query}")).await;
            let problem = problem.refused(422, "invalid");
            assert_eq!(problem["errors"][0]["field"], field, "{query}");
        }
    });
}
