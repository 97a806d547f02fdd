//! What a node says of the chain's state, held against the state's root in a block's header (`eth_getProof`, EIP-1186).

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use alloy::{
    primitives::{Address, B256, Bytes, U64, U256, keccak256},
    rlp,
    trie::{Nibbles, TrieAccount, proof::verify_proof},
};
use serde::Deserialize;
use serde_json::json;
use tidelock_core::{domain::PaymentNumber, event::BlockRef};

use super::{
    BlockChecks, ChainError, RpcChain, RpcError,
    dialect::{Meaning, means},
    wire::{BlockAnswer, CheckedBlock, by_hash},
};

/// Headers whose state's root is remembered.
const ROOTS: usize = 128;
/// Where the vault keeps its bitmap of numbers that are paid: the slot of `_numbers` in its storage.
const NUMBERS_SLOT: u64 = 11;
/// Numbers in one word of the bitmap.
const WORD_BITS: u64 = 256;

/// What a node answers to `eth_getProof` (EIP-1186).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountProof {
    nonce: U64,
    balance: U256,
    storage_hash: B256,
    code_hash: B256,
    account_proof: Vec<Bytes>,
    storage_proof: Vec<StorageProof>,
}

#[derive(Deserialize)]
struct StorageProof {
    value: U256,
    proof: Vec<Bytes>,
}

/// What is known of the node's proofs, and of the roots to hold them against.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// By block hash, the newest last.
    roots: Mutex<Vec<(B256, B256)>>,
    is_unknown: AtomicBool,
    was_given: AtomicBool,
}

impl Proofs {
    /// Remembers the state's root of a block whose header was hashed again.
    pub(super) fn note(&self, checked: &CheckedBlock) {
        let Some(header) = &checked.header else {
            return;
        };
        let hash = checked.block.id.hash;
        let mut roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        if roots.iter().any(|(known, _)| *known == hash) {
            return;
        }
        if roots.len() >= ROOTS {
            roots.remove(0);
        }
        roots.push((hash, header.state_root));
    }

    fn root(&self, hash: B256) -> Option<B256> {
        let roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        let found = roots.iter().find(|(known, _)| *known == hash);
        found.map(|(_, root)| *root)
    }
}

impl RpcChain {
    /// An account's nonce and some words of its storage after a block, proven; none where headers are not checked or the node
    /// does not offer proofs. One that has given some must go on: or it could lie whenever it likes.
    pub(super) async fn proven(
        &self,
        at: BlockRef,
        account: Address,
        slots: &[B256],
    ) -> Result<Option<(u64, Vec<U256>)>, ChainError> {
        let proofs = &self.proofs;
        if self.checks == BlockChecks::None || proofs.is_unknown.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let params = json!([account, slots, by_hash(at.hash)]);
        let answer: AccountProof = match self.rpc.request("eth_getProof", params).await {
            Ok(answer) => answer,
            Err(error @ RpcError::Refused { .. }) if !proofs.was_given.load(Ordering::Relaxed) => {
                let is_unknown = means(&error, Meaning::NoMethod);
                proofs.is_unknown.fetch_or(is_unknown, Ordering::Relaxed);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let root = self.state_root(at).await?;
        let words =
            verified(root, account, slots, &answer).map_err(|reason| ChainError::Unproven {
                block: at.number,
                account,
                reason,
            })?;
        proofs.was_given.store(true, Ordering::Relaxed);
        Ok(Some((answer.nonce.to(), words)))
    }

    async fn state_root(&self, at: BlockRef) -> Result<B256, ChainError> {
        if let Some(root) = self.proofs.root(at.hash) {
            return Ok(root);
        }
        let params = json!([at.hash, false]);
        let answer: Option<BlockAnswer> = self.rpc.request("eth_getBlockByHash", params).await?;
        let missing = || ChainError::MissingBlock {
            asked: at.hash.to_string(),
            head: "unknown".to_owned(),
        };
        let checked = answer.ok_or_else(missing)?.checked(self.checks)?;
        self.proofs.note(&checked);
        match checked.header {
            Some(header) if checked.block.id.hash == at.hash => Ok(header.state_root),
            _ => Err(ChainError::WrongBlock {
                asked: at.hash.to_string(),
                answered: checked.block.id.number,
            }),
        }
    }

    /// Bit `i` set: number `first + i`, of `count` numbers, is paid, by the words of the vault's storage; none as for
    /// [`RpcChain::proven`].
    pub(super) async fn proven_mask(
        &self,
        at: BlockRef,
        first: PaymentNumber,
        count: u16,
    ) -> Result<Option<U256>, ChainError> {
        let word = first.0.div_euclid(WORD_BITS);
        let slots = [word, word.saturating_add(1)].map(slot_of);
        let vault = self.parties.domain.vault;
        let Some((_, words)) = self.proven(at, vault, &slots).await? else {
            return Ok(None);
        };
        let [low, high] = words.as_slice() else {
            return Ok(None);
        };
        let shift = usize::try_from(first.0.rem_euclid(WORD_BITS)).unwrap_or_default();
        let both = low.wrapping_shr(shift) | high_part(*high, shift);
        let full = U256::MAX.wrapping_shr(256_usize.saturating_sub(usize::from(count)));
        Ok(Some(both & full))
    }
}

/// What of the second word comes after the first one, shifted.
fn high_part(high: U256, shift: usize) -> U256 {
    match shift {
        0 => U256::ZERO,
        shift => high.wrapping_shl(256_usize.saturating_sub(shift)),
    }
}

/// Where a word of the bitmap is: Solidity's place of a mapping's entry.
fn slot_of(word: u64) -> B256 {
    let mut place = [0_u8; 64];
    let (key, slot) = place.split_at_mut(32);
    key.copy_from_slice(&U256::from(word).to_be_bytes::<32>());
    slot.copy_from_slice(&U256::from(NUMBERS_SLOT).to_be_bytes::<32>());
    keccak256(place)
}

/// The words of an answer whose every part leads to the state's root.
fn verified(
    root: B256,
    account: Address,
    slots: &[B256],
    answer: &AccountProof,
) -> Result<Vec<U256>, String> {
    let body = TrieAccount::new(
        answer.nonce.to(),
        answer.balance,
        answer.storage_hash,
        answer.code_hash,
    );
    let is_none = body == TrieAccount::default();
    let (key, proof) = (keccak256(account), &answer.account_proof);
    // An account that has nothing is not in the trie, but on chains that keep such accounts.
    let is_proven = holds(root, key, Some(rlp::encode(body)), proof)
        || is_none && holds(root, key, None, proof);
    if !is_proven {
        return Err("the account does not lead to the state's root".to_owned());
    }
    if answer.storage_proof.len() != slots.len() {
        let count = answer.storage_proof.len();
        return Err(format!("{count} words, {} were asked for", slots.len()));
    }
    let mut words = Vec::with_capacity(slots.len());
    for (slot, said) in slots.iter().zip(&answer.storage_proof) {
        if is_none {
            words.push(U256::ZERO);
            continue;
        }
        let expected = (!said.value.is_zero()).then(|| rlp::encode(said.value));
        if !holds(answer.storage_hash, keccak256(slot), expected, &said.proof) {
            return Err(format!(
                "the word at {slot} does not lead to the account's root"
            ));
        }
        words.push(said.value);
    }
    Ok(words)
}

fn holds(root: B256, key: B256, expected: Option<Vec<u8>>, proof: &[Bytes]) -> bool {
    verify_proof(root, Nibbles::unpack(key), expected, proof).is_ok()
}
