//! An installation in a folder of its own, worked by the real binary.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;
use tidelock_core::{event::Event, store::Store};
use tidelock_keeper::store::LogStore;

use super::History;

/// An installation of its own.
pub struct Home {
    pub folder: TempDir,
}

/// What a command came to.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// It succeeded; its answer.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// It was refused with this code, for a reason that has all these words.
    pub fn refused(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "{:?} lacks {word:?}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

impl Home {
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn new() -> Self {
        let home = Self::empty();
        home.init(&["--allow-single-node"]).ok();
        let store = LogStore::create(&home.database(), super::identity());
        store.unwrap().close().unwrap();
        home
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
        command.current_dir(self.folder.path());
        for (name, _) in std::env::vars() {
            if name.starts_with("KEEPER_") {
                command.env_remove(name);
            }
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.command().args(arguments).output().unwrap().into()
    }

    pub fn init(&self, more: &[&str]) -> Done {
        let vault = super::VAULT.to_string();
        let token = super::identity().token.to_string();
        let mut arguments = vec![
            "init",
            "--rpc-url",
            "http://127.0.0.1:1",
            "--chain-id",
            "31337",
            "--vault",
            &vault,
            "--lens",
            "0x00000000000000000000000000000000000000a2",
            "--token",
            &token,
        ];
        arguments.extend(more);
        self.run(&arguments)
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("keeper.db")
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What the daemon would do with everything filed so far: a log of its own making.
    pub fn log(&self) -> (LogStore, History) {
        let mut store = LogStore::open(&self.database()).unwrap();
        let (mut history, first) = History::open(1);
        let unread = store.unread_requests(0, 1_000).unwrap();
        let entry = history.apply(&Event::RequestsAccepted {
            requests: unread.items,
            through: unread.through,
        });
        let rows = history.state.take_changes();
        store.commit(&[first, entry], &rows).unwrap();
        (store, history)
    }
}
