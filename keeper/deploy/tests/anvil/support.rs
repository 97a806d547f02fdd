//! A node of a test's own with a token on it, a policy for it, and a key that pays.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use alloy_sol_types::SolValue;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tidelock_deploy::{
    DeployError, Deployment, Node, NodeError, Policy, Release,
    apply::{Limits, Made},
    chain::Chain,
    node::{Asking, Payer, Signing, revert_data},
    policy::EXAMPLE,
    record::Record,
};

pub const LIMITS: Limits = Limits {
    max_fee: 100_000_000_000,
    wait: Duration::from_secs(300),
};

/// An anvil with TetherToken's stand-in; gone with the test.
pub struct World {
    process: Child,
    url: Url,
    client: Client,
    pub token: Address,
    pub payer: Key,
    /// Calls of `eth_sendRawTransaction` so far, and which of them loses its reply or its way.
    pub sends: AtomicUsize,
    pub fault: Mutex<Option<Fault>>,
}

/// What befalls one sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the node hears of it.
    Before(usize),
    /// The node has it, and the reply is lost.
    After(usize),
}

pub struct Key(PrivateKeySigner);

impl Payer for Key {
    fn address(&self) -> Address {
        self.0.address()
    }

    fn sign(&self, digest: B256) -> Signing<'_> {
        let signed = self.0.sign_hash_sync(&digest);
        Box::pin(async move { signed.map_err(|error| error.to_string()) })
    }
}

impl Node for World {
    fn ask(&self, method: &'static str, params: Value) -> Asking<'_> {
        Box::pin(async move {
            let lost = || NodeError::Unreachable("the connection broke".to_owned());
            let mut fault = None;
            if method == "eth_sendRawTransaction" {
                let send = self.sends.fetch_add(1, Ordering::SeqCst) + 1;
                fault = *self.fault.lock().unwrap();
                if fault == Some(Fault::Before(send)) {
                    return Err(lost());
                }
                fault = fault.filter(|fault| *fault == Fault::After(send));
            }
            let answer = self.raw(method, params).await;
            if fault.is_some() { Err(lost()) } else { answer }
        })
    }
}

impl World {
    pub async fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(anvil())
            .args(["--port", "0", "--auto-impersonate", "--chain-id", "31337"])
            .args(["--timestamp", "1796000000", "--slots-in-an-epoch", "2"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("anvil does not start");
        let port = port_of(&mut process);
        let key = B256::repeat_byte(7);
        let mut world = Self {
            process,
            url: format!("http://127.0.0.1:{port}").parse().unwrap(),
            client: client(),
            token: Address::ZERO,
            payer: Key(PrivateKeySigner::from_bytes(&key).unwrap()),
            sends: AtomicUsize::new(0),
            fault: Mutex::new(None),
        };
        world.fund(U256::from(10).pow(U256::from(20))).await;
        world.token = world.make_token().await;
        world
    }

    pub async fn raw(&self, method: &'static str, params: Value) -> Result<Value, NodeError> {
        let asked = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let sent = self.client.post(self.url.clone()).body(asked.to_string());
        let sent = sent.header("content-type", "application/json").send().await;
        let text = sent.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        match answer.get("error") {
            None => Ok(answer["result"].clone()),
            Some(error) => Err(NodeError::Refused {
                method,
                code: error["code"].as_i64().unwrap(),
                message: error["message"].to_string(),
                data: revert_data(error.get("data")),
            }),
        }
    }

    pub async fn tell(&self, method: &'static str, params: Value) -> Value {
        self.raw(method, params).await.unwrap()
    }

    pub async fn fund(&self, wei: U256) {
        let account = self.payer.address();
        self.tell("anvil_setBalance", json!([account, wei])).await;
    }

    async fn make_token(&self) -> Address {
        let path = repository().join("target/contracts/tether/TetherLike.json");
        let text = std::fs::read_to_string(&path).expect("scripts/setup builds the token");
        let artifact: Value = serde_json::from_str(&text).unwrap();
        let code: Bytes = artifact["bytecode"]["object"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let named = (U256::ZERO, "Tether USD", "USDT", U256::from(6)).abi_encode_params();
        let data = Bytes::from([code.as_ref(), &named].concat());
        let from = Address::repeat_byte(9);
        self.tell("anvil_setBalance", json!([from, "0xffffffffffffffffff"]))
            .await;
        let receipt = self.send(json!({"from": from, "data": data})).await;
        serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
    }

    /// Sends as an account that anvil plays; it must go through.
    pub async fn send(&self, mut transaction: Value) -> Value {
        transaction["gas"] = json!("0xf42400");
        let hash = self.tell("eth_sendTransaction", json!([transaction])).await;
        for _ in 0..500 {
            let receipt = self.tell("eth_getTransactionReceipt", json!([hash])).await;
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{transaction}");
                return receipt;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no block holds {transaction}")
    }

    pub async fn code(&self, address: Address) -> Bytes {
        let code = self.tell("eth_getCode", json!([address, "latest"])).await;
        serde_json::from_value(code).unwrap()
    }

    pub async fn set_code(&self, address: Address, code: &[u8]) {
        let code = Bytes::copy_from_slice(code);
        self.tell("anvil_setCode", json!([address, code])).await;
    }

    /// Transactions of the payer in blocks.
    pub async fn nonce(&self) -> u64 {
        let account = self.payer.address();
        Chain(self).nonce(account, "latest").await.unwrap()
    }

    /// The example's policy for this world's token.
    pub async fn policy(&self, edits: &[(&str, &str)]) -> Policy {
        let token = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
        let mut text = EXAMPLE.replace(token, &self.token.to_string());
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let now = Chain(self).block("latest").await.unwrap().timestamp;
        Policy::parse(&text, now.to()).unwrap()
    }

    pub async fn deployment(&self, edits: &[(&str, &str)]) -> Deployment {
        Deployment::new(self.policy(edits).await, Release::embedded().unwrap())
    }

    pub async fn apply(&self, deployment: &Deployment) -> Result<Vec<Made>, DeployError> {
        self.apply_within(deployment, LIMITS).await
    }

    pub async fn apply_within(
        &self,
        deployment: &Deployment,
        limits: Limits,
    ) -> Result<Vec<Made>, DeployError> {
        let chain = Chain(self);
        deployment
            .apply(chain, &self.payer, limits, &mut |_| ())
            .await
    }

    pub async fn verify(&self, deployment: &Deployment) -> Result<Record, DeployError> {
        deployment.verify(Chain(self)).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn repository() -> PathBuf {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_directory.ancestors().nth(2).unwrap().to_owned()
}

/// Where it listens; it goes on reading, so that the node never waits for a reader.
fn port_of(process: &mut Child) -> u16 {
    let stdout = process.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, port)) = line
                .strip_prefix("Listening on ")
                .and_then(|at| at.rsplit_once(':'))
            {
                let _ = sender.send(port.trim().parse().ok());
            }
        }
    });
    let port = receiver
        .recv_timeout(Duration::from_secs(300))
        .ok()
        .flatten();
    port.expect("anvil did not say within 300 s where it listens")
}

/// The pinned anvil; the launcher that npm links hides how it ended.
fn anvil() -> PathBuf {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil");
    let pinned = repository().join(package);
    if pinned.exists() {
        pinned
    } else {
        PathBuf::from("anvil") // whatever is on PATH
    }
}

/// With the keeper's cryptography, which must be chosen where both are built together.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}
