//! What is refused, and in which words.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    api::{Api, PATIENCE, Stream, block_on, body},
    support::{Kind, payment},
};

#[test]
fn every_refusal_is_a_problem_in_words() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key("request,read");
    let json = "application/json";
    let good = body(&payment(1)).to_string();
    block_on(async {
        let post =
            async |kind: &str, body: String| api.post(&key, "/v1/withdrawals", kind, body).await;
        post("text/plain", good.clone())
            .await
            .refused(415, "media-type");
        post("", good.clone()).await.refused(415, "media-type");
        for bad in ["", "[]", "{", "\u{0}", "null"] {
            post(json, bad.to_owned()).await.refused(400, "unreadable");
        }
        let long = format!("{{\"note\":\"{}\"}}", "x".repeat(20_000));
        post(json, long).await.refused(413, "too-large");
        for (old, new, field) in [
            ("\"1.000001\"", "1.000001", "amount"),
            ("\"1.000001\"", "\"1,5\"", "amount"),
            ("\"1.000001\"", "\"0\"", "amount"),
            ("\"amount\"", "\"sum\"", "sum"),
            ("\"0x", "\"", "to"),
        ] {
            let problem = post(json, good.replace(old, new))
                .await
                .refused(422, "invalid");
            let fields = problem["errors"].as_array().unwrap().iter();
            let fields: Vec<&str> = fields.map(|one| one["field"].as_str().unwrap()).collect();
            assert!(fields.contains(&field), "{new}: {problem}");
        }
        let vault = good.replace(
            &payment(1).recipient().to_string(),
            &super::support::VAULT.to_string(),
        );
        post(json, vault).await.refused(422, "invalid");

        api.get(&key, "/v1/nothing").await.refused(404, "missing");
        if !cfg!(feature = "console") {
            api.get(&key, "/").await.refused(404, "missing");
        }
        api.get(&key, "/v1/withdrawals/x")
            .await
            .refused(422, "invalid");
        api.get(&key, "/v1/withdrawals/%ff")
            .await
            .refused(400, "refused");
        let unknown = format!("/v1/withdrawals/{}", payment(9).reference());
        api.get(&key, &unknown).await.refused(404, "missing");
        api.get(&key, &format!("{unknown}/timeline"))
            .await
            .refused(404, "missing");
        for page in [
            "/v1/events?after=x",
            "/v1/events?limit=0",
            "/v1/events?limit=1001",
            "/v1/events/stream?limit=1",
            "/v1/events?after=-1",
        ] {
            api.get(&key, page).await.refused(422, "invalid");
        }
    });
}

/// Whoever has every scope has these routes and no others: none pays, changes what was filed, or loosens anything alone.
#[test]
fn there_is_no_route_to_change_anything_but_these() {
    let api = Api::empty(Kind::Sqlite);
    let key = api.key("request,read,operate,audit,administer");
    block_on(async {
        let document = Api::send(Api::client().get(api.url("/openapi.json")))
            .await
            .of(200);
        let mut changing = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in ["get", "head", "post", "put", "delete", "patch"] {
                let is_known =
                    item.get(method).is_some() || method == "head" && item.get("get").is_some();
                if is_known {
                    if method == "post" {
                        changing.push(path.clone());
                    }
                    continue;
                }
                let method = method.to_uppercase().parse().unwrap();
                let path = path.replace("{ref}", &payment(1).reference().to_string());
                let request = Api::client().request(method, api.url(&path.replace("{id}", "1")));
                let answer =
                    Api::send(request.header("authorization", format!("Bearer {key}"))).await;
                assert!(answer.headers.contains_key("allow"), "{path}");
                if !answer.text.is_empty() {
                    answer.refused(405, "method-not-allowed");
                }
            }
        }
        let known = [
            "/v1/acts",
            "/v1/acts/{id}/confirmation",
            "/v1/acts/{id}/refusal",
            "/v1/approvals/{id}/signatures",
            "/v1/changes/{id}/signatures",
            "/v1/keys",
            "/v1/keys/{id}/end",
            "/v1/quotes",
            "/v1/session/end",
            "/v1/withdrawals",
            "/v1/withdrawals/bulk",
        ];
        assert_eq!(changing, known);
        for verb in ["release", "hold", "cancel", "resume", "halt", "pay"] {
            let path = format!("/v1/withdrawals/{}/{verb}", payment(1).reference());
            api.post(&key, &path, "application/json", "{}")
                .await
                .refused(404, "missing");
            api.post(&key, &format!("/v1/{verb}"), "application/json", "{}")
                .await
                .refused(404, "missing");
        }
    });
}

#[test]
fn a_request_that_never_ends_holds_nobody_up() {
    let mut api = Api::empty(Kind::Sqlite);
    api.kill();
    // The least there can be.
    api.variables
        .push(("KEEPER_SERVE__CONNECTIONS", "16".to_owned()));
    let key = api.key("request");
    api.start();
    block_on(async {
        let mut slow = Vec::new();
        for _ in 0..15 {
            let mut stream = TcpStream::connect(&api.address).await.unwrap();
            stream
                .write_all(b"POST /v1/withdrawals HTTP/1.1\r\nhost: x\r\n")
                .await
                .unwrap();
            slow.push(stream);
        }
        // The one that is left is enough.
        api.file(&key, &payment(1)).await.of(201);
        // What is no HTTP is ended at once.
        let mut stream = slow.pop().unwrap();
        stream.write_all(b"\x00\x01\r\n\r\n").await.unwrap();
        let mut said = Vec::new();
        let at_once = Duration::from_secs(20); // less than a head may take
        let ended = tokio::time::timeout(at_once, stream.read_to_end(&mut said));
        let _ = ended.await.expect("it is kept open");
        api.file(&key, &payment(2)).await.of(201);
    });
}

/// Streams leave room for the others, and one that ends makes room for another.
#[test]
fn no_more_streams_are_open_than_leave_room_for_others() {
    let mut api = Api::empty(Kind::Sqlite);
    api.kill();
    api.variables
        .push(("KEEPER_SERVE__CONNECTIONS", "16".to_owned()));
    let key = api.key("read,request");
    api.start();
    block_on(async {
        let url = || api.url("/v1/events/stream?after=0");
        let mut streams = Vec::new();
        for _ in 0..12 {
            streams.push(Stream::open(url(), &key, None).await);
        }
        let refused = api.get(&key, "/v1/events/stream").await;
        assert_eq!(refused.headers["retry-after"], "1");
        refused.refused(503, "unavailable");
        api.file(&key, &payment(1)).await.of(201);
        drop(streams.pop());
        let begin = std::time::Instant::now();
        loop {
            let request = Api::client().get(url());
            let request = request.header("authorization", format!("Bearer {key}"));
            if request.send().await.unwrap().status() == 200 {
                break;
            }
            assert!(begin.elapsed() < PATIENCE, "its place stays taken");
        }
    });
}

#[test]
fn it_serves_without_a_key_that_signs_and_not_to_the_world() {
    let mut api = Api::empty(Kind::Sqlite);
    let files = std::fs::read_dir(api.home.folder.path()).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().contains("keystore")),
        "{names:?}"
    );
    block_on(async {
        let health = Api::send(Api::client().get(api.url("/healthz"))).await;
        assert_eq!(health.of(200)["status"], "ok");
        let ready = Api::send(Api::client().get(api.url("/readyz")))
            .await
            .of(200);
        assert_eq!(ready["store"], true);
        assert_eq!(ready["keeper"], false);
    });
    api.ask_to_end();
    assert!(api.ended().success());
    for (listen, code) in [("0.0.0.0:0", 2), ("[::]:0", 2), ("nowhere", 2)] {
        let mut command = api.command();
        let refused = command
            .arg("serve")
            .env("KEEPER_SERVE__LISTEN", listen)
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{why}");
        assert!(why.contains("serve.listen"), "{why}");
    }
    // Without a store there is nothing to serve.
    std::fs::remove_file(api.home.database()).unwrap();
    let mut command = api.command();
    assert_eq!(
        command.arg("serve").output().unwrap().status.code(),
        Some(5)
    );
}

#[test]
fn the_document_that_is_served_is_the_one_that_is_kept() {
    let api = Api::empty(Kind::Sqlite);
    let served = block_on(async {
        Api::send(Api::client().get(api.url("/openapi.json")))
            .await
            .of(200)
    });
    let kept = super::world::repository().join("keeper/api/openapi.json");
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!(served, kept);
    assert_eq!(served["openapi"], "3.1.0");
}
