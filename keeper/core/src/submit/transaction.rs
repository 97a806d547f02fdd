use alloy_consensus::{
    SignableTransaction, Transaction, TxEip1559, TxEnvelope, transaction::SignerRecoverable,
};
use alloy_eips::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};

use crate::{
    domain::VaultDomain,
    event::{Fees, Job},
};

/// A transaction that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// What it does.
    pub job: Job,
    /// What it offers.
    pub fees: Fees,
    transaction: TxEip1559,
}

/// What a signed transaction calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Calldata.
    pub data: Bytes,
    /// Most gas it may use.
    pub gas_limit: u64,
}

impl Call {
    /// Reads signed bytes; none if they are no transaction.
    pub fn read(mut raw: &[u8]) -> Option<Self> {
        let envelope = TxEnvelope::decode_2718(&mut raw).ok()?;
        Some(Self {
            data: envelope.input().clone(),
            gas_limit: envelope.gas_limit(),
        })
    }
}

/// A signature that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Another key signed, or other bytes.
    #[error("signature for nonce {nonce}: recovers to {recovered}, the keeper is {keeper}")]
    WrongKey {
        /// The nonce.
        nonce: u64,
        /// Whom the signature belongs to.
        recovered: Address,
        /// Whose it should be.
        keeper: Address,
    },
    /// It belongs to nobody.
    #[error("signature for nonce {nonce}: recovers to no key")]
    Invalid {
        /// The nonce.
        nonce: u64,
    },
}

impl Unsigned {
    /// A call of the vault.
    pub fn call(
        domain: &VaultDomain,
        nonce: u64,
        job: Job,
        data: Bytes,
        gas: u64,
        fees: Fees,
    ) -> Self {
        Self::build(domain, nonce, job, domain.vault, data, gas, fees)
    }

    /// Uses the nonce up: nothing sent to the keeper itself.
    pub fn void(domain: &VaultDomain, nonce: u64, keeper: Address, fees: Fees) -> Self {
        Self::build(domain, nonce, Job::Void, keeper, Bytes::new(), 21_000, fees)
    }

    fn build(
        domain: &VaultDomain,
        nonce: u64,
        job: Job,
        to: Address,
        input: Bytes,
        gas_limit: u64,
        fees: Fees,
    ) -> Self {
        let transaction = TxEip1559 {
            chain_id: domain.chain_id.0,
            nonce,
            gas_limit,
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.tip,
            to: TxKind::Call(to),
            value: U256::ZERO,
            access_list: Default::default(),
            input,
        };
        Self {
            job,
            fees,
            transaction,
        }
    }

    /// The nonce it uses.
    pub fn nonce(&self) -> u64 {
        self.transaction.nonce
    }

    /// The 32 bytes to sign.
    pub fn digest(&self) -> B256 {
        self.transaction.signature_hash()
    }

    /// The bytes that the digest is the hash of: the transaction without its signature, encoded as EIP-2718 says.
    pub fn preimage(&self) -> Bytes {
        self.transaction.encoded_for_signing().into()
    }

    /// The signed bytes and their hash. A signature of any other key is refused: the signer is not trusted.
    pub fn sign(self, signature: Signature, keeper: Address) -> Result<(B256, Bytes), SignError> {
        let nonce = self.nonce();
        let signature = signature.normalized_s();
        let envelope = TxEnvelope::from(self.transaction.into_signed(signature));
        let recovered = envelope
            .recover_signer()
            .map_err(|_| SignError::Invalid { nonce })?;
        if recovered != keeper {
            return Err(SignError::WrongKey {
                nonce,
                recovered,
                keeper,
            });
        }
        let raw = envelope.encoded_2718();
        Ok((*envelope.tx_hash(), raw.into()))
    }
}
