//! What a collector is sent of a payment, read as any collector reads it; and collectors that take nothing.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use alloy::primitives::{Address, hex};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use tidelock_core::domain::PaymentRef;
use tokio::net::TcpListener;

use super::{payment, world};
use world::{FINAL, Mining, Office, Plan};

/// A payment's way without a detour, in the order of the alphabet.
const WAY: [&str; 8] = [
    "final", "payment", "released", "sealed", "seen", "sent", "signed", "taken in",
];

/// What a collector was sent.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Bytes>>>);

impl Collected {
    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.0.lock().unwrap();
        let read = |body: &Bytes| ExportTraceServiceRequest::decode(body.clone()).unwrap();
        bodies.iter().map(read).collect()
    }

    /// The spans of the trace that has a ref for its id, by name.
    fn of(&self, reference: PaymentRef) -> BTreeMap<String, Span> {
        let requests = self.requests().into_iter();
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        let own = spans.filter(|span| span.trace_id == reference.0);
        own.map(|span| (span.name.clone(), span)).collect()
    }
}

/// Answers each delivery with that status, or never.
async fn collector(status: Option<StatusCode>) -> (SocketAddr, Collected) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let collected = Collected::default();
    let all = collected.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let all = all.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let all = all.clone();
                async move {
                    assert_eq!(request.uri().path(), "/v1/traces");
                    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
                    // user:hush
                    assert_eq!(request.headers()["authorization"], "Basic dXNlcjpodXNo");
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    all.0.lock().unwrap().push(body);
                    let Some(status) = status else {
                        return std::future::pending().await;
                    };
                    let mut answer = Response::new(Full::new(Bytes::new()));
                    *answer.status_mut() = status;
                    Ok::<_, Infallible>(answer)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    (address, collected)
}

async fn traced(address: SocketAddr) -> Office {
    let office = Office::open(Plan::default()).await;
    office.configure(|text| {
        format!("{text}[operations]\ntraces_url = \"http://user:hush@{address}/v1/traces\"\n")
    });
    office.world.mine(FINAL).await;
    office
}

fn fact(facts: &[KeyValue], key: &str) -> String {
    let one = facts.iter().find(|fact| fact.key == key);
    let value = one.and_then(|fact| fact.value.clone()?.value);
    let Some(Value::StringValue(text)) = value else {
        panic!("{key}: {value:?} of {facts:?}");
    };
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payments_way_is_one_trace_with_its_ref_for_an_id_across_a_restart() {
    let (address, collected) = collector(Some(StatusCode::OK)).await;
    let office = traced(address).await;
    let asked = payment(0xa7, Address::repeat_byte(0x5e), 10);
    let names = || {
        let spans = collected.of(asked.reference());
        spans.into_keys().collect::<Vec<String>>()
    };
    let daemon = office.daemon().await;
    office.request(vec![asked]);
    // Nothing is final until another block is made.
    let before = &WAY[2..];
    office.until("it is seen", async || names() == before).await;
    daemon.stop();
    let daemon = office.daemon().await;
    office.world.set_mining(Mining::Every(1)).await;
    office.until("it is final", async || names() == WAY).await;
    daemon.stop();

    let spans = collected.of(asked.reference());
    let whole = &spans["payment"];
    assert!(whole.parent_span_id.is_empty(), "{whole:?}");
    assert_eq!(whole.status.clone().unwrap_or_default().code, 0, "no error");
    assert_eq!(fact(&whole.attributes, "tidelock.outcome"), "paid");
    let parts = spans.values().filter(|span| span.name != "payment");
    for span in parts {
        assert_eq!(span.parent_span_id, whole.span_id, "{span:?}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        assert!(span.end_time_unix_nano <= whole.end_time_unix_nano);
    }
    for (before, after) in [("taken in", "sealed"), ("sealed", "signed")] {
        assert_eq!(
            spans[before].end_time_unix_nano,
            spans[after].start_time_unix_nano
        );
    }
    assert_eq!(
        fact(&spans["sent"].attributes, "tidelock.transaction"),
        fact(&spans["signed"].attributes, "tidelock.transaction")
    );
    let resource = &collected.requests()[0].resource_spans[0].resource;
    let resource = &resource.as_ref().unwrap().attributes;
    assert_eq!(fact(resource, "service.name"), "tidelock-keeper");
    let vault = office.world.domain.vault.to_string();
    assert_eq!(fact(resource, "tidelock.vault"), vault);
    nothing_but_names(&collected, &office);
}

/// Neither a secret nor who was paid.
fn nothing_but_names(collected: &Collected, office: &Office) {
    let told = format!("{:?}", collected.requests()).to_lowercase();
    let key = office.world.keys.keeper.to_bytes();
    for hidden in ["open sesame", "hush", &"5e".repeat(20), &hex::encode(key)] {
        assert!(!told.contains(hidden), "{hidden} is told");
        assert!(!office.log().to_lowercase().contains(hidden) || hidden.len() == 40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_holds_nobody_up() {
    let (refuses, _) = collector(Some(StatusCode::SERVICE_UNAVAILABLE)).await;
    let (hangs, _) = collector(None).await;
    let away = SocketAddr::from(([127, 0, 0, 1], 1)); // nobody listens there
    let pay = async |address: SocketAddr, words: &str| {
        let office = traced(address).await;
        office.world.set_mining(Mining::Every(1)).await;
        let daemon = office.daemon().await;
        office.request(vec![payment(1, Address::repeat_byte(1), 10)]);
        let reference = PaymentRef([1; 16]).to_string();
        let is_paid = async || {
            let shown = office.keeper(&["explain", &reference, "--json"]).await;
            world::out(&shown).contains("\"status\":\"paid\"")
        };
        office.until("it is paid", is_paid).await;
        let is_said = async || office.log().contains("traces are not taken");
        office.until("it is said", is_said).await;
        daemon.stop();
        let log = office.log();
        assert!(log.contains(words), "{words:?} not in: {log}");
        assert!(!log.contains("hush"), "{log}");
        assert_eq!(log.matches("traces are not taken").count(), 1, "{log}");
    };
    tokio::join!(
        pay(refuses, "the collector answers 503"),
        pay(hangs, "operation timed out"),
        pay(away, "error sending request"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_refused() {
    let office = Office::open(Plan::default()).await;
    for url in ["127.0.0.1:4318", "grpc://collector:4317", ""] {
        office.configure(|text| format!("{text}[operations]\ntraces_url = {url:?}\n"));
        let refused = office.keeper(&["run"]).await;
        let words = "operations.traces_url = (not shown): must be an http:// or https:// URL, such as http://127.0.0.1:4318/v1/traces";
        world::expect(&refused, 2, words);
    }
}
