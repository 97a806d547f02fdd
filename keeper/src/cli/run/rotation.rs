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
    chain::{Ends, Expected, Identity, IdentityError, Nodes, Roles},
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
    let (expected, address) = (expected(config, false), next.address);
    let proposes = identity.proposer_until > identity.head.time.seconds();
    let flag = Arc::clone(&retire);
    runtime.spawn(async move {
        let (mut said, mut candidate) = (String::new(), Candidate::default());
        let mut is_known = false;
        loop {
            let lacks = match look(&nodes, expected, &mut is_known).await {
                Ok(roles) => candidate.lacks(&roles, proposes),
                // What was seen of its roles stays seen.
                Err(error) => Some(error.to_string()),
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

/// How the next key stands. Whether the chain is the one that is configured is asked until it was answered once.
async fn look(
    nodes: &Nodes,
    expected: Expected,
    is_known: &mut bool,
) -> Result<Vec<Roles>, IdentityError> {
    if !*is_known {
        nodes.identify(expected).await?;
        *is_known = true;
    }
    Ok(nodes.roles().await?)
}

/// A key that is to go on, as it is seen from look to look.
#[derive(Debug, Default)]
pub(in crate::cli) struct Candidate {
    /// The newest block when it was first seen with its roles, which it had at each look since.
    since: Option<u64>,
}

impl Candidate {
    /// What it lacks, by any of the nodes, to go on as the old key does: its roles must be in a final block.
    pub fn lacks(&mut self, nodes: &[Roles], proposes: bool) -> Option<String> {
        let now = nodes.iter().find_map(|roles| lacks_now(roles, proposes));
        if now.is_some() {
            self.since = None;
            return now;
        }
        let newest = nodes.iter().map(|roles| roles.head.number).max()?;
        let since = *self.since.get_or_insert(newest);
        nodes.iter().find_map(|roles| {
            let last = roles.finalised;
            let Some(ends) = roles.settled else {
                let is_final = last.number >= since;
                return (!is_final).then(|| {
                    format!("block {since}, in which it has its roles, is not final yet")
                });
            };
            lacks_role(ends, last.time.seconds(), proposes).map(|role| {
                format!(
                    "block {} is final, and after it the key has no {role}'s role yet",
                    last.number
                )
            })
        })
    }
}

fn lacks_now(roles: &Roles, proposes: bool) -> Option<String> {
    match lacks_role(roles.newest, roles.head.time.seconds(), proposes) {
        Some("proposer") => Some("it lacks the proposer's role, which the key has".to_owned()),
        Some(role) => Some(format!("it lacks the {role}'s role")),
        None if roles.gas_balance.is_zero() => Some("it holds nothing to pay for gas".to_owned()),
        None => None,
    }
}

fn lacks_role(ends: Ends, time: u64, proposes: bool) -> Option<&'static str> {
    if ends.keeper <= time {
        return Some("keeper");
    }
    (proposes && ends.proposer <= time).then_some("proposer")
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

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, U256};
    use tidelock_core::{domain::BlockTime, event::BlockRef};

    use super::*;

    const GRANTED: Ends = Ends {
        keeper: 5_000,
        proposer: 5_000,
    };

    fn block(number: u64) -> BlockRef {
        BlockRef {
            number,
            hash: B256::ZERO,
            time: BlockTime::from_seconds(1_000 + number).unwrap(),
        }
    }

    fn roles(head: u64, last: u64, settled: Option<Ends>) -> Roles {
        Roles {
            head: block(head),
            newest: GRANTED,
            finalised: block(last),
            settled,
            gas_balance: U256::from(1),
        }
    }

    #[test]
    fn each_role_must_be_in_a_final_block() {
        let mut candidate = Candidate::default();
        for (ends, proposes, says) in [
            (
                Ends {
                    keeper: 0,
                    ..GRANTED
                },
                false,
                Some("no keeper's role yet"),
            ),
            (
                Ends {
                    proposer: 0,
                    ..GRANTED
                },
                true,
                Some("no proposer's role yet"),
            ),
            (
                Ends {
                    proposer: 0,
                    ..GRANTED
                },
                false,
                None,
            ),
            (GRANTED, true, None),
        ] {
            let lacks = candidate.lacks(&[roles(90, 80, Some(ends))], proposes);
            match says {
                Some(words) => assert!(lacks.unwrap().contains(words)),
                None => assert_eq!(lacks, None),
            }
        }
        let other = roles(
            90,
            80,
            Some(Ends {
                keeper: 0,
                ..GRANTED
            }),
        );
        assert!(
            candidate
                .lacks(&[roles(90, 80, Some(GRANTED)), other], false)
                .is_some()
        );
    }

    /// A node that has no state of final blocks: what was seen at the head must be final.
    #[test]
    fn what_was_seen_is_kept_while_the_node_fails() {
        let mut candidate = Candidate::default();
        assert!(candidate.lacks(&[roles(90, 80, None)], true).is_some());
        assert!(candidate.lacks(&[roles(95, 89, None)], true).is_some());
        assert_eq!(candidate.lacks(&[roles(99, 90, None)], true), None);
        // It was taken away, and given back later.
        let taken = Roles {
            newest: Ends {
                keeper: 0,
                ..GRANTED
            },
            ..roles(100, 90, None)
        };
        assert!(candidate.lacks(&[taken], true).is_some());
        assert!(candidate.lacks(&[roles(101, 100, None)], true).is_some());
        assert_eq!(candidate.lacks(&[roles(102, 101, None)], true), None);
    }
}
