//! Around every key: what it answers is checked, it has so long to answer, and after a failure it is left alone for a while.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use alloy::primitives::{Address, B256, Signature};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Message, Signer, SignerError, Signing};

/// Pause after the first failure; each further one in a row doubles it. [milliseconds]
const FIRST_PAUSE_MS: u64 = 250;
/// Longest pause. [milliseconds]
const LONGEST_PAUSE_MS: u64 = 8_000;

/// The pause after so many failures in a row. [milliseconds]
fn pause_ms(failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1);
    let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    FIRST_PAUSE_MS.saturating_mul(factor).min(LONGEST_PAUSE_MS)
}

/// A key whose signatures are checked before anybody sees them.
pub struct Guarded {
    key: Box<dyn Signer>,
    timeout_ms: u64,
    patience: Mutex<Patience>,
}

/// When the key may be asked again.
#[derive(Debug, Default)]
struct Patience {
    failures: u32,
    not_before: Option<Instant>,
}

impl Guarded {
    /// Guards a key, which has `timeout_ms` for each answer.
    pub fn new(key: impl Signer + 'static, timeout_ms: u64) -> Self {
        Self {
            key: Box::new(key),
            timeout_ms,
            patience: Mutex::default(),
        }
    }

    async fn signed(&self, message: &Message) -> Result<Signature, SignerError> {
        let not_before = self.patience().not_before;
        if let Some(at) = not_before {
            sleep_until(at).await;
        }
        let address = self.address();
        let limit = Duration::from_millis(self.timeout_ms);
        let answer = match timeout(limit, self.key.sign(message)).await {
            Ok(answer) => {
                answer.and_then(|signature| checked(signature, message.digest(), address))
            }
            Err(_) => Err(SignerError::Late {
                address,
                timeout_ms: self.timeout_ms,
            }),
        };
        self.note(answer.is_ok());
        answer
    }

    /// A success ends the pauses, a failure makes the next one longer.
    fn note(&self, is_signed: bool) {
        let mut patience = self.patience();
        if is_signed {
            *patience = Patience::default();
            return;
        }
        patience.failures = patience.failures.saturating_add(1);
        let pause = Duration::from_millis(pause_ms(patience.failures));
        patience.not_before = Instant::now().checked_add(pause);
    }

    fn patience(&self) -> std::sync::MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guarded({})", self.key.address())
    }
}

impl Signer for Guarded {
    fn address(&self) -> Address {
        self.key.address()
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        Box::pin(self.signed(message))
    }
}

/// The signature with the lower of its two s, and the parity that leads to the address: tokens tell neither.
fn checked(signature: Signature, digest: B256, address: Address) -> Result<Signature, SignerError> {
    let low = signature.normalized_s();
    [false, true]
        .into_iter()
        .map(|parity| low.with_parity(parity))
        .find(|candidate| {
            let recovered = candidate.recover_address_from_prehash(&digest);
            recovered.is_ok_and(|recovered| recovered == address)
        })
        .ok_or(SignerError::WrongSignature { address })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use alloy::{
        primitives::{Bytes, U256},
        signers::{SignerSync, local::PrivateKeySigner},
    };

    use super::*;

    /// The order of secp256k1.
    const ORDER: &str = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    fn key(byte: u8) -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap()
    }

    /// A key whose answers are spoilt on their way.
    struct Spoilt {
        spoil: fn(B256) -> Option<Signature>,
        asked: AtomicU32,
    }

    fn spoilt(spoil: fn(B256) -> Option<Signature>) -> Spoilt {
        Spoilt {
            spoil,
            asked: AtomicU32::new(0),
        }
    }

    impl Signer for Spoilt {
        fn address(&self) -> Address {
            key(1).address()
        }

        fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async {
                match (self.spoil)(message.digest()) {
                    Some(signature) => Ok(signature),
                    None => std::future::pending().await,
                }
            })
        }
    }

    fn message() -> Message {
        Message::new(Bytes::from_static(b"a transaction"))
    }

    #[tokio::test]
    async fn a_high_s_and_any_parity_end_as_the_signature_that_a_chain_takes() {
        let right = key(1).sign_hash_sync(&message().digest()).unwrap();
        let spoils: [fn(B256) -> Option<Signature>; 3] = [
            |digest| key(1).sign_hash_sync(&digest).ok(),
            |digest| {
                let right = key(1).sign_hash_sync(&digest).ok()?;
                Some(right.with_parity(!right.v()))
            },
            |digest| {
                let right = key(1).sign_hash_sync(&digest).ok()?;
                let high = ORDER.parse::<U256>().ok()? - right.s();
                Some(Signature::new(right.r(), high, false))
            },
        ];
        for spoil in spoils {
            let guarded = Guarded::new(spoilt(spoil), 1_000);
            assert_eq!(guarded.sign(&message()).await.unwrap(), right);
        }
    }

    #[tokio::test]
    async fn what_is_no_signature_of_these_bytes_by_this_key_is_not_used() {
        let spoils: [fn(B256) -> Option<Signature>; 3] = [
            |digest| key(2).sign_hash_sync(&digest).ok(),
            |digest| key(1).sign_hash_sync(&!digest).ok(),
            |_| Some(Signature::new(U256::ZERO, U256::ZERO, false)),
        ];
        for spoil in spoils {
            let error = Guarded::new(spoilt(spoil), 1_000)
                .sign(&message())
                .await
                .unwrap_err();
            assert!(
                matches!(error, SignerError::WrongSignature { .. }),
                "{error}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_left_alone_for_longer_and_longer() {
        let guarded = Guarded::new(spoilt(|_| None), 1_000);
        let begin = Instant::now();
        for expected in [1_000, 2_250, 3_750, 5_750] {
            let error = guarded.sign(&message()).await.unwrap_err();
            assert!(matches!(
                error,
                SignerError::Late {
                    timeout_ms: 1_000,
                    ..
                }
            ));
            assert_eq!(begin.elapsed().as_millis(), expected);
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u64> = [0, 1, 2, 3, 5, 6, 7, 64, u32::MAX].map(pause_ms).into();
        assert_eq!(
            pauses,
            [250, 250, 500, 1_000, 4_000, 8_000, 8_000, 8_000, 8_000]
        );
    }
}
