//! What happened, as others are told.

use futures_util::StreamExt;
use serde_json::Value;
use tidelock_core::{event::Event, lifecycle::PaymentStatus, store::Store};
use tidelock_keeper::store::Reader;

use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::{
    api::{Api, PATIENCE, Stream, block_on},
    support::{self, Kind},
};

/// Every event, by pages of an odd length.
async fn all(api: &Api, key: &str) -> Vec<Value> {
    let (mut events, mut next) = (Vec::new(), 0);
    loop {
        let page = api
            .get(key, &format!("/v1/events?after={next}&limit=7"))
            .await
            .of(200);
        let more = page["events"].as_array().unwrap().clone();
        next = page["next"].as_u64().unwrap();
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

pub fn events_have_no_gaps_and_no_secrets(kind: Kind) {
    let (mut api, store) = Api::set_up(kind, |location| support::lively(location).0);
    store.close().unwrap();
    api.start();
    let key = api.key("read");
    let events = block_on(all(&api, &key));
    assert_eq!(events.len(), 300);
    for (sequence, event) in (1_u64..).zip(&events) {
        assert_eq!(event["sequence"], format!("{sequence:020}"));
        assert_eq!(event["id"], sequence.to_string());
        assert_eq!(event["specversion"], "1.0");
        assert!(
            event["source"]
                .as_str()
                .unwrap()
                .starts_with("urn:tidelock:chain:31337:vault:0x")
        );
        let time = event["time"].as_str().unwrap();
        assert!(
            time.starts_with("2023-11-14T22:") && time.ends_with('Z'),
            "{time}"
        );
    }
    let text = serde_json::to_string(&events).unwrap();
    let location = api.location.clone();
    let mut reader = Reader::open(location).unwrap();
    let mut paid = Vec::new();
    let mut signed = 0;
    for entry in reader.events_after(0, 1_000).unwrap() {
        let told = &events[entry.seq as usize - 1];
        if let Event::AttemptSigned { raw, hash, .. } = &entry.event {
            signed += 1;
            assert!(
                !text.contains(&raw.to_string()[2..]),
                "signed bytes are told"
            );
            assert_eq!(told["data"]["transaction"], hash.to_string());
        }
        if matches!(entry.event, Event::OutcomeFinal { .. }) {
            assert_eq!(told["type"], "tidelock.withdrawal.paid");
            paid.extend(told["data"]["refs"].as_array().unwrap().clone());
        }
    }
    assert!(signed > 0 && !paid.is_empty());
    let overview = reader.overview().unwrap();
    // Others may have been paid before the log was opened.
    assert!(paid.len() as u64 <= overview.counts[&PaymentStatus::Paid]);
    block_on(async {
        for reference in &paid {
            let place = format!("/v1/withdrawals/{}", reference.as_str().unwrap());
            assert_eq!(api.get(&key, &place).await.of(200)["status"], "paid");
            let timeline = api.get(&key, &format!("{place}/timeline")).await.of(200);
            let entries = timeline["entries"].as_array().unwrap();
            let is_told = |entry: &Value| entry["type"] == "tidelock.withdrawal.paid";
            assert!(entries.iter().any(is_told), "{timeline}");
        }
    });
}

pub fn a_stream_goes_on_where_it_broke_off_and_ends_with_the_server(kind: Kind) {
    let (mut api, mut store) = Api::set_up(kind, |location| support::filled(location, 150, 7).0);
    api.start();
    let key = api.key("read");
    let mut history = support::resumed(&mut store);
    let mut write = move |entries: usize| {
        let written: Vec<_> = (0..entries).map(|_| history.step()).collect();
        store
            .commit(&written, &history.state.take_changes())
            .unwrap();
    };
    let url = api.url("/v1/events/stream");
    let from_start = format!("{url}?after=0");
    // The store blocks, so it is written on another thread than those of the runtime.
    let (go, told) = std::sync::mpsc::channel::<usize>();
    let writer = std::thread::spawn(move || {
        for entries in told {
            write(entries);
        }
    });
    block_on(async {
        let mut stream = Stream::open(from_start, &key, None).await;
        // What was there, then what is written while it is read.
        let mut expected = 0;
        for entries in [0, 1, 40, 1, 300] {
            if entries > 0 {
                go.send(entries).unwrap();
            }
            let upto = if entries == 0 {
                150
            } else {
                expected + entries as u64
            };
            while expected < upto {
                let (id, kind, event) = stream.next().await.expect("it ended");
                expected += 1;
                assert_eq!(id, expected);
                assert_eq!(event["type"], kind.as_str());
                assert_eq!(event["id"], id.to_string());
            }
        }
        drop(stream);
        // Meanwhile something happens.
        go.send(25).unwrap();
        let mut stream = Stream::open(url.clone(), &key, Some(expected)).await;
        let (id, ..) = stream.next().await.unwrap();
        assert_eq!(
            id,
            expected + 1,
            "nothing is left out and nothing comes twice"
        );
        for next in expected + 2..=expected + 25 {
            assert_eq!(stream.next().await.unwrap().0, next);
        }
        api.ask_to_end();
        assert!(stream.next().await.is_none(), "streams end with the server");
    });
    assert!(api.ended().success(), "{}", api.log());
    drop(go);
    writer.join().unwrap();
}

/// The events of a socket, in order, until so many were read; fewer if it ends.
async fn read(socket: &mut Socket, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    while events.len() < count {
        let next = tokio::time::timeout(PATIENCE, socket.next()).await;
        match next.expect("nothing came") {
            Some(Ok(Message::Text(text))) => events.push(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            Some(Ok(other)) => panic!("{other}"),
        }
    }
    events
}

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn socket(api: &Api, key: &str, query: &str) -> Result<Socket, tungstenite::Error> {
    let url = format!("ws://{}/v1/events/socket{query}", api.address);
    let mut request = url.into_client_request().unwrap();
    let bearer = format!("Bearer {key}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    Ok(connect_async(request).await?.0)
}

pub fn a_socket_tells_the_same_and_ends_with_its_key_and_with_the_server(kind: Kind) {
    let (mut api, store) = Api::set_up(kind, |location| support::lively(location).0);
    store.close().unwrap();
    api.start();
    let (key, other) = (api.key("read"), api.key("read"));
    let files = api.key("request");
    block_on(async {
        let told = all(&api, &key).await;
        let mut first = socket(&api, &key, "?after=0").await.unwrap();
        assert_eq!(read(&mut first, told.len()).await, told);
        // It goes on where another broke off.
        let mut second = socket(&api, &other, "?after=290").await.unwrap();
        assert_eq!(read(&mut second, 10).await, told[290..]);
        for (key, query, status) in [("", "", 401), (&files, "", 403), (&key, "?after=x", 422)] {
            match socket(&api, key, query).await {
                Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), status),
                other => panic!("{query}: {other:?}"),
            }
        }
        let id = key.split('_').nth(1).unwrap();
        let done = api.command().args(["api-key", "end", id]).output().unwrap();
        assert!(done.status.success());
        assert!(read(&mut first, 1).await.is_empty(), "it ends with its key");
        api.ask_to_end();
        assert!(
            read(&mut second, 1).await.is_empty(),
            "it ends with the server"
        );
    });
    assert!(api.ended().success(), "{}", api.log());
}
