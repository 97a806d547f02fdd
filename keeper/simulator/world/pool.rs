//! The pool of pending transactions with the keeper's key, by geth's rules and in geth's words: both are held to a recorded
//! geth, and the production core reads the words.

use std::collections::BTreeMap;

use alloy_consensus::{Transaction, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes};

use super::chain::Account;

#[cfg(test)]
mod tests;

/// Most gas of one transaction (EIP-7825).
const TRANSACTION_GAS_CAP: u64 = 16_777_216;

/// Why the pool does not take a transaction. What it says of itself is what geth says. [wei, gas]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The same bytes are in the pool.
    #[error("already known")]
    AlreadyKnown,
    /// More gas than any transaction may have.
    #[error("transaction gas limit too high (cap: {TRANSACTION_GAS_CAP}, tx: {gas})")]
    TransactionGas { gas: u64 },
    /// More gas than a block has.
    #[error("exceeds block gas limit")]
    BlockGas,
    /// Less than the node's floor.
    #[error("transaction gas price below minimum: gas tip cap {tip}, minimum needed {floor}")]
    Tip { tip: u128, floor: u128 },
    /// A block used the nonce.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow { next: u64, nonce: u64 },
    /// An earlier nonce is missing. Reth's words: geth lets the transaction wait.
    #[error("nonce too high: next nonce {next}, tx nonce {nonce}")]
    NonceTooHigh { next: u64, nonce: u64 },
    /// The account could not pay for it alone.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}",
        .cost - .balance
    )]
    Cost { balance: u128, cost: u128 },
    /// The account could not pay for it beside those that are pending.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx cost {cost}, \
         overshot {}",
        .queued + .cost - .balance
    )]
    QueuedCost {
        balance: u128,
        queued: u128,
        cost: u128,
    },
    /// The account could not pay for what it costs more than the one it replaces.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx bumped {}, \
         overshot {}",
        .cost.cast_signed() - .replaced.cast_signed(),
        .queued - .replaced + .cost - .balance
    )]
    BumpedCost {
        balance: u128,
        queued: u128,
        replaced: u128,
        cost: u128,
    },
    /// Too little more than the one it would replace.
    #[error("replacement transaction underpriced")]
    Underpriced,
}

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

    /// Reads what the key signed; neither it nor a thief of it sends anything else.
    fn read(raw: &Bytes, key: Address) -> Self {
        let envelope = TxEnvelope::decode_2718(&mut raw.as_ref()).expect("a transaction");
        assert_eq!(envelope.recover_signer().ok(), Some(key), "the key's");
        Self {
            hash: *envelope.tx_hash(),
            nonce: envelope.nonce(),
            max_fee: envelope.max_fee_per_gas(),
            tip: envelope.max_priority_fee_per_gas().unwrap_or_default(),
            gas_limit: envelope.gas_limit(),
            to: envelope.to().unwrap_or_default(),
            input: envelope.input().clone(),
        }
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
        account: &Account,
        block_gas_limit: u64,
    ) -> Result<B256, Refusal> {
        let offered = Pooled::read(raw, self.key);
        let known = self.pending.get(&offered.nonce);
        if known.is_some_and(|known| known.hash == offered.hash) {
            return Err(Refusal::AlreadyKnown);
        }
        self.check(&offered, account, block_gas_limit)?;
        self.check_funds(&offered, account)?;
        if let Some(known) = known {
            let bumped = |fee: u128| fee * (100 + self.bump_percent) / 100;
            let more = offered.max_fee > known.max_fee && offered.tip > known.tip;
            let enough =
                offered.max_fee >= bumped(known.max_fee) && offered.tip >= bumped(known.tip);
            if !more || !enough {
                return Err(Refusal::Underpriced);
            }
        }
        let hash = offered.hash;
        self.seen.insert(hash, offered.clone());
        self.pending.insert(offered.nonce, offered);
        Ok(hash)
    }

    fn check(&self, offered: &Pooled, account: &Account, block_gas: u64) -> Result<(), Refusal> {
        let (nonce, gas, tip) = (offered.nonce, offered.gas_limit, offered.tip);
        if gas > TRANSACTION_GAS_CAP {
            return Err(Refusal::TransactionGas { gas });
        }
        if gas > block_gas {
            return Err(Refusal::BlockGas);
        }
        if tip < self.min_tip {
            let floor = self.min_tip;
            return Err(Refusal::Tip { tip, floor });
        }
        let next = account.nonce;
        if nonce < next {
            return Err(Refusal::NonceTooLow { next, nonce });
        }
        let gap = (next..nonce).any(|before| !self.pending.contains_key(&before));
        if gap && self.refuses_gaps {
            return Err(Refusal::NonceTooHigh { next, nonce });
        }
        Ok(())
    }

    /// What waits for an earlier nonce does not count: it may never have its turn.
    fn check_funds(&self, offered: &Pooled, account: &Account) -> Result<(), Refusal> {
        let (balance, cost) = (account.gas_wei, offered.cost());
        if cost > balance {
            return Err(Refusal::Cost { balance, cost });
        }
        let in_turn = (account.nonce..).map_while(|nonce| self.pending.get(&nonce));
        let queued: u128 = in_turn.clone().map(Pooled::cost).sum();
        let replaced = in_turn
            .filter(|pooled| pooled.nonce == offered.nonce)
            .map(Pooled::cost)
            .next();
        match replaced {
            Some(replaced) if queued - replaced + cost > balance => Err(Refusal::BumpedCost {
                balance,
                queued,
                replaced,
                cost,
            }),
            None if queued + cost > balance => Err(Refusal::QueuedCost {
                balance,
                queued,
                cost,
            }),
            _ => Ok(()),
        }
    }

    /// Puts a transaction that a reorganisation dropped back, unless another has its nonce.
    pub fn put_back(&mut self, hash: B256) {
        if let Some(pooled) = self.seen.get(&hash) {
            let pooled = pooled.clone();
            self.pending.entry(pooled.nonce).or_insert(pooled);
        }
    }

    /// What a block took, or the account cannot pay for alone, leaves the pool.
    pub fn prune(&mut self, account: &Account) {
        self.pending
            .retain(|nonce, pooled| *nonce >= account.nonce && pooled.cost() <= account.gas_wei);
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
