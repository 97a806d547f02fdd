//! How a long list is filed beside a writer of the log:
//! `cargo bench -p tidelock-keeper --bench intake -- [rows] [folder] [keeper]`.
//!
//! Measures how long `keeper request --file` takes, its memory, and how long a commit of the writer is kept waiting meanwhile.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a measurement, not a part of the keeper: what goes wrong here may stop it"
)]

use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use alloy::primitives::{Address, keccak256};
use tidelock_core::{
    domain::{BlockTime, ChainId, VaultDomain},
    event::{BlockRef, Event, Namespace, Opening},
    log::{Entry, LogHead},
    state::State,
    store::Store,
};
use tidelock_keeper::store::{Identity, LogStore, Reader};

/// Between two commits of the writer.
const PACE: Duration = Duration::from_millis(20);

fn main() {
    // cargo adds --bench
    let mut arguments = std::env::args().skip(1).filter(|text| text != "--bench");
    let rows: u64 = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().unwrap());
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .unwrap();
    let keeper = arguments
        .next()
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_keeper").to_owned());
    let (identity, opening) = identity();
    let path = folder.path().join("keeper.db");
    let mut store = LogStore::create(&path, identity).unwrap();
    let mut log = Log::open(opening, &mut store);
    configure(folder.path(), &identity);
    list(&folder.path().join("list.csv"), rows);

    let alone = (0..50).map(|_| log.commit(&mut store)).max().unwrap();
    let start = Instant::now();
    let mut filing = Command::new(keeper)
        .current_dir(folder.path())
        .args(["request", "--file", "list.csv"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut commits: Vec<Duration> = Vec::new();
    let mut memory = 0;
    let status = loop {
        if let Some(status) = filing.try_wait().unwrap() {
            break status;
        }
        commits.push(log.commit(&mut store));
        memory = memory.max(peak(&filing));
        thread::sleep(PACE);
    };
    let taken = start.elapsed();
    assert!(status.success(), "{status}");
    drop(store);
    let waiting = Reader::open(&path).unwrap().overview().unwrap().waiting;
    assert_eq!(waiting, rows);
    commits.sort_unstable();
    let nth = |percent: usize| commits.get(commits.len() * percent / 100);

    println!(
        "Intake: a list of {rows} requests, beside a writer with {} commits\n",
        commits.len()
    );
    row("filed in", format!("{} ms", taken.as_millis()), "");
    row(
        "peak memory of filing",
        format!("{} MiB", memory >> 10),
        "<= 64 MiB",
    );
    row("a commit alone, longest of 50", millis(alone), "");
    row("a commit beside it, median", millis(*nth(50).unwrap()), "");
    row(
        "a commit beside it, 99 of 100 within",
        millis(*nth(99).unwrap()),
        "",
    );
    row(
        "a commit beside it, longest",
        millis(*commits.last().unwrap()),
        "<= 100 ms",
    );
}

fn row(what: &str, result: String, target: &str) {
    println!("{what:<50} {result:>14}  {target}");
}

fn millis(time: Duration) -> String {
    let tenths = time.as_micros() / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

/// The most memory that a process has had. [KiB]
fn peak(process: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    number.unwrap_or(0) // it has just ended
}

fn identity() -> (Identity, Opening) {
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
        start: block(1),
    };
    (identity, opening)
}

fn configure(folder: &Path, identity: &Identity) {
    let Identity { domain, token, .. } = identity;
    let text = format!(
        "[chain]\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = {}\nallow_single_node = true\n\
         [vault]\naddress = \"{}\"\nlens = \"{}\"\ntoken = \"{token}\"\n",
        domain.chain_id.0,
        domain.vault,
        Address::repeat_byte(4),
    );
    fs::write(folder.join("keeper.toml"), text).unwrap();
}

fn list(path: &Path, rows: u64) {
    let mut file = BufWriter::new(fs::File::create(path).unwrap());
    writeln!(file, "ref,recipient,amount").unwrap();
    for index in 0..rows {
        let hash = keccak256(index.to_be_bytes());
        let (recipient, reference) = hash.split_at(16);
        let (recipient, reference) = (
            Address::left_padding_from(recipient),
            alloy::hex::encode(reference),
        );
        writeln!(file, "{reference},{recipient:?},{}.5", index % 1_000).unwrap();
    }
    file.flush().unwrap();
}

/// A log that goes on and on.
struct Log {
    state: State,
    head: LogHead,
}

impl Log {
    fn open(opening: Opening, store: &mut LogStore) -> Self {
        let entry = Entry::after(LogHead::EMPTY, &Event::LogOpened(opening)).unwrap();
        let mut state = State::open(opening);
        let head = entry.head();
        store.commit(&[entry], &state.take_changes()).unwrap();
        Self { state, head }
    }

    /// How long it took.
    fn commit(&mut self, store: &mut LogStore) -> Duration {
        let next = block(self.state.finalised().number + 1);
        let event = Event::FinalisedAdvanced { block: next };
        self.state.apply(&event).unwrap();
        let entry = Entry::after(self.head, &event).unwrap();
        self.head = entry.head();
        let changes = self.state.take_changes();
        let start = Instant::now();
        store.commit(&[entry], &changes).unwrap();
        start.elapsed()
    }
}

fn block(number: u64) -> BlockRef {
    BlockRef {
        number,
        hash: keccak256(number.to_be_bytes()),
        time: BlockTime::from_seconds(number).unwrap(),
    }
}
