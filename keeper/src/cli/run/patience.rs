//! Waiting at the start for what passes: a node that does not answer, a block that is not final yet. What is wrong for good
//! ends the start.

use std::{fmt::Display, future::Future, path::Path, time::Duration};

use tokio::time::sleep;
use tracing::{info, warn};

use super::{
    signs::Signs,
    stop::{Stop, Stopped},
};
use crate::{
    chain::{ChainError, IdentityError},
    heartbeat::Heartbeat,
    opening::OpeningError,
    signer::{Class, SignerError},
    store::StoreError,
};

/// Longest time between two tries.
const LONGEST: Duration = Duration::from_secs(30);
/// How often a contract may answer what it cannot, until it is taken for another contract than the one that is meant.
const STRANGE: u32 = 5;

/// Why it may be tried again, or not.
pub(super) enum Verdict {
    /// It passes by itself.
    Passes,
    /// It passes if it was a mistake of the node, and not if it is one of the configuration.
    Strange,
    /// It is wrong for good.
    Final,
}

/// Whoever starts, and can wait.
pub(super) struct Patience<'a> {
    stop: &'a Stop,
    store: &'a Path,
    signs: &'a Signs,
    shortest: Duration,
}

impl<'a> Patience<'a> {
    /// `shortest` is the time until the second try; each later one takes twice as long.
    pub fn new(stop: &'a Stop, store: &'a Path, signs: &'a Signs, shortest: Duration) -> Self {
        Self {
            stop,
            store,
            signs,
            shortest,
        }
    }

    /// Tries until it is done, or wrong for good; says each new reason once, in the log and in the sign of life.
    pub async fn until<T, E: Display>(
        &self,
        what: &str,
        mut attempt: impl AsyncFnMut() -> Result<T, E>,
        judge: impl Fn(&E) -> Verdict,
    ) -> Result<Result<T, E>, Stopped> {
        let mut pause = self.shortest;
        let mut said = String::new();
        let mut strange = 0_u32;
        loop {
            let error = match self.stop.or(attempt()).await? {
                Ok(done) => {
                    if !said.is_empty() {
                        info!("{what}: the wait is over");
                    }
                    return Ok(Ok(done));
                }
                Err(error) => error,
            };
            match judge(&error) {
                Verdict::Passes => strange = 0,
                Verdict::Strange if strange < STRANGE => strange = strange.saturating_add(1),
                _ => return Ok(Err(error)),
            }
            let why = error.to_string();
            if why != said {
                warn!(why, "{what}: waiting, and trying again ever more rarely");
                said = why;
            }
            self.waits(format!("{what}: {said}"));
            self.pause(&mut pause).await?;
        }
    }

    /// Says what is waited for wherever the keeper's state is asked for.
    fn waits(&self, what: String) {
        self.signs.waits(&what);
        Heartbeat::of_wait(self.store, what);
    }

    /// Another keeper leads, and this one is there if it does not.
    pub fn stands_by(&self, words: String) {
        self.signs.stands_by(&words);
        Heartbeat::of_wait(self.store, words);
    }

    fn pause(&self, pause: &mut Duration) -> impl Future<Output = Result<(), Stopped>> {
        let now = *pause;
        *pause = pause.saturating_mul(2).min(LONGEST);
        self.stop.or(sleep(now))
    }
}

fn of_chain(error: &ChainError) -> Verdict {
    match error {
        ChainError::Reverted { .. } | ChainError::Undecodable { .. } => Verdict::Strange,
        ChainError::NotForChain { .. } => Verdict::Final,
        _ => Verdict::Passes,
    }
}

/// Whether the chain may be what is configured all the same.
pub(super) fn of_identity(error: &IdentityError) -> Verdict {
    match error.root() {
        IdentityError::Chain(error) => of_chain(error),
        _ => Verdict::Final,
    }
}

/// Whether the store may be had later.
pub(super) fn of_store(error: &StoreError) -> Verdict {
    if error.passes() {
        Verdict::Passes
    } else {
        Verdict::Final
    }
}

/// Whether the key may be had later.
pub(super) fn of_key(error: &SignerError) -> Verdict {
    match error.class() {
        Class::Transient | Class::Absent => Verdict::Passes,
        Class::Final => Verdict::Final,
    }
}

/// What is wrong while the vault's past is read.
#[derive(Debug, thiserror::Error)]
pub(super) enum PastError {
    /// The chain is not what is configured, or does not answer.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its past cannot be told.
    #[error(transparent)]
    Opening(#[from] OpeningError),
}

/// Whether the vault's past may be told later.
pub(super) fn of_past(error: &PastError) -> Verdict {
    match error {
        PastError::Identity(error) => of_identity(error),
        PastError::Opening(OpeningError::Chain(error)) => of_chain(error),
        PastError::Opening(OpeningError::NotFinal { .. } | OpeningError::NodesDiffer { .. }) => {
            Verdict::Passes
        }
        PastError::Opening(_) => Verdict::Final,
    }
}

impl From<PastError> for crate::exit::Failure {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Identity(error) => error.into(),
            PastError::Opening(error) => Self::of(crate::exit::ExitStatus::Chain, error),
        }
    }
}
