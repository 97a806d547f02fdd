//! A host with a network of its own: a namespace with one line to the database and one to the chain, of which the first can be cut. Of
//! what is sent over a line that is cut nothing arrives, and neither end is told.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Addresses for tests of networks (RFC 2544), four for a line.
const ADDRESSES: u32 = 0xc612_0000;
/// Lines that there is room for.
const LINES: u32 = 1 << 15;
/// A link address that nobody has.
const NOBODY: &str = "02:00:00:00:00:01";

pub struct Network {
    /// Holds the namespace; ends with this process, and the lines with it.
    holder: Child,
    /// Lines that no other network has.
    first: u32,
}

/// Where a line ends: the database's or the chain's.
#[derive(Clone, Copy)]
enum Line {
    Database,
    Chain,
}

impl Network {
    /// A network; or why there can be none here.
    pub fn new() -> Result<Self, String> {
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let first = holder.id() * 2 % LINES;
        let network = Self { holder, first };
        network.is_apart()?;
        network.inside(&["ip", "link", "set", "lo", "up"])?;
        for line in [Line::Database, Line::Chain] {
            let (here, there) = network.names(line);
            let id = network.holder.id().to_string();
            let pair = ["type", "veth", "peer", "name", there, "netns", &id];
            run("ip", &[&["link", "add", &here][..], &pair].concat())?;
            let [near, far] = network
                .addresses(line)
                .map(|address| format!("{address}/30"));
            run("ip", &["addr", "add", &near, "dev", &here])?;
            run("ip", &["link", "set", &here, "up"])?;
            network.inside(&["ip", "addr", "add", &far, "dev", there])?;
            network.inside(&["ip", "link", "set", there, "up"])?;
        }
        Ok(network)
    }

    fn is_apart(&self) -> Result<(), String> {
        let of = |id: &str| fs::read_link(format!("/proc/{id}/ns/net"));
        let (own, end) = (of("self"), Instant::now() + Duration::from_secs(10));
        let own = own.map_err(|error| error.to_string())?;
        while Instant::now() < end {
            match of(&self.holder.id().to_string()) {
                Ok(other) if other != own => return Ok(()),
                Ok(_) => thread::sleep(Duration::from_millis(10)),
                Err(_) => break,
            }
        }
        Err("unshare --net: not permitted".to_owned())
    }

    /// What is before a program that runs in it.
    pub fn prefix(&self) -> Vec<String> {
        let id = self.holder.id().to_string();
        ["nsenter", "--net", "--target", &id]
            .map(str::to_owned)
            .to_vec()
    }

    fn inside(&self, command: &[&str]) -> Result<(), String> {
        let prefix = self.prefix();
        let mut all: Vec<&str> = prefix.iter().map(String::as_str).collect();
        all.extend(command);
        run(all[0], &all[1..])
    }

    /// The names of a line's two ends: here, and in the namespace.
    fn names(&self, line: Line) -> (String, &'static str) {
        let id = self.holder.id();
        match line {
            Line::Database => (format!("td{id}"), "database"),
            Line::Chain => (format!("tc{id}"), "chain"),
        }
    }

    fn addresses(&self, line: Line) -> [Ipv4Addr; 2] {
        let line = self.first + u32::from(matches!(line, Line::Chain));
        let network = ADDRESSES + (line << 2);
        [network + 1, network + 2].map(Ipv4Addr::from)
    }

    /// Where it finds the database.
    pub fn database(&self) -> Ipv4Addr {
        self.addresses(Line::Database)[0]
    }

    /// Carries what comes over the other line to a port here; where it is reached.
    pub fn lead_to(&self, port: u16) -> SocketAddr {
        let listener = TcpListener::bind((self.addresses(Line::Chain)[0], 0)).unwrap();
        let at = listener.local_addr().unwrap();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                        return;
                    };
                    thread::scope(|scope| {
                        scope.spawn(|| copy(&near, &far));
                        copy(&far, &near);
                    });
                });
            }
        });
        at
    }

    /// From now on nothing arrives over the line to the database, in either direction, and nobody is told.
    pub fn cut(&self) {
        let (here, there) = self.names(Line::Database);
        let [near, far] = self.addresses(Line::Database).map(|it| it.to_string());
        let to_nobody = ["lladdr", NOBODY, "nud", "permanent"];
        let of_here = [&["neigh", "replace", &far, "dev", &here][..], &to_nobody].concat();
        let of_there = ["ip", "neigh", "replace", &near, "dev", there];
        run("ip", &of_here).unwrap();
        self.inside(&[&of_there[..], &to_nobody].concat()).unwrap();
    }

    /// What was sent meanwhile is sent again, and arrives.
    pub fn mend(&self) {
        let (here, there) = self.names(Line::Database);
        let [near, far] = self.addresses(Line::Database).map(|it| it.to_string());
        run("ip", &["neigh", "del", &far, "dev", &here]).unwrap();
        let of_there = ["ip", "neigh", "del", &near, "dev", there];
        self.inside(&of_there).unwrap();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let done = Command::new(program).args(arguments).output();
    let done = done.map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(format!("{program} {}: {why}", arguments.join(" ")))
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
