//! The world around the keeper: chain, pool, vault, token, node, store, key.

pub mod acts;
mod alien;
pub mod chain;
pub mod key;
pub mod lease;
pub mod miner;
pub mod node;
pub mod pool;
mod recall;
pub mod store;
pub mod tables;
pub mod token;
mod transitions;
pub mod vault;
pub mod writer;

use alloy_primitives::{Address, B256};

use crate::{fate::Fate, faults::Fault, setting::Setting};
use alien::Alien;
use chain::{Act, Chain, Deed, KEYS};
use key::Key;
use pool::Pool;

/// Everything outside the keeper's process.
pub struct World {
    /// The blocks.
    pub chain: Chain,
    /// What waits to be mined, by key.
    pub pools: [Pool; KEYS],
    /// The keeper's keys: the one it starts with, and the one it may go over to.
    pub keys: [Key; KEYS],
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
    /// Another chain's node answers under the name of ours, for a while.
    alien: Option<Alien>,
    /// One has.
    pub has_met_aliens: bool,
    /// A node's newest block stands still, for a while.
    still: Option<Fork>,
    /// From then on the keeper is to go over to its next key. [milliseconds]
    pub rotates_at_ms: Option<u64>,
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
        let keys = ["keeper", "next keeper"].map(Key::named);
        let addresses = keys.each_ref().map(Key::address);
        let (genesis, ledger) = setting.beginning(addresses);
        Self {
            chain: Chain::new(genesis, ledger, setting.finality_depth),
            pools: addresses.map(Pool::new),
            keys,
            deeds: Vec::new(),
            weather: Weather::Fair,
            down_until_ms: 0,
            fork: None,
            alien: None,
            has_met_aliens: false,
            still: None,
            rotates_at_ms: None,
            strict_until_ms: 0,
            caps_are_calm: false,
            stride_s: None,
            setting,
        }
    }

    /// The addresses of the keeper's keys.
    pub fn addresses(&self) -> [Address; KEYS] {
        self.keys.each_ref().map(Key::address)
    }

    /// Which of the keeper's keys has that address.
    pub fn key_of(&self, address: Address) -> usize {
        let place = self.addresses().iter().position(|key| *key == address);
        place.expect("a key of the keeper's")
    }

    /// What befalls chain, pool and nodes of itself. Asked once a step.
    pub fn befall(&mut self, now_ms: u64, fate: &mut Fate) {
        self.befall_pool(now_ms, fate);
        self.befall_nodes(now_ms, fate);
        if fate.strikes(Fault::GasEmpty) {
            fate.struck(Fault::GasEmpty);
            self.deed(Act::SetGas(0));
        }
        let ledger = self.chain.ledger();
        let mut accounts = ledger.accounts.iter();
        let is_poor = accounts.any(|account| account.gas_wei < self.setting.gas_wei / 4);
        if is_poor && fate.rng.chance(30) {
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
        let pools = self.pools.iter_mut();
        let filled = pools.into_iter().find(|pool| !pool.is_empty());
        if let Some(pool) = filled
            && fate.strikes(Fault::Eviction)
        {
            let choice = fate.rng.next();
            if let Some(hash) = pool.evict(choice) {
                fate.struck(Fault::Eviction);
                fate.say(|| format!("pool: evicted {hash}"));
            }
        }
        if now_ms < self.strict_until_ms {
            return;
        }
        let (mut bump_percent, mut refuses_gaps) = (10, false);
        if fate.has(Fault::Underpriced) && fate.rng.chance(10) {
            bump_percent = fate.rng.between(11, 30).into();
            self.strict_until_ms = now_ms + fate.rng.between(10_000, 200_000);
        }
        if fate.has(Fault::NonceTooHigh) && fate.rng.chance(20) {
            refuses_gaps = true;
            self.strict_until_ms = now_ms + fate.rng.between(10_000, 200_000);
        }
        self.set_pools(bump_percent, refuses_gaps);
    }

    fn set_pools(&mut self, bump_percent: u128, refuses_gaps: bool) {
        for pool in &mut self.pools {
            (pool.bump_percent, pool.refuses_gaps) = (bump_percent, refuses_gaps);
        }
    }

    fn befall_nodes(&mut self, now_ms: u64, fate: &mut Fate) {
        if now_ms > self.down_until_ms && fate.strikes(Fault::NodeDown) {
            fate.struck(Fault::NodeDown);
            self.down_until_ms = now_ms + 3_600_000;
        }
        self.befall_aliens(now_ms, fate);
        self.still = self.still.filter(|still| now_ms <= still.until_ms);
        if self.still.is_none() && fate.strikes(Fault::SilentNode) {
            self.still = Some(Fork {
                until_ms: now_ms + self.setting.block_ms * fate.rng.between(4, 40),
                tip: self.chain.head().hash,
            });
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
        (self.down_until_ms, self.strict_until_ms) = (0, 0);
        (self.fork, self.alien, self.still) = (None, None, None);
        self.set_pools(10, false);
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
