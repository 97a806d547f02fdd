//! What is written seldom: acts and votes. Each opens the store for itself; a few at a time.

use tidelock_store::{Desk, StoreError};

use crate::{Shared, problem::Problem};

/// At a time.
pub(crate) const WRITERS: usize = 4;

impl Shared {
    /// Writes, and answers once that is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.writers.acquire().await;
        let _turn = turn.map_err(|_| Problem::internal())?;
        let location = self.location.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut desk = Desk::open(location)?;
            let done = work(&mut desk)?;
            desk.close()?;
            Ok::<_, StoreError>(done)
        });
        Ok(written.await.map_err(|_| Problem::internal())??)
    }
}
