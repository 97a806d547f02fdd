//! A Kafka broker of a test's own, on a port of this host, that can be killed and goes on with its data; and a client that shares no code
//! with the keeper's. The broker ends with the process that started it, however that ends.

#![allow(dead_code, reason = "not every test does all of it to a broker")]

use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::support::port::Port;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(180);

/// A broker at work.
pub struct Kafka {
    folder: PathBuf,
    port: Port,
    /// By which it speaks with itself.
    controller: Port,
    shell: Child,
}

/// The repository's.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Whether there is no broker here, for the reason that is then told.
pub fn is_skipped() -> bool {
    let why = fs::read_to_string(root().join("target/kafka/skipped"));
    if let Ok(why) = &why {
        eprintln!("skipped - Kafka: {}", why.trim());
    }
    why.is_ok()
}

impl Kafka {
    pub fn start() -> Self {
        Self::with(Port::claim(), Port::claim(), "")
    }

    /// The same with further settings, as the broker's file has them.
    pub fn with(port: Port, controller: Port, settings: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("kafka").tempdir();
        let folder = folder.unwrap().keep();
        fs::write(folder.join("more.properties"), settings).unwrap();
        let broker = Self {
            shell: serve(&folder, &port, &controller),
            folder,
            port,
            controller,
        };
        broker.wait();
        broker
    }

    /// Where it listens, as clients are told.
    pub fn server(&self) -> String {
        format!("127.0.0.1:{}", self.port.number())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let id = fs::read_to_string(self.folder.join("pid")).unwrap();
        let killed = Command::new("kill").args(["-KILL", id.trim()]).status();
        assert!(killed.unwrap().success());
        // Waiting closes the shell's input, whose end would take the folder away.
        let input = self.shell.stdin.take();
        self.shell.wait().unwrap();
        drop(input);
    }

    /// Goes on with the data that it had when it was killed.
    pub fn start_again(&mut self) {
        self.shell = serve(&self.folder, &self.port, &self.controller);
        self.wait();
    }

    /// What the broker said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Until it listens.
    fn wait(&self) {
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port.number())).is_err() {
            assert!(begin.elapsed() < PATIENCE, "{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes a topic.
    pub fn make(&self, topic: &str, partitions: u32) {
        self.ask(&["make", topic, &partitions.to_string()], "");
    }

    /// Writes records: of each its key, if it has one, and its value.
    pub fn send(&self, topic: &str, records: &[(Option<&str>, &str)]) {
        let lines = records.iter().map(|(key, value)| {
            let record = serde_json::json!({ "key": key, "value": value });
            format!("{record}\n")
        });
        self.ask(&["send", topic], &lines.collect::<String>());
    }

    /// Every committed record of a topic, once no transaction is open: `partition`, `offset`, `key`, `value`, `headers`.
    pub fn read(&self, topic: &str) -> Vec<Value> {
        let lines = self.ask(&["read", topic], "");
        let records = lines.lines().map(serde_json::from_str);
        records.map(Result::unwrap).collect()
    }

    fn ask(&self, arguments: &[&str], input: &str) -> String {
        let mut client = Command::new(root().join("target/kafka/python/bin/python"))
            .arg(root().join("keeper/tests/support/kafka_client.py"))
            .arg(self.server())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = client.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let done = client.wait_with_output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", self.log());
        String::from_utf8(done.stdout).unwrap()
    }
}

fn serve(folder: &Path, port: &Port, controller: &Port) -> Child {
    let mut shell = Command::new(root().join("scripts/kafka"));
    shell.arg("serve").arg(folder);
    shell.args([port, controller].map(|port| port.number().to_string()));
    shell.stdin(Stdio::piped()).stderr(Stdio::null());
    shell.spawn().unwrap()
}

impl Drop for Kafka {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        // There is nothing left of one that had been killed before, but its folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
