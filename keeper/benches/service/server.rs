//! The real programs, each a process in a folder of its own, on either database.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use tempfile::TempDir;
use tidelock_core::{
    domain::{ChainId, VaultDomain},
    event::{Namespace, Opening},
};
use tidelock_keeper::store::{Identity, Location, Server};

use super::{made, postgres};

/// How long a program may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which database a store is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// One for all, which waits for its disk. It ends with this process.
static POSTGRES: LazyLock<postgres::Server> =
    LazyLock::new(|| postgres::Server::start(&["fsync=on"]));

/// How a fresh database of the server is reached.
pub fn fresh_url() -> String {
    postgres::Server::url(POSTGRES.folder(), &POSTGRES.database())
}

/// A configuration, and where its store is.
pub struct Place {
    folder: TempDir,
    pub location: Location,
}

/// A chain that nobody asks.
pub fn no_chain() -> (Identity, Opening) {
    let domain = VaultDomain {
        chain_id: ChainId(1),
        vault: Address::repeat_byte(1),
    };
    let identity = Identity {
        domain,
        token: Address::repeat_byte(2),
        decimals: 6,
    };
    let opening = Opening {
        domain,
        keeper: Address::repeat_byte(3),
        first_nonce: 0,
        namespace: Namespace::new(1).unwrap(),
        start: made::block(1),
    };
    (identity, opening)
}

impl Place {
    /// `more` is added to the configuration.
    pub fn new(database: Database, identity: &Identity, node: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Identity { domain, token, .. } = identity;
        let mut text = format!(
            "[chain]\nrpc_url = \"{node}\"\nchain_id = {}\nallow_single_node = true\n\
             [vault]\naddress = \"{}\"\nlens = \"{}\"\ntoken = \"{token}\"\n\
             [serve]\nlisten = \"127.0.0.1:0\"\nconnections = 4096\nrequests_per_second = 1000000\n",
            domain.chain_id.0,
            domain.vault,
            Address::repeat_byte(4),
        );
        let mut server = None;
        if database == Database::Postgres {
            let url = fresh_url();
            text.push_str(&format!("[store]\ndatabase = \"{url}\"\n"));
            server = Some(Server::parse(&url, None, Duration::from_secs(600)).unwrap());
        }
        text.push_str(more);
        fs::write(folder.path().join("keeper.toml"), text).unwrap();
        let path = folder.path().join("keeper.db");
        let location = Location { path, server };
        Self { folder, location }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a command of the keeper answers.
    pub fn ask(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// A new API key.
    pub fn key(&self) -> String {
        let add = ["api-key", "add", "--name", "bench", "--days", "1"];
        let add = [&add[..], &["--scope", "request,read"]].concat();
        self.ask(&add).trim().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keeper"));
        let ours = std::env::vars().filter(|(name, _)| name.starts_with("KEEPER_"));
        for (name, _) in ours {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .env("KEEPER_LOG", "info")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Starts `keeper serve`.
    pub fn serve(&self) -> Program {
        let command = self.command(&["serve"]);
        Program::start(
            command,
            &self.path("serve.log"),
            "the API is served address=",
        )
    }

    /// Starts `keeper publish`.
    pub fn publish(&self) -> Program {
        let command = self.command(&["publish"]);
        Program::start(command, &self.path("publish.log"), "publishing sink=")
    }
}

/// A process that is killed when dropped.
pub struct Program {
    process: Child,
    /// What follows the words that it began with.
    pub address: String,
}

impl Program {
    /// Waits until its log says that it has begun.
    pub fn start(mut command: Command, log: &Path, says: &str) -> Self {
        let file = fs::File::create(log).unwrap();
        let process = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut program = Self {
            process,
            address: String::new(),
        };
        let begin = Instant::now();
        loop {
            let text = fs::read_to_string(log).unwrap();
            let said = text.split_once(says);
            let said = said.and_then(|(_, rest)| rest.split_once([' ', '\n']));
            if let Some((address, _)) = said {
                program.address = address.to_owned();
                return program;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not begin: {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[allow(
        dead_code,
        reason = "the soak of the tests asks for it, the bench does not"
    )]
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
