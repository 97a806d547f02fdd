//! Clients of all sorts. Those that mean it ask until they are answered; the others break off, say nonsense, or take nothing.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::primitives::Address;
use tidelock_core::domain::{Amount, Payment, PaymentRef};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{report::Heard, site::Site};
use crate::api::{Api, PATIENCE, Stream, body};

/// Clients that file.
const FILERS: usize = 4;
/// Between two withdrawals of one.
const PACE: Duration = Duration::from_millis(50);
/// Connections that take nothing, at a time: each for some seconds longer than a server waits.
const SLOW: usize = 96;
/// After no answer.
const PAUSE: Duration = Duration::from_millis(100);
/// After so long a reader breaks off and goes on from where it was.
const BREAK: Duration = Duration::from_secs(2);

/// What clients share.
pub struct Shared {
    pub key: String,
    address: RwLock<String>,
    pub is_over: AtomicBool,
    next: AtomicU32,
    filed: Mutex<Vec<Payment>>,
    heard: Mutex<Heard>,
    /// How often each status was answered.
    pub answers: Mutex<BTreeMap<u16, u64>>,
    pub again: AtomicU64,
    pub broken: AtomicU64,
    pub slow: AtomicU64,
    pub resumed: AtomicU64,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Shared {
    pub fn new(site: &Site) -> Self {
        Self {
            key: site.key.clone(),
            address: RwLock::new(site.api.address.clone()),
            is_over: AtomicBool::new(false),
            next: AtomicU32::new(1),
            filed: Mutex::default(),
            heard: Mutex::default(),
            answers: Mutex::default(),
            again: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            reader: Mutex::default(),
        }
    }

    /// The server may have another address now.
    pub fn moved(&self, site: &Site) {
        *self.address.write().unwrap() = site.api.address.clone();
    }

    fn address(&self) -> String {
        self.address.read().unwrap().clone()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn answered(&self, status: u16) {
        *self.answers.lock().unwrap().entry(status).or_default() += 1;
    }

    /// A small payment that nobody filed, to somebody whom nobody else pays: so many that no cap is reached.
    fn fresh(&self) -> Payment {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut recipient = [0x53; 20];
        recipient[16..].copy_from_slice(&id.to_be_bytes());
        let mut reference = [0x54; 16];
        reference[12..].copy_from_slice(&id.to_be_bytes());
        let amount = Amount(10_000 + u128::from(id % 9));
        Payment::new(Address::from(recipient), amount, PaymentRef(reference)).unwrap()
    }

    /// What was filed, once everybody who means it is done.
    pub async fn ended(&self, clients: Vec<JoinHandle<()>>) -> Vec<Payment> {
        for client in clients {
            timeout(PATIENCE, client)
                .await
                .expect("a client waits")
                .unwrap();
        }
        self.filed.lock().unwrap().clone()
    }

    /// What the reader heard, once it has heard that event.
    pub async fn heard_up_to(&self, end: u64) -> Heard {
        let begin = Instant::now();
        while self.heard.lock().unwrap().last < end {
            assert!(
                begin.elapsed() < PATIENCE,
                "a reader never heard of event {end}"
            );
            sleep(PAUSE).await;
        }
        if let Some(reader) = self.reader.lock().unwrap().take() {
            reader.abort();
        }
        self.heard.lock().unwrap().clone()
    }
}

/// All of them, but the one that reads to the very end.
pub fn start(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let mut clients = Vec::new();
    for _ in 0..FILERS {
        clients.push(tokio::spawn(file(shared.clone())));
    }
    clients.push(tokio::spawn(break_off(shared.clone())));
    clients.push(tokio::spawn(take_nothing(shared.clone())));
    let reader = tokio::spawn(follow(shared.clone()));
    *shared.reader.lock().unwrap() = Some(reader);
    clients
}

/// Files one after the other, each until it is known to be filed. Now and then nobody waits for the first answer.
async fn file(shared: Arc<Shared>) {
    let mut turn = 0_u64;
    while !shared.is_over() {
        let payment = shared.fresh();
        turn += 1;
        if turn.is_multiple_of(5) {
            abandon(&shared, &payment).await;
        }
        loop {
            let request = Api::client().post(format!("http://{}/v1/withdrawals", shared.address()));
            let request = request.header("authorization", format!("Bearer {}", shared.key));
            let request = request.header("content-type", "application/json");
            let sent = request.body(body(&payment).to_string()).send();
            if let Ok(Ok(answer)) = timeout(Duration::from_secs(30), sent).await {
                let status = answer.status().as_u16();
                shared.answered(status);
                match status {
                    200 | 201 => break,
                    408 | 429 | 500..=599 => {}
                    _ => panic!("{status}: {}", answer.text().await.unwrap_or_default()),
                }
            }
            shared.again.fetch_add(1, Ordering::Relaxed);
            sleep(PAUSE).await;
        }
        shared.filed.lock().unwrap().push(payment);
        sleep(PACE).await;
    }
}

fn head(shared: &Shared, length: usize) -> String {
    format!(
        "POST /v1/withdrawals HTTP/1.1\r\nhost: soak\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
        shared.key
    )
}

/// Says something, and is gone before it is answered.
async fn say(shared: &Shared, words: &[u8]) {
    if let Ok(mut stream) = TcpStream::connect(shared.address()).await {
        // The server may be gone first.
        let _ = stream.write_all(words).await;
        shared.broken.fetch_add(1, Ordering::Relaxed);
    }
}

async fn abandon(shared: &Shared, payment: &Payment) {
    let body = body(payment).to_string();
    let words = format!("{}{body}", head(shared, body.len()));
    say(shared, words.as_bytes()).await;
}

/// Bodies that break off, that are no JSON, that are too long, and what is no HTTP at all.
async fn break_off(shared: Arc<Shared>) {
    let long = [b" ".repeat(20_000), b"{}".to_vec()].concat();
    let bodies: [&[u8]; 6] = [
        b"{\"ref\":",
        b"\xff\xfe\x00",
        b"[[[[[[",
        b"{}",
        b"\"",
        &long,
    ];
    for turn in 0_usize.. {
        if shared.is_over() {
            return;
        }
        let body = bodies[turn % bodies.len()];
        let declared = body.len() + 7 * (turn % 2);
        say(
            &shared,
            &[head(&shared, declared).as_bytes(), body].concat(),
        )
        .await;
        say(&shared, b"\x16\x03\x01 no HTTP \r\n\r\n").await;
        // And one that waits for its answer.
        let request = Api::client().post(format!("http://{}/v1/withdrawals", shared.address()));
        let request = request.header("authorization", format!("Bearer {}", shared.key));
        let request = request.header("content-type", "application/json");
        if let Ok(answer) = request.body(body.to_vec()).send().await {
            let status = answer.status().as_u16();
            shared.answered(status);
            assert!(status >= 400, "{body:?} was taken: {status}");
        }
        sleep(PACE).await;
    }
}

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Opens streams and sockets from the first event on and reads none of them, and sends heads a byte at a time.
async fn take_nothing(shared: Arc<Shared>) {
    let mut open = Vec::new();
    while !shared.is_over() {
        let asked = |page: &str, more: &str| {
            format!(
                "GET /v1/events/{page}?after=0 HTTP/1.1\r\nhost: soak\r\nauthorization: Bearer {}\r\n{more}\r\n",
                shared.key
            )
        };
        let asked = [
            asked("stream", ""),
            asked("socket", UPGRADE),
            "G".to_owned(),
        ];
        for words in asked.iter().map(String::as_bytes) {
            if let Ok(mut stream) = connect_to_take_little(&shared).await {
                let _ = stream.write_all(words).await;
                shared.slow.fetch_add(1, Ordering::Relaxed);
                open.push(stream);
            }
        }
        if open.len() > SLOW {
            open.drain(..3);
        }
        sleep(5 * PAUSE).await;
    }
}

/// A connection of which the own system keeps little, so that who does not read soon takes nothing.
async fn connect_to_take_little(shared: &Shared) -> std::io::Result<TcpStream> {
    let address = shared.address().parse().unwrap();
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    socket.connect(address).await
}

/// Reads every event, and breaks off again and again.
async fn follow(shared: Arc<Shared>) {
    loop {
        let last = shared.heard.lock().unwrap().last;
        let request = Api::client().get(format!("http://{}/v1/events/stream", shared.address()));
        let request = request.header("authorization", format!("Bearer {}", shared.key));
        let sent = request
            .header("last-event-id", last.to_string())
            .send()
            .await;
        if let Ok(answer) = sent {
            let status = answer.status().as_u16();
            shared.answered(status);
            if status == 200 {
                read(&shared, Stream::of(answer)).await;
                shared.resumed.fetch_add(1, Ordering::Relaxed);
            }
        }
        sleep(PAUSE).await;
    }
}

async fn read(shared: &Shared, mut stream: Stream) {
    let end = Instant::now() + BREAK;
    while let Ok(Ok(Some((sequence, kind, event)))) =
        tokio::time::timeout_at(end, stream.heard()).await
    {
        shared.heard.lock().unwrap().take(sequence, &kind, &event);
    }
}
