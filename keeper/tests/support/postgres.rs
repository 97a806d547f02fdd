//! A PostgreSQL server of a test binary's own, with a database for each test. It ends with the process that started it, however
//! that ends: a shell waits for the end of its input, which only that process holds open, and takes the server's folder away.

use std::{
    env, fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// Who PostgreSQL runs as when root starts it, which it refuses to be.
const NOBODY: u32 = 65_534;

const UNTIL_INPUT_ENDS: &str = r#"
folder=$1; shift
"$@" >>"$folder/log" 2>&1 &
while read -r _; do
  kill -QUIT $!; wait $!
  "$@" >>"$folder/log" 2>&1 &
done
while kill -QUIT $! 2>/dev/null; do sleep 0.1; done
rm -rf "$folder"
"#;

/// A server at work.
pub struct Server {
    folder: PathBuf,
    shell: Child,
}

fn home() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let note = repository.join("target/postgres/home");
    let home = fs::read_to_string(&note)
        .unwrap_or_else(|error| panic!("{}: {error}; scripts/postgres makes it", note.display()));
    PathBuf::from(home.trim_end())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").map_or_else(
        |_| env::var("USER").is_ok_and(|user| user == "root"),
        |own| own.uid() == 0,
    )
}

/// A command that is not run by root.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// A folder that the server may write; its path is short, as sockets want it. Root's own folder for what is temporary may be closed to
/// whoever the server runs as.
fn folder() -> PathBuf {
    let within = if is_root() {
        PathBuf::from("/tmp")
    } else {
        env::temp_dir()
    };
    let mut builder = tempfile::Builder::new();
    let folder = builder.prefix("pg").tempdir_in(within).unwrap().keep();
    if is_root() {
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
}

impl Server {
    /// A server with an empty database `postgres`, whose superuser is `keeper`.
    pub fn start(settings: &[&str]) -> Self {
        Self::of_folder(Self::initialised(), settings)
    }

    /// A server, and a second one that follows it; with `waits`, a commit waits for the second.
    pub fn start_pair(waits: bool) -> (Self, Self) {
        let (first, second) = (Self::initialised(), folder());
        let copied = command(Path::new("/bin/cp"))
            .arg("-a")
            .args([first.join("data"), second.join("data")])
            .status();
        assert!(copied.unwrap().success());
        fs::write(second.join("data/standby.signal"), "").unwrap();
        let names = if waits {
            "synchronous_standby_names=*"
        } else {
            "synchronous_standby_names="
        };
        let first = Self::of_folder(first, &[names]);
        let source = first.folder.display();
        let source = format!("primary_conninfo=host={source} user=keeper");
        let second = Self::of_folder(second, &[&source]);
        (first, second)
    }

    fn initialised() -> PathBuf {
        let folder = folder();
        let made = command(&home().join("bin/initdb"))
            .args([
                "--auth",
                "trust",
                "--username",
                "keeper",
                "--encoding",
                "UTF8",
            ])
            .args(["--no-locale", "--no-sync", "--pgdata"])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        folder
    }

    fn of_folder(folder: PathBuf, settings: &[&str]) -> Self {
        let mut shell = command(Path::new("/bin/sh"));
        shell
            .args(["-c", UNTIL_INPUT_ENDS, "sh"])
            .arg(&folder)
            .arg(home().join("bin/postgres"))
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(&folder)
            // No power fails in a test.
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=200",
            ])
            .args(settings.iter().flat_map(|setting| ["-c", *setting]))
            .stdin(Stdio::piped());
        let shell = shell.spawn().unwrap();
        let server = Self { folder, shell };
        server.wait();
        server
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(300);
        while let Err(error) = self.run("postgres", "SELECT 1") {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "{error}: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as if it had crashed, whoever is connected, and starts it again.
    #[allow(dead_code, reason = "most tests leave it alone")]
    pub fn restart(&mut self) {
        use std::io::Write;
        let note = self.folder.join("data/postmaster.pid");
        let before = fs::read_to_string(&note).unwrap();
        let shell = self.shell.stdin.as_mut().unwrap();
        shell.write_all(b"again\n").unwrap();
        while fs::read_to_string(&note).is_ok_and(|now| now == before) {
            thread::sleep(Duration::from_millis(10));
        }
        self.wait();
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Statements on one of its databases.
    pub fn run(&self, database: &str, statements: &str) -> Result<(), sqlx::Error> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.folder)
            .username("keeper")
            .database(database);
        let work = async {
            let mut connection: PgConnection = options.connect().await?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
                .execute(&mut connection)
                .await?;
            connection.close().await
        };
        // Tests have a runtime of their own, within which no other may work.
        thread::scope(|scope| {
            let apart = scope.spawn(|| {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                runtime.enable_all().build().unwrap().block_on(work)
            });
            apart.join().unwrap()
        })
    }

    /// Lets everybody in who comes from these addresses.
    #[allow(dead_code, reason = "not every test has a network")]
    pub fn trust(&self, addresses: &str) {
        let rules = self.folder.join("data/pg_hba.conf");
        let before = fs::read_to_string(&rules).unwrap();
        fs::write(
            &rules,
            format!("{before}\nhost all all {addresses} trust\n"),
        )
        .unwrap();
        self.run("postgres", "SELECT pg_reload_conf()").unwrap();
    }

    /// A fresh database.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"))
            .unwrap();
        name
    }

    /// How the keeper is told of a database, through the socket in a folder.
    pub fn url(folder: &Path, database: &str) -> String {
        format!(
            "postgres://keeper@localhost/{database}?host={}",
            folder.display()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The server that the tests of this binary share.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&[]))
}
