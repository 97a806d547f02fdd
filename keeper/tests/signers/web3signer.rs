//! A daemon whose key is behind Web3Signer's HTTP protocol, and everything that can go wrong on the way there.

use std::sync::{Arc, Mutex};

use alloy::{
    hex,
    primitives::{B256, Bytes, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::{Value, json};
use tidelock_keeper::{
    config::Config,
    signer::{Class, Guarded, Message, Signer, SignerError, open_key},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{
    are_paid, office, payments, sent,
    token::{signs, waits_because, with_key},
    world::Keys,
};

/// What the server does with a request for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Signs,
    /// Signs, and hangs up before the answer.
    LosesAnswers,
    Answers(u16, &'static str),
    /// Signs with another key.
    SignsAsAnother,
    Silent,
}

struct State {
    key: PrivateKeySigner,
    mood: Mutex<Mood>,
    /// The digest of each request for a signature, and whether it was answered with one.
    asked: Mutex<Vec<(B256, bool)>>,
}

/// Ends with the test.
struct Server {
    url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(key: PrivateKeySigner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let state = Arc::new(State {
            key,
            mood: Mutex::new(Mood::Signs),
            asked: Mutex::default(),
        });
        let served = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&served)));
            }
        });
        Self { url, state, task }
    }

    fn set(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> Vec<(B256, bool)> {
        self.state.asked.lock().unwrap().clone()
    }

    fn section(&self) -> String {
        format!(
            "[key]\nsigner = \"web3signer\"\nurl = \"{}\"\naddress = \"{}\"\ntimeout_ms = 1000\n",
            self.url,
            self.state.key.address()
        )
    }

    /// The key that the section leads to.
    async fn open(&self) -> Result<Guarded, SignerError> {
        open_section(&self.section()).await
    }
}

pub async fn open_section(section: &str) -> Result<Guarded, SignerError> {
    let text = format!(
        "[chain]\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = 1\n[vault]\naddress = \"{}\"\nlens = \"{}\"\ntoken = \"{}\"\n{section}",
        "0x00000000000000000000000000000000000000a1",
        "0x00000000000000000000000000000000000000a2",
        "0x00000000000000000000000000000000000000a3",
    );
    let config = Config::parse("keeper.toml".as_ref(), &text).unwrap();
    open_key(&config.key).await
}

/// One request for each connection.
async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let Some((path, body)) = read(&mut stream).await else {
        return;
    };
    let public = state
        .key
        .credential()
        .verifying_key()
        .to_encoded_point(false);
    let public = format!("0x{}", hex::encode(&public.as_bytes()[1..]));
    let other = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x77)).unwrap();
    let mood = *state.mood.lock().unwrap();
    let (status, answer) = if path == "/api/v1/eth1/publicKeys" {
        (200, json!(["0x00", public]).to_string())
    } else if path == format!("/api/v1/eth1/sign/{public}") {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let data: Bytes = serde_json::from_value(asked["data"].clone()).unwrap();
        let digest = keccak256(&data);
        let sign = |key: &PrivateKeySigner| key.sign_hash_sync(&digest).unwrap().to_string();
        let is_answered = matches!(mood, Mood::Signs);
        state.asked.lock().unwrap().push((digest, is_answered));
        match mood {
            Mood::Signs => (200, sign(&state.key)),
            Mood::SignsAsAnother => (200, sign(&other)),
            Mood::LosesAnswers => return,
            Mood::Answers(status, words) => (status, words.to_owned()),
            Mood::Silent => std::future::pending().await,
        }
    } else {
        (404, String::new())
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The path and the body.
async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let end = b"\r\n\r\n";
    loop {
        if let Some(head) = read.windows(4).position(|window| window == end) {
            let text = String::from_utf8_lossy(&read[..head]).into_owned();
            let path = text.split(' ').nth(1)?.to_owned();
            let lower = text.to_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if read.len() >= head + 4 + length {
                return Some((path, read[head + 4..head + 4 + length].to_vec()));
            }
        }
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

fn message() -> Message {
    Message::new(Bytes::from_static(b"\x02transaction"))
}

#[tokio::test]
async fn it_signs_what_a_chain_asks_for() {
    let key = Keys::fixed().keeper;
    let server = Server::start(key.clone()).await;
    let signer = server.open().await.unwrap();
    assert_eq!(signer.address(), key.address());
    let signature = signer.sign(&message()).await.unwrap();
    let expected = key.sign_hash_sync(&message().digest()).unwrap();
    assert_eq!(signature, expected);
}

#[tokio::test]
async fn each_failure_says_what_can_be_done_about_it() {
    let server = Server::start(Keys::fixed().keeper).await;
    for (mood, class, words) in [
        (
            Mood::Answers(404, ""),
            Class::Final,
            "does not know this key or route (HTTP status 404)",
        ),
        (
            Mood::Answers(400, ""),
            Class::Final,
            "refuses to sign (HTTP status 400)",
        ),
        (
            Mood::Answers(403, ""),
            Class::Final,
            "refuses to sign (HTTP status 403)",
        ),
        (Mood::Answers(429, ""), Class::Transient, "HTTP status 429"),
        (Mood::Answers(500, ""), Class::Transient, "HTTP status 500"),
        (Mood::Answers(302, ""), Class::Transient, "HTTP status 302"),
        (
            Mood::Answers(200, "0x1234"),
            Class::Final,
            "no signature of 65 bytes",
        ),
        (
            Mood::SignsAsAnother,
            Class::Final,
            "is no signature of these bytes by this key",
        ),
        (
            Mood::LosesAnswers,
            Class::Transient,
            "key.url = http://127.0.0.1",
        ),
        (Mood::Silent, Class::Transient, "(key.timeout_ms)"),
    ] {
        let signer = server.open().await.unwrap();
        server.set(mood);
        let error = signer.sign(&message()).await.unwrap_err();
        let said = error.to_string();
        assert_eq!(error.class(), class, "{mood:?}: {said}");
        assert!(said.contains(words), "{mood:?}: {said}");
        server.set(Mood::Signs);
    }
}

#[tokio::test]
async fn a_wrong_setting_is_named_and_its_password_is_not() {
    let server = Server::start(Keys::fixed().keeper).await;
    let address = server.state.key.address().to_string();
    let host = server.url.strip_prefix("http://").unwrap();
    let stranger = Keys::fixed().stranger.address().to_string();
    for (section, class, words) in [
        (
            server.section().replace(&address, &stranger),
            Class::Final,
            format!("key.address = {stranger}: the signer at http://127.0.0.1"),
        ),
        (
            server
                .section()
                .replace(host, &format!("me:hunter2@{host}elsewhere")),
            Class::Final,
            "does not know this key or route (HTTP status 404)".to_owned(),
        ),
        (
            server.section().replace(host, "me:hunter2@127.0.0.1:1/"),
            Class::Transient,
            "key.url = http://127.0.0.1:1: ".to_owned(),
        ),
    ] {
        let error = open_section(&section).await.unwrap_err();
        let said = error.to_string();
        assert_eq!(error.class(), class, "{said}");
        assert!(said.contains(&words), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let behind_a_path = server
        .section()
        .replace(host, &format!("me:hunter2@{host}"));
    assert!(open_section(&behind_a_path).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_pays_and_asks_for_the_same_bytes_until_there_is_an_answer() {
    let office = office().await;
    let server = Server::start(office.world.keys.keeper.clone()).await;
    with_key(&office, &server.section());
    let daemon = office.daemon().await;
    let all = payments(0x61..0x6b);
    let paid = async |through: usize| {
        let what = format!("{through} are paid");
        let are_so = async || are_paid(&office.world, &all[..through]).await;
        office.until(&what, are_so).await;
    };
    office.request(all[..5].to_vec());
    paid(5).await;

    server.set(Mood::LosesAnswers);
    let (before, asked) = (sent(&office.world).await, server.asked().len());
    office.request(all[5..].to_vec());
    waits_because(&office, "key.url = http://127.0.0.1").await;
    office
        .until("it has asked three times", async || {
            server.asked().len() >= asked + 3
        })
        .await;
    assert_eq!(sent(&office.world).await, before);
    server.set(Mood::Signs);
    paid(10).await;
    signs(&office).await;
    daemon.stop();
    let after: Vec<_> = server.asked().split_off(asked);
    let until_answered = after
        .iter()
        .position(|(_, is_answered)| *is_answered)
        .unwrap();
    assert!(until_answered >= 3);
    let first = after[0].0;
    let same = after[..=until_answered].iter();
    assert!(
        same.clone().all(|(digest, _)| *digest == first),
        "{after:?}"
    );
}
