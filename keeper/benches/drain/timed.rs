//! The real adapter, and notes of when it was asked and what it answered.

use std::{collections::BTreeMap, sync::Mutex, time::Instant};

use alloy::primitives::{B256, Bytes};
use alloy_sol_types::SolCall;
use tidelock_core::{
    abi::{Fact, Vault},
    domain::PACKED_PAYMENT_LEN,
    port::{Effect, Outcome},
};
use tidelock_keeper::chain::{Answer, Chain, RpcChain};

/// A transaction that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub hash: B256,
    pub raw: Bytes,
    pub payments: u64,
    pub at: Instant,
}

pub struct Timed {
    chain: RpcChain,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    /// Payments of the call that was simulated last, and when the answer came.
    simulated: Option<(u64, Instant)>,
    sent: Vec<Sent>,
    latencies: Vec<f64>,
    paid: BTreeMap<B256, (u64, u64)>,
}

impl Timed {
    pub fn new(chain: RpcChain) -> Self {
        Self {
            chain,
            notes: Mutex::default(),
        }
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.notes.lock().unwrap().sent.clone()
    }

    pub fn latencies_ms(&self) -> Vec<f64> {
        self.notes.lock().unwrap().latencies.clone()
    }

    pub fn first_send_ms(&self, begin: Instant) -> f64 {
        let notes = self.notes.lock().unwrap();
        let first = notes.sent.first().expect("something was sent");
        first.at.duration_since(begin).as_secs_f64() * 1_000.0
    }

    /// Height, and payments paid there.
    pub fn paid_by_block(&self) -> Vec<(u64, u64)> {
        self.notes.lock().unwrap().paid.values().copied().collect()
    }

    /// Called before it is sent: by then its bytes are stored.
    fn sending(&self, hash: B256, raw: &Bytes) {
        let mut notes = self.notes.lock().unwrap();
        if notes.sent.iter().any(|sent| sent.hash == hash) {
            return;
        }
        let at = Instant::now();
        let Some((payments, since)) = notes.simulated.take() else {
            panic!("sent without a simulation");
        };
        let elapsed = at.duration_since(since).as_secs_f64() * 1_000.0;
        notes.latencies.push(elapsed);
        notes.sent.push(Sent {
            hash,
            raw: raw.clone(),
            payments,
            at,
        });
    }

    fn answered(&self, asked: Option<u64>, outcome: &Outcome) {
        let mut notes = self.notes.lock().unwrap();
        match outcome {
            Outcome::Simulated(_) => {
                notes.simulated = asked.map(|payments| (payments, Instant::now()));
            }
            Outcome::Polled(polled) => {
                for block in &polled.blocks {
                    for fact in &block.facts {
                        if let Fact::Paid { paid, .. } = fact {
                            let payments = paid.count_ones() as u64;
                            let (_, sum) = notes
                                .paid
                                .entry(block.id.hash)
                                .or_insert((block.id.number, 0));
                            *sum += payments;
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

impl Chain for Timed {
    fn answer(&self, effect: Effect) -> Answer<'_> {
        Box::pin(async move {
            let mut asked = None;
            match &effect {
                Effect::Send { hash, raw } => self.sending(*hash, raw),
                Effect::Simulate { data, .. } => {
                    let call = Vault::payCall::abi_decode(data).unwrap();
                    asked = Some(u64::try_from(call.payments.len() / PACKED_PAYMENT_LEN).unwrap());
                }
                _ => {}
            }
            let outcome = self.chain.answer(effect).await;
            self.answered(asked, &outcome);
            outcome
        })
    }
}
