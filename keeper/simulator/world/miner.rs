//! Blocks: which transactions and deeds they hold, what those do, and what becomes of them in a reorganisation.

use std::{collections::BTreeMap, rc::Rc};

use alloy_primitives::{B256, Bytes, LogData};

use super::{
    Fork, Weather, World,
    acts::{BASE_GAS, Effect},
    chain::{Act, Block, Call, Chain, Deed, KEYS, Ledger, Mined, block_hash},
    pool::Pooled,
};
use crate::{fate::Fate, faults::Fault};

/// Gas that a reverted call has used by then, at most.
const REVERT_GAS: u64 = 60_000;
/// Least base fee. [wei per gas]
const LEAST_BASE_FEE: u128 = 7;

/// Which of the keeper's transactions a miner takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// What is in the pool.
    Pool,
    /// Any that was ever sent.
    Ever,
    /// None.
    None,
}

impl World {
    /// The next block of the canonical chain.
    pub fn mine(&mut self, fate: &mut Fate) {
        let parent = self.chain.head();
        let idle = fate.is_active() && fate.rng.chance(100);
        let deeds = if idle {
            Vec::new()
        } else {
            std::mem::take(&mut self.deeds)
        };
        let choice = if idle { Choice::None } else { Choice::Pool };
        let (block, ledger) = self.build(&parent, deeds, choice, fate);
        self.watch_fees(&block, fate);
        self.report(&block, fate);
        let tip = self.chain.keep(block, ledger);
        self.chain.adopt(tip);
        self.settle_pool();
    }

    /// Another branch wins, from `depth` blocks below the head.
    pub fn reorganise(&mut self, depth: u64, fate: &mut Fate) {
        let head = self.chain.head();
        let Some(base) = (head.number.checked_sub(depth)).and_then(|at| self.chain.at(at)) else {
            return;
        };
        fate.say(|| format!("chain: reorganisation from block {}", base.number));
        *fate.coverage.counts.entry("reorganisations").or_default() += 1;
        let tip = self.branch(&base, depth + 1, fate);
        let dropped = self.chain.adopt(tip);
        self.compare_branches(&base, &dropped, fate);
        let settled = |deed: &Deed, chain: &Chain| {
            let numbers = base.number + 1..=chain.head().number;
            let mut blocks = numbers.filter_map(|number| chain.at(number));
            blocks.any(|block| block.deeds.iter().any(|done| same_deed(done, deed)))
        };
        for deed in dropped.iter().flat_map(|block| &block.deeds) {
            if !settled(deed, &self.chain) && !fate.rng.chance(100) {
                self.deeds.push(deed.clone());
            }
        }
        self.settle_pool();
    }

    /// A branch that does not win, but that one node follows for a while.
    pub fn fork_off(&mut self, now_ms: u64, fate: &mut Fate) {
        let head = self.chain.head();
        let depth = fate.rng.between(1, 3);
        let lowest = self.chain.finalised() + 1;
        let Some(base) = (head.number.checked_sub(depth))
            .filter(|at| *at >= lowest)
            .and_then(|at| self.chain.at(at))
        else {
            return;
        };
        let length = fate.rng.between(1, depth);
        let tip = self.branch(&base, length, fate);
        self.fork = Some(Fork {
            until_ms: now_ms + fate.rng.between(5_000, 60_000),
            tip,
        });
    }

    /// Blocks on top of `base` with what the canonical ones above it held, in another order, or not at all.
    fn branch(&mut self, base: &Rc<Block>, length: u64, fate: &mut Fate) -> B256 {
        let above = base.number + 1..=self.chain.head().number;
        let mut deeds: Vec<Deed> = above
            .filter_map(|number| self.chain.at(number))
            .flat_map(|block| block.deeds.clone())
            .collect();
        fate.rng.shuffle(&mut deeds);
        let keeps_transactions = !fate.strikes(Fault::ReorgDrops);
        let older = fate.strikes(Fault::ReorgOlderAttempt) || fate.rng.chance(200);
        let mut parent = base.clone();
        for _ in 0..length {
            let choice = match (keeps_transactions, older) {
                (false, _) => Choice::None,
                (true, true) => Choice::Ever,
                (true, false) => fate.rng.pick(&[Choice::Ever, Choice::Pool, Choice::None]),
            };
            let taken = fate.rng.below(deeds.len() as u64 + 1) as usize;
            let rest = deeds.split_off(taken);
            let now = std::mem::replace(&mut deeds, rest);
            let (block, ledger) = self.build(&parent, now, choice, fate);
            let hash = self.chain.keep(block, ledger);
            parent = self.chain.block(hash).expect("just stored");
        }
        parent.hash
    }

    fn compare_branches(&mut self, base: &Block, dropped: &[Rc<Block>], fate: &mut Fate) {
        let mut taken: BTreeMap<(usize, u64), Mined> = BTreeMap::new();
        for number in base.number + 1..=self.chain.head().number {
            let block = self.chain.at(number).expect("canonical");
            for mined in &block.transactions {
                taken.insert(mined.slot, mined.clone());
            }
        }
        for block in dropped {
            for was in &block.transactions {
                match taken.get(&was.slot) {
                    Some(now) if now.hash != was.hash => fate.struck(Fault::ReorgOlderAttempt),
                    Some(now) if now.reverted.is_some() != was.reverted.is_some() => {
                        fate.struck(Fault::OutcomeFlips);
                    }
                    Some(_) => {}
                    None => {
                        fate.struck(Fault::ReorgDrops);
                        if !fate.rng.chance(300) {
                            self.pools[was.slot.0].put_back(was.hash);
                        }
                    }
                }
            }
        }
    }

    fn settle_pool(&mut self) {
        self.chain.advance_finality();
        let ledger = self.chain.ledger();
        for (pool, account) in self.pools.iter_mut().zip(&ledger.accounts) {
            pool.prune(account);
        }
    }

    fn build(
        &self,
        parent: &Block,
        deeds: Vec<Deed>,
        choice: Choice,
        fate: &mut Fate,
    ) -> (Block, Ledger) {
        let state = self.chain.state(parent.hash).expect("parents are recent");
        let mut ledger = (*state).clone();
        let time = parent.time + self.next_seconds(fate);
        let base_fee = next_base_fee(parent);
        let mut making = Making {
            world: self,
            ledger: &mut ledger,
            time,
            base_fee,
            calls: Vec::new(),
            logs: Vec::new(),
            transactions: Vec::new(),
            gas_used: 0,
        };
        let deeds_first = fate.rng.chance(500);
        if deeds_first {
            making.do_deeds(&deeds);
        }
        for key in 0..KEYS {
            making.take_transactions(key, choice, fate);
        }
        if !deeds_first {
            making.do_deeds(&deeds);
        }
        let Making {
            calls,
            logs,
            transactions,
            gas_used,
            ..
        } = making;
        let block = Block {
            number: parent.number + 1,
            hash: block_hash(parent.hash, fate.rng.next()),
            parent: parent.hash,
            time,
            base_fee,
            gas_limit: parent.gas_limit,
            gas_used: gas_used.max(self.others_gas(base_fee, parent.gas_limit, fate)),
            transactions,
            deeds,
            calls,
            logs,
            nonces: ledger.accounts.map(|account| account.nonce),
        };
        (block, ledger)
    }

    fn next_seconds(&self, fate: &mut Fate) -> u64 {
        let usual = self.setting.block_s;
        if let Some(stride_s) = self.stride_s {
            return stride_s;
        }
        if fate.strikes(Fault::ClockJump) {
            fate.struck(Fault::ClockJump);
            return fate.rng.between(3_600, 40 * 3_600);
        }
        fate.rng.between(usual, usual * 2)
    }

    /// Gas that other people use.
    fn others_gas(&self, base_fee: u128, limit: u64, fate: &mut Fate) -> u64 {
        match self.weather {
            Weather::Rush(_) => limit,
            Weather::Ebb => 0,
            Weather::Fair if base_fee > self.setting.base_fee => {
                fate.rng.between(limit / 4, limit / 2)
            }
            Weather::Fair => fate.rng.between(limit / 2, limit * 3 / 4),
        }
    }

    fn watch_fees(&mut self, block: &Block, fate: &mut Fate) {
        match self.weather {
            Weather::Rush(until) if block.base_fee >= until => {
                fate.struck(Fault::FeeSpike);
                if fate.rng.chance(300) {
                    self.weather = Weather::Ebb;
                }
            }
            Weather::Ebb if block.base_fee <= self.setting.base_fee => {
                fate.struck(Fault::SpikeEnds);
                self.weather = Weather::Fair;
            }
            _ => {}
        }
    }

    fn report(&self, block: &Block, fate: &mut Fate) {
        for mined in &block.transactions {
            fate.say(|| {
                let outcome = match &mined.reverted {
                    None => "went through".to_owned(),
                    Some(data) => format!("reverted: {}", super::node::words(data)),
                };
                format!("block {}: {} {outcome}", block.number, mined.hash)
            });
            let landed_on_change = mined.reverted.as_ref().is_some_and(|data| {
                let why = super::node::words(data);
                ["Frozen", "CapExceeded", "StateInvalid"]
                    .iter()
                    .any(|error| why.contains(error))
            });
            if landed_on_change {
                fate.struck(Fault::LandsBetween);
            }
        }
    }
}

/// A block in the making.
struct Making<'a> {
    world: &'a World,
    ledger: &'a mut Ledger,
    time: u64,
    base_fee: u128,
    calls: Vec<Call>,
    logs: Vec<LogData>,
    transactions: Vec<Mined>,
    gas_used: u64,
}

impl Making<'_> {
    fn take_transactions(&mut self, key: usize, choice: Choice, fate: &mut Fate) {
        if choice == Choice::None {
            return;
        }
        loop {
            let nonce = self.ledger.accounts[key].nonce;
            let pooled = self.world.pools[key].pending(nonce).cloned();
            let ever = self.world.pools[key].ever_seen(nonce);
            let candidate = if choice == Choice::Ever && !ever.is_empty() {
                Some(ever[fate.rng.below(ever.len() as u64) as usize].clone())
            } else {
                pooled
            };
            let Some(transaction) = candidate.filter(|candidate| self.pays(key, candidate)) else {
                return;
            };
            if fate.is_active() && fate.rng.chance(80) {
                return; // the miner had not heard of it
            }
            self.execute(key, transaction);
        }
    }

    fn pays(&self, key: usize, candidate: &Pooled) -> bool {
        let room = self.world.chain.head().gas_limit - self.gas_used;
        candidate.max_fee >= self.base_fee
            && candidate.cost() + self.data_fee() <= self.ledger.accounts[key].gas_wei
            && candidate.gas_limit <= room
    }

    fn data_fee(&self) -> u128 {
        self.world.setting.data_fee.unwrap_or(0)
    }

    fn execute(&mut self, key: usize, transaction: Pooled) {
        let Pooled {
            hash, gas_limit, ..
        } = transaction;
        // Nobody else with the key offers so little.
        let is_own = transaction.max_fee <= self.world.setting.max_fee;
        let (reverted, gas) = if transaction.to == self.ledger.vault.address() {
            self.call_by_keeper(key, &transaction)
        } else {
            (None, BASE_GAS)
        };
        let gas = gas.min(gas_limit);
        let price = transaction.max_fee.min(self.base_fee + transaction.tip);
        let cost = u128::from(gas) * price + self.data_fee();
        let account = &mut self.ledger.accounts[key];
        let slot = (key, account.nonce);
        account.gas_wei -= cost;
        account.nonce += 1;
        self.gas_used += gas;
        self.transactions.push(Mined {
            slot,
            hash,
            reverted,
            cost: if is_own { cost } else { 0 },
        });
    }

    /// Calls the vault. Answers revert data, if any, and gas used.
    fn call_by_keeper(&mut self, key: usize, transaction: &Pooled) -> (Option<Bytes>, u64) {
        let effect = self.perform(Call {
            by: self.world.keys[key].address(),
            act: Act::Call(transaction.input.clone()),
            gas_limit: transaction.gas_limit,
        });
        match effect {
            Effect::Made(done) => (None, BASE_GAS + done.gas),
            Effect::Refused(data) => (Some(data), BASE_GAS + REVERT_GAS),
            Effect::OutOfGas => (Some(Bytes::new()), transaction.gas_limit),
        }
    }

    /// Whoever was refused pays for it and tries again, or not.
    fn do_deeds(&mut self, deeds: &[Deed]) {
        for Deed { by, act } in deeds {
            self.perform(Call {
                by: *by,
                act: act.clone(),
                gas_limit: u64::MAX,
            });
        }
    }

    fn perform(&mut self, call: Call) -> Effect {
        let effect = self.ledger.perform(&call, self.time);
        if let Effect::Made(done) = &effect {
            self.logs.extend(done.logs.iter().cloned());
        }
        self.calls.push(call);
        effect
    }
}

fn same_deed(one: &Deed, other: &Deed) -> bool {
    one.by == other.by && format!("{:?}", one.act) == format!("{:?}", other.act)
}

/// EIP-1559.
fn next_base_fee(parent: &Block) -> u128 {
    let target = u128::from(parent.gas_limit / 2);
    let used = u128::from(parent.gas_used);
    let change = parent.base_fee * used.abs_diff(target) / target / 8;
    if used > target {
        parent.base_fee + change.max(1)
    } else {
        (parent.base_fee - change).max(LEAST_BASE_FEE)
    }
}
