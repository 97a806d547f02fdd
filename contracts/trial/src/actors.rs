//! Who takes part: accounts with keys, and what they sign.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256, uint};
use k256::ecdsa::SigningKey;

/// Order of the curve: `n − s` is the other signature of the same words.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

/// An account with a key.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Its address.
    pub address: Address,
    key: SigningKey,
}

impl Actor {
    /// The actor of that number.
    pub fn new(number: u64) -> Self {
        let secret = keccak256(number.to_be_bytes());
        let key = SigningKey::from_slice(secret.as_slice()).expect("a key");
        let address = Address::from_public_key(key.verifying_key());
        Self { address, key }
    }

    /// Its signature of a digest: 65 bytes.
    pub fn sign(&self, digest: B256) -> Bytes {
        let (signature, recovery) = self
            .key
            .sign_prehash_recoverable(digest.as_slice())
            .expect("a signature");
        let mut bytes = signature.to_bytes().to_vec();
        bytes.push(27 + recovery.to_byte());
        bytes.into()
    }
}

/// The same signature with a high `s`, which recovers to the same signer and must not count.
pub fn high_twin(signature: &[u8]) -> Bytes {
    let mut twin = signature.to_vec();
    let s = ORDER - U256::from_be_slice(&signature[32..64]);
    twin[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    twin[64] = 27 + 28 - signature[64];
    twin.into()
}
