//! A Kafka broker of a test's own, that can be killed and goes on with its data; and a client that shares no code with the keeper's.

#![allow(dead_code, reason = "not every test does all of it to a broker")]

use std::{fs, net::TcpStream};

use serde_json::Value;

use super::{
    certificates::Certificates,
    served::{Served, ports, python, root},
    support::port::Port,
};

/// Who is known to a broker that asks, and by what.
pub const USER: &str = "keeper";
pub const PASSWORD: &str = "correct-horse-battery";

/// A broker at work.
pub struct Kafka {
    served: Served,
    certificates: Option<Certificates>,
}

/// Whether there is no broker here, for the reason that is then told.
pub fn is_skipped() -> bool {
    let why = fs::read_to_string(root().join("target/kafka/skipped"));
    if let Ok(why) = &why {
        eprintln!("skipped - Kafka: {}", why.trim());
    }
    why.is_ok()
}

impl Kafka {
    pub fn start() -> Self {
        Self::with(ports(), &[], None)
    }

    /// One that has a second listener, by TLS and for a user with a password, who may show it in each way there is.
    pub fn that_asks() -> Self {
        let (port, certificates) = (ports(), Certificates::make());
        let first = port.number();
        let (controller, safe) = (first + 1, first + 2);
        let module = "org.apache.kafka.common.security";
        let settings = format!(
            "listeners=PLAINTEXT://127.0.0.1:{first},CONTROLLER://127.0.0.1:{controller},SAFE://127.0.0.1:{safe}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SAFE:SASL_SSL\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\nsasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n\
             listener.name.safe.plain.sasl.jaas.config={module}.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";\n\
             listener.name.safe.scram-sha-256.sasl.jaas.config={module}.scram.ScramLoginModule required;\n\
             listener.name.safe.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;\n",
            certificates.both().display(),
        );
        let users =
            [256, 512].map(|hash| format!("SCRAM-SHA-{hash}=[name={USER},password={PASSWORD}]\n"));
        let files = [
            ("more.properties", settings.as_str()),
            ("scram", &users.concat()),
        ];
        Self::with(port, &files, Some(certificates))
    }

    /// One that believes producers that a transaction is known to its coordinator.
    pub fn that_believes() -> Self {
        let settings = "transaction.partition.verification.enable=false\n";
        Self::with(ports(), &[("more.properties", settings)], None)
    }

    fn with(port: Port, files: &[(&str, &str)], certificates: Option<Certificates>) -> Self {
        let mut served = Served::start("scripts/kafka", port, files);
        served.wait(listens);
        Self {
            served,
            certificates,
        }
    }

    /// Where it listens, as clients are told.
    pub fn server(&self) -> String {
        format!("127.0.0.1:{}", self.served.port())
    }

    /// Where it listens for those whom it asks.
    pub fn safe_server(&self) -> String {
        format!("127.0.0.1:{}", self.served.port() + 2)
    }

    /// Who vouches for it there, and who does not.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.served.kill();
    }

    /// Goes on with the data that it had when it was killed.
    pub fn start_again(&mut self) {
        self.served.start_again();
        self.served.wait(listens);
    }

    /// Makes a topic.
    pub fn make(&self, topic: &str, partitions: u32) {
        self.make_with(topic, partitions, &[]);
    }

    /// The same with settings, such as `max.message.bytes=2000`.
    pub fn make_with(&self, topic: &str, partitions: u32, settings: &[&str]) {
        let partitions = partitions.to_string();
        let arguments = [&["make", topic, &partitions], settings].concat();
        self.ask(&arguments, "");
    }

    /// Changes settings of a topic.
    pub fn set(&self, topic: &str, settings: &[&str]) {
        self.ask(&[&["set", topic], settings].concat(), "");
    }

    /// Writes records: of each its key, if it has one, and its value.
    pub fn send(&self, topic: &str, records: &[(Option<&str>, &str)]) {
        let lines = records.iter().map(|(key, value)| {
            let record = serde_json::json!({ "key": key, "value": value });
            format!("{record}\n")
        });
        self.ask(&["send", topic], &lines.collect::<String>());
    }

    /// Writes records, of each its `topic`, `key`, `value` and `headers`, in a transaction of a publisher's that is never ended in their partitions.
    pub fn leave_open(&self, transaction: &str, records: &[Value]) {
        let lines = records.iter().map(|record| format!("{record}\n"));
        self.ask(&["leave_open", transaction], &lines.collect::<String>());
    }

    /// Every committed record of a topic, once no transaction is open: `partition`, `offset`, `key`, `value`, `headers`.
    pub fn read(&self, topic: &str) -> Vec<Value> {
        let lines = self.ask(&["read", topic], "");
        let records = lines.lines().map(serde_json::from_str);
        records.map(Result::unwrap).collect()
    }

    /// Records of a topic that a group has not committed.
    pub fn behind(&self, group: &str, topic: &str) -> u64 {
        let behind = self.ask(&["behind", topic, group], "");
        behind.trim().parse().unwrap()
    }

    fn ask(&self, arguments: &[&str], input: &str) -> String {
        let server = self.server();
        let arguments = [&[server.as_str()], arguments].concat();
        python("target/kafka/python", "kafka_client.py", &arguments, input)
    }
}

/// Clients wait by themselves for what takes longer.
fn listens(served: &Served) -> bool {
    TcpStream::connect(("127.0.0.1", served.port())).is_ok()
}
