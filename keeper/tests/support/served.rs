//! A server of a test's own that a script of the repository runs: it can be killed and goes on with its data, and it ends with the process that
//! started it, however that ends.

#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only, and no test uses all"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::support::port::Port;

/// How long one may take to start, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(300);
/// Ports of one server: the one it is asked at, and those that follow.
const PORTS: u16 = 4;

/// A server at work.
pub struct Served {
    script: &'static str,
    folder: PathBuf,
    port: Port,
    shell: Child,
    /// Bytes of its log that are of an earlier start.
    before: usize,
}

/// The repository's.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Those of one server, which are its own as long as this is there.
pub fn ports() -> Port {
    Port::claim_row(PORTS)
}

impl Served {
    /// Has a script run one with its data in a folder of its own, which has these files.
    pub fn start(script: &'static str, port: Port, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("served").tempdir();
        let folder = folder.unwrap().keep();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        Self {
            shell: run(script, &folder, port.number()),
            script,
            folder,
            port,
            before: 0,
        }
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Until it is ready.
    pub fn wait(&mut self, is_ready: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_ready(self) {
            let has_ended = self.shell.try_wait().unwrap().is_some();
            let is_late = begin.elapsed() > PATIENCE;
            assert!(!has_ended && !is_late, "{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
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
        self.before = self.all().len();
        self.shell = run(self.script, &self.folder, self.port.number());
    }

    /// What it has said since it was started.
    pub fn log(&self) -> String {
        self.all().split_off(self.before)
    }

    fn all(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

fn run(script: &str, folder: &Path, port: u16) -> Child {
    let mut shell = Command::new(root().join(script));
    shell.arg("serve").arg(folder).arg(port.to_string());
    shell.stdin(Stdio::piped()).stderr(Stdio::null());
    shell.spawn().unwrap()
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        // There is nothing left of one that had been killed before, but its folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a client says that shares no code with the keeper's: a program of Python in one of the environments that scripts make.
pub fn python(environment: &str, program: &str, arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let python = root().join(environment).join("bin/python");
    assert!(python.exists(), "scripts/setup --all makes {environment}");
    let mut client = Command::new(python)
        .arg(root().join("keeper/tests/support").join(program))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = client.stdin.take().unwrap();
    // One that ends early says why.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let done = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {said}");
    String::from_utf8(done.stdout).unwrap()
}
