//! `keeper up --dev`, and a start that is ended while somebody is asked for a password: the real binary, with a real node.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod world;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use serde_json::Value;
use world::repository;

/// A keeper that is up; killed when dropped.
struct Up {
    process: Child,
    lines: Receiver<String>,
}

fn keeper() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
    command
        .current_dir(repository())
        .env_remove("KEEPER_PASSWORD")
        .stdin(Stdio::null());
    command
}

impl Up {
    fn start(arguments: &[&str]) -> Self {
        let mut process = keeper()
            .args(["up", "--dev"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// The rest of the line that begins so.
    fn line(&self, start: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(300));
            let line = line.unwrap_or_else(|_| panic!("no line {start:?}"));
            if let Some(rest) = line.trim_start().strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an address answers: status line, headers and body.
fn get(place: &str, path: &str, key: &str) -> String {
    let mut stream = TcpStream::connect(place).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {place}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The page and the API are at the addresses that are printed, and take the keys that are.
fn is_served(up: &Up) {
    let page = up.line("page");
    let origin = up.line("API");
    let place = origin.strip_prefix("http://").unwrap();
    let first_word = |line: String| line.split(' ').next().unwrap().to_owned();
    let (first, second) = (
        first_word(up.line("API key")),
        first_word(up.line("second")),
    );
    if cfg!(feature = "console") {
        assert!(page.starts_with(&format!("{origin}/#vault=0x")), "{page}");
        let served = get(place, "/", "");
        assert!(served.starts_with("HTTP/1.1 200 "), "{served}");
    } else {
        assert!(page.contains("scripts/up"), "{page}");
    }
    // A keeper that is busy does not answer in time, which is an answer too.
    let begin = Instant::now();
    while !get(place, "/v1/keeper", &first).contains("tidelock_beat_age_seconds") {
        assert!(begin.elapsed() < Duration::from_secs(300), "no figures");
        std::thread::sleep(Duration::from_millis(300));
    }
    let vault = page.split(['=', '&']).nth(1).unwrap_or_default();
    let seen = get(place, &format!("/v1/vaults/{vault}"), &first);
    assert!(
        seen.contains("headroom") || !cfg!(feature = "console"),
        "{seen}"
    );
    for (path, status) in [("/v1/acts", "200"), ("/v1/log", "403")] {
        let answer = get(place, path, &second);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

fn ask(config: &Path, arguments: &[&str]) -> Output {
    let config = config.to_str().unwrap();
    let command = [&["--config", config], arguments].concat();
    keeper().args(command).output().unwrap()
}

#[test]
fn one_command_shows_payments_and_leaves_nothing() {
    let mut up = Up::start(&[]);
    let chain = up.line("chain");
    let folder = PathBuf::from(up.line("files"));
    is_served(&up);
    assert_eq!(up.line("paid"), "the 10 small ones, by a final block");
    assert_eq!(
        up.line("held"),
        "the one whose recipient the token would freeze"
    );
    let line = up.line("for n in 1 2; do keeper approve ");
    let (batch, _) = line.split_once(' ').unwrap();
    let config = folder.join("keeper.toml");
    for signer in ["signer-1.json", "signer-2.json"] {
        let (key, password) = (folder.join(signer), folder.join("password"));
        let (key, password) = (key.to_str().unwrap(), password.to_str().unwrap());
        let own = ["--keystore", key, "--password-file", password, "--yes"];
        let approved = ask(&config, &[&["approve", batch], &own[..]].concat());
        assert!(approved.status.success(), "{}", world::err(&approved));
    }
    // The large one too, once its tier's minute is over.
    let start = Instant::now();
    loop {
        let status: Value = world::json_of(&ask(&config, &["status", "--json"]));
        if status["counts"]["paid"] == 11 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(300), "{status}");
        std::thread::sleep(Duration::from_millis(300));
    }
    let reconciled = ask(&config, &["reconcile"]);
    assert!(reconciled.status.success(), "{}", world::out(&reconciled));
    up.signal("-INT");
    assert!(up.process.wait().unwrap().success());
    assert!(!folder.exists(), "{} is still there", folder.display());
    let place = chain.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(place).is_err(), "the node still runs");
}

#[test]
fn it_can_be_ended_while_it_is_made() {
    let mut up = Up::start(&[]);
    let chain = up.line("chain");
    up.signal("-TERM");
    assert!(up.process.wait().unwrap().success());
    let place = chain.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(place).is_err(), "the node still runs");
}

#[test]
fn what_it_cannot_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = keeper();
        command.current_dir(folder.path()).args(arguments);
        command.output().unwrap()
    };
    world::expect(&run(&["up"]), 2, "--dev: must be given");
    world::expect(
        &run(&["up", "--dev", "--anvil", "./none"]),
        2,
        "--anvil names one",
    );
    world::expect(
        &run(&["up", "--dev", "--rpc-url", "http://127.0.0.1:1"]),
        4,
        "127.0.0.1:1",
    );
    std::fs::write(folder.path().join("password"), "mine").unwrap();
    world::expect(&run(&["up", "--dev", "--dir", "."]), 3, "must be empty");
}

/// Runs a keeper at a terminal of its own, and ends it where it asks for a password.
const AT_A_TERMINAL: &str = r#"
import os, pty, select, signal, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
while b"password of" not in seen:
    assert select.select([terminal], [], [], 120)[0], seen
    seen += os.read(terminal, 4096)
while termios.tcgetattr(terminal)[3] & termios.ECHO:
    time.sleep(0.01)
os.kill(pid, signal.SIGTERM)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), bool(termios.tcgetattr(terminal)[3] & termios.ECHO))
"#;

#[tokio::test]
async fn a_password_prompt_ends_when_it_is_told_to() {
    let office = world::Office::open(world::Plan::default()).await;
    office.configure(|text| text.replace("password_file = \"password\"\n", ""));
    let config = office.path("keeper.toml");
    let mut command = Command::new("python3");
    command
        .args([
            "-c",
            AT_A_TERMINAL,
            env!("CARGO_BIN_EXE_keeper"),
            "--config",
        ])
        .arg(config)
        .arg("run")
        .env_remove("KEEPER_PASSWORD");
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ended = ended.await.unwrap();
    // It ends well, and the terminal shows again what is typed.
    assert_eq!(
        world::out(&ended).trim(),
        "0 True",
        "{}",
        world::err(&ended)
    );
}
