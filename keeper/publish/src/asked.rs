//! What blocks, asked from a runtime: on threads that may wait. After an error it is opened anew the next time.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tidelock_store::StoreError;
use tokio::task::spawn_blocking;

type Open<T> = Arc<dyn Fn() -> Result<T, StoreError> + Send + Sync>;

/// A reader of the log, or what a publisher keeps.
pub(crate) struct Asked<T: Send + 'static> {
    slot: Arc<Mutex<Option<T>>>,
    open: Open<T>,
}

impl<T: Send + 'static> fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked")
    }
}

impl<T: Send + 'static> Clone for Asked<T> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
            open: Arc::clone(&self.open),
        }
    }
}

impl<T: Send + 'static> Asked<T> {
    pub fn new(open: impl Fn() -> Result<T, StoreError> + Send + Sync + 'static) -> Self {
        Self {
            slot: Arc::default(),
            open: Arc::new(open),
        }
    }

    pub async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut T) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let this = self.clone();
        let asked = spawn_blocking(move || {
            let mut slot = this.slot.lock().unwrap_or_else(PoisonError::into_inner);
            let mut open = match slot.take() {
                Some(open) => open,
                None => (this.open)()?,
            };
            let answer = question(&mut open)?;
            *slot = Some(open);
            Ok(answer)
        });
        match asked.await {
            Ok(answer) => answer,
            Err(error) => Err(StoreError::Runtime(std::io::Error::other(error))),
        }
    }

    /// Closes it, on a thread that may wait.
    pub async fn close(&self) {
        let slot = Arc::clone(&self.slot);
        let closed = spawn_blocking(move || {
            let open = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(open);
        });
        // A panic there has closed it as well.
        let _ = closed.await;
    }
}
