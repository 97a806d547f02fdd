//! A key on a token: an HSM, a smart card, a cloud's HSM, through its vendor's PKCS#11 module.
//!
//! One thread has the module to itself. What blocks, blocks that thread, and nobody who waits for it.

mod point;
mod token;

use std::{
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use alloy::primitives::{Address, B256, Signature};
use tokio::sync::oneshot;

use super::{Message, Signer, SignerError, Signing};
use crate::config::Pkcs11Config;
use token::Token;

/// Signatures that may wait for the token at a time. A keeper asks for one; more than a few means that the token hangs.
const QUEUE: usize = 64;
/// How long a token has to log out at the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// A key that never leaves its token.
pub struct Pkcs11Signer {
    address: Address,
    module: String,
    /// There until the signer is dropped.
    orders: Option<mpsc::SyncSender<Order>>,
    /// Ends with the thread.
    ended: Mutex<mpsc::Receiver<()>>,
}

/// A digest to sign, and whom to tell.
struct Order {
    digest: B256,
    reply: oneshot::Sender<Result<Signature, SignerError>>,
}

impl Pkcs11Signer {
    /// Finds token and key, and logs in. Blocks; may ask for the PIN at the terminal.
    pub fn open(config: &Pkcs11Config) -> Result<Self, SignerError> {
        let module = config.module.display().to_string();
        let mut token = Token::new(config.clone())?;
        let address = token.address()?;
        let (orders, queue) = mpsc::sync_channel::<Order>(QUEUE);
        let (ends, ended) = mpsc::channel::<()>();
        let work = move || {
            let _ends = ends; // after the token, which is dropped first
            let mut token = token;
            for order in queue {
                if !order.reply.is_closed() {
                    // Fails only when nobody waits any more.
                    let _ = order.reply.send(token.sign(order.digest));
                }
            }
        };
        let started = thread::Builder::new().name("pkcs11".to_owned()).spawn(work);
        started.map_err(|error| SignerError::Sign {
            address,
            reason: format!("no thread for the token: {error}"),
        })?;
        Ok(Self {
            address,
            module,
            orders: Some(orders),
            ended: Mutex::new(ended),
        })
    }

    async fn signed(&self, digest: B256) -> Result<Signature, SignerError> {
        let hangs = |reason: &str| SignerError::Unavailable {
            field: "key.module",
            value: self.module.clone(),
            reason: reason.to_owned(),
        };
        let (reply, answer) = oneshot::channel();
        let order = Order { digest, reply };
        let orders = self.orders.as_ref();
        orders
            .and_then(|orders| orders.try_send(order).ok())
            .ok_or_else(|| hangs("the module has not answered what it was asked before"))?;
        answer
            .await
            .unwrap_or_else(|_| Err(hangs("the module's thread has ended")))
    }
}

/// Whoever opens the module next finds it ended, unless it hangs.
impl Drop for Pkcs11Signer {
    fn drop(&mut self) {
        self.orders = None;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(LAST_WAIT);
    }
}

impl Signer for Pkcs11Signer {
    fn address(&self) -> Address {
        self.address
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        Box::pin(self.signed(message.digest()))
    }
}
