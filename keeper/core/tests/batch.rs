//! Cutting batches: order, room, numbers, waiting; both sides of each boundary.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use tidelock_core::{
    batch::{Cut, Table},
    domain::{
        Amount, Batch, BlockTime, ChainId, Payment, PaymentNumber, PaymentRef, TierIndex,
        VaultDomain,
    },
    event::{BlockRef, DeathCause, Event, Job, Namespace, Opening, Request, Route},
    port::{Monotonic, TierLook},
    settings::BatchSettings,
    state::{Counters, State},
};

const SETTINGS: BatchSettings = BatchSettings {
    max_payments: 4,
    max_wait_ms: 1_000,
    attempt_ttl_s: 7_200,
    voting_s: 604_800,
    max_returns: 3,
    escalate_after_s: None,
};
const PROPOSALS: u64 = 1 << 63;
const BASE: u64 = 7 << 40; // namespace 7

/// Payments that are open, each with a tier, on a policy of one automatic and two approved tiers.
struct Bench {
    state: State,
    tiers: Vec<TierLook>,
    advice: BTreeMap<PaymentRef, TierIndex>,
    open_since: BTreeMap<PaymentRef, Monotonic>,
    paused: BTreeSet<PaymentRef>,
    solo: BTreeSet<PaymentRef>,
    room: Vec<u128>,
    balance: u128,
    settings: BatchSettings,
    urgent_through: u64,
    patience_ms: u64,
    now: Monotonic,
}

fn reference(id: u8) -> PaymentRef {
    PaymentRef([id; 16])
}

fn tier(index: u8) -> TierIndex {
    TierIndex::new(index).unwrap()
}

fn look(approvals: u8, cap: u128) -> TierLook {
    TierLook {
        approvals,
        delay: 0,
        cap: Amount(cap),
        headroom: Amount(cap),
    }
}

impl Bench {
    fn new() -> Self {
        let start = BlockRef {
            number: 1,
            hash: B256::repeat_byte(1),
            time: BlockTime::from_seconds(1_800_000_000).unwrap(),
        };
        let state = State::open(Opening {
            domain: VaultDomain {
                chain_id: ChainId(1),
                vault: Address::repeat_byte(0xaa),
            },
            keeper: Address::repeat_byte(0xbb),
            first_nonce: 0,
            namespace: Namespace::new(7).unwrap(),
            start,
        });
        Self {
            state,
            tiers: vec![look(0, 1_000), look(1, 5_000), look(2, 50_000)],
            advice: BTreeMap::new(),
            open_since: BTreeMap::new(),
            paused: BTreeSet::new(),
            solo: BTreeSet::new(),
            room: vec![1_000, 5_000, 50_000],
            balance: 100_000,
            settings: SETTINGS,
            urgent_through: 0,
            patience_ms: 0,
            now: Monotonic(1_000),
        }
    }

    fn apply(&mut self, event: Event) {
        self.state.apply(&event).unwrap();
        self.state.take_changes();
    }

    /// Opens a payment, of arrival `id`, at time 0.
    fn open(&mut self, id: u8, amount: u128, index: u8) -> Payment {
        let payment =
            Payment::new(Address::repeat_byte(id), Amount(amount), reference(id)).unwrap();
        let arrival = u64::from(id);
        self.apply(Event::RequestsAccepted {
            requests: vec![Request { arrival, payment }],
            through: arrival,
        });
        self.apply(Event::Released {
            refs: vec![reference(id)],
        });
        self.advice.insert(reference(id), tier(index));
        self.open_since.insert(reference(id), Monotonic(0));
        payment
    }

    fn cut(&self) -> Option<Cut> {
        Table {
            state: &self.state,
            tiers: &self.tiers,
            advice: &self.advice,
            open_since: &self.open_since,
            paused: &self.paused,
            solo: &self.solo,
            room: &self.room,
            balance: self.balance,
            counters: Counters::default(),
            limit: usize::from(self.settings.max_payments),
            settings: &self.settings,
            urgent_through: self.urgent_through,
            patience_ms: self.patience_ms,
            now: self.now,
        }
        .cut()
    }

    fn refs(&self) -> Vec<u8> {
        let cut = self.cut();
        let payments = cut.map(|cut| cut.payments).unwrap_or_default();
        payments.iter().map(|p| p.reference().0[0]).collect()
    }

    /// Seals payments under consecutive numbers from `first` on, and gives the batch up.
    fn seal_and_bury(&mut self, first: u64, payments: &[Payment], route: Route) {
        let expires = BlockTime::from_seconds(1_800_007_200).unwrap();
        let batch =
            Batch::seal(PaymentNumber(first), tier(0), payments, expires, B256::ZERO).unwrap();
        let id = batch.id(&self.state.opening().domain);
        let refs = payments.iter().map(Payment::reference).collect();
        self.apply(Event::BatchSealed {
            anchor: 1,
            batch,
            refs,
            route,
        });
        self.apply(Event::SlotReserved {
            nonce: self.state.next_nonce(),
            job: Job::Pay { batch: id },
        });
        self.apply(Event::BatchDied {
            batch: id,
            cause: DeathCause::Leftover,
        });
    }
}

#[test]
fn a_batch_waits_until_it_is_full_or_its_oldest_payment_has_waited_long_enough() {
    let mut bench = Bench::new();
    for id in 1..=3 {
        bench.open(id, 10, 0);
    }
    bench.now = Monotonic(999);
    assert_eq!(bench.cut(), None);
    bench.now = Monotonic(1_000);
    assert_eq!(bench.refs(), [1, 2, 3]);
    bench.now = Monotonic(0);
    bench.open(4, 10, 0);
    assert_eq!(bench.refs(), [1, 2, 3, 4]);
}

#[test]
fn a_full_batch_takes_the_oldest() {
    let mut bench = Bench::new();
    for id in [1, 2, 3, 4, 5] {
        bench.open(id, 10, 0);
    }
    let cut = bench.cut().unwrap();
    assert_eq!(cut.first_number, PaymentNumber(BASE));
    assert_eq!((cut.tier, cut.route), (tier(0), Route::Direct));
    assert_eq!(bench.refs(), [1, 2, 3, 4]);
}

#[test]
fn the_sum_fits_the_room_to_the_last_base_unit_and_nobody_overtakes() {
    let mut bench = Bench::new();
    bench.open(1, 600, 0);
    bench.open(2, 401, 0);
    bench.open(3, 1, 0);
    assert_eq!(bench.refs(), [1]);
    bench.room[0] = 1_001;
    assert_eq!(bench.refs(), [1, 2]);
    bench.room[0] = 599;
    assert_eq!(bench.refs(), [0_u8; 0]);
}

#[test]
fn the_balance_bounds_what_is_paid_at_once_but_not_what_is_proposed() {
    let mut bench = Bench::new();
    bench.open(1, 100, 0);
    bench.balance = 99;
    assert_eq!(bench.cut(), None);
    bench.balance = 100;
    assert_eq!(bench.refs(), [1]);
    bench.balance = 0;
    bench.open(2, 3_000, 1);
    assert_eq!(bench.refs(), [2]);
}

#[test]
fn a_proposal_has_numbers_of_the_upper_half_and_never_more_than_the_cap() {
    let mut bench = Bench::new();
    bench.open(1, 4_000, 1);
    bench.open(2, 1_001, 1);
    bench.room[1] = 0; // it waits for people anyway
    let cut = bench.cut().unwrap();
    assert_eq!(cut.first_number, PaymentNumber(PROPOSALS | BASE));
    assert_eq!(cut.route, Route::Proposal);
    assert_eq!(bench.refs(), [1]);
}

#[test]
fn tiers_are_not_mixed() {
    let mut bench = Bench::new();
    bench.open(1, 10, 1);
    bench.open(2, 10, 0);
    assert_eq!(bench.refs(), [2]);
}

#[test]
fn a_paused_payment_is_passed_over_and_a_solo_one_is_alone() {
    let mut bench = Bench::new();
    for id in 1..=3 {
        bench.open(id, 10, 0);
    }
    bench.paused.insert(reference(1));
    assert_eq!(bench.refs(), [2, 3]);
    bench.solo.insert(reference(3));
    assert_eq!(bench.refs(), [2]);
    bench.solo.insert(reference(2));
    assert_eq!(bench.refs(), [2]);
}

#[test]
fn a_payment_keeps_its_number_when_it_is_batched_again() {
    let mut bench = Bench::new();
    let payments = [1, 2, 3].map(|id| bench.open(id, 10, 0));
    bench.seal_and_bury(BASE, &payments, Route::Direct);
    bench.open(4, 10, 0);
    bench.now = Monotonic(0); // what was in a batch before waits for nobody
    let cut = bench.cut().unwrap();
    assert_eq!(cut.first_number, PaymentNumber(BASE));
    assert_eq!(bench.refs(), [1, 2, 3]);
    bench.paused.insert(reference(2)); // a gap splits the run
    assert_eq!(bench.refs(), [1]);
    bench.paused.insert(reference(1));
    assert_eq!(bench.cut().unwrap().first_number, PaymentNumber(BASE + 2));
    bench.paused.insert(reference(3));
    bench.now = Monotonic(1_000);
    assert_eq!(bench.cut().unwrap().first_number, PaymentNumber(BASE + 3));
}

#[test]
fn a_number_of_the_upper_half_is_never_paid_automatically() {
    let mut bench = Bench::new();
    let payment = bench.open(1, 10, 0);
    bench.seal_and_bury(PROPOSALS | BASE, &[payment], Route::Proposal);
    let cut = bench.cut().unwrap();
    assert_eq!((cut.tier, cut.route), (tier(1), Route::Proposal));
    assert_eq!(cut.first_number, PaymentNumber(PROPOSALS | BASE));
}

#[test]
fn what_only_a_cap_holds_up_is_proposed_after_the_configured_age() {
    let mut bench = Bench::new();
    bench.open(1, 500, 0);
    bench.room[0] = 499;
    bench.now = Monotonic(60_000);
    assert_eq!(bench.cut(), None);
    bench.settings.escalate_after_s = Some(60);
    assert_eq!(bench.cut().unwrap().tier, tier(1));
    bench.now = Monotonic(59_999);
    assert_eq!(bench.cut(), None);
    bench.now = Monotonic(60_000);
    bench.room[0] = 500;
    assert_eq!(bench.cut().unwrap().tier, tier(0));
}

/// By the age of the oldest: what came later goes along. What was there at the start never waits.
#[test]
fn what_may_wait_for_a_price_waits_until_it_is_old_enough() {
    let mut bench = Bench::new();
    bench.open(1, 10, 0);
    bench.open(2, 10, 0);
    bench.patience_ms = 5_000;
    for (now, refs) in [(1_000, &[][..]), (4_999, &[]), (5_000, &[1, 2])] {
        bench.now = Monotonic(now);
        assert_eq!(bench.refs(), refs, "{now}");
    }
    bench.now = Monotonic(1_000);
    bench.urgent_through = 1;
    assert_eq!(bench.refs(), [1, 2]);
}
