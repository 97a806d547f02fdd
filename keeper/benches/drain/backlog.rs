//! A backlog of payments, and the real engine that works it off.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use alloy::{
    primitives::{Address, U256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use serde_json::json;
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    engine::{self, Engine},
    event::{Namespace, Opening},
    port::Monotonic,
    settings::{BatchSettings, LaneSettings, Settings, TransactionGas},
    submit::FeePolicy,
};
use tidelock_keeper::{
    daemon,
    signer::{Message, Signer, Signing},
    store::{Desk, Identity, Leadership, LogStore},
};

use super::{
    timed::Timed,
    world::{USDT, World},
};

const GWEI: u128 = 1_000_000_000;

/// Waits until everything so far is final.
pub async fn settled(world: &World) {
    let head = world.head().await.number;
    while world.finalised().await.number < head {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Recipients repeat after `distinct`.
pub fn payments(log: u32, count: u64, distinct: u64) -> Vec<Payment> {
    let one = |i: u64| {
        let mut recipient = [0x77; 20];
        recipient[12..].copy_from_slice(&(i % distinct).to_be_bytes());
        let mut reference = [0; 16];
        reference[..4].copy_from_slice(&log.to_be_bytes());
        reference[8..].copy_from_slice(&i.to_be_bytes());
        Payment::new(
            Address::from(recipient),
            Amount(USDT),
            PaymentRef(reference),
        )
        .unwrap()
    };
    (0..count).map(one).collect()
}

pub fn identity(world: &World) -> Identity {
    Identity {
        domain: world.domain,
        token: world.token,
        decimals: 6,
    }
}

/// A store with a log that begins now, and with these requests.
pub async fn prepare(world: &World, path: &Path, log: u32, payments: Vec<Payment>) -> Opening {
    let keeper = world.keys.keeper.address();
    let opening = Opening {
        domain: world.domain,
        keeper,
        first_nonce: nonce(world, keeper).await,
        namespace: Namespace::new(log).unwrap(),
        start: world.finalised().await,
    };
    let (path, identity) = (path.to_owned(), identity(world));
    let work = move || {
        let mut store = LogStore::create(&path, identity).unwrap();
        engine::open(&mut store, opening, Vec::new()).unwrap();
        store.close().unwrap();
        Desk::open(&path).unwrap().file(&payments).unwrap();
    };
    thread::spawn(work).join().unwrap();
    opening
}

/// Runs the engine until that many payments are final.
pub async fn work_off(world: &World, path: &Path, timed: &Arc<Timed>, count: u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let surroundings = daemon::World {
        chain: timed.clone(),
        signer: Arc::new(LocalKey(world.keys.keeper.clone())),
        tasks: tokio::runtime::Handle::current(),
        leadership: Leadership::for_good(),
        witness: None,
    };
    let (path, token) = (path.to_owned(), world.token);
    let engine = thread::spawn({
        let (stop, timed) = (stop.clone(), timed.clone());
        move || {
            let store = LogStore::open(&path).unwrap();
            let mut engine = Engine::start(store, settings(token), Monotonic::default()).unwrap();
            daemon::run(&mut engine, &surroundings, &stop, |status| {
                let open: usize = status.payments.values().sum();
                if open == 0 && paid(&timed) >= count {
                    stop.store(true, Ordering::Relaxed);
                }
            })
            .unwrap();
        }
    });
    while !engine.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    engine.join().unwrap();
    assert_eq!(paid(timed), count, "not everything was paid once");
}

fn paid(timed: &Timed) -> u64 {
    timed.paid_by_block().iter().map(|(_, paid)| paid).sum()
}

fn settings(token: Address) -> Settings {
    Settings {
        token,
        unit: Amount(10_000),
        fees: FeePolicy {
            max_fee: 100_000 * GWEI, // full blocks in a row; caps are not what is measured
            min_tip: GWEI,
            max_tip: 10 * GWEI,
            blocks_ahead: 40,
            bump_percent: 10,
        },
        patience: None,
        max_gas_cost_per_day: None,
        batch: BatchSettings {
            max_payments: 256,
            max_wait_ms: 1_000,
            attempt_ttl_s: 7_200,
            voting_s: 604_800,
            max_returns: 3,
            escalate_after_s: None,
        },
        lane: LaneSettings {
            max_unincluded: 20,
            rebroadcast_blocks: 20,
            replace_blocks: 100,
        },
        transaction_gas: TransactionGas::always(16_777_216),
        sends: true,
        poll_ms: 100,
        retry_ms: 300,
    }
}

pub async fn nonce(world: &World, account: Address) -> u64 {
    let nonce: U256 = world
        .ask("eth_getTransactionCount", json!([account, "latest"]))
        .await;
    nonce.to()
}

struct LocalKey(PrivateKeySigner);

impl Signer for LocalKey {
    fn address(&self) -> Address {
        self.0.address()
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        let signature = self.0.sign_hash_sync(&message.digest()).unwrap();
        Box::pin(async move { Ok(signature) })
    }
}
