//! The world around the keeper: chain, pool, vault, token, node, store, key.

pub mod acts;
pub mod chain;
pub mod key;
pub mod miner;
pub mod node;
pub mod pool;
mod recall;
pub mod store;
pub mod token;
pub mod vault;

use alloy_primitives::B256;

use crate::{fate::Fate, faults::Fault, setting::Setting};
use chain::{Act, Chain, Deed};
use key::Key;
use pool::Pool;

/// Everything outside the keeper's process.
pub struct World {
    /// The blocks.
    pub chain: Chain,
    /// What waits to be mined.
    pub pool: Pool,
    /// The keeper's key.
    pub key: Key,
    /// What people want to do on chain, not yet in a block.
    pub deeds: Vec<Deed>,
    /// What was drawn for this seed.
    pub setting: Setting,
    /// What makes gas dear or cheap.
    pub weather: Weather,
    /// Until when nobody answers. [milliseconds]
    pub down_until_ms: u64,
    /// A fork that does not win, and that a second node follows for a while.
    pub fork: Option<Fork>,
    /// Until when the pool's rules are stricter than geth's. [milliseconds]
    strict_until_ms: u64,
    /// Nobody but the keeper charges the caps, nobody changes them, and no fork disturbs what the keeper sees of them.
    pub caps_are_calm: bool,
    /// Until when the chain's time runs in strides, so that freezes and windows end. [seconds a block]
    pub stride_s: Option<u64>,
}

/// A branch beside the canonical chain.
#[derive(Debug, Clone, Copy)]
pub struct Fork {
    /// Until when a node answers from it now and then. [milliseconds]
    pub until_ms: u64,
    /// Its newest block.
    pub tip: B256,
}

/// What others do with the chain's space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// About half of each block is used.
    Fair,
    /// Blocks are full until this base fee is reached. [wei per gas]
    Rush(u128),
    /// Blocks are empty until gas is cheap again.
    Ebb,
}

impl World {
    /// The world after its first block.
    pub fn new(setting: Setting) -> Self {
        let key = Key::named("keeper");
        let (genesis, ledger) = setting.beginning(key.address());
        Self {
            chain: Chain::new(genesis, ledger, setting.finality_depth),
            pool: Pool::new(key.address()),
            key,
            deeds: Vec::new(),
            weather: Weather::Fair,
            down_until_ms: 0,
            fork: None,
            strict_until_ms: 0,
            caps_are_calm: false,
            stride_s: None,
            setting,
        }
    }

    /// What befalls chain, pool and nodes of itself. Asked once a step.
    pub fn befall(&mut self, now_ms: u64, fate: &mut Fate) {
        self.befall_pool(now_ms, fate);
        self.befall_nodes(now_ms, fate);
        if fate.strikes(Fault::GasEmpty) {
            fate.struck(Fault::GasEmpty);
            self.deed(Act::SetGas(0));
        }
        if self.chain.ledger().gas_wei < self.setting.gas_wei / 4 && fate.rng.chance(30) {
            self.deed(Act::SetGas(self.setting.gas_wei));
        }
        if fate.strikes(Fault::TokenPaused) {
            fate.struck(Fault::TokenPaused);
            self.deed(Act::Pause(true));
        }
        if self.chain.ledger().token.paused && fate.rng.chance(20) {
            self.deed(Act::Pause(false));
        }
        if self.weather == Weather::Fair && fate.strikes(Fault::FeeSpike) {
            self.weather = Weather::Rush(self.setting.max_fee * 5 / 4);
        }
    }

    fn befall_pool(&mut self, now_ms: u64, fate: &mut Fate) {
        if !self.pool.is_empty() && fate.strikes(Fault::Eviction) {
            let choice = fate.rng.next();
            if let Some(hash) = self.pool.evict(choice) {
                fate.struck(Fault::Eviction);
                fate.say(|| format!("pool: evicted {hash}"));
            }
        }
        if now_ms < self.strict_until_ms {
            return;
        }
        (self.pool.bump_percent, self.pool.refuses_gaps) = (10, false);
        if fate.has(Fault::Underpriced) && fate.rng.chance(10) {
            self.pool.bump_percent = fate.rng.between(11, 30).into();
            self.strict_until_ms = now_ms + fate.rng.between(10_000, 200_000);
        }
        if fate.has(Fault::NonceTooHigh) && fate.rng.chance(20) {
            self.pool.refuses_gaps = true;
            self.strict_until_ms = now_ms + fate.rng.between(10_000, 200_000);
        }
    }

    fn befall_nodes(&mut self, now_ms: u64, fate: &mut Fate) {
        if now_ms > self.down_until_ms && fate.strikes(Fault::NodeDown) {
            fate.struck(Fault::NodeDown);
            self.down_until_ms = now_ms + 3_600_000;
        }
        self.fork = self.fork.filter(|fork| now_ms <= fork.until_ms);
        if self.fork.is_none() && fate.strikes(Fault::NodesContradict) {
            self.fork_off(now_ms, fate);
        }
    }

    /// Somebody does something on chain.
    pub fn deed(&mut self, act: Act) {
        let by = self.setting.admin;
        self.deeds.push(Deed { by, act });
    }

    /// Faults end: what was wrong outside the keeper is set right.
    pub fn calm(&mut self, fate: &mut Fate) {
        (self.down_until_ms, self.fork, self.strict_until_ms) = (0, None, 0);
        (self.pool.bump_percent, self.pool.refuses_gaps) = (10, false);
        if self.weather != Weather::Fair {
            self.weather = Weather::Ebb;
        }
        self.deed(Act::Pause(false));
        self.deed(Act::SetGas(self.setting.gas_wei));
        self.deed(Act::Unfreeze);
        self.deed(Act::Deposit(self.setting.deposit * 100));
        fate.say(|| "faults end".to_owned());
    }
}
