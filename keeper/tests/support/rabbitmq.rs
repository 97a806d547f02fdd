//! A RabbitMQ server of a test's own, that can be killed and goes on with its data; and a client that shares no code with the keeper's.

#![allow(dead_code, reason = "not every test does all of it to a server")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::{
    certificates::Certificates,
    served::{Served, ports, python},
};

/// Who may do everything.
pub const USER: &str = "keeper";
pub const PASSWORD: &str = "correct-horse-battery";
/// Who may read everything and write to no queue; the password is the same.
pub const READER: &str = "reader";

/// A server at work. It listens by TLS too.
pub struct RabbitMq {
    served: Served,
    pub certificates: Certificates,
}

impl RabbitMq {
    pub fn start() -> Self {
        let (port, certificates) = (ports(), Certificates::make());
        let settings = format!(
            "listeners.ssl.1 = 127.0.0.1:{}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n\
             ssl_options.verify = verify_none\n",
            port.number() + 3,
            certificates.authority().display(),
            certificates.certificate().display(),
            certificates.key().display()
        );
        let users = serde_json::json!({
            "vhosts": [{"name": "/"}],
            "users": [
                {"name": USER, "password": PASSWORD, "tags": ""},
                {"name": READER, "password": PASSWORD, "tags": ""},
            ],
            "permissions": [
                {"user": USER, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
                {"user": READER, "vhost": "/", "configure": "", "write": "", "read": ".*"},
            ],
        });
        let files = [
            ("rabbitmq.conf", settings.as_str()),
            ("definitions.json", &users.to_string()),
        ];
        let mut served = Served::start("scripts/rabbitmq", port, &files);
        served.wait(is_ready);
        Self {
            served,
            certificates,
        }
    }

    pub fn port(&self) -> u16 {
        self.served.port()
    }

    /// Without a password.
    pub fn url(&self) -> String {
        format!("amqp://{USER}@127.0.0.1:{}/%2f", self.port())
    }

    /// The same by TLS.
    pub fn safe_url(&self) -> String {
        format!("amqps://{USER}@localhost:{}/%2f", self.port() + 3)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.served.kill();
    }

    /// Goes on with the data that it had when it was killed.
    pub fn start_again(&mut self) {
        self.served.start_again();
        self.served.wait(is_ready);
    }

    /// What the client says.
    pub fn ask(&self, arguments: &[&str], input: &str) -> String {
        ask(self.port(), arguments, input)
    }
}

/// The same of the server at a port.
pub fn ask(port: u16, arguments: &[&str], input: &str) -> String {
    let port = port.to_string();
    let arguments = [&[port.as_str(), USER, PASSWORD], arguments].concat();
    python(
        "target/rabbitmq/client",
        "rabbitmq_client.py",
        &arguments,
        input,
    )
}

/// Both its doors are open, and it greets whoever does not speak as it does.
fn is_ready(served: &Served) -> bool {
    let log = served.log();
    let (plain, safe) = (served.port(), served.port() + 3);
    log.contains(&format!("127.0.0.1:{plain}"))
        && log.contains(&format!("127.0.0.1:{safe}"))
        && greets(plain)
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
