//! What the commands that work on the store alone have in common.

use std::{io::Write, time::Duration};

use crate::{
    config::Config,
    exit::{ExitStatus, Failure},
    store::{Desk, GoOn, Identity, Location, Reader, StoreError},
};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::Exists { .. } => ExitStatus::Refused,
            _ => ExitStatus::Store,
        };
        Self::of(status, error)
    }
}

/// How long a person's command waits while another process holds the store.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for that long, and says for whom: after a second, and ever more rarely.
fn a_minute() -> GoOn {
    let mut next = Duration::from_secs(1);
    Box::new(move |held| {
        if held.since >= next {
            next = held.since.saturating_mul(2);
            let (by, seconds) = (held.by(), held.since.as_secs());
            // Nothing is lost with these words.
            let _ = writeln!(
                std::io::stderr(),
                "waiting: {by} has held the store for {seconds} s"
            );
        }
        held.since < PATIENCE
    })
}

/// The store that the configuration names, to hand requests and commands in.
pub(super) fn desk(config: &Config) -> Result<Desk, Failure> {
    let store = &config.store;
    let desk = Desk::open_with(store, a_minute())?;
    same(config, store, desk.identity())?;
    Ok(desk)
}

/// The store that the configuration names, to look at.
pub(super) fn reader(config: &Config) -> Result<Reader, Failure> {
    let store = &config.store;
    let reader = Reader::open(store)?;
    same(config, store, reader.identity())?;
    Ok(reader)
}

/// A store belongs to one vault; requests for another must not get into it.
pub(super) fn same(config: &Config, store: &Location, identity: &Identity) -> Result<(), Failure> {
    let Identity { domain, token, .. } = identity;
    let pairs = [
        (
            "chain.chain_id",
            config.chain.chain_id.0.to_string(),
            domain.chain_id.0.to_string(),
        ),
        (
            "vault.address",
            config.vault.address.to_string(),
            domain.vault.to_string(),
        ),
        (
            "vault.token",
            config.vault.token.to_string(),
            token.to_string(),
        ),
    ];
    match pairs
        .iter()
        .find(|(_, configured, stored)| configured != stored)
    {
        None => Ok(()),
        Some((field, configured, stored)) => Err(Failure::new(
            ExitStatus::Usage,
            format!(
                "{field} = {configured}: store {store} was made for {stored}; a store belongs to one vault"
            ),
        )),
    }
}
