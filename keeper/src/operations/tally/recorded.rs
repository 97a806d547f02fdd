//! A log in which everything that the four figures count happens, and what is counted of it by the hour: for whoever counts from the
//! events that others are told. `UPDATE_FIXTURES=1 cargo test -p tidelock-keeper --lib recorded` writes the files.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{collections::BTreeMap, fs, path::Path};

use alloy::primitives::{Address, B256, U256, keccak256};
use serde_json::json;
use tidelock_api::Told;
use tidelock_core::{
    calendar::rfc3339,
    domain::{
        Amount, Batch, BatchId, BlockTime, ChainId, Payment, PaymentNumber, PaymentRef, TierIndex,
        VaultDomain,
    },
    event::{BlockRef, Event, HoldReason, Namespace, NumberedPayment, Opening, Request, Route},
    lifecycle::PaymentStatus,
    log::{Entry, LogHead},
    state::State,
    store::Store,
};

use super::{Class, Tally};
use crate::store::{Identity, LogStore, Reader};

/// 2026-01-05T09:50:00Z. [seconds since 1970]
const BEGIN: u64 = 1_767_606_600;
const MINUTE: u64 = 60; // [seconds]
const HOUR: u64 = 3_600; // [seconds]

/// A batch's id and its first number.
type Sealed = (BatchId, PaymentNumber);

type Counts = BTreeMap<&'static str, u64>;

/// A log that is written by hand, and what the keeper counts of it.
struct Book {
    state: State,
    head: LogHead,
    store: LogStore,
    requests: u64,
    blocks: u64,
    reader: Reader,
    tally: Tally,
    counted: Counts,
    /// By the hour's beginning. [seconds since 1970]
    hours: BTreeMap<u64, Counts>,
}

/// What everybody calls the vault and its token.
fn identity() -> Identity {
    Identity {
        domain: VaultDomain {
            chain_id: ChainId(31_337),
            vault: Address::repeat_byte(0xa1),
        },
        token: Address::repeat_byte(0xa3),
        decimals: 6,
    }
}

impl Book {
    fn open(path: &Path) -> Self {
        let opening = Opening {
            domain: identity().domain,
            keeper: Address::repeat_byte(0xa4),
            first_nonce: 0,
            namespace: Namespace::new(1).unwrap(),
            start: block(100, 0),
        };
        let store = LogStore::create(path, identity()).unwrap();
        let mut reader = Reader::open(path).unwrap();
        let tally = Tally::start(&mut reader).unwrap();
        let mut book = Self {
            state: State::open(opening),
            head: LogHead::EMPTY,
            store,
            requests: 0,
            blocks: 100,
            counted: counted(&tally, &mut reader),
            reader,
            tally,
            hours: BTreeMap::new(),
        };
        book.write(&Event::LogOpened(opening));
        book
    }

    fn say(&mut self, event: &Event) {
        self.state.apply(event).unwrap();
        self.write(event);
    }

    fn write(&mut self, event: &Event) {
        let entry = Entry::after(self.head, event).unwrap();
        self.head = entry.head();
        let rows = self.state.take_changes();
        self.store.commit(&[entry], &rows).unwrap();
        self.tally.follow(&mut self.reader).unwrap();
        let counted = counted(&self.tally, &mut self.reader);
        let time = self.state.finalised().time.seconds();
        let hour = self.hours.entry(time - time % HOUR).or_default();
        for (name, count) in &counted {
            *hour.entry(name).or_default() += count - self.counted[name];
        }
        self.counted = counted;
    }

    fn accept(&mut self, bytes: &[u8]) {
        let first = self.requests + 1;
        self.requests += u64::try_from(bytes.len()).unwrap();
        let requests = (first..).zip(bytes).map(|(arrival, byte)| Request {
            arrival,
            payment: payment(*byte),
        });
        let requests = requests.collect();
        let through = self.requests;
        self.say(&Event::RequestsAccepted { requests, through });
    }

    fn hold(&mut self, byte: u8, reason: HoldReason) {
        let refs = refs(&[byte]);
        self.say(&Event::Held { refs, reason });
    }

    fn seal(&mut self, bytes: &[u8]) -> Sealed {
        let route = Route::Direct;
        let counter = self.state.next_counters().of(route);
        let first = self.state.opening().namespace.number(route, counter);
        let first = first.unwrap();
        let batch = self.batch(first, bytes);
        let id = batch.id(&identity().domain);
        let refs = refs(bytes);
        let anchor = self.head.seq;
        self.say(&Event::BatchSealed {
            anchor,
            batch,
            refs,
            route,
        });
        (id, first)
    }

    fn batch(&self, first: PaymentNumber, bytes: &[u8]) -> Batch {
        let payments: Vec<Payment> = bytes.iter().map(|byte| payment(*byte)).collect();
        let expires = BlockTime::from_seconds(BEGIN + 240 * HOUR).unwrap();
        let tier = TierIndex::new(0).unwrap();
        Batch::seal(
            first,
            tier,
            &payments,
            expires,
            self.head.context(B256::ZERO),
        )
        .unwrap()
    }

    fn pay(&mut self, (batch, first_number): Sealed, mask: u64) {
        let block = self.blocks;
        self.say(&Event::OutcomeFinal {
            batch,
            first_number,
            paid: U256::from(mask),
            block,
        });
    }

    /// The next final block, so long after the beginning. [seconds]
    fn advance(&mut self, after: u64) {
        self.blocks += 1;
        let block = block(self.blocks, after);
        self.say(&Event::FinalisedAdvanced { block });
    }
}

fn block(number: u64, after: u64) -> BlockRef {
    BlockRef {
        number,
        hash: keccak256(number.to_be_bytes()),
        time: BlockTime::from_seconds(BEGIN + after).unwrap(),
    }
}

fn payment(byte: u8) -> Payment {
    let amount = Amount(u128::from(byte) * 1_000_000);
    Payment::new(Address::repeat_byte(byte), amount, PaymentRef([byte; 16])).unwrap()
}

fn refs(bytes: &[u8]) -> Vec<PaymentRef> {
    bytes.iter().map(|byte| PaymentRef([*byte; 16])).collect()
}

/// The hours 09 and 10, and their two batches.
fn begin(book: &mut Book) -> (Sealed, Sealed) {
    // What the vault had paid before this log was opened.
    let old = [(1 << 62, 0x01), ((1 << 62) + 1, 0x02)];
    let payments = old.map(|(number, byte)| NumberedPayment {
        number: PaymentNumber(number),
        payment: payment(byte),
    });
    let payments = payments.to_vec();
    book.say(&Event::Recovered { payments });
    book.advance(2 * MINUTE);
    // 09: six are asked for, four may be paid.
    book.accept(&[0x11, 0x12, 0x13, 0x14, 0x15, 0x16]);
    book.say(&Event::Released {
        refs: refs(&[0x11, 0x12, 0x13, 0x14]),
    });
    book.hold(0x15, HoldReason::AboveLimit);
    book.say(&Event::Rejected {
        refs: refs(&[0x16]),
    });
    let first = book.seal(&[0x11, 0x12, 0x13, 0x14]);
    book.advance(9 * MINUTE + 59);
    // 10: three are paid, 12 seconds later than they were said to be.
    book.advance(11 * MINUTE);
    book.pay(first, 0b0111);
    book.advance(11 * MINUTE + 12);
    book.accept(&[0x21, 0x22, 0x23, 0x24, 0x25]);
    book.hold(0x21, HoldReason::TokenBlacklist);
    let note = "the customer called".to_owned();
    book.hold(0x22, HoldReason::Operator { note });
    book.say(&Event::Cancelled {
        refs: refs(&[0x22]),
    });
    let answer = "0xdeadbeef \"quoted\"".to_owned();
    book.hold(0x23, HoldReason::CannotSimulate { answer });
    book.say(&Event::Released {
        refs: refs(&[0x23, 0x24, 0x25]),
    });
    let second = book.seal(&[0x23, 0x24, 0x25]);
    (first, second)
}

/// From the end of 10 on.
fn go_on(book: &mut Book, first: Sealed, second: Sealed) {
    // Paid by the last block before the hour is over, and final with its first: it arrives in the next one.
    book.advance(HOUR + 9 * MINUTE + 59);
    book.pay(first, 0b1000);
    book.advance(HOUR + 10 * MINUTE);
    // 11: another key pays two numbers for something else, and something of its own.
    let by = vec![payment(0x31), payment(0x32), payment(0x34)];
    let block = book.blocks;
    book.say(&Event::Displaced {
        refs: refs(&[0x23, 0x25]),
        by,
        block,
    });
    let batch = BatchId(B256::repeat_byte(0x33));
    book.say(&Event::ForeignSeen { batch, block });
    book.pay(second, 0b10);
    book.advance(HOUR + 40 * MINUTE);
    let batch = book.batch(PaymentNumber(1 << 63), &[0x41, 0x42]);
    let adopted = (batch.id(&identity().domain), PaymentNumber(1 << 63));
    let payments = vec![payment(0x41), payment(0x42)];
    book.say(&Event::Adopted { batch, payments });
    book.pay(adopted, 0b11);
    book.advance(HOUR + 50 * MINUTE);
    // 12 says nothing but that time passes; 13 not even that. 14 stops one for each other reason.
    book.advance(2 * HOUR + 15 * MINUTE);
    book.advance(4 * HOUR + 20 * MINUTE);
    book.accept(&[0x51, 0x52]);
    book.say(&Event::Released {
        refs: refs(&[0x51]),
    });
    let number = PaymentNumber(9);
    for reason in [
        HoldReason::RecipientBlocked,
        HoldReason::Vetoed,
        HoldReason::TokenRefuses,
        HoldReason::KeepsFailing,
        HoldReason::ForeignProposal,
        HoldReason::PaidElsewhere { number },
    ] {
        book.hold(0x52, reason);
    }
    // A day later, after a delay.
    let third = book.seal(&[0x51]);
    book.advance(28 * HOUR + 30 * MINUTE);
    book.pay(third, 1);
    book.advance(28 * HOUR + 30 * MINUTE + 12);
}

/// What the keeper's own figures say, as counts since the beginning.
fn counted(tally: &Tally, reader: &mut Reader) -> Counts {
    let counts = reader.overview().unwrap().counts;
    let settled = |status| counts.get(&status).copied().unwrap_or_default();
    let stopped = |class: Class| {
        let of_class = (tally.stopped.iter()).filter(|((by, _), _)| *by == class);
        of_class.map(|(_, count)| *count).sum()
    };
    BTreeMap::from([
        ("events", reader.end().unwrap()),
        ("accepted", tally.accepted),
        ("paid", settled(PaymentStatus::Paid)),
        ("rejected", settled(PaymentStatus::Rejected)),
        ("cancelled", settled(PaymentStatus::Cancelled)),
        ("displaced", settled(PaymentStatus::Displaced)),
        ("policy", stopped(Class::Policy)),
        ("operator", stopped(Class::Operator)),
        ("abnormal", stopped(Class::Abnormal)),
        ("whole", tally.whole),
        ("broken", tally.broken),
        ("arrived", tally.arrivals.count),
        ("seconds", tally.arrivals.sum),
    ])
}

/// Holds a file to what it should hold, or writes it.
fn held(name: &str, lines: &[String]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-fixtures/events");
    let (path, text) = (folder.join(name), lines.join("\n") + "\n");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "{} is old; UPDATE_FIXTURES=1 writes it",
        path.display()
    );
}

#[test]
fn what_is_counted_of_a_log_is_recorded_beside_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = Book::open(&folder.path().join("keeper.db"));
    let (first, second) = begin(&mut book);
    go_on(&mut book, first, second);
    let told = Told::after(&mut book.reader, 0, 1_000).unwrap();
    let events = told.iter().map(|told| serde_json::to_string(&told.event));
    let events: Vec<String> = events.collect::<Result<_, _>>().unwrap();
    let parts = told.iter().flat_map(Told::keyed);
    let parts = parts.map(|part| serde_json::to_string(&part));
    let parts: Vec<String> = parts.collect::<Result<_, _>>().unwrap();
    let hours = (book.hours.iter())
        .map(|(hour, counts)| json!({ "hour": rfc3339(*hour), "counts": counts }).to_string());
    held("events.jsonl", &events);
    held("parts.jsonl", &parts);
    held("hours.jsonl", &hours.collect::<Vec<String>>());
}
