//! RabbitMQ, and what is in its queues by the word of a client that is not the keeper's.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use alloy::hex;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    rabbitmq::RabbitMq,
    support::{authority::certificates, port::Port},
};

/// That of the user `keeper`.
pub const PASSWORD: &str = "correct-horse-battery";

/// A broker with a user of that name.
pub fn start() -> RabbitMq {
    RabbitMq::with(&user())
}

fn user() -> String {
    format!("default_user = keeper\ndefault_pass = {PASSWORD}\n")
}

/// The broker that the tests of this binary share, with a second port for TLS. It ends with the process.
pub struct Shared {
    pub broker: RabbitMq,
    pub tls_port: Port,
    /// Who vouches for it.
    pub authority: PathBuf,
    _certificates: TempDir,
}

pub fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let certificates = certificates();
        let tls_port = Port::claim();
        let at = |name: &str| certificates.path().join(name);
        let tls = format!(
            "listeners.ssl.1 = 127.0.0.1:{}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_none\n",
            tls_port.number(),
            at("ca.pem").display(),
            at("cert.pem").display(),
            at("key.pem").display()
        );
        Shared {
            broker: RabbitMq::with(&format!("{}{tls}", user())),
            tls_port,
            authority: at("ca.pem"),
            _certificates: certificates,
        }
    })
}

/// A queue of requests and one for dead letters, on one broker.
#[derive(Debug, Clone)]
pub struct Queues {
    pub port: u16,
    pub requests: String,
    pub dead: String,
}

/// A message as it is sent.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub body: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Message {
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            headers: BTreeMap::new(),
        }
    }
}

/// A message as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub body: Vec<u8>,
    pub headers: BTreeMap<String, String>,
    pub is_persistent: bool,
}

impl Queues {
    /// Queues of a test's own.
    pub fn of(broker: &RabbitMq) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let queues = Self {
            port: broker.port(),
            requests: format!("withdrawals-{number}"),
            dead: format!("withdrawals-{number}.dead"),
        };
        queues.client("declare", &[&queues.requests, &queues.dead], "");
        queues
    }

    pub fn send(&self, messages: &[Message]) {
        let lines: Vec<String> = messages
            .iter()
            .map(|message| {
                let body = hex::encode(&message.body);
                json!({"body": body, "headers": message.headers}).to_string()
            })
            .collect();
        self.client("send", &[&self.requests], &lines.join("\n"));
    }

    /// Messages that wait.
    pub fn ready(&self, queue: &str) -> u64 {
        self.client("ready", &[queue], "").trim().parse().unwrap()
    }

    /// All dead letters; they are taken out.
    pub fn dead_letters(&self) -> Vec<Found> {
        let out = self.client("take", &[&self.dead], "");
        let found = out.lines().map(|line| {
            let found: Value = serde_json::from_str(line).unwrap();
            Found {
                body: hex::decode(found["body"].as_str().unwrap()).unwrap(),
                headers: serde_json::from_value(found["headers"].clone()).unwrap(),
                is_persistent: found["persistent"] == true,
            }
        });
        found.collect()
    }

    pub fn declare_dead(&self) {
        self.client("declare", &[&self.dead], "");
    }

    pub fn delete_dead(&self) {
        self.client("delete", &[&self.dead], "");
    }

    fn client(&self, command: &str, queues: &[&str], input: &str) -> String {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = manifest
            .parent()
            .unwrap()
            .join("target/rabbitmq/client/bin/python");
        assert!(
            python.exists(),
            "scripts/rabbitmq makes {}",
            python.display()
        );
        let mut client = Command::new(python)
            .arg(manifest.join("tests/consume/rabbitmq.py"))
            .args([&self.port.to_string(), command])
            .args(queues)
            .env("RABBITMQ_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        client
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let done = client.wait_with_output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap()
    }
}
