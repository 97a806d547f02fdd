use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use reqwest::Url;

use super::{artifacts::repository, plan::Plan};

/// An anvil of one test's own; killed when dropped, which a panic does too.
pub struct Node {
    process: Child,
    port: u16,
}

impl Node {
    pub fn start(plan: &Plan) -> Self {
        let mut command = Command::new(anvil());
        command
            .args(["--port", "0", "--auto-impersonate", "--accounts", "1"])
            .args(["--slots-in-an-epoch", &plan.slots_in_an_epoch.to_string()])
            .args(["--gas-limit", &plan.block_gas_limit.to_string()])
            .args(&plan.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut process = command.spawn().expect("anvil does not start");
        let port = read_port(process.stdout.take().unwrap());
        let Some(port) = port else {
            let _ = process.kill();
            panic!("anvil did not say within 30 s where it listens");
        };
        Self { process, port }
    }

    pub fn url(&self) -> Url {
        format!("http://127.0.0.1:{}", self.port).parse().unwrap()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Stops it for good.
    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads the port, and goes on reading so that the pipe never fills.
fn read_port(stdout: std::process::ChildStdout) -> Option<u16> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("Listening on ")
                && let Some((_, port)) = address.rsplit_once(':')
            {
                let _ = sender.send(port.trim().parse().ok());
            }
        }
    });
    receiver
        .recv_timeout(Duration::from_secs(30))
        .ok()
        .flatten()
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
