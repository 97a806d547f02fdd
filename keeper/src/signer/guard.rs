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
pub(super) fn pause_ms(failures: u32) -> u64 {
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
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u64> = [0, 1, 2, 3, 5, 6, 7, 64, u32::MAX].map(pause_ms).into();
        assert_eq!(
            pauses,
            [250, 250, 500, 1_000, 4_000, 8_000, 8_000, 8_000, 8_000]
        );
    }
}
