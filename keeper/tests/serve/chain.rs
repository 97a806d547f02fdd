//! Beside a running keeper on a real chain: from a request over HTTP to the event that says it is final, and what a stolen key can do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tidelock_core::domain::Payment;
use tidelock_keeper::store;

use super::{
    api::{self, Api, PATIENCE, Server, Stream, body},
    daemon::{self, Daemon, each_paid_once, small},
    stolen::Thief,
    support::{Kind, postgres},
    world::{Plan, USDT, World, repository},
};

pub fn keeper(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
    command
        .current_dir(folder)
        .args(["--config", "keeper.toml"])
        .env("KEEPER_LOG", "info")
        .stdin(Stdio::null());
    command
}

/// A world, a keeper that runs, and the API beside it.
pub async fn beside(kind: Kind) -> (World, Daemon, Server) {
    let world = daemon::ready(Plan::default()).await;
    let mut more =
        "[serve]\nlisten = \"127.0.0.1:0\"\nasks_node = true\n[batch]\nmax_wait_ms = 100\n"
            .to_owned();
    let mut server = None;
    if kind == Kind::Postgres {
        let shared = postgres::shared();
        let url = postgres::Server::url(shared.folder(), &shared.database());
        more = format!("{more}[store]\ndatabase = \"{url}\"\n");
        server = Some(store::Server::parse(&url, None, Duration::from_secs(5)).unwrap());
    }
    let mut daemon = Daemon::set_up(&world, &more);
    daemon.server = server;
    daemon.start();
    daemon.opened().await;
    let mut server = Server::in_folder(daemon.folder());
    server.start(keeper(daemon.folder()));
    (world, daemon, server)
}

/// A new key beside a daemon, with these scopes.
pub fn key(folder: &Path, scopes: &str) -> String {
    api::key(keeper(folder), "a test", scopes)
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

/// Where a withdrawal is to stand, once it does.
pub async fn stands(api: &Server, key: &str, payment: &Payment, status: &str) -> Value {
    let begin = Instant::now();
    loop {
        let place = format!("/v1/withdrawals/{}", payment.reference());
        let shown = api.get(key, &place).await.of(200);
        if shown["status"] == status {
            return shown;
        }
        assert!(begin.elapsed() < PATIENCE, "{shown}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Whoever has a key of each scope, and one of all, can file, and what they file is held to the vault's rules: a large amount waits for signers, one
/// that no tier takes is held, and nothing that one person does at the API lets either go on, pays it, or loosens the vault.
#[allow(clippy::too_many_lines, reason = "one story, in its order")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_key_files_and_moves_nothing_past_the_vaults_rules() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let each = ["request", "read", "operate", "audit", "administer"];
    let mut keys: Vec<String> = each
        .iter()
        .map(|scope| key(daemon.folder(), scope))
        .collect();
    let all = key(daemon.folder(), &each.join(","));
    keys.push(all.clone());
    let vault = format!("/v1/vaults/{}", world.domain.vault);
    let rights = async || {
        let shown = api.get(&all, &vault).await.of(200);
        [&shown["policy"], &shown["parties"], &shown["most_per_day"]].map(Value::clone)
    };
    let before = rights().await;
    let mut stream = Stream::open(api.url("/v1/events/stream?after=0"), &all, None).await;
    let large = daemon::payment(1_000, 5_000 * USDT);
    let beyond = daemon::payment(1_001, 2_000_000 * USDT);
    let little = daemon::payment(1_002, USDT);
    for payment in [&large, &beyond] {
        api.file(&all, payment).await.of(201);
    }
    let to_itself = Payment::new(world.domain.vault, little.amount(), little.reference());
    api.file(&all, &to_itself.unwrap())
        .await
        .refused(422, "invalid");
    // Both are where people decide.
    assert_eq!(
        stands(&api, &all, &large, "sealed").await["route"],
        "proposal"
    );
    let held = stands(&api, &all, &beyond, "held").await;
    assert_eq!(held["hold"]["reason"], "above_limit");
    let secret = |key: &String| key.rsplit('_').next().unwrap().to_owned();
    let thief = Thief {
        api: &api,
        all: &all,
        vault: world.domain.vault.to_string(),
        large: &large,
        held: &beyond,
        secrets: keys.iter().map(secret).collect(),
    };
    for key in &keys {
        tries_everything(&api, key, &[&large, &beyond]).await;
        thief.tries(key).await;
    }
    // What is filed after them is paid, and they are not.
    api.file(&all, &little).await.of(201);
    let told = until_paid(&mut stream, 1).await;
    assert!(
        told[&little.reference().to_string()]
            .iter()
            .any(|kind| kind == "tidelock.withdrawal.paid")
    );
    each_paid_once(&world, &[little]).await;
    for payment in [&large, &beyond] {
        assert!(world.token_balance(payment.recipient()).await.is_zero());
    }
    stands(&api, &all, &beyond, "held").await;
    assert_eq!(rights().await, before);
    for key in &keys {
        thief.stops(key).await;
    }
    // Who has all of it has stopped the keeper, and nobody has confirmed anything.
    let acts = api.get(&all, "/v1/acts?limit=1000").await.of(200);
    let is_confirmed = |act: &Value| act["deed"]["step"] == "confirmed";
    assert!(
        !acts["items"].as_array().unwrap().iter().any(is_confirmed),
        "{acts}"
    );
    for payment in [&large, &beyond] {
        assert!(world.token_balance(payment.recipient()).await.is_zero());
    }
    assert_eq!(rights().await, before);
    // Nothing secret is in what server and keeper say of themselves, or in what is told.
    let told = api.get(&all, "/v1/events?limit=1000").await.text;
    let log = api.get(&all, "/v1/log?limit=1000").await.text;
    for text in [api.log(), daemon.log(), told, log, acts.to_string()] {
        let found = thief.secrets.iter().find(|secret| text.contains(*secret));
        assert_eq!(found, None);
    }
}

/// Everything that one person could hope to move money with.
async fn tries_everything(api: &Server, key: &str, payments: &[&Payment]) {
    let refused = async |path: &str, body: Value| {
        let answer = api.tell(key, path, body).await;
        assert!(
            (400..500).contains(&answer.status),
            "{path}: {}",
            answer.text
        );
    };
    for payment in payments {
        let place = format!("/v1/withdrawals/{}", payment.reference());
        for method in ["PUT", "PATCH", "DELETE", "POST"] {
            let request = Api::client().request(method.parse().unwrap(), api.url(&place));
            let request = request.header("authorization", format!("Bearer {key}"));
            Api::send(request.body("{\"status\":\"open\"}"))
                .await
                .refused(405, "method-not-allowed");
        }
        // Asked for, and never done by whoever asked; a key that they make for a second person does not work.
        let release = json!({"act": "release", "ref": payment.reference(), "reason": "let it go"});
        let asked = api.tell(key, "/v1/acts", release).await;
        let why = json!({"reason": "yes"});
        if asked.status == 201 {
            let asked = asked.of(201);
            assert_eq!(asked["deed"]["step"], "asked");
            refused(
                &format!("/v1/acts/{}/confirmation", asked["id"]),
                why.clone(),
            )
            .await;
        }
        let second = json!({"name": "nobody", "scopes": "operate", "days": "1", "reason": "x"});
        let made = api.tell(key, "/v1/keys", second).await;
        if made.status == 201 {
            let made = made.of(201);
            let second = made["key"].as_str().unwrap().to_owned();
            refused(
                &format!("/v1/acts/{}/confirmation", made["act"]["id"]),
                why.clone(),
            )
            .await;
            let answer = api.tell(&second, "/v1/acts", why).await;
            answer.refused(401, "unknown-key");
        }
        let mut again = body(payment);
        again["to"] = json!("0x1111111111111111111111111111111111111111");
        refused("/v1/withdrawals", again).await;
    }
    let resume = json!({"act": "resume", "reason": "x"});
    let asked = api.tell(key, "/v1/acts", resume).await;
    assert!([403, 409].contains(&asked.status) || asked.of(201)["deed"]["step"] == "asked");
    let stranger =
        json!({"signer": "0x1111111111111111111111111111111111111111", "signature": "0x00"});
    refused(&format!("/v1/approvals/0x{:064}/signatures", 1), stranger).await;
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
        "\"fee_most\":",
        "\"most_per_day\":",
        "\"order\":\"A-1077\"",
        "\"step\":\"confirmed\"",
        "\"act\":\"forget_metadata\"",
        "\"kind\":\"log_opened\"",
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
