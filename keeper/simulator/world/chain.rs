//! A tree of blocks: the canonical branch, forks beside it, reorganisations, and finality by rule.

use std::{collections::BTreeMap, rc::Rc};

use alloy_primitives::{Address, B256, Bytes, LogData, keccak256};

use tidelock_model::{Standing, Vault};

use super::token::Token;

/// Blocks whose state is kept, below the finalised one. Older ones are asked about by nobody.
const KEPT_STATES: u64 = 64;

/// The chain's state after a block, as far as it matters.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The vault.
    pub vault: Vault,
    /// Its token.
    pub token: Token,
    /// What the keeper's keys have, in their order.
    pub accounts: [Account; KEYS],
}

/// Keys that the keeper has: the one it starts with, and the one it may go over to.
pub const KEYS: usize = 2;

/// The account of a key.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Its next nonce.
    pub nonce: u64,
    /// What it can pay for gas. [wei]
    pub gas_wei: u128,
}

/// A transaction with a nonce of one of the keeper's keys, in a block.
#[derive(Debug, Clone)]
pub struct Mined {
    /// The key, and its nonce.
    pub slot: (usize, u64),
    /// Its hash.
    pub hash: B256,
    /// Revert data if it reverted.
    pub reverted: Option<Bytes>,
    /// What it cost; 0 if somebody else with the key sent it. [wei]
    pub cost: u128,
}

/// What somebody else than the keeper does on chain. It finds its way into a block without a pool.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Who does it.
    pub by: Address,
    /// What.
    pub act: Act,
}

/// Kinds of deeds. How a change of policy is approved is not simulated: it is there, and somebody executes it.
#[derive(Debug, Clone)]
pub enum Act {
    /// Calls the vault.
    Call(Bytes),
    /// Executes a change that moves a blocked recipient to another standing.
    Unblock(Address, Standing),
    /// Executes a change that ends the freeze of now.
    Unfreeze,
    /// Executes a change of signers.
    SetSigners(Vec<Address>),
    /// Executes a change of one tier's cap. [base units]
    SetCap(usize, u128),
    /// Executes a change of how many approvals one tier asks for.
    SetApprovals(usize, u8),
    /// Sends the vault tokens. [base units]
    Deposit(u128),
    /// The token's issuer pauses it, or lets it go on.
    Pause(bool),
    /// The keys' accounts for gas are set to a balance. [wei]
    SetGas(u128),
}

/// One call in a block, whoever makes it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who makes it.
    pub by: Address,
    /// What it does.
    pub act: Act,
    /// Most gas it uses; people have enough.
    pub gas_limit: u64,
}

/// A block.
#[derive(Debug)]
pub struct Block {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// Hash of the block before it.
    pub parent: B256,
    /// Timestamp. [seconds]
    pub time: u64,
    /// What gas costs in it. [wei per gas]
    pub base_fee: u128,
    /// Gas it may hold.
    pub gas_limit: u64,
    /// Gas that others and the keeper used. [gas]
    pub gas_used: u64,
    /// The keeper's transactions, in order.
    pub transactions: Vec<Mined>,
    /// What other people did, in order.
    pub deeds: Vec<Deed>,
    /// What both called, in order.
    pub calls: Vec<Call>,
    /// What the vault logged, in order.
    pub logs: Vec<LogData>,
    /// The next nonces of the keeper's keys after it.
    pub nonces: [u64; KEYS],
}

/// All blocks there are.
#[derive(Debug)]
pub struct Chain {
    blocks: BTreeMap<B256, Rc<Block>>,
    states: BTreeMap<B256, Rc<Ledger>>,
    canonical: Vec<B256>,
    first: u64,
    /// Blocks on top of a final one.
    pub depth: u64,
    finalised: u64,
}

impl Chain {
    /// A chain that starts with one block, which is final.
    pub fn new(genesis: Block, ledger: Ledger, depth: u64) -> Self {
        let (number, hash) = (genesis.number, genesis.hash);
        Self {
            blocks: BTreeMap::from([(hash, Rc::new(genesis))]),
            states: BTreeMap::from([(hash, Rc::new(ledger))]),
            canonical: vec![hash],
            first: number,
            depth,
            finalised: number,
        }
    }

    /// The newest canonical block.
    pub fn head(&self) -> Rc<Block> {
        self.block(*self.canonical.last().expect("has a first block"))
            .expect("canonical blocks are kept")
    }

    /// The state after the newest canonical block.
    pub fn ledger(&self) -> Rc<Ledger> {
        self.state(self.head().hash).expect("the head's is kept")
    }

    /// Height of the first block.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Height of the last final block.
    pub fn finalised(&self) -> u64 {
        self.finalised
    }

    /// A canonical block by height.
    pub fn at(&self, number: u64) -> Option<Rc<Block>> {
        let index = number.checked_sub(self.first)? as usize;
        self.block(*self.canonical.get(index)?)
    }

    /// Any block by hash.
    pub fn block(&self, hash: B256) -> Option<Rc<Block>> {
        self.blocks.get(&hash).cloned()
    }

    /// The state after any block, while it is kept.
    pub fn state(&self, hash: B256) -> Option<Rc<Ledger>> {
        self.states.get(&hash).cloned()
    }

    /// Stores a block without making it canonical.
    pub fn keep(&mut self, block: Block, ledger: Ledger) -> B256 {
        let hash = block.hash;
        self.blocks.insert(hash, Rc::new(block));
        self.states.insert(hash, Rc::new(ledger));
        hash
    }

    /// Makes the branch that ends in `tip` canonical. Answers the blocks that are canonical no more, oldest first.
    pub fn adopt(&mut self, tip: B256) -> Vec<Rc<Block>> {
        let mut branch = vec![];
        let mut block = self.block(tip).expect("stored before");
        while self.at(block.number).is_none_or(|at| at.hash != block.hash) {
            branch.push(block.hash);
            block = self
                .block(block.parent)
                .expect("branches start at the trunk");
        }
        let kept = (block.number - self.first + 1) as usize;
        let dropped = self.canonical.split_off(kept);
        self.canonical.extend(branch.into_iter().rev());
        dropped
            .into_iter()
            .map(|hash| self.block(hash).expect("stored"))
            .collect()
    }

    /// Whether the branch that ends in `tip` holds every final block. Of one that does not no node is believed.
    pub fn agrees(&self, tip: B256) -> bool {
        let mut block = self.block(tip);
        while let Some(above) = block {
            if self
                .at(above.number)
                .is_some_and(|at| at.hash == above.hash)
            {
                return above.number >= self.finalised;
            }
            block = self.block(above.parent);
        }
        false
    }

    /// What is deep enough becomes final.
    pub fn advance_finality(&mut self) {
        let final_now = self.head().number.saturating_sub(self.depth);
        self.finalised = self.finalised.max(final_now);
        let oldest = self.finalised.saturating_sub(KEPT_STATES);
        let blocks = &self.blocks;
        self.states.retain(|hash, _| blocks[hash].number >= oldest);
    }
}

/// A block's hash: of its parent and of what makes it differ from its siblings.
pub fn block_hash(parent: B256, salt: u64) -> B256 {
    keccak256([parent.as_slice(), &salt.to_be_bytes()].concat())
}
