//! A RabbitMQ server of a test's own, on a port of this host, that can be killed and goes on with its data. It ends with the process that
//! started it, however that ends.

#![allow(dead_code, reason = "not every test does all of it to a server")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::support::port::Port;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(180);

/// A server at work.
pub struct RabbitMq {
    folder: PathBuf,
    port: Port,
    shell: Child,
}

/// The repository's.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl RabbitMq {
    /// A server with the user `guest`, whose password is the same.
    pub fn start() -> Self {
        Self::with("")
    }

    /// The same with further settings, as `rabbitmq.conf` has them.
    pub fn with(settings: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("rabbitmq").tempdir();
        let folder = folder.unwrap().keep();
        fs::write(folder.join("rabbitmq.conf"), settings).unwrap();
        let port = Port::claim();
        let mut server = Self {
            shell: serve(&folder, &port),
            folder,
            port,
        };
        server.wait();
        server
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Without a password.
    pub fn url(&self) -> String {
        format!("amqp://guest@127.0.0.1:{}/%2f", self.port())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let id = fs::read_to_string(self.folder.join("pid")).unwrap();
        let killed = Command::new("kill").args(["-KILL", id.trim()]).status();
        assert!(killed.unwrap().success());
        // Waiting closes the shell's input, whose end would take the folder away.
        let input = self.shell.stdin.take();
        self.shell.wait().unwrap();
        drop(input);
    }

    /// Goes on with the data that it had when it was killed.
    pub fn start_again(&mut self) {
        self.shell = serve(&self.folder, &self.port);
        self.wait();
    }

    /// Until it greets whoever does not speak as it does.
    fn wait(&mut self) {
        let begin = Instant::now();
        while !greets(self.port()) {
            let has_ended = self.shell.try_wait().unwrap().is_some();
            let is_late = begin.elapsed() > PATIENCE;
            assert!(!has_ended && !is_late, "{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
        assert!(self.log().contains(&format!("127.0.0.1:{}", self.port())));
    }

    /// What the server said since it was started.
    fn log(&self) -> String {
        let all = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let last = all.rsplit("Starting RabbitMQ").next();
        last.unwrap_or_default().to_owned()
    }
}

fn serve(folder: &Path, port: &Port) -> Child {
    let mut shell = Command::new(root().join("scripts/rabbitmq"));
    shell
        .arg("serve")
        .arg(folder)
        .arg(port.number().to_string());
    shell.stdin(Stdio::piped()).stderr(Stdio::null());
    shell.spawn().unwrap()
}

fn greets(port: u16) -> bool {
    let asked = || -> std::io::Result<[u8; 4]> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"AMQP\0\0\0\0")?;
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting)?;
        Ok(greeting)
    };
    asked().is_ok_and(|greeting| greeting == *b"AMQP")
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        // There is nothing left of one that had been killed before, but its folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
