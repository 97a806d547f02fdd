//! A log that was never lived through: as long as one likes, and consistent in itself.

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use tidelock_core::{
    domain::{Amount, Batch, BlockTime, Payment, PaymentRef, TierIndex},
    event::{BlockRef, Event, Fees, Job, Opening, Request, Route},
    log::{Entry, LogHead},
    state::State,
    store::Store,
};
use tidelock_keeper::store::LogStore;

/// Payments of a batch.
pub const BATCH: u64 = 256;

/// A log of payments that go all the way: one entry for each request and each release, then one batch.
pub struct Log {
    pub state: State,
    pub head: LogHead,
    entries: Vec<Entry>,
    /// Whether each batch has a final block of its own, which is of no chain.
    has_blocks: bool,
    /// Whether what waits is taken in by one entry, under refs that follow each other.
    in_lists: bool,
}

impl Log {
    pub fn open(opening: Opening, has_blocks: bool) -> Self {
        let entry = Entry::after(LogHead::EMPTY, &Event::LogOpened(opening)).unwrap();
        Self {
            state: State::open(opening),
            head: entry.head(),
            entries: vec![entry],
            has_blocks,
            in_lists: false,
        }
    }

    /// From now on requests are taken in together, as when many wait, and their refs follow each other, as ULIDs do.
    #[allow(dead_code, reason = "not every measurement wants so many")]
    pub fn in_lists(mut self) -> Self {
        self.in_lists = true;
        self
    }

    /// Commits what has been added.
    pub fn commit(&mut self, store: &mut LogStore) {
        let rows = self.state.take_changes();
        store.commit(&self.entries, &rows).unwrap();
        self.entries.clear();
    }

    fn add(&mut self, event: &Event) {
        self.state.apply(event).unwrap();
        let entry = Entry::after(self.head, event).unwrap();
        self.head = entry.head();
        self.entries.push(entry);
    }

    /// Payments that are asked for and may be batched.
    pub fn wait(&mut self, count: u64) -> Vec<Payment> {
        let first = self.state.arrivals() + 1;
        if self.in_lists {
            return self.wait_together(first, count);
        }
        let payments: Vec<Payment> = (first..first + count).map(payment).collect();
        for (arrival, payment) in (first..).zip(&payments) {
            let request = Request {
                arrival,
                payment: *payment,
            };
            self.add(&Event::RequestsAccepted {
                requests: vec![request],
                through: arrival,
            });
            self.add(&Event::Released {
                refs: vec![payment.reference()],
            });
        }
        payments
    }

    fn wait_together(&mut self, first: u64, count: u64) -> Vec<Payment> {
        let payments: Vec<Payment> = (first..first + count).map(ordered).collect();
        let requests = (first..).zip(&payments).map(|(arrival, payment)| Request {
            arrival,
            payment: *payment,
        });
        self.add(&Event::RequestsAccepted {
            requests: requests.collect(),
            through: first + count - 1,
        });
        self.add(&Event::Released {
            refs: payments.iter().map(Payment::reference).collect(),
        });
        payments
    }

    pub fn round(&mut self) {
        let first = self.state.arrivals() + 1;
        let payments = self.wait(BATCH);
        let namespace = self.state.opening().namespace;
        let number = namespace.number(Route::Direct, first - 1).unwrap();
        let expires = BlockTime::from_seconds(9_999).unwrap();
        let tier = TierIndex::new(0).unwrap();
        let context = self.head.context(B256::ZERO);
        let batch = Batch::seal(number, tier, &payments, expires, context).unwrap();
        let id = batch.id(&self.state.opening().domain);
        self.add(&Event::BatchSealed {
            anchor: self.head.seq,
            batch,
            refs: payments.iter().map(Payment::reference).collect(),
            route: Route::Direct,
        });
        self.send(Job::Pay { batch: id });
        let last = self.state.finalised();
        let next = block(last.number + 1);
        let at = if self.has_blocks { next } else { last };
        self.add(&Event::OutcomeFinal {
            batch: id,
            first_number: number,
            paid: U256::MAX,
            block: at.number,
        });
        if self.has_blocks {
            self.add(&Event::FinalisedAdvanced { block: at });
        }
    }

    fn send(&mut self, job: Job) {
        let nonce = self.state.next_nonce();
        self.add(&Event::SlotReserved { nonce, job });
        let raw = Bytes::from(vec![7; 12_500]);
        let hash = keccak256([raw.as_ref(), &nonce.to_be_bytes()].concat());
        let raw = Bytes::from([raw.as_ref(), &nonce.to_be_bytes()].concat());
        self.add(&Event::AttemptSigned {
            nonce,
            job,
            hash,
            raw,
            fees: Fees {
                max_fee: 30_000_000_000,
                tip: 1_000_000_000,
            },
        });
        self.add(&Event::SlotConsumed {
            nonce,
            by: Some(hash),
            reverted: false,
            block: 1,
            cost: None,
        });
    }
}

fn payment(index: u64) -> Payment {
    let hash = keccak256(index.to_be_bytes());
    let (_, recipient) = hash.split_at(12);
    let (reference, _) = hash.split_first_chunk::<16>().unwrap();
    Payment::new(
        Address::from_slice(recipient),
        Amount(1_000_000),
        PaymentRef(*reference),
    )
    .unwrap()
}

/// The payment of that place among those whose refs follow each other.
#[allow(dead_code, reason = "not every measurement wants so many")]
pub fn ordered(index: u64) -> Payment {
    let mut reference = [0x01; 16];
    reference[8..].copy_from_slice(&index.to_be_bytes());
    let random = payment(index);
    Payment::new(random.recipient(), random.amount(), PaymentRef(reference)).unwrap()
}

pub fn block(number: u64) -> BlockRef {
    BlockRef {
        number,
        hash: keccak256(number.to_be_bytes()),
        time: BlockTime::from_seconds(number).unwrap(),
    }
}
