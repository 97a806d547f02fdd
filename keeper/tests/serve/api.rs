//! A server at work, and how it is asked.

use std::{
    collections::BTreeMap,
    fs,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidelock_core::domain::Payment;
use tidelock_keeper::{
    operations::SERVED,
    store::{Location, LogStore},
};

use super::support::{self, Kind, home::Home};

/// How long anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An installation without a chain, and its server.
pub struct Api {
    pub home: Home,
    pub location: Location,
    database: Option<String>,
    server: Server,
    /// What its environment has beside.
    pub variables: Vec<(&'static str, String)>,
}

/// `keeper serve` in a folder; killed when dropped.
pub struct Server {
    folder: PathBuf,
    process: Option<Child>,
    pub address: String,
}

impl Deref for Api {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Api {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Its body, of that status.
    #[track_caller]
    pub fn of(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// A refusal in words.
    #[track_caller]
    pub fn refused(self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.kind, "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:tidelock:problem:{kind}"));
        assert_eq!(problem["status"], status);
        for field in ["title", "detail"] {
            assert!(!problem[field].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }
}

/// A runtime for one test.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(work)
}

/// A request as JSON.
pub fn body(payment: &Payment) -> Value {
    json!({
        "ref": payment.reference(),
        "to": payment.recipient().to_string(),
        "amount": payment.amount().display(6),
    })
}

impl Api {
    /// An installation with what `fill` puts into its store; serves nothing yet.
    pub fn set_up(kind: Kind, fill: impl FnOnce(&Location) -> LogStore) -> (Self, LogStore) {
        let (folder, location) = support::place(kind);
        let store = fill(&location);
        (Self::of(folder, location), store)
    }

    fn of(folder: TempDir, location: Location) -> Self {
        let home = Home { folder };
        home.init(&["--allow-single-node"]).ok();
        let database = support::url(&location);
        let server = Server::in_folder(home.folder.path());
        Self {
            home,
            location,
            database,
            server,
            variables: Vec::new(),
        }
    }

    /// One that serves from an empty store.
    pub fn empty(kind: Kind) -> Self {
        let (mut api, store) = Self::set_up(kind, |location| support::create(location));
        store.close().unwrap();
        api.start();
        api
    }

    pub fn command(&self) -> std::process::Command {
        let mut command = self.home.command();
        command
            .env("KEEPER_SERVE__LISTEN", "127.0.0.1:0")
            .env("KEEPER_LOG", "info,tidelock_api=debug")
            .stdin(Stdio::null());
        if let Some(database) = &self.database {
            command.env("KEEPER_STORE__DATABASE", database);
        }
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    pub fn start(&mut self) {
        let command = self.command();
        self.server.start(command);
    }

    /// A new key with these scopes.
    pub fn key(&self, scopes: &str) -> String {
        self.key_of("a test", scopes)
    }

    /// The same for a person.
    pub fn key_of(&self, name: &str, scopes: &str) -> String {
        key(self.command(), name, scopes)
    }

    /// One for all: making one reads the system's certificates. It keeps no connection, for each test has a runtime of its own.
    pub fn client() -> reqwest::Client {
        static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
            let client = tidelock_keeper::tls::client().pool_max_idle_per_host(0);
            client.build().unwrap()
        });
        CLIENT.clone()
    }

    /// As `send`, but again when there were too many in a second: all who show no key that is known share a number of them.
    pub async fn send_in_time(request: reqwest::RequestBuilder) -> Answer {
        loop {
            let answer = Self::send(request.try_clone().unwrap()).await;
            if answer.status != 429 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn send(request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let headers = answer.headers().clone();
        let kind = headers
            .get("content-type")
            .map(|kind| kind.to_str().unwrap());
        Answer {
            status: answer.status().as_u16(),
            kind: kind.unwrap_or_default().to_owned(),
            headers,
            text: answer.text().await.unwrap(),
        }
    }
}

/// A new key of a person, by a command of the installation.
pub fn key(command: std::process::Command, name: &str, scopes: &str) -> String {
    key_with(command, name, scopes, &[])
}

/// The same with options.
pub fn key_with(
    mut command: std::process::Command,
    name: &str,
    scopes: &str,
    options: &[&str],
) -> String {
    command.args([
        "api-key", "add", "--name", name, "--days", "1", "--scope", scopes,
    ]);
    command.args(options);
    let done: support::home::Done = command.output().unwrap().into();
    done.ok().trim().to_owned()
}

impl Server {
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            process: None,
            address: String::new(),
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default()
    }

    /// Starts it by a command that lacks only its last word.
    pub fn start(&mut self, mut command: std::process::Command) {
        let before = self.log().matches("the API is served address=").count();
        let path = self.folder.join("serve.log");
        let log = fs::File::options().create(true).append(true).open(path);
        let process = command.arg("serve").stderr(log.unwrap()).spawn();
        self.process = Some(process.unwrap());
        let begin = Instant::now();
        while self.log().matches("the API is served address=").count() == before {
            assert!(begin.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = self.log();
        let (_, rest) = log.rsplit_once("the API is served address=").unwrap();
        self.address = rest.lines().next().unwrap().trim().to_owned();
    }

    /// Its own figures, of which none is missing.
    pub async fn figures(&self) -> BTreeMap<String, u64> {
        let begin = Instant::now();
        let address = loop {
            let log = self.log();
            // Those of the last start.
            let (_, log) = log.rsplit_once("the API is served").unwrap();
            if let Some((_, line)) = log.split_once("figures are served address=") {
                break line.lines().next().unwrap().trim().to_owned();
            }
            assert!(begin.elapsed() < PATIENCE, "{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let asked = Api::client().get(format!("http://{address}/metrics"));
        let text = Api::send(asked).await.text;
        for metric in SERVED {
            assert!(text.contains(metric.name), "{}: {text}", metric.name);
        }
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let figures = lines.map(|line| line.rsplit_once(' ').unwrap());
        figures
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
            .collect()
    }

    /// The most memory that it ever had; none where the system does not tell. [bytes]
    pub fn most_memory(&self) -> Option<u64> {
        let id = self.process.as_ref()?.id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let most = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = most.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1_024)
    }

    /// Of its process.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// The memory that it has now; none where the system does not tell. [bytes]
    pub fn memory(&self) -> Option<u64> {
        let id = self.process.as_ref()?.id();
        let pages = fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
        let resident: u64 = pages.split(' ').nth(1)?.parse().ok()?;
        Some(resident * 4_096) // on every Linux that we know
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// SIGTERM.
    pub fn ask_to_end(&self) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let told = std::process::Command::new("kill")
            .args(["-TERM", &id])
            .status();
        assert!(told.unwrap().success());
    }

    /// How it ended.
    pub fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        let mut process = self.process.take().unwrap();
        loop {
            if let Some(status) = process.try_wait().unwrap() {
                return status;
            }
            if begin.elapsed() > PATIENCE {
                let _ = process.kill();
                panic!("it goes on: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, key: &str, path: &str) -> Answer {
        let request = Api::client().get(self.url(path));
        Api::send(request.header("authorization", format!("Bearer {key}"))).await
    }

    pub async fn post(&self, key: &str, path: &str, kind: &str, body: impl ToString) -> Answer {
        let request = Api::client().post(self.url(path)).body(body.to_string());
        let request = request.header("authorization", format!("Bearer {key}"));
        Api::send(request.header("content-type", kind)).await
    }

    /// The same of JSON.
    pub async fn tell(&self, key: &str, path: &str, body: Value) -> Answer {
        self.post(key, path, "application/json", body).await
    }

    pub async fn file(&self, key: &str, payment: &Payment) -> Answer {
        self.post(key, "/v1/withdrawals", "application/json", body(payment))
            .await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A stream of events, as it is read.
pub struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    pub async fn open(url: String, key: &str, last: Option<u64>) -> Self {
        let mut request = Api::client().get(url);
        request = request.header("authorization", format!("Bearer {key}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self::of(answer)
    }

    /// One that is open, whatever it answered.
    pub fn of(answer: reqwest::Response) -> Self {
        Self {
            answer,
            text: String::new(),
        }
    }

    /// The next event, with its id and type; none once the stream has ended.
    pub async fn next(&mut self) -> Option<(u64, String, Value)> {
        self.heard().await.expect("the stream broke off")
    }

    /// The same of a stream that may break off.
    pub async fn heard(&mut self) -> Result<Option<(u64, String, Value)>, reqwest::Error> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
                };
                if let Some(id) = field("id: ") {
                    let data = field("data: ").unwrap();
                    let event = serde_json::from_str(&data).unwrap();
                    let id = id.parse().unwrap();
                    return Ok(Some((id, field("event: ").unwrap(), event)));
                }
            }
            let more = tokio::time::timeout(PATIENCE, self.answer.chunk()).await;
            let Some(more) = more.expect("nothing came")? else {
                return Ok(None);
            };
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}
