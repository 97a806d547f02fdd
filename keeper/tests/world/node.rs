use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use reqwest::Url;
use tokio::net::TcpSocket;

use super::{
    PATIENCE,
    artifacts::repository,
    keys::Keys,
    plan::{Geth, Plan, Program},
};

/// A node of one test's own; killed when dropped, which a panic does too.
pub struct Node {
    process: Child,
    address: String,
    program: Program,
}

impl Node {
    pub fn start(plan: &Plan) -> Self {
        let command = match plan.program {
            Program::Anvil => Self::anvil(plan),
            Program::Geth(geth) => Self::geth(plan, geth),
            Program::Relative(name) => Self::relative(plan, name),
        };
        Self::run(command, plan.program)
    }

    fn geth(plan: &Plan, geth: Geth) -> Command {
        let mut command = made("target/geth/devchain", "scripts/build-geth");
        command
            .args(["-fork", "osaka", "-pool", "-final-depth", "4"])
            .args(["-amsterdam-time", &geth.amsterdam.to_string()])
            .args(["-timestamp", &geth.begin.to_string()])
            .args(["-block-gas", &plan.block_gas_limit.to_string()]);
        command
    }

    fn relative(plan: &Plan, name: &str) -> Command {
        let mut command = made(&format!("target/nodes/{name}"), "scripts/build-nodes");
        command.args(["-block-gas", &plan.block_gas_limit.to_string()]);
        command
    }

    fn anvil(plan: &Plan) -> Command {
        let mut command = Command::new(anvil());
        command
            .args(["--port", "0", "--auto-impersonate", "--accounts", "1"])
            .args(["--slots-in-an-epoch", &plan.slots_in_an_epoch.to_string()])
            .args(["--gas-limit", &plan.block_gas_limit.to_string()])
            .args(&plan.arguments)
            .stdin(Stdio::null());
        command
    }

    fn run(mut command: Command, program: Program) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let started = command.spawn();
        let mut process =
            started.unwrap_or_else(|error| panic!("{program:?} does not start: {error}"));
        let address = read_address(process.stdout.take().unwrap());
        let Some(address) = address else {
            let _ = process.kill();
            panic!("{program:?} did not say where it listens");
        };
        Self {
            process,
            address,
            program,
        }
    }

    /// It has nobody's keys, and none of anvil's own methods.
    pub fn is_real(&self) -> bool {
        !matches!(self.program, Program::Anvil)
    }

    pub fn mines_by_itself(&self) -> bool {
        matches!(self.program, Program::Relative(_))
    }

    pub fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub fn port(&self) -> u16 {
        self.url().port().unwrap()
    }

    /// Stops it for good. Nobody listens at its port while what is returned is kept.
    #[must_use = "another test's node may get the port"]
    pub fn stop(&mut self) -> TcpSocket {
        self.end();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap(); // connections to the node may linger
        socket.bind(self.address.parse().unwrap()).unwrap();
        socket
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}

/// A program that a script makes, with everybody's accounts filled; it ends when its standard input does.
fn made(path: &str, script: &str) -> Command {
    let program = repository().join(path);
    assert!(program.exists(), "{script} makes {}", program.display());
    let accounts: Vec<String> = (Keys::fixed().all().iter())
        .map(ToString::to_string)
        .collect();
    let mut command = Command::new(program);
    command
        .args(["-accounts", &accounts.join(",")])
        .stdin(Stdio::piped());
    command
}

/// Reads where it listens, and goes on reading so that the pipe never fills.
fn read_address(stdout: std::process::ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once("Listening on ") {
                let _ = sender.send(address.trim().to_owned());
            }
        }
    });
    receiver.recv_timeout(PATIENCE).ok()
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
