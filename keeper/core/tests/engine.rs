//! The engine where two things happen at once. The simulator found each of these.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::{cell::RefCell, convert::Infallible, rc::Rc};

use alloy_primitives::{Address, B256, Bytes, Signature, U256};
use alloy_sol_types::SolValue;
use tidelock_core::{
    abi::Fact,
    domain::{
        Amount, Batch, BlockTime, ChainId, Payment, PaymentNumber, PaymentRef, TierIndex,
        VaultDomain,
    },
    engine::{Engine, open},
    event::{BlockRef, Command, HoldReason, Namespace, Opening, Request},
    lifecycle::{PaymentStatus, SlotStatus},
    log::{Entry, LogHead},
    observe::{Block, Polled},
    port::{Advice, Effect, Key, Monotonic, Outcome, Simulation, TierLook, VaultLook},
    settings::{BatchSettings, LaneSettings, Settings},
    state::Rows,
    store::{Snapshot, Store, Unread},
    submit::FeePolicy,
};

const GWEI: u128 = 1_000_000_000;

#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Kept>>);

#[derive(Default)]
struct Kept {
    snapshot: Option<Snapshot>,
    requests: Vec<Request>,
    commands: Vec<(u64, Command)>,
}

impl Store for Memory {
    type Error = Infallible;

    fn load(&mut self) -> Result<Option<Snapshot>, Infallible> {
        Ok(self.0.borrow().snapshot.clone())
    }

    fn unread_requests(&mut self, after: u64, _: u32) -> Result<Unread<Request>, Infallible> {
        let kept = self.0.borrow();
        let unread = kept.requests.iter().filter(|r| r.arrival > after);
        Ok(Unread {
            items: unread.copied().collect(),
            through: kept.requests.len() as u64,
        })
    }

    fn unread_commands(
        &mut self,
        after: u64,
        _: u32,
    ) -> Result<Unread<(u64, Command)>, Infallible> {
        let kept = self.0.borrow();
        let unread = kept.commands.iter().filter(|(arrival, _)| *arrival > after);
        Ok(Unread {
            items: unread.cloned().collect(),
            through: kept.commands.len() as u64,
        })
    }

    fn knows_any(&mut self, _: &[PaymentRef], _: &[PaymentNumber]) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn commit(&mut self, entries: &[Entry], rows: &Rows) -> Result<(), Infallible> {
        let head = entries.last().map_or(LogHead::EMPTY, Entry::head);
        let rows = rows.clone();
        self.0.borrow_mut().snapshot = Some(Snapshot { rows, head }); // enough for what is opened and not started again
        Ok(())
    }
}

fn settings() -> Settings {
    Settings {
        token: Address::repeat_byte(2),
        unit: Amount(1),
        fees: FeePolicy {
            max_fee: 100 * GWEI,
            min_tip: GWEI,
            max_tip: GWEI,
            blocks_ahead: 1,
            bump_percent: 10,
        },
        batch: BatchSettings {
            max_payments: 8,
            max_wait_ms: 0,
            attempt_ttl_s: 7_200,
            proposal_ttl_s: 864_000,
            max_returns: 3,
            escalate_after_s: None,
        },
        lane: LaneSettings {
            max_unincluded: 2,
            rebroadcast_blocks: 2,
            replace_blocks: 4,
        },
        max_transaction_gas: 1_000_000,
        sends: true,
        poll_ms: 1,
        retry_ms: 1,
    }
}

fn block_at(number: u64, seconds: u64) -> Block {
    let hash = |number: u64| B256::from(U256::from(number));
    Block {
        id: BlockRef {
            number,
            hash: hash(number),
            time: BlockTime::from_seconds(seconds).unwrap(),
        },
        parent: hash(number - 1),
        base_fee: GWEI,
        gas_limit: 30_000_000,
        facts: Vec::new(),
        transactions: Vec::new(),
    }
}

/// An engine with its store, and what it has asked for.
struct Bench {
    engine: Engine<Memory>,
    store: Memory,
    now: u64,
    asked: Vec<Effect>,
}

impl Bench {
    /// After block 100, at second 1000.
    fn new() -> Self {
        let mut store = Memory::default();
        let opening = Opening {
            domain: VaultDomain {
                chain_id: ChainId(1),
                vault: Address::repeat_byte(1),
            },
            keeper: Address::repeat_byte(9),
            first_nonce: 0,
            namespace: Namespace::new(5).unwrap(),
            start: block_at(100, 1_000).id,
        };
        open(&mut store, opening, Vec::new()).unwrap();
        let engine = Engine::start(store.clone(), settings(), Monotonic(0)).unwrap();
        Self {
            engine,
            store,
            now: 0,
            asked: Vec::new(),
        }
    }

    fn turn(&mut self, answers: Vec<(Key, Outcome)>) {
        self.now += 1_000;
        let effects = self.engine.turn(answers, Monotonic(self.now)).unwrap();
        self.asked.extend(effects);
    }

    fn answer(&mut self, key: Key, outcome: Outcome) {
        let place = self.asked.iter().position(|effect| effect.key() == key);
        self.asked.remove(place.unwrap());
        self.turn(vec![(key, outcome)]);
    }

    fn poll(&mut self, blocks: Vec<Block>, finalised: &Block, nonce: u64) {
        if self.asks(Key::Poll).is_none() {
            self.turn(Vec::new());
        }
        let polled = Polled {
            blocks,
            finalised: (finalised.id.number, finalised.id.hash),
            finalised_nonce: nonce,
            suggested_tip: GWEI,
        };
        self.answer(Key::Poll, Outcome::Polled(polled));
    }

    fn asks(&self, key: Key) -> Option<&Effect> {
        self.asked.iter().find(|effect| effect.key() == key)
    }

    fn file(&self, payment: Payment) {
        let requests = &mut self.store.0.borrow_mut().requests;
        let arrival = requests.len() as u64 + 1;
        requests.push(Request { arrival, payment });
    }

    fn command(&self, command: Command) {
        let commands = &mut self.store.0.borrow_mut().commands;
        let arrival = commands.len() as u64 + 1;
        commands.push((arrival, command));
    }

    fn status(&self, payment: &Payment) -> PaymentStatus {
        let row = self.engine.state().payment(&payment.reference());
        row.unwrap().status
    }

    /// A request that is taken in, let on and simulated, up to the simulation's answer.
    fn to_simulation(payment: Payment) -> Self {
        let mut bench = Self::new();
        bench.file(payment);
        bench.turn(Vec::new());
        let (first, next) = (block_at(100, 1_000), block_at(101, 1_012));
        bench.poll(vec![next], &first, 0);
        let advice = vec![Advice::Tier(TierIndex::new(0).unwrap())];
        bench.answer(Key::Look, Outcome::Looked(Box::new(vault())));
        bench.answer(Key::Advise, Outcome::Advised(advice));
        assert!(bench.asks(Key::Simulate).is_some());
        bench
    }

    fn simulated(&mut self) {
        let answer = Simulation::Succeeds {
            returned: Bytes::from(U256::from(1).abi_encode()),
            gas: 100_000,
        };
        self.answer(Key::Simulate, Outcome::Simulated(answer));
    }
}

fn vault() -> VaultLook {
    let automatic = TierLook {
        approvals: 0,
        delay: 0,
        cap: Amount(1_000_000),
        headroom: Amount(1_000_000),
    };
    VaultLook {
        halted_until: 0,
        balance: Amount(1_000_000),
        tiers: vec![automatic],
        proposals: Vec::new(),
        keeper_until: u64::MAX,
        proposer_until: u64::MAX,
        gas_balance: U256::MAX,
    }
}

fn payment() -> Payment {
    Payment::new(Address::repeat_byte(7), Amount(500), PaymentRef([3; 16])).unwrap()
}

#[test]
fn what_is_held_while_it_is_simulated_is_not_sealed() {
    let payment = payment();
    let mut bench = Bench::to_simulation(payment);
    bench.command(Command::Hold {
        reference: payment.reference(),
        note: "wait".to_owned(),
    });
    bench.turn(Vec::new());
    bench.simulated();
    assert_eq!(bench.status(&payment), PaymentStatus::Held);
    assert_eq!(bench.engine.state().next_nonce(), 0);
}

#[test]
fn a_halted_keeper_signs_nothing() {
    let mut bench = Bench::to_simulation(payment());
    bench.simulated();
    assert!(bench.asks(Key::Sign(0)).is_some());
    bench.command(Command::Halt {
        note: "stop".to_owned(),
    });
    bench.answer(Key::Sign(0), Outcome::Failed("timeout".to_owned()));
    bench.turn(Vec::new());
    assert!(bench.asks(Key::Sign(0)).is_none());
    bench.command(Command::Resume {
        note: "go".to_owned(),
    });
    bench.turn(Vec::new());
    assert!(bench.asks(Key::Sign(0)).is_some());
}

#[test]
fn a_signature_for_a_nonce_that_somebody_else_used_up_is_dropped() {
    let payment = payment();
    let mut bench = Bench::to_simulation(payment);
    bench.simulated();
    assert_eq!(
        bench.engine.state().slot(0).unwrap().status,
        SlotStatus::Reserved
    );
    bench.poll(Vec::new(), &block_at(101, 1_012), 1);
    assert!(bench.engine.state().slot(0).is_none());
    let signature = Signature::new(U256::from(1), U256::from(1), false);
    bench.answer(Key::Sign(0), Outcome::Signed(signature));
    bench.poll(vec![block_at(102, 1_024)], &block_at(101, 1_012), 1);
    bench.poll(Vec::new(), &block_at(102, 1_024), 1);
    assert_eq!(
        bench.status(&payment),
        PaymentStatus::Open,
        "it goes on with another nonce"
    );
}

#[test]
fn what_nobody_requested_is_not_proposed_again_by_the_keeper() {
    let payment = payment();
    let mut bench = Bench::new();
    bench.turn(Vec::new());
    let expires_at = BlockTime::from_seconds(2_000).unwrap();
    let number = PaymentNumber(1);
    let tier = TierIndex::new(1).unwrap();
    let header = Batch::seal(number, tier, &[payment], expires_at, B256::ZERO).unwrap();
    let mut proposing = block_at(101, 1_012);
    proposing.facts = vec![Fact::Proposed {
        id: header.id(&bench.engine.state().opening().domain),
        header,
        payments: vec![payment],
    }];
    bench.poll(vec![proposing.clone()], &proposing, 0);
    assert_eq!(
        bench.status(&payment),
        PaymentStatus::Sealed,
        "it is taken over"
    );

    let expired = block_at(102, 2_000);
    bench.poll(vec![expired.clone()], &expired, 0);
    assert_eq!(bench.status(&payment), PaymentStatus::Held);
    let row = bench.engine.state().payment(&payment.reference()).unwrap();
    assert_eq!(row.hold, Some(HoldReason::ForeignProposal));
}
