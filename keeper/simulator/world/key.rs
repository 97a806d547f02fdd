//! The keeper's key, and the one of whoever else got hold of it.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use k256::ecdsa::SigningKey;

/// A key.
pub struct Key(SigningKey);

impl Key {
    /// The key of a name.
    pub fn named(name: &str) -> Self {
        Self(SigningKey::from_slice(keccak256(name).as_slice()).expect("a valid scalar"))
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Address::from_public_key(self.0.verifying_key())
    }

    /// Signs 32 bytes.
    pub fn sign(&self, digest: B256) -> Signature {
        let signed = self.0.sign_prehash_recoverable(digest.as_slice());
        Signature::from(signed.expect("32 bytes can be signed"))
    }

    /// A transaction that the keeper knows nothing of: nothing sent to the key itself.
    pub fn foreign_transaction(
        &self,
        chain_id: u64,
        nonce: u64,
        max_fee: u128,
        tip: u128,
    ) -> Bytes {
        let transaction = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: tip,
            to: TxKind::Call(self.address()),
            value: U256::from(1),
            access_list: Default::default(),
            input: Bytes::new(),
        };
        let signature = self.sign(transaction.signature_hash());
        TxEnvelope::from(transaction.into_signed(signature))
            .encoded_2718()
            .into()
    }
}
