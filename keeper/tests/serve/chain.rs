//! Beside a running keeper on a real chain: from a request over HTTP to the event that says it is final, and what a stolen key can do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tidelock_core::domain::Payment;
use tidelock_keeper::store::Server;

use super::{
    api::{Answer, Api, PATIENCE, Stream, body},
    daemon::{self, Daemon, each_paid_once, small},
    support::{Kind, postgres},
    world::{Plan, USDT, World, repository},
};

/// `keeper serve` beside a daemon; killed when dropped.
struct Beside {
    process: Child,
    address: String,
}

fn keeper(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
    command
        .current_dir(folder)
        .args(["--config", "keeper.toml"])
        .env("KEEPER_LOG", "info")
        .stdin(Stdio::null());
    command
}

impl Beside {
    async fn start(folder: &Path) -> Self {
        let path = folder.join("serve.log");
        let log = fs::File::create(&path).unwrap();
        let process = keeper(folder).arg("serve").stderr(log).spawn().unwrap();
        let address = String::new();
        let mut served = Self { process, address }; // gone with the test, also if it never serves
        let begin = Instant::now();
        loop {
            let log = fs::read_to_string(&path).unwrap();
            if let Some((_, rest)) = log.split_once("the API is served address=") {
                served.address = rest.lines().next().unwrap().trim().to_owned();
                return served;
            }
            assert!(begin.elapsed() < PATIENCE, "{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, key: &str, path: &str) -> Answer {
        let request = Api::client().get(self.url(path));
        Api::send(request.header("authorization", format!("Bearer {key}"))).await
    }

    async fn file(&self, key: &str, payment: &Payment) -> Answer {
        let request = Api::client().post(self.url("/v1/withdrawals"));
        let request = request.header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "application/json");
        Api::send(request.body(body(payment).to_string())).await
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A world, a keeper that runs, and the API beside it.
async fn beside(kind: Kind) -> (World, Daemon, Beside) {
    let world = daemon::ready(Plan::default()).await;
    let mut more = "[serve]\nlisten = \"127.0.0.1:0\"\n[batch]\nmax_wait_ms = 100\n".to_owned();
    let mut server = None;
    if kind == Kind::Postgres {
        let shared = postgres::shared();
        let url = postgres::Server::url(shared.folder(), &shared.database());
        more = format!("{more}[store]\ndatabase = \"{url}\"\n");
        server = Some(Server::parse(&url, None, Duration::from_secs(5)).unwrap());
    }
    let mut daemon = Daemon::set_up(&world, &more);
    daemon.server = server;
    daemon.start();
    daemon.opened().await;
    let beside = Beside::start(daemon.folder()).await;
    (world, daemon, beside)
}

fn key(folder: &Path, scopes: &str) -> String {
    let mut command = keeper(folder);
    command.args([
        "api-key", "add", "--name", "a test", "--days", "1", "--scope", scopes,
    ]);
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// The types of the events about each ref, in order, until that many are paid.
async fn until_paid(stream: &mut Stream, count: usize) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut paid = BTreeSet::new();
    let mut last = 0;
    while paid.len() < count {
        let (sequence, kind, event) = stream.next().await.expect("the stream ended");
        assert_eq!(sequence, last + 1);
        last = sequence;
        for reference in event["data"]["refs"].as_array().unwrap() {
            let reference = reference.as_str().unwrap().to_owned();
            told.entry(reference.clone())
                .or_default()
                .push(kind.clone());
            if kind == "tidelock.withdrawal.paid" {
                assert!(paid.insert(reference), "paid twice");
            }
        }
    }
    told
}

async fn from_request_to_final_block(kind: Kind) {
    let (world, mut daemon, api) = beside(kind).await;
    let key = key(daemon.folder(), "request,read");
    let mut stream = Stream::open(api.url("/v1/events/stream?after=0"), &key, None).await;
    let payments = small(0..20);
    for payment in &payments {
        api.file(&key, payment).await.of(201);
    }
    let told = until_paid(&mut stream, 20).await;
    for payment in &payments {
        let reference = payment.reference().to_string();
        let kinds: Vec<&str> = told[&reference].iter().map(String::as_str).collect();
        let of_withdrawal = ["accepted", "released", "batched", "paid"]
            .map(|word| format!("tidelock.withdrawal.{word}"));
        let own: Vec<&str> = kinds
            .iter()
            .copied()
            .filter(|kind| kind.starts_with("tidelock.withdrawal"))
            .collect();
        assert_eq!(own, of_withdrawal, "{kinds:?}");
        let shown = api
            .get(&key, &format!("/v1/withdrawals/{reference}"))
            .await
            .of(200);
        assert_eq!(shown["status"], "paid");
        assert!(shown["accepted_at"].as_u64().unwrap() > 0);
        let hash: Value = shown["transaction"].clone();
        let receipt = world
            .receipt(serde_json::from_value(hash).unwrap())
            .await
            .unwrap();
        assert!(receipt.success);
        let number: u64 = shown["number"].as_str().unwrap().parse().unwrap();
        assert!(world.is_paid(number).await);
        // Again, now that it is paid: nothing happens.
        assert_eq!(api.file(&key, payment).await.of(200)["status"], "paid");
    }
    each_paid_once(&world, &payments).await;
    let first = api
        .get(
            &key,
            &format!("/v1/withdrawals/{}", payments[0].reference()),
        )
        .await
        .of(200);
    let batch = first["batch"].as_str().unwrap();
    let of_batch = api
        .get(&key, &format!("/v1/withdrawals?batch={batch}"))
        .await
        .of(200);
    assert!(of_batch["items"].as_array().unwrap().contains(&{
        let mut listed = first.clone();
        listed["transaction"] = Value::Null;
        listed["accepted_at"] = Value::Null;
        listed
    }));
    let all = api
        .get(&key, "/v1/withdrawals?status=paid&since=1")
        .await
        .of(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 20);
    assert!(daemon.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn from_request_to_final_block_on_sqlite() {
    from_request_to_final_block(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_request_to_final_block_on_postgres() {
    from_request_to_final_block(Kind::Postgres).await;
}

/// Whoever has a key with every scope can file, and what they file is held to the vault's rules: a large amount waits for signers, one
/// that no tier takes is held, and nothing at the API lets either go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_key_files_and_moves_nothing_past_the_vaults_rules() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let key = key(daemon.folder(), "request,read,operate,audit,administer");
    let mut stream = Stream::open(api.url("/v1/events/stream?after=0"), &key, None).await;
    let large = daemon::payment(1_000, 5_000 * USDT);
    let beyond = daemon::payment(1_001, 2_000_000 * USDT);
    let little = daemon::payment(1_002, USDT);
    for payment in [&large, &beyond] {
        api.file(&key, payment).await.of(201);
    }
    let to_itself = Payment::new(world.domain.vault, little.amount(), little.reference());
    api.file(&key, &to_itself.unwrap())
        .await
        .refused(422, "invalid");
    // Both are where people decide.
    let stands = async |payment: &Payment, status: &str| {
        let begin = Instant::now();
        loop {
            let shown = api
                .get(&key, &format!("/v1/withdrawals/{}", payment.reference()))
                .await
                .of(200);
            if shown["status"] == status {
                return shown;
            }
            assert!(begin.elapsed() < PATIENCE, "{shown}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert_eq!(stands(&large, "sealed").await["route"], "proposal");
    assert_eq!(
        stands(&beyond, "held").await["hold"]["reason"],
        "above_limit"
    );
    for payment in [&large, &beyond] {
        let place = format!("/v1/withdrawals/{}", payment.reference());
        for method in ["PUT", "PATCH", "DELETE", "POST"] {
            let request = Api::client().request(method.parse().unwrap(), api.url(&place));
            let request = request.header("authorization", format!("Bearer {key}"));
            Api::send(request.body("{\"status\":\"open\"}"))
                .await
                .refused(405, "method-not-allowed");
        }
    }
    // What is filed after them is paid, and they are not.
    api.file(&key, &little).await.of(201);
    let told = until_paid(&mut stream, 1).await;
    assert!(
        told[&little.reference().to_string()]
            .iter()
            .any(|kind| kind == "tidelock.withdrawal.paid")
    );
    each_paid_once(&world, &[little]).await;
    for payment in [large, beyond] {
        assert!(world.token_balance(payment.recipient()).await.is_zero());
    }
}

/// The commands of the guide, as they stand there.
#[tokio::test(flavor = "multi_thread")]
async fn the_guides_commands_do_what_it_says() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let guide = fs::read_to_string(repository().join("docs/api.md")).unwrap();
    let blocks = guide.split("```sh\n").skip(1);
    let commands: String = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    let commands = commands.replace("127.0.0.1:8480", &api.address);
    let folder = daemon.folder().to_owned();
    let binary = Path::new(env!("CARGO_BIN_EXE_keeper")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell
        .args(["-euc", &commands])
        .current_dir(&folder)
        .env("PATH", path)
        .stdin(Stdio::null());
    let done = tokio::task::spawn_blocking(move || shell.output().unwrap())
        .await
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{out}{err}");
    for words in [
        "\"status\":\"waiting\"",
        "event: tidelock.withdrawal.paid",
        "\"status\":\"paid\"",
        "urn:tidelock:problem:ref-taken",
        "\"dry_run\":true",
        "\"filed\":2",
        "\"known\":2",
        ": ended",
    ] {
        assert!(out.contains(words), "{words} is not in {out}{err}");
    }
    let to = "0x1111111111111111111111111111111111111111"
        .parse()
        .unwrap();
    assert_eq!(world.token_balance(to).await.to::<u128>() / USDT, 12);
    drop(daemon);
}
