use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use alloy::signers::local::PrivateKeySigner;
use serde_json::Value;
use tempfile::TempDir;
use tidelock_core::{abi::VaultLens, domain::Payment};
use tidelock_keeper::store::{Desk, Reader};

use super::{Plan, World, as_keystore, password_file};

const PASSWORD: &str = "open sesame";

/// A world, and a directory with a configuration for it.
pub struct Office {
    pub world: World,
    directory: TempDir,
    /// What the keeper's environment has beside the test's.
    pub variables: Vec<(&'static str, PathBuf)>,
}

impl Office {
    pub async fn open(plan: Plan) -> Self {
        let world = World::start(plan).await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        as_keystore(path, "keeper-key.json", &world.keys.keeper, PASSWORD);
        password_file(path, "password", PASSWORD);
        let office = Self {
            world,
            directory,
            variables: Vec::new(),
        };
        office.configure(|text| text);
        office
    }

    /// Writes the configuration, changed.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let world = &self.world;
        let text = format!(
            "[chain]\nrpc_url = \"{}\"\nchain_id = {}\nallow_single_node = true\n\
             request_timeout_ms = 60000\npoll_interval_ms = 100\n\
             [vault]\naddress = \"{}\"\nlens = \"{}\"\ntoken = \"{}\"\n\
             [key]\nkeystore = \"keeper-key.json\"\npassword_file = \"password\"\n\
             [batch]\nmax_wait_ms = 100\n",
            world.node.url(),
            world.domain.chain_id.0,
            world.domain.vault,
            world.lens,
            world.token
        );
        fs::write(self.path("keeper.toml"), change(text)).unwrap();
    }

    /// Changes the configuration as it stands.
    pub fn change(&self, before: &str, after: &str) {
        let text = fs::read_to_string(self.path("keeper.toml")).unwrap();
        assert!(text.contains(before), "{text}");
        fs::write(self.path("keeper.toml"), text.replacen(before, after, 1)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub async fn keeper(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
        command
            .arg("--config")
            .arg(self.path("keeper.toml"))
            .args(arguments)
            .env_remove("KEEPER_PASSWORD")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        run.await.unwrap()
    }

    /// Runs it as somebody with a key of their own.
    pub async fn keeper_as(&self, key: &PrivateKeySigner, arguments: &[&str]) -> Output {
        let name = format!("key-{}", key.address());
        if !self.path(&name).exists() {
            as_keystore(self.directory.path(), &name, key, PASSWORD);
        }
        let (keystore, password) = (self.path(&name), self.path("password"));
        let own = [
            "--keystore",
            keystore.to_str().unwrap(),
            "--password-file",
            password.to_str().unwrap(),
        ];
        self.keeper(&[arguments, &own].concat()).await
    }

    /// Starts the daemon.
    pub fn start_daemon(&self) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        command
            .arg("--config")
            .arg(self.path("keeper.toml"))
            .args(["run", "--first-keeper"])
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Daemon(command.spawn().unwrap())
    }

    /// Starts the daemon and waits until it writes its log.
    pub async fn daemon(&self) -> Daemon {
        let mut daemon = self.start_daemon();
        self.until("the daemon writes its log", async || {
            assert!(
                daemon.0.try_wait().unwrap().is_none(),
                "it ended: {}",
                self.log()
            );
            let path = self.path("keeper.db");
            path.exists() && Reader::is_written(&path)
        })
        .await;
        daemon
    }

    /// What the daemon has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Files requests, as `keeper request` does.
    pub fn request(&self, payments: Vec<Payment>) {
        let path = self.path("keeper.db");
        // The store must not be used on a thread of a runtime.
        let filed = std::thread::spawn(move || Desk::open(&path).unwrap().file(&payments).unwrap());
        filed.join().unwrap();
    }

    /// Waits until it is so; fails the test if it is not within five minutes.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let start = Instant::now();
        while !is_so().await {
            let is_late = start.elapsed() > Duration::from_secs(300);
            assert!(!is_late, "never: {what}; the daemon said: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn signer(&self, index: usize) -> &PrivateKeySigner {
        &self.world.keys.signers[index]
    }

    pub async fn explain(&self, id: &Value) -> VaultLens::Explanation {
        let call = VaultLens::explainCall {
            vault: self.world.domain.vault,
            id: serde_json::from_value(id.clone()).unwrap(),
        };
        self.world.read(self.world.lens, &call).await
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon(Child);

impl Daemon {
    /// Of its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.0.wait().unwrap().success());
    }

    /// Ends it at once, wherever it is.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
pub fn expect(output: &Output, code: i32, words: &str) {
    let said = format!("{}{}", out(output), err(output));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{words:?} not in: {said}");
    assert!(!said.contains(PASSWORD), "{said}");
}

#[track_caller]
pub fn json_of(output: &Output) -> Value {
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        out(output),
        err(output)
    );
    serde_json::from_str(&out(output)).unwrap()
}
