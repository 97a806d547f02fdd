//! The real binary on a world of its own: files, process, and what its store says.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, U256};
use tempfile::TempDir;
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    event::{self, Event},
    lifecycle::PaymentStatus,
    state::HeadRow,
};
use tidelock_keeper::store::{Desk, Filing, Location, Overview, Reader, Server, beside};

use super::world::{Mining, Plan, USDT, World, as_keystore, password_file};

/// How long anything is waited for: a busy machine is no broken keeper.
pub const PATIENCE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(100);

/// What the vault holds at first. [base units]
pub const BALANCE: u128 = 50_000_000 * USDT;

/// A world with a block a second. The vault's creation is final, or a log would wait for it.
pub async fn ready(plan: Plan) -> World {
    let world = World::start(Plan {
        mining: Mining::Every(1),
        balance: BALANCE,
        ..plan
    })
    .await;
    let created = world.head().await.number;
    while world.finalised().await.number < created {
        tokio::time::sleep(LOOK).await;
    }
    world
}

pub struct Daemon {
    folder: TempDir,
    process: Option<Child>,
    /// The PostgreSQL database that the configuration names, if it names one.
    pub server: Option<Server>,
    /// What is before the program's name, for one that runs in a network of its own.
    pub prefix: Vec<String>,
}

impl Daemon {
    /// Writes configuration, key and password; starts nothing. `more` is added to the configuration.
    pub fn set_up(world: &World, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        as_keystore(
            folder.path(),
            "keeper.keystore",
            &world.keys.keeper,
            "secret",
        );
        password_file(folder.path(), "keeper.password", "secret");
        let text = format!(
            "[chain]\n\
             rpc_url = \"{}\"\n\
             chain_id = {}\n\
             allow_single_node = true\n\
             request_timeout_ms = 60000\n\
             poll_interval_ms = 100\n\
             [vault]\n\
             address = \"{}\"\n\
             lens = \"{}\"\n\
             token = \"{}\"\n\
             [key]\n\
             keystore = \"keeper.keystore\"\n\
             password_file = \"keeper.password\"\n\
             {more}\n",
            world.node.url(),
            world.domain.chain_id.0,
            world.domain.vault,
            world.lens,
            world.token,
        );
        std::fs::write(folder.path().join("keeper.toml"), text).unwrap();
        Self {
            folder,
            process: None,
            server: None,
            prefix: Vec::new(),
        }
    }

    /// Changes the configuration, before it is started.
    pub fn change(&self, before: &str, after: &str) {
        let path = self.folder.path().join("keeper.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(before), "{text}");
        std::fs::write(path, text.replacen(before, after, 1)).unwrap();
    }

    /// Where all of it is.
    #[allow(dead_code, reason = "for tests of what works beside it")]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("keeper.db")
    }

    pub fn location(&self) -> Location {
        Location {
            path: self.store(),
            server: self.server.clone(),
        }
    }

    pub fn log(&self) -> String {
        let file = self.folder.path().join("keeper.log");
        std::fs::read_to_string(file).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("keeper.log"))
            .unwrap();
        let prefix = self.prefix.iter().map(String::as_str);
        let mut words = prefix.chain([env!("CARGO_BIN_EXE_keeper")]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .arg("--config")
            .arg(self.folder.path().join("keeper.toml"))
            .args(arguments)
            .env("KEEPER_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    /// A command that must be refused: its exit code, and why.
    pub fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let asked = self.command(arguments).stderr(Stdio::piped()).output();
        let answer = asked.unwrap();
        let why = String::from_utf8(answer.stderr).unwrap();
        assert!(!answer.status.success(), "{arguments:?}: {why}");
        (answer.status.code().unwrap_or(-1), why)
    }

    /// What a command answers; it must succeed.
    pub fn ask(&self, arguments: &[&str]) -> serde_json::Value {
        let asked = self.command(arguments).stdout(Stdio::piped()).output();
        let answer = asked.unwrap();
        assert!(answer.status.success(), "{arguments:?}: {}", self.log());
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    /// What a command says to people, and how it ended.
    pub fn said(&self, arguments: &[&str]) -> (i32, String) {
        let asked = self.command(arguments).stdout(Stdio::piped()).output();
        let answer = asked.unwrap();
        let said = String::from_utf8(answer.stdout).unwrap();
        (answer.status.code().unwrap_or(-1), said)
    }

    /// The daemon's process.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("it does not run").id()
    }

    pub fn start(&mut self) {
        self.start_with(&["run", "--first-keeper"]);
    }

    pub fn start_with(&mut self, arguments: &[&str]) {
        assert!(self.process.is_none(), "it runs already");
        self.process = Some(self.command(arguments).spawn().unwrap());
    }

    /// Until the log is open.
    pub async fn opened(&mut self) {
        self.until("the log is open", |daemon| {
            let location = daemon.location();
            on_thread(move || location.is_opened()).unwrap_or(false)
        })
        .await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it does not run");
        let id = process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(told.success());
        process.wait().unwrap()
    }

    /// A signal that it may survive.
    #[allow(dead_code, reason = "for tests of several hosts")]
    pub fn signal(&self, name: &str) {
        let id = self
            .process
            .as_ref()
            .expect("it does not run")
            .id()
            .to_string();
        let told = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(told.success());
    }

    /// Whether it runs; if it ended by itself, it can be started again.
    #[allow(dead_code, reason = "for tests of what works beside it")]
    pub fn is_running(&mut self) -> bool {
        let ended = self.process.as_mut().and_then(|it| it.try_wait().unwrap());
        if ended.is_some() {
            self.process = None;
        }
        self.process.is_some()
    }

    /// How it ended by itself.
    #[allow(dead_code, reason = "for tests of several hosts")]
    pub async fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            let process = self.process.as_mut().expect("it does not run");
            if let Some(status) = process.try_wait().unwrap() {
                self.process = None;
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "it goes on:\n{}", self.log());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for something; fails with the daemon's log.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(
                begin.elapsed() < PATIENCE,
                "not after {PATIENCE:?}: {what}\n{:#?}\n{}",
                self.overview().map(|overview| overview.counts),
                self.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until that many payments stand so.
    pub async fn until_count(&self, status: PaymentStatus, count: u64) {
        let what = format!("{count} payments are {status:?}");
        self.until(&what, |daemon| daemon.count(status) == count)
            .await;
    }

    pub fn count(&self, status: PaymentStatus) -> u64 {
        let overview = self.overview();
        overview.map_or(0, |all| all.counts.get(&status).copied().unwrap_or(0))
    }

    pub fn overview(&self) -> Option<Overview> {
        let path = self.location();
        on_thread(move || Reader::open(&path).ok()?.overview().ok())
    }

    /// The log's entries about a payment.
    pub fn events(&self, reference: PaymentRef) -> Vec<Event> {
        let path = self.location();
        on_thread(move || {
            let mut reader = Reader::open(&path).unwrap();
            let events = reader.events_about(&reference).unwrap();
            events.into_iter().map(|logged| logged.event).collect()
        })
    }

    /// Files requests.
    pub fn file(&self, payments: &[Payment]) {
        let (path, payments) = (self.location(), payments.to_vec());
        let filing = on_thread(move || Desk::open(&path).unwrap().file(&payments).unwrap());
        assert!(matches!(filing, Filing::Filed(_)));
    }

    /// The database's file is lost, with the host's own notes, as if the host were another one.
    pub fn lose_file(&self) {
        for ending in ["", "-wal", "-shm", ".high-water", ".lock", ".heartbeat"] {
            let _ = std::fs::remove_file(beside(&self.store(), ending)); // not all of them are there
        }
    }

    /// Until the log is so, as a whole.
    pub async fn comes_to(&self, what: &str, is_so: impl Fn(&HeadRow) -> bool) {
        let is_there = |daemon: &Self| {
            let log = daemon.overview().and_then(|all| all.log);
            log.is_some_and(|(_, head)| is_so(&head))
        };
        self.until(what, is_there).await;
    }

    /// Until what a lost keeper signed, whose transactions live so long, has landed or expired. [seconds]
    pub async fn waited(&self, world: &World, life: u64) {
        world.skip(life + 1).await;
        let is_over = |head: &HeadRow| {
            let until = head.quiet_until;
            until.is_some_and(|until| until <= head.finalised.time)
        };
        self.comes_to("the wait is over", is_over).await;
    }

    pub fn tell(&self, command: event::Command) {
        let path = self.location();
        on_thread(move || Desk::open(&path).unwrap().command(&command).unwrap());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The store blocks, which a thread of the test's runtime must not.
pub fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(work).join().unwrap()
}

/// Small payments, which an automatic tier takes.
pub fn small(ids: std::ops::Range<u32>) -> Vec<Payment> {
    ids.map(|id| payment(id, USDT * (1 + u128::from(id % 9))))
        .collect()
}

/// A payment to a recipient of its own. [base units]
pub fn payment(id: u32, amount: u128) -> Payment {
    let mut recipient = [0x51; 20];
    recipient[16..].copy_from_slice(&id.to_be_bytes());
    let mut reference = [0x52; 16];
    reference[12..].copy_from_slice(&id.to_be_bytes());
    Payment::new(
        Address::from(recipient),
        Amount(amount),
        PaymentRef(reference),
    )
    .unwrap()
}

/// Every recipient has exactly its amount, by the word of the chain.
pub async fn each_paid_once(world: &World, payments: &[Payment]) {
    let mut sum = U256::ZERO;
    for payment in payments {
        let expected = U256::from(payment.amount().0);
        let balance = world.token_balance(payment.recipient()).await;
        assert_eq!(balance, expected, "{}", payment.recipient());
        sum += expected;
    }
    let left = world.token_balance(world.domain.vault).await;
    assert_eq!(left, U256::from(BALANCE) - sum);
}
