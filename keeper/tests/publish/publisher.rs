//! A publisher at work, and how it is asked.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tidelock_keeper::store::{Location, LogStore, Outbox, SinkView};

use super::support::{
    self, Kind,
    home::{Done, Home},
};

/// How long anything is waited for: on a machine that does much else, and with waits of the publisher's that grow to minutes while a broker is
/// started again.
pub const PATIENCE: Duration = Duration::from_secs(900);

pub struct Publisher {
    pub home: Home,
    pub location: Location,
    database: Option<String>,
    process: Option<Child>,
    /// What its environment has beside.
    pub variables: Vec<(&'static str, String)>,
}

/// Until it holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Publisher {
    /// An installation whose log has some hundred entries; publishes nothing yet.
    pub fn set_up(kind: Kind) -> Self {
        Self::with(kind, |location| support::lively(location).0)
    }

    pub fn with(kind: Kind, fill: impl FnOnce(&Location) -> LogStore) -> Self {
        let (folder, location) = support::place(kind);
        let store = fill(&location);
        store.close().unwrap();
        let home = Home { folder };
        home.init(&["--allow-single-node"]).ok();
        let database = support::url(&location);
        Self {
            home,
            location,
            database,
            process: None,
            variables: Vec::new(),
        }
    }

    /// Another on the same store, on another host.
    pub fn beside(&self) -> Self {
        let home = Home::empty();
        for file in fs::read_dir(self.home.folder.path()).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().to_string_lossy().into_owned();
            if file.path().is_file() && !name.starts_with("keeper.db") && name != "log" {
                fs::copy(file.path(), home.folder.path().join(name)).unwrap();
            }
        }
        Self {
            home,
            location: self.location.clone(),
            database: self.database.clone(),
            process: None,
            variables: self.variables.clone(),
        }
    }

    pub fn command(&self) -> Command {
        let mut command = self.home.command();
        command.env("KEEPER_LOG", "info").stdin(Stdio::null());
        if let Some(database) = &self.database {
            command.env("KEEPER_STORE__DATABASE", database);
        }
        command.envs(self.variables.iter().cloned());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.command().args(arguments).output().unwrap().into()
    }

    /// Makes a secret, in a file that only its owner may read.
    pub fn secret(&self, file: &str) -> String {
        let secret = self.run(&["publish", "secret"]).ok().trim().to_owned();
        let path = self.home.folder.path().join(file);
        fs::write(&path, format!("{secret}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        secret
    }

    /// Adds to the configuration, which has a section `[publish]` without anything in it.
    pub fn configure(&self, lines: &str) {
        let path = self.home.folder.path().join("keeper.toml");
        let before = fs::read_to_string(&path).unwrap();
        let after = if lines.starts_with("[publish]\n") {
            before.replacen("[publish]\n", lines, 1)
        } else {
            format!("{before}\n{lines}\n")
        };
        assert_ne!(before, after);
        fs::write(path, after).unwrap();
    }

    /// A webhook of that name with the secret `<name>.secret`, which is told the whole log.
    pub fn webhook(&self, name: &str, url: &str, more: &str) {
        self.webhook_from(name, url, &format!("from = \"start\"\n{more}"));
    }

    /// The same that is told from where `more` says.
    pub fn webhook_from(&self, name: &str, url: &str, more: &str) {
        self.configure(&format!(
            "[[publish.webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecrets = [\"file:{name}.secret\"]\n{more}"
        ));
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.folder.path().join("log")).unwrap_or_default()
    }

    pub fn start(&mut self) {
        let path = self.home.folder.path().join("log");
        let log = fs::File::options().create(true).append(true).open(path);
        let process = self.command().arg("publish").stderr(log.unwrap()).spawn();
        self.process = Some(process.unwrap());
    }

    fn is_running(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|process| process.try_wait().unwrap().is_none())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// A signal, by its name.
    pub fn signal(&self, name: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let told = Command::new("kill").args(["-s", name, &id]).status();
        assert!(told.unwrap().success());
    }

    /// SIGTERM; it ends as asked.
    pub fn end(&mut self) {
        self.signal("TERM");
        let mut process = self.process.take().unwrap();
        let begin = Instant::now();
        while process.try_wait().unwrap().is_none() {
            if begin.elapsed() > PATIENCE {
                let _ = process.kill();
                panic!("it goes on: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let status = process.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// How it ended by itself.
    pub fn ended(&mut self) -> i32 {
        until("it goes on", || !self.is_running());
        self.process.take().unwrap().wait().unwrap().code().unwrap()
    }

    /// What one receiver comes to; what `publish status` shows, without a process for each look.
    pub fn status(&self, sink: &str) -> Option<SinkView> {
        let look = || Outbox::beside(&self.location)?.map_or(Ok(None), |mut it| it.sink(sink));
        match look() {
            // The publisher is just making it.
            Err(error) if error.passes() => None,
            view => view.unwrap(),
        }
    }

    /// Whether a receiver has come that far, and nothing before is tried again.
    pub fn is_told(&self, sink: &str, seq: u64) -> bool {
        let status = self.status(sink);
        status.is_some_and(|status| status.seq >= seq && status.waiting == 0)
    }

    /// What was given up.
    pub fn dead(&self) -> Vec<Value> {
        let dead = self.run(&["publish", "dead", "--json"]).json();
        dead.as_array().unwrap().clone()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.kill();
    }
}
