//! A node that lies: it passes questions on to a real one and distorts what comes back.

use std::{sync::Arc, time::Duration};

use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};
use tidelock_keeper::chain::{Rpc, RpcChain, RpcSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::world::World;

/// How long an answer is waited for: a busy machine is no silent node.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The same where nothing will come. [milliseconds]
pub const SHORT_MS: u64 = 500;

/// What is answered.
pub enum Lie {
    /// The truth.
    Truth,
    /// Another result.
    Result(Value),
    /// A JSON-RPC error.
    Error(Value),
    /// Whatever bytes, with a status line's number, name and further headers.
    Raw(&'static str, Vec<u8>),
    /// Nothing, ever.
    Silence,
}

/// Decides by method, parameters and the true answer.
type Liar = dyn Fn(&str, &Value, &Value) -> Lie + Send + Sync;

/// Ends with the test.
pub struct Server {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(
        node: Url,
        liar: impl Fn(&str, &Value, &Value) -> Lie + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let liar: Arc<Liar> = Arc::new(liar);
        let client = tidelock_keeper::tls::client().build().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let truth = client.post(node.clone());
                tokio::spawn(serve(stream, truth, liar.clone()));
            }
        });
        Self { port, task }
    }

    /// An adapter that asks the liar.
    pub fn chain(&self, world: &World) -> RpcChain {
        chain_by(world, &self.address(), PATIENCE)
    }

    /// The same for one that is silent.
    pub fn impatient(&self, world: &World) -> RpcChain {
        chain_by(world, &self.address(), Duration::from_millis(SHORT_MS))
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// An adapter that asks there, and waits so long for each answer.
pub fn chain_by(world: &World, url: &str, timeout: Duration) -> RpcChain {
    let settings = RpcSettings {
        timeout,
        max_answer_bytes: 1 << 20,
    };
    let rpc = Rpc::new(url.parse().unwrap(), settings).unwrap();
    RpcChain::new(Arc::new(rpc), world.parties())
}

/// One question for each connection.
async fn serve(mut stream: TcpStream, truth: RequestBuilder, liar: Arc<Liar>) {
    let Some(body) = read_body(&mut stream).await else {
        return;
    };
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let asks = truth.header("content-type", "application/json").body(body);
    let Ok(truth) = asks.send().await else {
        return; // the test is over
    };
    let truth = truth.bytes().await.unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let method = asked["method"].as_str().unwrap();
    let envelope = |field: &str, value: Value| {
        let mut answer = json!({"jsonrpc": "2.0", "id": asked["id"]});
        answer[field] = value;
        answer.to_string().into_bytes()
    };
    let (head, body) = match liar(method, &asked["params"], &truth["result"]) {
        Lie::Truth => ("200 OK", truth.to_string().into_bytes()),
        Lie::Result(value) => ("200 OK", envelope("result", value)),
        Lie::Error(value) => ("200 OK", envelope("error", value)),
        Lie::Raw(head, body) => (head, body),
        Lie::Silence => std::future::pending().await,
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // The client may have hung up already: it reads no more than it wants.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

async fn read_body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let end = b"\r\n\r\n";
    loop {
        let head = read.windows(end.len()).position(|window| window == end);
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.unwrap().trim().parse().unwrap();
            let start = head + end.len();
            if read.len() >= start + length {
                return Some(read[start..start + length].to_vec());
            }
        }
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}
