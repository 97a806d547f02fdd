//! Passes questions on to a node and counts them.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::net::TcpListener;

/// How often each method was asked for; those of a list each count.
#[derive(Debug, Clone, Default)]
pub struct Asked(BTreeMap<String, u64>);

impl Asked {
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub fn less(&self, before: &Self) -> Self {
        let since = |(method, count): (&String, &u64)| {
            (method.clone(), count - before.0.get(method).unwrap_or(&0))
        };
        Self(self.0.iter().map(since).collect())
    }

    /// The most frequent first.
    pub fn most(&self, count: usize) -> Vec<(String, u64)> {
        let mut methods: Vec<(String, u64)> = self.0.clone().into_iter().collect();
        methods.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        methods.truncate(count);
        methods
    }
}

pub struct Relay {
    port: u16,
    asked: Arc<Mutex<Asked>>,
}

impl Relay {
    /// Runs until the process ends.
    pub async fn start(node: Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Asked::default()));
        let client = tidelock_keeper::tls::client().build().unwrap();
        let counted = asked.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let passed = (client.clone(), node.clone(), counted.clone());
                let service = service_fn(move |request| pass(request, passed.clone()));
                let connection = http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { port, asked }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub fn asked(&self) -> Asked {
        self.asked.lock().unwrap().clone()
    }
}

async fn pass(
    request: Request<Incoming>,
    (client, node, asked): (Client, Url, Arc<Mutex<Asked>>),
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    count(&serde_json::from_slice(&body).unwrap(), &asked);
    let question = client
        .post(node)
        .header("content-type", "application/json")
        .body(body);
    let answer = question.send().await.unwrap().bytes().await.unwrap();
    Ok(Response::new(Full::new(answer)))
}

fn count(question: &Value, asked: &Mutex<Asked>) {
    if let Value::Array(list) = question {
        list.iter().for_each(|one| count(one, asked));
    } else if let Some(method) = question["method"].as_str() {
        *asked
            .lock()
            .unwrap()
            .0
            .entry(method.to_owned())
            .or_default() += 1;
    }
}
