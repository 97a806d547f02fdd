//! The pool of pending transactions with the keeper's key, by geth's rules. Refusals are geth's texts (and reth's for a
//! nonce gap); the production core reads them.

use std::collections::BTreeMap;

use alloy_consensus::{Transaction, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes};

use super::chain::Ledger;

/// Most gas of one transaction (EIP-7825).
const TRANSACTION_GAS_CAP: u64 = 16_777_216;

/// A transaction as the pool sees it.
#[derive(Debug, Clone)]
pub struct Pooled {
    /// Its hash.
    pub hash: B256,
    /// Its nonce.
    pub nonce: u64,
    /// Most it pays for gas, tip included. [wei per gas]
    pub max_fee: u128,
    /// Most it tips. [wei per gas]
    pub tip: u128,
    /// Most gas it uses.
    pub gas_limit: u64,
    /// Whom it calls.
    pub to: Address,
    /// What with.
    pub input: Bytes,
}

impl Pooled {
    /// Most it can cost. [wei]
    pub fn cost(&self) -> u128 {
        self.max_fee * u128::from(self.gas_limit)
    }

    fn read(raw: &Bytes, key: Address) -> Result<Self, String> {
        let envelope =
            TxEnvelope::decode_2718(&mut raw.as_ref()).map_err(|error| format!("rlp: {error}"))?;
        if envelope.recover_signer().ok() != Some(key) {
            return Err("invalid sender".to_owned());
        }
        Ok(Self {
            hash: *envelope.tx_hash(),
            nonce: envelope.nonce(),
            max_fee: envelope.max_fee_per_gas(),
            tip: envelope.max_priority_fee_per_gas().unwrap_or_default(),
            gas_limit: envelope.gas_limit(),
            to: envelope.to().unwrap_or_default(),
            input: envelope.input().clone(),
        })
    }
}

/// The pool of one node that is on all miners' minds.
#[derive(Debug, Clone)]
pub struct Pool {
    key: Address,
    pending: BTreeMap<u64, Pooled>,
    /// Every transaction that any node ever took: a miner may still have it.
    seen: BTreeMap<B256, Pooled>,
    /// Growth of both fees that a replacement must bring. [percent]
    pub bump_percent: u128,
    /// Refuses a nonce that has a gap before it, as some nodes do, rather than queueing it.
    pub refuses_gaps: bool,
    /// Least tip. [wei per gas]
    pub min_tip: u128,
}

impl Pool {
    /// An empty pool for the transactions of one key.
    pub fn new(key: Address) -> Self {
        Self {
            key,
            pending: BTreeMap::new(),
            seen: BTreeMap::new(),
            bump_percent: 10,
            refuses_gaps: false,
            min_tip: 1,
        }
    }

    /// Takes a transaction in, or says why not.
    pub fn add(
        &mut self,
        raw: &Bytes,
        ledger: &Ledger,
        block_gas_limit: u64,
    ) -> Result<B256, String> {
        let offered = Pooled::read(raw, self.key)?;
        let known = self.pending.get(&offered.nonce);
        if known.is_some_and(|known| known.hash == offered.hash) {
            return Err("already known".to_owned());
        }
        self.check(&offered, ledger, block_gas_limit)?;
        if let Some(known) = known {
            let bumped = |fee: u128| fee * (100 + self.bump_percent) / 100;
            let more = offered.max_fee > known.max_fee && offered.tip > known.tip;
            let enough =
                offered.max_fee >= bumped(known.max_fee) && offered.tip >= bumped(known.tip);
            if !more || !enough {
                return Err("replacement transaction underpriced".to_owned());
            }
        }
        let hash = offered.hash;
        self.seen.insert(hash, offered.clone());
        self.pending.insert(offered.nonce, offered);
        Ok(hash)
    }

    fn check(&self, offered: &Pooled, ledger: &Ledger, block_gas: u64) -> Result<(), String> {
        let Pooled {
            nonce,
            gas_limit,
            tip,
            ..
        } = *offered;
        if gas_limit > block_gas {
            return Err("exceeds block gas limit".to_owned());
        }
        if gas_limit > TRANSACTION_GAS_CAP {
            return Err(format!(
                "transaction gas limit too high (cap: {TRANSACTION_GAS_CAP}, tx: {gas_limit})"
            ));
        }
        if tip < self.min_tip {
            let floor = self.min_tip;
            return Err(format!(
                "transaction underpriced: gas tip cap {tip}, minimum needed {floor}"
            ));
        }
        let next = ledger.nonce;
        if nonce < next {
            return Err(format!(
                "nonce too low: next nonce {next}, tx nonce {nonce}"
            ));
        }
        let gap = (next..nonce).any(|before| !self.pending.contains_key(&before));
        if gap && self.refuses_gaps {
            return Err(format!(
                "nonce too high: next nonce {next}, tx nonce {nonce}"
            ));
        }
        let others: u128 = (self.pending.iter())
            .filter(|(other, _)| **other != nonce)
            .map(|(_, pooled)| pooled.cost())
            .sum();
        let (balance, cost) = (ledger.gas_wei, offered.cost());
        if cost > balance {
            let overshot = cost - balance;
            return Err(format!(
                "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {overshot}"
            ));
        }
        if others + cost > balance {
            let overshot = others + cost - balance;
            return Err(format!(
                "insufficient funds for gas * price + value: balance {balance}, queued cost {others}, tx cost {cost}, overshot {overshot}"
            ));
        }
        Ok(())
    }

    /// Puts a transaction that a reorganisation dropped back, unless another has its nonce.
    pub fn put_back(&mut self, hash: B256) {
        if let Some(pooled) = self.seen.get(&hash) {
            let pooled = pooled.clone();
            self.pending.entry(pooled.nonce).or_insert(pooled);
        }
    }

    /// What a block took, or can never be taken any more, leaves the pool.
    pub fn prune(&mut self, ledger: &Ledger) {
        let mut left = ledger.gas_wei;
        self.pending.retain(|nonce, pooled| {
            let affordable = pooled.cost() <= left;
            left = left.saturating_sub(pooled.cost());
            *nonce >= ledger.nonce && affordable
        });
    }

    /// Forgets one transaction, as a full pool does. Answers its hash.
    pub fn evict(&mut self, choice: u64) -> Option<B256> {
        let nonces: Vec<u64> = self.pending.keys().copied().collect();
        let nonce = nonces.get(choice as usize % nonces.len().max(1))?;
        self.pending.remove(nonce).map(|pooled| pooled.hash)
    }

    /// The pending transaction with a nonce.
    pub fn pending(&self, nonce: u64) -> Option<&Pooled> {
        self.pending.get(&nonce)
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// What every transaction that any node ever took called the vault with.
    pub fn ever_called(&self) -> impl Iterator<Item = &Bytes> {
        self.seen.values().map(|pooled| &pooled.input)
    }

    /// Every transaction that any node ever took with that nonce, by hash.
    pub fn ever_seen(&self, nonce: u64) -> Vec<Pooled> {
        let seen = self.seen.values().filter(|pooled| pooled.nonce == nonce);
        seen.cloned().collect()
    }
}
