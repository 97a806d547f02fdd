//! The chain: its state, its clock, its blocks, and the transactions that wait for their turn.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{SystemTime, UNIX_EPOCH},
};

use pallet_revive::{
    H160, H256, U256,
    evm::{Block as EthBlock, TransactionSigned},
    keccak_256,
};
use polkadot_sdk::*;
use sp_runtime::{
    BuildStorage, generic,
    traits::{BlakeTwo256, Header as _},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};
use sp_state_machine::{InMemoryBackend, TestExternalities};

use crate::{
    receipts::{Receipt, receipt_of},
    runtime::{Block, Executive, Revive, Runtime, RuntimeCall, RuntimeGenesisConfig},
};

/// Wei to a coin.
const COIN: u128 = 1_000_000_000_000_000_000;
/// Coins that each of the accounts of development begins with.
const ENDOWMENT: u128 = 1_000_000;

/// A block as Ethereum sees it, with what its transaction did.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Header and hashes of transactions.
    pub block: EthBlock,
    /// The transaction, if it has one.
    pub transaction: Option<(H256, TransactionSigned, Receipt)>,
}

/// Why a transaction is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not an Ethereum transaction that this chain knows, or not signed.
    Malformed,
    /// The account has used the nonce.
    NonceTooLow,
    /// It cannot pay for it.
    InsufficientFunds,
    /// Another of the framework's reasons.
    Other(String),
}

/// The chain after some block.
pub struct Chain {
    state: TestExternalities<BlakeTwo256>,
    /// State after each of the last blocks, oldest first; the last is that of now.
    history: VecDeque<InMemoryBackend<BlakeTwo256>>,
    remembered: usize,
    blocks: Vec<Sealed>,
    by_hash: HashMap<H256, usize>,
    by_transaction: HashMap<H256, usize>,
    parent: H256,
    /// Transactions whose nonce is not next, by sender and nonce.
    waiting: BTreeMap<(H160, u32), Vec<u8>>,
    /// Block time to come, if it is told; else the machine's. [seconds]
    next_time: Option<u64>,
    /// By how much the chain's clock is ahead of the machine's. [seconds]
    ahead: u64,
}

impl Chain {
    /// A chain whose accounts of development have coins. The state after each of the last `remembered` blocks can be read.
    pub fn new(accounts: &[H160], remembered: usize, time: Option<u64>) -> Self {
        let storage = RuntimeGenesisConfig::default()
            .build_storage()
            .expect("the default genesis is valid");
        let mut chain = Self {
            state: TestExternalities::new(storage),
            history: VecDeque::new(),
            remembered: remembered.max(1),
            blocks: Vec::new(),
            by_hash: HashMap::new(),
            by_transaction: HashMap::new(),
            parent: H256::zero(),
            waiting: BTreeMap::new(),
            next_time: time,
            ahead: 0,
        };
        let genesis = chain.read(Revive::eth_block);
        chain.remember(genesis, None);
        chain.change(|| {
            for account in accounts {
                Revive::set_evm_balance(account, U256::from(ENDOWMENT) * U256::from(COIN))
                    .expect("an endowment is a balance");
            }
        });
        chain
    }

    // ── Blocks ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Makes an empty block.
    pub fn mine(&mut self) {
        self.seal(None).expect("an empty block is valid");
    }

    /// Takes a signed transaction. It is in a block at once, unless its nonce is not next: then it waits for those before it.
    pub fn send(&mut self, raw: &[u8]) -> Result<H256, Refusal> {
        let hash = H256(keccak_256(raw));
        if self.by_transaction.contains_key(&hash) {
            return Ok(hash);
        }
        let transaction = TransactionSigned::decode(raw).map_err(|_| Refusal::Malformed)?;
        let from = transaction
            .recover_eth_address()
            .map_err(|_| Refusal::Malformed)?;
        let nonce = nonce_of(transaction.clone(), from).ok_or(Refusal::Malformed)?;
        if nonce > self.read(|| Revive::evm_nonce(&from)) {
            self.waiting.insert((from, nonce), raw.to_vec());
            return Ok(hash);
        }
        self.seal(Some((raw, transaction)))?;
        self.seal_waiting(from);
        Ok(hash)
    }

    fn seal_waiting(&mut self, from: H160) {
        loop {
            let next = self.read(|| Revive::evm_nonce(&from));
            let Some(raw) = self.waiting.remove(&(from, next)) else {
                return;
            };
            let Ok(transaction) = TransactionSigned::decode(&raw) else {
                return;
            };
            if self.seal(Some((&raw, transaction))).is_err() {
                return;
            }
        }
    }

    fn seal(&mut self, with: Option<(&[u8], TransactionSigned)>) -> Result<(), Refusal> {
        let time = self.time_to_come();
        let number = u32::try_from(self.blocks.len()).expect("fewer blocks than 2^32");
        let parent = self.parent;
        self.state.commit_all().expect("no transaction is open");
        let sealed = self.state.execute_with(|| {
            let header = <Block as sp_runtime::traits::Block>::Header::new(
                number,
                H256::zero(),
                H256::zero(),
                parent,
                Default::default(),
            );
            Executive::initialize_block(&header);
            let clock = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: time * 1_000 });
            apply(clock).map_err(refusal)?;
            if let Some((raw, _)) = &with {
                let payload = raw.to_vec();
                apply(RuntimeCall::Revive(pallet_revive::Call::eth_transact {
                    payload,
                }))
                .map_err(refusal)?;
            }
            let header = Executive::finalize_block();
            let block = Revive::eth_block();
            let receipt = with
                .as_ref()
                .map(|(_, transaction)| receipt_of(transaction, &block));
            Ok((header.hash(), block, receipt))
        });
        let (parent, block, receipt) = match sealed {
            Ok(sealed) => sealed,
            Err(refusal) => {
                self.state.reset_overlay();
                return Err(refusal);
            }
        };
        self.state.commit_all().expect("no transaction is open");
        self.parent = parent;
        self.next_time = None;
        self.remember(block, with.zip(receipt));
        Ok(())
    }

    fn remember(&mut self, block: EthBlock, with: Option<((&[u8], TransactionSigned), Receipt)>) {
        let index = self.blocks.len();
        self.by_hash.insert(block.hash, index);
        let transaction = with.map(|((raw, transaction), receipt)| {
            let hash = H256(keccak_256(raw));
            self.by_transaction.insert(hash, index);
            (hash, transaction, receipt)
        });
        self.blocks.push(Sealed { block, transaction });
        if self.history.len() == self.remembered {
            self.history.pop_front();
        }
        self.history.push_back(self.state.backend.clone());
    }

    // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Sets the time of the next block; earlier than the newest block's counts as the newest block's. [seconds]
    pub fn set_next_time(&mut self, time: u64) {
        self.ahead = time.saturating_sub(machine_time());
        self.next_time = Some(time);
    }

    /// Moves the chain's clock forward. [seconds]
    pub fn advance(&mut self, seconds: u64) {
        let next = self.time_to_come() + seconds;
        self.set_next_time(next);
    }

    fn time_to_come(&self) -> u64 {
        let now = self.next_time.unwrap_or(machine_time() + self.ahead);
        let newest = self.blocks.last().map_or(0, |sealed| {
            u64::try_from(sealed.block.timestamp).unwrap_or(u64::MAX)
        });
        now.max(newest)
    }

    // ── What can be read ─────────────────────────────────────────────────────────────────────────────────────────

    /// Reads the state after the newest block, or tries something in it; nothing of it stays.
    pub fn read<R>(&mut self, question: impl FnOnce() -> R) -> R {
        self.state.execute_with(|| forgotten(question))
    }

    /// Reads the state after the block of that number; nothing if it is not remembered any more.
    pub fn read_at<R>(&mut self, number: usize, question: impl FnOnce() -> R) -> Option<R> {
        let newest = self.blocks.len().checked_sub(1)?;
        let back = newest.checked_sub(number)?;
        if back == 0 {
            return Some(self.read(question));
        }
        let index = self.history.len().checked_sub(back + 1)?;
        let mut state = TestExternalities::<BlakeTwo256>::new_empty();
        state.backend = self.history.get(index)?.clone();
        Some(state.execute_with(question))
    }

    /// Changes the state beside any transaction, and puts it in an empty block.
    pub fn change<R>(&mut self, change: impl FnOnce() -> R) -> R {
        let answer = self.state.execute_with(change);
        self.mine();
        answer
    }

    /// Changes the state in the block to come, at its time; that block is not made.
    pub(crate) fn between_blocks<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let time = self.time_to_come();
        self.state.execute_with(|| {
            pallet_timestamp::Now::<Runtime>::put(time * 1_000);
            act()
        })
    }

    /// The same, and nothing of it stays.
    pub(crate) fn trying<R>(&mut self, act: impl FnOnce() -> R) -> R {
        self.between_blocks(|| forgotten(act))
    }

    /// Number of the newest block.
    pub fn newest(&self) -> usize {
        self.blocks.len().saturating_sub(1)
    }

    /// The block of that number.
    pub fn block(&self, number: usize) -> Option<&Sealed> {
        self.blocks.get(number)
    }

    /// Number of the block with that hash.
    pub fn number_of(&self, hash: H256) -> Option<usize> {
        self.by_hash.get(&hash).copied()
    }

    /// The block that a transaction is in.
    pub fn block_of(&self, transaction: H256) -> Option<&Sealed> {
        self.block(*self.by_transaction.get(&transaction)?)
    }

    /// Nonce of an account's next transaction, those that wait included.
    pub fn pending_nonce(&mut self, account: H160) -> u32 {
        let mut next = self.read(|| Revive::evm_nonce(&account));
        while self.waiting.contains_key(&(account, next)) {
            next += 1;
        }
        next
    }
}

fn forgotten<R>(question: impl FnOnce() -> R) -> R {
    use frame_support::storage::{TransactionOutcome, with_transaction_unchecked};
    with_transaction_unchecked(|| TransactionOutcome::Rollback(question()))
}

fn apply(call: RuntimeCall) -> Result<(), TransactionValidityError> {
    let bare = generic::UncheckedExtrinsic::new_bare(call).into();
    Executive::apply_extrinsic(bare).map(drop)
}

fn refusal(error: TransactionValidityError) -> Refusal {
    match error {
        TransactionValidityError::Invalid(InvalidTransaction::Stale) => Refusal::NonceTooLow,
        TransactionValidityError::Invalid(InvalidTransaction::Payment) => {
            Refusal::InsufficientFunds
        }
        other => Refusal::Other(format!("{other:?}")),
    }
}

fn nonce_of(transaction: TransactionSigned, from: H160) -> Option<u32> {
    let generic =
        pallet_revive::evm::GenericTransaction::from_signed(transaction, U256::zero(), Some(from));
    u32::try_from(generic.nonce.unwrap_or_default()).ok()
}

fn machine_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
