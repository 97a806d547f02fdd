//! Consumers at work, and what has come into the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tidelock_core::domain::PaymentRef;
use tidelock_keeper::store::{Location, Reader};

use super::{
    broker::Queues,
    rabbitmq::PASSWORD,
    support::{
        self, Kind,
        home::{Done, Home},
    },
};

/// How long anything is waited for, on a machine that does much else, and with waits of the keeper's that grow to 30 seconds.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Until it holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An installation, and its consumers.
pub struct Consumers {
    pub home: Home,
    pub location: Location,
    database: Option<String>,
    pub processes: Vec<Child>,
    /// What they log.
    level: &'static str,
}

impl Consumers {
    pub fn set_up(kind: Kind) -> Self {
        let (folder, location) = support::place(kind);
        support::create(&location).close().unwrap();
        let home = Home { folder };
        home.init(&["--allow-single-node"]).ok();
        let consumers = Self {
            home,
            database: support::url(&location),
            location,
            processes: Vec::new(),
            level: "info",
        };
        consumers.password(PASSWORD);
        consumers
    }

    /// The same, whose consumers log all that there is.
    pub fn that_tell_all(kind: Kind) -> Self {
        let mut consumers = Self::set_up(kind);
        consumers.level = "trace";
        consumers
    }

    /// Puts a password where the broker's is looked for.
    pub fn password(&self, password: &str) {
        let path = self.folder().path().join("rabbitmq.password");
        fs::write(&path, format!("{password}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn folder(&self) -> &TempDir {
        &self.home.folder
    }

    /// Adds to the configuration.
    pub fn configure(&self, lines: &str) {
        let path = self.folder().path().join("keeper.toml");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{before}\n{lines}\n")).unwrap();
    }

    /// Puts that in place of this in the configuration.
    pub fn replace(&self, this: &str, that: &str) {
        let path = self.folder().path().join("keeper.toml");
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(this), "{before}");
        fs::write(path, before.replace(this, that)).unwrap();
    }

    /// A source with further settings.
    pub fn source(&self, queues: &Queues, more: &str) {
        let url = format!("amqp://keeper@127.0.0.1:{}/%2f", queues.port);
        self.source_at(queues, &url, more);
    }

    /// The same at that URL.
    pub fn source_at(&self, queues: &Queues, url: &str, more: &str) {
        let Queues { requests, dead, .. } = queues;
        self.configure(&format!(
            "[[consume.rabbitmq]]\nname = \"shop\"\nfiled_by = \"the shop\"\nurl = \"{url}\"\npassword = \"file:rabbitmq.password\"\n\
             queue = \"{requests}\"\ndead_letters = \"{dead}\"\n{more}"
        ));
    }

    pub fn command(&self) -> Command {
        let mut command = self.home.command();
        command.env("KEEPER_LOG", self.level).stdin(Stdio::null());
        if let Some(database) = &self.database {
            command.env("KEEPER_STORE__DATABASE", database);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.command().args(arguments).output().unwrap().into()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().path().join("log")).unwrap_or_default()
    }

    /// One more.
    pub fn start(&mut self) {
        let path = self.folder().path().join("log");
        let log = fs::File::options().create(true).append(true).open(path);
        let process = self.command().arg("consume").stderr(log.unwrap()).spawn();
        self.processes.push(process.unwrap());
    }

    /// SIGKILL, to the one that has worked for longest.
    pub fn kill(&mut self) {
        let mut process = self.processes.remove(0);
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM; all end as asked.
    pub fn end(&mut self) {
        for process in &self.processes {
            let told = Command::new("kill")
                .args(["-TERM", &process.id().to_string()])
                .status();
            assert!(told.unwrap().success());
        }
        for mut process in std::mem::take(&mut self.processes) {
            until("it goes on", || process.try_wait().unwrap().is_some());
            let status = process.wait().unwrap();
            assert!(status.success(), "{status}: {}", self.log());
        }
    }

    /// Until the queue of requests is empty once all have ended: what is held without being acknowledged comes back then.
    pub fn end_when_all_is_taken(&mut self, queues: &Queues) {
        loop {
            until("some are skipped", || queues.ready(&queues.requests) == 0);
            self.end();
            if queues.ready(&queues.requests) == 0 {
                return;
            }
            self.start();
        }
    }

    /// Requests that are durable.
    pub fn filed(&self) -> u64 {
        let mut reader = Reader::open(&self.location).unwrap();
        reader.overview().unwrap().waiting
    }

    /// All of them, each with its recipient's and amount's words and what is noted beside it.
    pub fn requests(&self) -> BTreeMap<PaymentRef, (String, u128, Option<String>)> {
        let mut reader = Reader::open(&self.location).unwrap();
        let waiting = reader.waiting(1_000_000).unwrap();
        assert_eq!(waiting.damaged, Vec::<String>::new());
        let refs: Vec<PaymentRef> = waiting
            .requests
            .iter()
            .map(|one| one.payment.reference())
            .collect();
        assert_eq!(refs.iter().collect::<BTreeSet<_>>().len(), refs.len());
        let mut notes = reader.metadata(&refs).unwrap();
        let requests = waiting.requests.iter().map(|request| {
            let payment = &request.payment;
            let note = notes.remove(&payment.reference());
            let body = (payment.recipient().to_string(), payment.amount().0, note);
            (payment.reference(), body)
        });
        requests.collect()
    }
}

impl Drop for Consumers {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
