use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::exit::{ExitStatus, Failure};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(120);
/// A block each second, final when four are on top of it.
const ARGUMENTS: [&str; 6] = [
    "--port",
    "0",
    "--block-time",
    "1",
    "--slots-in-an-epoch",
    "2",
];

/// An anvil of this command's own; it ends with it.
pub(super) struct Node {
    process: Child,
    port: u16,
}

impl Node {
    pub fn start(chosen: Option<&Path>) -> Result<Self, Failure> {
        let program = chosen.map_or_else(found, Path::to_owned);
        let mut command = Command::new(&program);
        command
            .args(ARGUMENTS)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for this command, which ends the node last.
            .process_group(0);
        let mut process = command.spawn().map_err(|error| {
            let rule = format!(
                "{}: {error}; anvil comes with Foundry, and in a checkout with scripts/setup; --anvil names one, --rpc-url a node that runs",
                program.display()
            );
            Failure::new(ExitStatus::Usage, rule)
        })?;
        let port = process.stdout.take().and_then(read_port);
        let Some(port) = port else {
            let _ = process.kill();
            let _ = process.wait();
            let rule = format!("{}: does not say where it listens", program.display());
            return Err(Failure::new(ExitStatus::Chain, rule));
        };
        Ok(Self { process, port })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary of npm's package, as the launcher beside it may outlive what it launches; or whatever is on PATH.
fn found() -> PathBuf {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let of_npm = format!("node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil");
    let of_npm = PathBuf::from(of_npm);
    if of_npm.exists() {
        of_npm
    } else {
        PathBuf::from("anvil")
    }
}

/// Reads the port, and goes on reading so that the pipe never fills.
fn read_port(stdout: std::process::ChildStdout) -> Option<u16> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let address = line.strip_prefix("Listening on ");
            let port = address.and_then(|address| address.rsplit_once(':'));
            if let Some(port) = port.and_then(|(_, port)| port.trim().parse().ok()) {
                // Nobody waits any more once it came.
                let _ = sender.send(port);
            }
        }
    });
    receiver.recv_timeout(PATIENCE).ok()
}
