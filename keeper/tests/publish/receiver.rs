//! Receivers in processes of their own, and what they noted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// Which library a receiver checks with.
#[derive(Clone, Copy)]
pub enum Library {
    Npm,
    PyPi,
}

pub struct Receiver {
    folder: TempDir,
    process: Child,
    port: u16,
}

/// One event that a receiver took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub id: String,
    pub sequence: u64,
    pub kind: String,
    pub refs: Vec<String>,
}

impl Receiver {
    pub fn start(library: Library, secret: &str) -> Self {
        Self::with(library, secret, None)
    }

    /// One by TLS, with the certificate of that folder.
    pub fn by_tls(secret: &str, certificates: &Path) -> Self {
        Self::with(Library::Npm, secret, Some(certificates))
    }

    fn with(library: Library, secret: &str, certificates: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let here = manifest.join("tests/publish");
        let mut command = match library {
            Library::Npm => {
                let mut command = Command::new("node");
                command.arg(here.join("receiver.js"));
                command
            }
            Library::PyPi => {
                let python = manifest
                    .parent()
                    .unwrap()
                    .join("target/webhooks/bin/python");
                assert!(
                    python.exists(),
                    "scripts/webhooks makes {}",
                    python.display()
                );
                let mut command = Command::new(python);
                command.arg(here.join("receiver.py"));
                command
            }
        };
        let mut process = command
            .arg(secret)
            .arg(folder.path().join("journal"))
            .arg(folder.path().join("orders"))
            .args(certificates)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = process.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        Self {
            folder,
            process,
            port: line.trim().parse().unwrap(),
        }
    }

    pub fn url(&self) -> String {
        self.url_at("http://127.0.0.1")
    }

    /// By another scheme and name.
    pub fn url_at(&self, origin: &str) -> String {
        format!("{origin}:{}/hooks?token=very-secret", self.port)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Says what goes wrong from now on.
    pub fn order(&self, orders: &str) {
        let next = self.place("next");
        fs::write(&next, orders).unwrap();
        fs::rename(next, self.place("orders")).unwrap();
    }

    /// Every line that it noted.
    pub fn journal(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.place("journal")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What it took, in order, also what came twice.
    #[track_caller]
    pub fn taken(&self) -> Vec<Taken> {
        let journal = self.journal();
        let bad = journal.iter().find(|line| line.get("bad").is_some());
        assert_eq!(bad, None, "a signature was not the one the library wants");
        let taken = journal.iter().filter(|line| line.get("id").is_some());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        taken
            .map(|line| Taken {
                id: text(&line["id"]),
                sequence: line["sequence"].as_u64().unwrap(),
                kind: text(&line["type"]),
                refs: line["refs"].as_array().unwrap().iter().map(text).collect(),
            })
            .collect()
    }

    /// Which entries it has.
    #[track_caller]
    pub fn sequences(&self) -> BTreeSet<u64> {
        self.taken().iter().map(|taken| taken.sequence).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an independent reader finds who drops what it has by its id: each entry once, and those of each payment in order.
#[track_caller]
pub fn judge(taken: &[Taken]) -> Vec<Taken> {
    let mut seen = BTreeSet::new();
    let first: Vec<Taken> = taken
        .iter()
        .filter(|taken| seen.insert(taken.id.clone()))
        .cloned()
        .collect();
    let sequences: BTreeSet<u64> = first.iter().map(|taken| taken.sequence).collect();
    assert_eq!(sequences.len(), first.len(), "an entry has two ids");
    let mut last: BTreeMap<&String, u64> = BTreeMap::new();
    for taken in &first {
        for reference in &taken.refs {
            let before = last.insert(reference, taken.sequence).unwrap_or(0);
            assert!(
                before < taken.sequence,
                "{reference}: {before} came before {}",
                taken.sequence
            );
        }
    }
    first
}
