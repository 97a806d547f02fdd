//! Several keepers on one PostgreSQL store: one leads, the others stand by and follow the log.

use std::time::Duration;

use tokio::{task, time::sleep};
use tracing::{info, warn};

use super::{
    patience::{self, Patience},
    stop::Stop,
    store_failure,
};
use crate::{
    config::Config,
    exit::Failure,
    store::{self, Candidate, Identity, Lease, Location, Right, StoreError, Taking, WriterLock},
};

/// Between two looks at who leads; a sixth of the shortest lease.
const LOOK: Duration = Duration::from_millis(500);

/// Waits until this keeper may write the log; at once where no other host can.
pub(super) async fn right(
    location: &Location,
    lock: WriterLock,
    identity: Identity,
    trusts_promotion: bool,
    (stop, patience): (&Stop, &Patience<'_>),
) -> Result<Led, Failure> {
    if location.server.is_none() {
        let right = Right::new(lock, None);
        return Ok(Led {
            right,
            waited: false,
        });
    }
    let prepare = async || {
        let location = location.clone();
        apart(move || store::prepare(&location, identity)).await
    };
    let prepared = patience.until("the store", prepare, patience::of_store);
    prepared.await?.map_err(store_failure)?;
    let candidate = Candidate {
        trusts_promotion,
        ..Candidate::this_process()
    };
    let mut said = None;
    loop {
        let take = async || {
            let (location, candidate) = (location.clone(), candidate.clone());
            apart(move || Lease::take(&location, &candidate)).await
        };
        let taking = patience.until("the lease", take, patience::of_store);
        match taking.await?.map_err(store_failure)? {
            Taking::Taken(lease) => {
                info!("this keeper leads");
                let right = Right::new(lock, Some(lease));
                return Ok(Led {
                    right,
                    waited: said.is_some(),
                });
            }
            Taking::Led(leader) => {
                let words = format!(
                    "stands by: {} leads, in epoch {}",
                    leader.holder, leader.epoch
                );
                if said != Some(leader.epoch) {
                    info!("{words}");
                    said = Some(leader.epoch);
                }
                patience.stands_by(words);
            }
        }
        stop.or(sleep(LOOK)).await?;
    }
}

/// The right to write the log.
pub(super) struct Led {
    pub right: Right,
    /// Another keeper led meanwhile.
    pub waited: bool,
}

/// Whether there is a log.
pub(super) async fn is_opened(location: &Location) -> Result<bool, StoreError> {
    let location = location.clone();
    apart(move || location.is_opened()).await
}

/// What blocks gets a thread of its own.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => match broken.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(StoreError::Runtime(std::io::Error::other(ended))),
        },
    }
}

/// Whether the keeper goes back to standing by: it was deposed, or the server is away. What was decided and not stored is
/// decided again by whoever leads next.
pub(super) fn stands_by_again(config: &Config, failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<StoreError>();
    let goes_on = config.store.server.is_some()
        && error.is_some_and(|error| error.passes() || matches!(error, StoreError::Deposed { .. }));
    if goes_on {
        warn!("{}; this keeper stands by", failure.message());
    }
    goes_on
}
