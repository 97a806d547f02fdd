//! Logs to store: random ones in which everything happens, for tests of the store.

#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only, and no test uses all"
)]

pub mod home;
pub mod port;
pub mod postgres;

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IteratorRandom};
use tempfile::TempDir;
use tidelock_core::{
    domain::{
        Amount, Batch, BatchId, BlockTime, ChainId, Payment, PaymentRef, TierIndex, VaultDomain,
    },
    event::{
        BlockRef, Command, Cost, DeathCause, Event, Fees, HaltReason, HoldReason, Job, Mode,
        Namespace, NumberedPayment, Opening, Request, Route,
    },
    lifecycle::{BatchStatus, PaymentStatus},
    log::{Entry, LogHead},
    state::State,
    store::Store,
};
use tidelock_keeper::store::{Identity, Location, LogStore, Server};

pub const VAULT: Address = Address::repeat_byte(0xa1);

pub fn identity() -> Identity {
    Identity {
        domain: VaultDomain {
            chain_id: ChainId(31337),
            vault: VAULT,
        },
        token: Address::repeat_byte(0xa3),
        decimals: 6,
    }
}

pub fn opening() -> Opening {
    Opening {
        domain: identity().domain,
        keeper: Address::repeat_byte(0xa4),
        first_nonce: 7,
        namespace: Namespace::new(42).unwrap(),
        start: block(100),
    }
}

pub fn block(number: u64) -> BlockRef {
    BlockRef {
        number,
        hash: keccak256(number.to_be_bytes()),
        time: BlockTime::from_seconds(1_700_000_000 + number).unwrap(),
    }
}

pub fn payment(index: u64) -> Payment {
    let hash = keccak256(index.to_be_bytes());
    let mut reference = [0; 16];
    reference.copy_from_slice(&hash[..16]);
    Payment::new(
        Address::from_slice(&hash[12..]),
        Amount(1_000_000 + u128::from(index)),
        PaymentRef(reference),
    )
    .unwrap()
}

/// A log that grows at random, with the state it folds to.
pub struct History {
    pub state: State,
    pub head: LogHead,
    pub rng: StdRng,
    /// Something was paid.
    pub paid: bool,
    made: u64,
}

impl History {
    /// The log's first entry, and what follows.
    pub fn open(seed: u64) -> (Self, Entry) {
        let opening = opening();
        let entry = Entry::after(LogHead::EMPTY, &Event::LogOpened(opening)).unwrap();
        let history = Self {
            state: State::open(opening),
            head: entry.head(),
            rng: StdRng::seed_from_u64(seed),
            paid: false,
            made: 0,
        };
        (history, entry)
    }

    /// One more entry, of a kind that is possible now.
    pub fn step(&mut self) -> Entry {
        loop {
            let Some(event) = self.candidate() else {
                continue;
            };
            let mut state = self.state.clone();
            if state.apply(&event).is_ok() {
                self.paid |= matches!(&event, Event::OutcomeFinal { paid, .. } if !paid.is_zero());
                self.state = state;
                return self.entry(&event);
            }
        }
    }

    /// One more entry, of this kind.
    pub fn apply(&mut self, event: &Event) -> Entry {
        self.state.apply(event).unwrap();
        self.entry(event)
    }

    fn entry(&mut self, event: &Event) -> Entry {
        let entry = Entry::after(self.head, event).unwrap();
        self.head = entry.head();
        entry
    }

    /// Requests that were never made before.
    pub fn accept(&mut self, count: u64) -> Event {
        let first = self.state.arrivals() + 1;
        let requests = (first..first + count).map(|arrival| Request {
            arrival,
            payment: self.fresh(),
        });
        let requests = requests.collect();
        Event::RequestsAccepted {
            requests,
            through: first + count - 1 + self.rng.random_range(0..2),
        }
    }

    fn fresh(&mut self) -> Payment {
        self.made += 1;
        payment(self.made)
    }

    fn some_payments(&mut self, status: PaymentStatus) -> Option<Vec<PaymentRef>> {
        let count = self.rng.random_range(1..4);
        let refs = self
            .state
            .open_payments()
            .filter(|row| row.status == status)
            .map(|row| row.reference())
            .choose_multiple(&mut self.rng, count);
        (!refs.is_empty()).then_some(refs)
    }

    fn some_batch(&mut self) -> Option<BatchId> {
        self.state
            .open_batches()
            .map(|row| row.id)
            .choose(&mut self.rng)
    }

    /// Nobody signs for what is none of the keeper's business.
    fn own_batch(&mut self) -> Option<BatchId> {
        let own = self.state.open_batches();
        let own = own.filter(|row| !matches!(row.status, BatchStatus::Foreign | BatchStatus::Dead));
        own.map(|row| row.id).choose(&mut self.rng)
    }

    fn job(&mut self) -> Job {
        let Some(batch) = self.own_batch() else {
            return Job::Void;
        };
        match self.rng.random_range(0..4) {
            0 => Job::Pay { batch },
            1 => Job::Propose { batch },
            2 => Job::Execute {
                batch,
                skip: U256::from(self.rng.random::<u64>()),
            },
            _ => Job::Void,
        }
    }

    fn candidate(&mut self) -> Option<Event> {
        use PaymentStatus::{Held, Open, Requested};
        let status = [Requested, Held, Open][self.rng.random_range(0..3)];
        Some(match self.rng.random_range(0..18) {
            0 => {
                let count = self.rng.random_range(1..6);
                self.accept(count)
            }
            1 => Event::Held {
                refs: self.some_payments(status)?,
                reason: self.hold_reason(),
            },
            2 | 3 => Event::Released {
                refs: self.some_payments(status)?,
            },
            4 => Event::Rejected {
                refs: self.some_payments(status)?,
            },
            5 => Event::Cancelled {
                refs: self.some_payments(status)?,
            },
            6 | 7 => self.seal()?,
            8 => self.foreign(),
            9 => Event::SlotReserved {
                nonce: self.state.next_nonce(),
                job: self.job(),
            },
            10 => self.sign()?,
            11 => self.consume()?,
            12 => Event::ProposalFinal {
                batch: self.some_batch()?,
                block: self.rng.random_range(0..1_000),
            },
            13 => self.outcome()?,
            14 => Event::BatchDied {
                batch: self.some_batch()?,
                cause: DeathCause::Expired,
            },
            15 => self.displaced()?,
            16 => Event::FinalisedAdvanced {
                block: block(self.state.finalised().number + self.rng.random_range(0..3)),
            },
            _ => self.rare(),
        })
    }

    fn hold_reason(&mut self) -> HoldReason {
        match self.rng.random_range(0..3) {
            0 => HoldReason::AboveLimit,
            1 => HoldReason::CannotSimulate {
                answer: "0xdeadbeef \"quoted\"".to_owned(),
            },
            _ => HoldReason::Operator {
                note: "later; 🐢".to_owned(),
            },
        }
    }

    fn rare(&mut self) -> Event {
        match self.rng.random_range(0..3) {
            0 => Event::ForeignSeen {
                batch: BatchId(B256::from(self.rng.random::<[u8; 32]>())),
                block: 5,
            },
            1 => Event::CommandTaken {
                arrival: self.state.commands() + self.rng.random_range(1..3),
                command: Command::Resume {
                    note: "go".to_owned(),
                },
                refused: None,
            },
            _ => Event::ModeChanged {
                mode: if self.rng.random() {
                    Mode::Armed
                } else {
                    Mode::Halted {
                        reason: HaltReason::ForeignNonce {
                            on_chain: 9,
                            next: 8,
                        },
                    }
                },
            },
        }
    }

    /// Payments under the numbers they have, or under new ones.
    fn seal(&mut self) -> Option<Event> {
        let refs = self.some_payments(PaymentStatus::Open)?;
        let rows: Vec<_> = refs
            .iter()
            .map(|reference| self.state.open_payment(reference).unwrap().clone())
            .collect();
        let route = if self.rng.random() {
            Route::Direct
        } else {
            Route::Proposal
        };
        let counter = self.state.next_counters().of(route);
        let next = self.state.opening().namespace.number(route, counter)?;
        let (refs, payments, first) = if rows.iter().all(|row| row.number.is_none()) {
            (refs, rows.iter().map(|row| row.payment).collect(), next)
        } else {
            let again = rows.iter().find(|row| row.number.is_some())?;
            let number = again.number?;
            (vec![again.reference()], vec![again.payment], number)
        };
        Some(Event::BatchSealed {
            anchor: self.head.seq,
            batch: self.batch(first, &payments),
            refs,
            route,
        })
    }

    pub fn batch(
        &mut self,
        first: tidelock_core::domain::PaymentNumber,
        payments: &[Payment],
    ) -> Batch {
        let expires = BlockTime::from_seconds(self.rng.random_range(1..1 << 40)).unwrap();
        let tier = TierIndex::new(self.rng.random_range(0..4)).unwrap();
        Batch::seal(
            first,
            tier,
            payments,
            expires,
            self.head.context(B256::ZERO),
        )
        .unwrap()
    }

    fn foreign(&mut self) -> Event {
        let count = self.rng.random_range(1..4);
        let payments: Vec<Payment> = (0..count).map(|_| self.fresh()).collect();
        let first = tidelock_core::domain::PaymentNumber((1 << 63) | (self.made << 8));
        let batch = self.batch(first, &payments);
        match self.rng.random_range(0..3) {
            0 => Event::Adopted { batch, payments },
            1 => Event::ForeignProposed { batch, payments },
            _ => {
                let numbers = (0..).map_while(|offset| first.checked_add(offset));
                let numbered = numbers.zip(payments);
                let numbered =
                    numbered.map(|(number, payment)| NumberedPayment { number, payment });
                Event::Recovered {
                    payments: numbered.collect(),
                }
            }
        }
    }

    fn sign(&mut self) -> Option<Event> {
        let nonce = self
            .state
            .slots()
            .map(|slot| slot.nonce)
            .choose(&mut self.rng)?;
        let raw = Bytes::from(self.rng.random::<[u8; 40]>().to_vec());
        Some(Event::AttemptSigned {
            nonce,
            job: self.job(),
            hash: keccak256(&raw),
            raw,
            fees: Fees {
                max_fee: self.rng.random(),
                tip: self.rng.random_range(0..1_000_000_000),
            },
        })
    }

    fn consume(&mut self) -> Option<Event> {
        let slot = self.state.slots().choose(&mut self.rng)?.clone();
        let by = slot.attempts.iter().map(|attempt| attempt.hash);
        Some(Event::SlotConsumed {
            nonce: slot.nonce,
            by: by.choose(&mut self.rng),
            reverted: slot.nonce % 2 == 1,
            block: 3,
            cost: (slot.nonce % 3 == 1).then(|| Cost {
                wei: u128::from(slot.nonce) << 70,
                time: BlockTime::from_seconds(slot.nonce).unwrap(),
            }),
        })
    }

    fn displaced(&mut self) -> Option<Event> {
        let numbered = self
            .state
            .open_payments()
            .filter(|row| row.number.is_some());
        let refs = vec![numbered.choose(&mut self.rng)?.reference()];
        let by: Vec<Payment> = (0..self.rng.random_range(0..2))
            .map(|_| self.fresh())
            .collect();
        Some(Event::Displaced { refs, by, block: 4 })
    }

    fn outcome(&mut self) -> Option<Event> {
        let id = self.some_batch()?;
        let batch = self.state.open_batch(&id)?.clone();
        let mut paid = U256::ZERO;
        for bit in 0..batch.payments.len() {
            paid.set_bit(bit, !batch.paid.bit(bit) && self.rng.random());
        }
        Some(Event::OutcomeFinal {
            batch: id,
            first_number: batch.header.first_number,
            paid,
            block: 3,
        })
    }
}

/// Where a store may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Each test on each database.
#[macro_export]
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(super::support::Kind::Sqlite); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::$test(super::support::Kind::Postgres); })*
        }
    };
}

pub fn create(location: impl Into<Location>) -> LogStore {
    LogStore::create(location, identity()).unwrap()
}

pub fn place(kind: Kind) -> (TempDir, Location) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.db");
    let server = (kind == Kind::Postgres).then(|| {
        let server = postgres::shared();
        let url = postgres::Server::url(server.folder(), &server.database());
        Server::parse(&url, None, Duration::from_secs(600)).unwrap()
    });
    (folder, Location { path, server })
}

/// How a command is told of a store's database; nothing of a file.
pub fn url(location: &Location) -> Option<String> {
    // As its address is shown, without what the socket is found by.
    let shown = location.server.as_ref()?.to_string();
    let (_, name) = shown.rsplit_once('/').unwrap();
    let folder = postgres::shared().folder();
    Some(postgres::Server::url(folder, name))
}

/// A store with a log of that many entries.
pub fn filled(location: impl Into<Location>, entries: u64, seed: u64) -> (LogStore, History) {
    let mut store = create(location);
    let (mut history, first) = History::open(seed);
    let mut batch = vec![first];
    batch.extend((1..entries).map(|_| history.step()));
    store.commit(&batch, &history.state.take_changes()).unwrap();
    (store, history)
}

/// The history of a store's log, to go on from.
pub fn resumed(store: &mut LogStore) -> History {
    let snapshot = store.load().unwrap().unwrap();
    History {
        state: State::restore(snapshot.rows),
        head: snapshot.head,
        rng: StdRng::seed_from_u64(1),
        paid: false,
        made: 1 << 32,
    }
}

/// Changes the store behind the keeper's back.
pub fn tamper(location: impl Into<Location>, statements: &str) {
    run(&location.into(), statements).unwrap();
}

/// Statements on the store, as somebody with its rights may give them.
pub fn run(location: &Location, statements: &str) -> Result<(), sqlx::Error> {
    use sqlx::{ConnectOptions, Connection};
    if let Some(server) = &location.server {
        let name = server.to_string();
        let (_, database) = name.rsplit_once('/').unwrap();
        return postgres::shared().run(database, statements);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&location.path);
        let mut connection = options.connect().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
            .execute(&mut connection)
            .await?;
        connection.close().await
    })
}

/// The same, with an open payment, a live batch and a signed attempt among what can still change.
pub fn lively(location: impl Into<Location>) -> (LogStore, History) {
    lively_log(location, 300)
}

pub fn lively_log(location: impl Into<Location>, entries: u64) -> (LogStore, History) {
    let is_lively = |seed: &u64| {
        let (mut history, _) = History::open(*seed);
        (1..entries).for_each(|_| drop(history.step()));
        history.state.take_changes(); // forgets what is final
        let rows = history.state.open_rows();
        let is_signed = rows.slots.iter().any(|slot| !slot.attempts.is_empty());
        let is_live = rows.batches.iter().any(|batch| batch.status.is_live());
        let is_paid = history.paid;
        is_signed && is_live && is_paid && !rows.payments.is_empty()
    };
    let seed = (1..).find(is_lively).unwrap();
    filled(location, entries, seed)
}
