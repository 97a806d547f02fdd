//! Lists as XLSX, written and read by somebody else's program (openpyxl), and what a spreadsheet gets to open.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::{Value, json};
use tidelock_core::{event::HoldReason, store::Store};

use super::{
    api::{Answer, Api, PATIENCE, block_on},
    people::{go_on, held},
    support::{self, History, Kind, home::Done, payment},
    world::repository,
};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const EXPORT: &str = "/v1/withdrawals/export";

fn program(what: &str, place: &Path) -> String {
    let python = repository().join("target/api-tools/bin/python");
    assert!(
        python.exists(),
        "{}: scripts/api-tools makes it",
        python.display()
    );
    let mut command = Command::new(python);
    command.arg(repository().join("keeper/tests/serve/sheets.py"));
    let done: Done = command.arg(what).arg(place).output().unwrap().into();
    done.ok()
}

async fn send(api: &Api, key: &str, query: &str, file: &Path) -> Answer {
    let request = Api::client().post(api.url(&format!("/v1/withdrawals/bulk{query}")));
    let request = request.body(fs::read(file).unwrap()).timeout(PATIENCE);
    let request = request.header("authorization", format!("Bearer {key}"));
    Api::send(request.header("content-type", XLSX)).await
}

#[test]
#[allow(clippy::too_many_lines, reason = "one story, told in order")]
fn a_sheet_is_filed_as_it_is_shown_or_not_at_all() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key("request,read");
    let folder = tempfile::tempdir().unwrap();
    program("write", folder.path());
    let file = |name: &str| folder.path().join(format!("{name}.xlsx"));
    block_on(async {
        for (name, status, words) in [
            ("spaces", 422, "expands to more than"),
            ("liar", 422, "must be a XLSX file"),
            ("entities", 422, "unknown entity"),
            ("columns", 422, "must name the columns"),
            ("hidden", 422, "its first sheet is hidden"),
            ("empty", 422, "must have at least one row"),
            ("many", 422, "must have at most 10000 rows"),
            ("half", 422, "must be a XLSX file"),
            ("text", 422, "must be a XLSX file"),
        ] {
            let refused = send(&api, &key, "", &file(name))
                .await
                .refused(status, "invalid");
            let rule = refused["errors"][0]["rule"].as_str().unwrap();
            assert!(rule.contains(words), "{name}: {refused}");
        }
        // Every bad row is named, and nothing is filed.
        let refused = send(&api, &key, "", &file("bad"))
            .await
            .refused(422, "invalid");
        let errors = refused["errors"].as_array().unwrap().iter();
        let named: BTreeMap<u64, (&str, &str)> = errors
            .map(|one| {
                (
                    one["line"].as_u64().unwrap(),
                    (
                        one["field"].as_str().unwrap(),
                        one["rule"].as_str().unwrap(),
                    ),
                )
            })
            .collect();
        for (line, field, words) in [
            (2, "amount", "not exactly what is shown"),
            (3, "amount", "more digits than the cell shows"),
            (4, "amount", "is a formula"),
            (5, "amount", "shown as something else"),
            (6, "amount", "shown as something else"),
            (7, "ref", "must be text"),
            (8, "amount", "must be text"),
            (9, "row", "is hidden"),
            (10, "amount", "must be given"),
            (11, "recipient", "40 hexadecimal digits"),
            (12, "amount", "only digits"),
            (13, "ref", "must be given"),
        ] {
            let (named, rule) = named
                .get(&line)
                .unwrap_or_else(|| panic!("{line}: {refused}"));
            assert!(
                *named == field && rule.contains(words),
                "{line}: {named} {rule}"
            );
        }
        assert_eq!(named.len(), 12, "{refused}");
        let none = api.get(&key, "/v1/withdrawals").await.of(200);
        assert_eq!(none["items"], json!([]));

        let asked = send(&api, &key, "?dry_run=true", &file("good"))
            .await
            .of(200);
        assert_eq!(
            (&asked["filed"], &asked["dry_run"]),
            (&json!(5), &json!(true))
        );
        assert_eq!(
            api.get(&key, "/v1/withdrawals").await.of(200)["items"],
            json!([])
        );
        // One that says of itself what is not so is read as it is.
        let filed = send(&api, &key, "", &file("boastful")).await.of(200);
        assert_eq!(
            (&filed["filed"], &filed["rows"][4]["line"]),
            (&json!(5), &json!(7))
        );
        let again = send(&api, &key, "", &file("good")).await.of(200);
        assert_eq!(again["known"], 5, "{again}");
        let list = api.get(&key, "/v1/withdrawals").await.of(200);
        let amounts = list["items"].as_array().unwrap().iter();
        let amounts: Vec<&str> = amounts.map(|one| one["amount"].as_str().unwrap()).collect();
        assert_eq!(amounts, ["0.000001", "1000", "8.2", "20.25", "10"]);
    });
}

#[test]
fn what_leaves_is_safe_to_open_in_a_spreadsheet() {
    let mut store = None;
    let (mut api, kept) = Api::set_up(Kind::Sqlite, |location| super::support::create(location));
    store.replace(kept);
    api.start();
    let key = api.key("request,read");
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let mut body = super::api::body(&payment(1));
        body["metadata"] = json!({"-x": "=HYPERLINK(\"http://192.0.2.1\")"});
        api.tell(&key, "/v1/withdrawals", body).await.of(201);
        api.file(&key, &payment(2)).await.of(201);
        let csv = api.get(&key, EXPORT).await;
        assert!(csv.kind.starts_with("text/csv"), "{}", csv.kind);
        assert!(
            csv.headers["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment")
        );
        // Files what it was filed from.
        let again = api
            .post(&key, "/v1/withdrawals/bulk", "text/csv", &csv.text)
            .await
            .of(200);
        assert_eq!((&again["known"], &again["filed"]), (&json!(2), &json!(0)));
        for (query, field) in [
            ("?format=pdf", "format"),
            ("?limit=3", "limit"),
            ("?status=lost", "status"),
        ] {
            let refused = api
                .get(&key, &format!("{EXPORT}{query}"))
                .await
                .refused(422, "invalid");
            assert_eq!(refused["errors"][0]["field"], field);
        }
        let nothing = api.get(&key, &format!("{EXPORT}?until=0")).await;
        assert_eq!(nothing.text.lines().count(), 1, "{}", nothing.text);
        let request = Api::client().get(api.url(&format!("{EXPORT}?format=xlsx&status=waiting")));
        let answer = request
            .header("authorization", format!("Bearer {key}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-type"], XLSX);
        let path = folder.path().join("out.xlsx");
        fs::write(&path, answer.bytes().await.unwrap()).unwrap();
        let rows: Vec<Vec<(String, Value)>> =
            serde_json::from_str(&program("read", &path)).unwrap();
        assert_eq!(rows.len(), 3);
        let filled = rows.iter().flatten().filter(|(_, value)| !value.is_null());
        assert!(filled.clone().all(|(kind, _)| kind == "s"), "{rows:?}");
        assert!(
            rows[2]
                .iter()
                .any(|(_, value)| value == "{\"-x\":\"=HYPERLINK(\\\"http://192.0.2.1\\\")\"}"),
            "{rows:?}"
        );
        let again = send(&api, &key, "", &path).await.of(200);
        assert_eq!((&again["known"], &again["filed"]), (&json!(2), &json!(0)));
    });
}

/// What operators write is the one text of people that begins a cell.
#[test]
fn an_operators_note_is_no_formula() {
    const NOTE: &str = "=HYPERLINK(\"http://192.0.2.1\")";
    let (mut log, first) = History::open(1);
    let (mut api, mut store) = Api::set_up(Kind::Sqlite, |location| {
        let mut store = support::create(location);
        store.commit(&[first], &log.state.take_changes()).unwrap();
        store
    });
    api.start();
    let key = api.key("request,read");
    block_on(async { api.file(&key, &payment(1)).await.of(201) });
    let accepted = log.accept(1);
    go_on(&mut store, &mut log, &accepted);
    let note = NOTE.to_owned();
    go_on(&mut store, &mut log, &held(HoldReason::Operator { note }));
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let csv = api.get(&key, EXPORT).await.text;
        let quoted = format!("\"'{}\"", NOTE.replace('"', "\"\""));
        assert!(csv.contains(&quoted), "{csv}");
        let request = Api::client().get(api.url(&format!("{EXPORT}?format=xlsx")));
        let request = request.header("authorization", format!("Bearer {key}"));
        let answer = request.send().await.unwrap();
        let path = folder.path().join("out.xlsx");
        fs::write(&path, answer.bytes().await.unwrap()).unwrap();
        let rows: Vec<Vec<(String, Value)>> =
            serde_json::from_str(&program("read", &path)).unwrap();
        let mut cells = rows.iter().flatten();
        assert!(
            cells.any(|(kind, value)| kind == "s" && value == NOTE),
            "{rows:?}"
        );
    });
}
