//! The pages of docs/first-ten-minutes: each command of each is run by a shell against a `keeper up --dev` of the page's own, and prints what
//! the page says.

#![cfg(unix)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long anything is waited for, also on a busy machine: a page has some minutes.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
const STANDS_FOR_ANYTHING: char = '…';

fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.to_owned()
}

/// Without what the environment says of another keeper.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(repository()).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("KEEPER_") || name.starts_with("ETH_") {
            command.env_remove(name);
        }
    }
    command
}

/// The first terminal.
struct Up {
    process: Child,
    lines: Receiver<String>,
}

impl Up {
    fn start() -> Self {
        let mut up = command(env!("CARGO_BIN_EXE_keeper"));
        let up = up.args(["up", "--dev"]);
        let up = up.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = up.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// The rest of the line that begins so.
    fn line(&self, start: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line {start:?}"));
            if let Some(rest) = line.trim_start().strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It removes its folder and ends its node.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.process.wait();
    }
}

/// What is to be typed, and the lines that come back.
struct Step {
    typed: String,
    shown: Vec<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let path = repository().join("docs/first-ten-minutes").join(page);
    let text = fs::read_to_string(path).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    // Every second part is inside a fence.
    for block in text.split("\n```").skip(1).step_by(2) {
        let (language, body) = block.split_once('\n').unwrap();
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step {
                typed: body.to_owned(),
                shown: Vec::new(),
            }),
            ("text", Some(step)) if step.shown.is_empty() => {
                step.shown = body.lines().map(ToOwned::to_owned).collect();
            }
            _ => panic!("{page}: a block of {language:?} that no command is before"),
        }
    }
    assert!(steps.len() > 3, "{page}");
    steps
}

/// Whether a line is one that the page shows.
fn is_shown(shown: &str, line: &str) -> bool {
    let mut rest = line;
    let mut parts = shown.split(STANDS_FOR_ANYTHING);
    let (first, last) = (parts.next().unwrap(), parts.next_back());
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    let Some(last) = last else {
        return after.trim_end().is_empty();
    };
    rest = after;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.trim_end().ends_with(last)
}

/// The first line of the page that the output lacks, after what is before it there.
fn lacks<'a>(shown: &'a [String], output: &str) -> Option<&'a String> {
    let mut lines = output.lines();
    shown
        .iter()
        .find(|shown| !lines.any(|line| is_shown(shown, line)))
}

/// One shell for the page, with the output of each step in a file of its own.
fn script(steps: &[Step], folder: &Path) -> String {
    let mut script = "set -eu\n. scripts/lib/foundry.sh\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        let to = folder.join(number.to_string());
        script += &format!("exec >{:?}\n{}\n", to.display().to_string(), step.typed);
    }
    script
}

fn status(files: &Path) -> String {
    let mut status = command(env!("CARGO_BIN_EXE_keeper"));
    let status = status.arg("--config").arg(files.join("keeper.toml"));
    let done = status.arg("status").output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn type_in(page: &str) {
    let steps = steps(page);
    let up = Up::start();
    let files = up.line("files");
    let api = up.line("API");
    let files = Path::new(&files);
    up.line("for n in 1 2; do keeper approve ");
    // Whoever types has seen the terminal come to rest.
    let begin = Instant::now();
    while !status(files).contains("has 0 of 2 approvals") {
        assert!(begin.elapsed() < PATIENCE, "{}", status(files));
        thread::sleep(PAUSE);
    }
    let folder = TempDir::new().unwrap();
    let errors = folder.path().join("errors");
    let keeper = Path::new(env!("CARGO_BIN_EXE_keeper")).parent().unwrap();
    let path = format!("{}:{}", keeper.display(), std::env::var("PATH").unwrap());
    let mut shell = command("bash");
    shell
        .args(["-c", &script(&steps, folder.path())])
        .env("KEEPER_CONFIG", files.join("keeper.toml"))
        .env("API", api)
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(File::create(&errors).unwrap())
        .process_group(0);
    let mut shell = shell.spawn().unwrap();
    let begin = Instant::now();
    let ended = loop {
        if let Some(ended) = shell.try_wait().unwrap() {
            break ended;
        }
        if begin.elapsed() > PATIENCE {
            let group = format!("-{}", shell.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            break shell.wait().unwrap();
        }
        thread::sleep(PAUSE);
    };
    let output = |number: usize| fs::read_to_string(folder.path().join(number.to_string()));
    let errors = fs::read_to_string(errors).unwrap();
    for (number, step) in steps.iter().enumerate() {
        let Ok(output) = output(number) else { break };
        let lacks = lacks(&step.shown, &output);
        assert!(
            lacks.is_none() || !ended.success(),
            "{page}: {}lacks {lacks:?} in\n{output}\n{errors}",
            step.typed
        );
    }
    let reached = (0..steps.len()).take_while(|number| output(*number).is_ok());
    let last = reached
        .last()
        .map(|number| (&steps[number].typed, output(number)));
    assert!(ended.success(), "{page}: {ended} at {last:?}\n{errors}");
}

#[test]
fn an_integrator() {
    type_in("integrator.md");
}

#[test]
fn a_treasurer() {
    type_in("treasurer.md");
}

#[test]
fn a_signer() {
    type_in("signer.md");
}

#[test]
fn an_operator() {
    type_in("operator.md");
}

#[test]
fn an_auditor() {
    type_in("auditor.md");
}

#[test]
fn a_line_is_held_to_what_is_shown_of_it() {
    assert!(is_shown("paid  …, … USDT", "paid  10, 660 USDT"));
    assert!(is_shown("…", "anything"));
    assert!(is_shown("201", "201"));
    for (shown, line) in [
        ("201", "2010"),
        ("201", "409"),
        ("paid …", "held 1"),
        ("…paid", "paid 1"),
        ("a…b…c", "a c b"),
    ] {
        assert!(!is_shown(shown, line), "{shown} {line}");
    }
}
