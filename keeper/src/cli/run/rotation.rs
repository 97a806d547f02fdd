//! From one key to the next while the keeper runs: both have the role for a while, the old one takes no new nonce and sees its own
//! through, and the next one goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alloy::primitives::Address;
use tidelock_core::engine;
use tokio::runtime::Runtime;
use tracing::{info, warn};

use super::{
    connect, engine_failure, expected,
    patience::{self, Patience},
    store_failure,
};
use crate::{
    chain::Identity,
    config::{Config, KeyConfig, NextKeyConfig},
    exit::{ExitStatus, Failure},
    signer::{Class, Guarded, SignerError, open_key},
    store::{LogStore, Reader},
};

/// Between two looks at whether the next key may send.
const LOOK: Duration = Duration::from_secs(5);

/// The key to run with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'a> {
    /// That of `[key]`.
    Current(&'a KeyConfig),
    /// That of `[next_key]`: it has taken over.
    Next(&'a NextKeyConfig),
}

impl Key<'_> {
    /// Opens it.
    pub(super) async fn open(&self) -> Result<Guarded, SignerError> {
        match self {
            Self::Current(key) => open_key(key).await,
            Self::Next(next) => open_key(&next.key).await.map_err(SignerError::of_next_key),
        }
    }
}

/// The log is of the key that was opened; the next one, if another keeper has gone over to it meanwhile.
pub(super) fn must_be(
    config: &Config,
    of_log: Address,
    address: Address,
) -> Result<Option<Key<'_>>, Failure> {
    if of_log == address {
        return Ok(None);
    }
    let next = config.next_key.as_ref();
    if let Some(next) = next.filter(|next| next.address == of_log && config.store.server.is_some())
    {
        return Ok(Some(Key::Next(next)));
    }
    let rule = format!(
        "key.address = {address}: the log is of key {of_log}; must be the same, or stand in [next_key]"
    );
    Err(Failure::new(ExitStatus::Usage, rule))
}

/// The key that the log is of. The next one is tried first, while nothing depends on it yet.
pub(super) fn first<'a>(config: &'a Config, runtime: &Runtime) -> Result<Key<'a>, Failure> {
    let Some(next) = &config.next_key else {
        return Ok(Key::Current(&config.key));
    };
    if of_log(config)? == Some(next.address) {
        info!(keeper = %next.address, "the next key has taken over; what [next_key] says may be moved to [key]");
        return Ok(Key::Next(next));
    }
    match runtime
        .block_on(open_key(&next.key))
        .map_err(SignerError::of_next_key)
    {
        Ok(_) => {}
        Err(error) if error.class() == Class::Final => return Err(error.into()),
        Err(error) => warn!("{error}; it is needed when the keeper goes over to it"),
    }
    Ok(Key::Current(&config.key))
}

/// The key of the log, if there is one.
pub(in crate::cli) fn of_log(config: &Config) -> Result<Option<Address>, Failure> {
    if !config.store.is_opened().map_err(store_failure)? {
        return Ok(None);
    }
    let read = Reader::open(&config.store).and_then(|mut reader| {
        let overview = reader.overview()?;
        reader.close()?;
        Ok(overview)
    });
    let log = read.map_err(store_failure)?.log;
    Ok(log.map(|(_, head)| head.opening.keeper))
}

/// Set once the next key may send, by a final block's word. Says what it waits for, once for each.
pub(super) fn watch(
    config: &Config,
    key: &Key<'_>,
    observes: bool,
    identity: &Identity,
    runtime: &Runtime,
) -> Result<Arc<AtomicBool>, Failure> {
    let retire = Arc::new(AtomicBool::new(false));
    let (Key::Current(_), Some(next), false) = (key, &config.next_key, observes) else {
        return Ok(retire);
    };
    let nodes = connect(config, next.address)?;
    let (expected, address) = (expected(config, true), next.address);
    let proposes = identity.proposer_until > identity.head.time.seconds();
    let flag = Arc::clone(&retire);
    runtime.spawn(async move {
        let (mut said, mut since) = (String::new(), None);
        loop {
            let lacks = match nodes.identify(expected).await {
                Ok(found) => {
                    let since = *since.get_or_insert(found.head.number);
                    lacks(&found, proposes, since)
                }
                Err(error) => {
                    since = None;
                    Some(error.to_string())
                }
            };
            let Some(lacks) = lacks else { break };
            if said != lacks {
                info!(next = %address, "the next key does not send yet: {lacks}");
                said = lacks;
            }
            tokio::time::sleep(LOOK).await;
        }
        info!(next = %address, "the next key may send; the old one takes no new nonce from now on");
        flag.store(true, Ordering::Relaxed);
    });
    Ok(retire)
}

/// What the next key lacks to go on as the old one does.
pub(in crate::cli) fn lacks(found: &Identity, proposes: bool, since: u64) -> Option<String> {
    if proposes && found.proposer_until <= found.head.time.seconds() {
        return Some("it lacks the proposer's role, which the key has".to_owned());
    }
    if found.gas_balance.is_zero() {
        return Some("it holds nothing to pay for gas".to_owned());
    }
    let is_final = found.finalised.number >= since;
    (!is_final).then(|| format!("block {since}, in which it has the role, is not final yet"))
}

/// Lets the next key send from now on, from the nonce that a final block tells.
pub(super) fn change<'a>(
    config: &'a Config,
    store: &mut LogStore,
    (runtime, patience): (&Runtime, &Patience<'_>),
) -> Result<Option<Key<'a>>, Failure> {
    let Some(next) = &config.next_key else {
        return Ok(None);
    };
    let nodes = connect(config, next.address)?;
    let expected = expected(config, true);
    let identify = async || nodes.identify(expected).await;
    let found = patience.until("the next key's nonce", identify, patience::of_identity);
    let nonce = runtime.block_on(found)??.keeper_nonce;
    engine::change_key(store, next.address, nonce).map_err(engine_failure)?;
    info!(keeper = %next.address, nonce, "the next key sends from now on");
    Ok(Some(Key::Next(next)))
}
